//! Ledger rows in words: the three largest positive ones are the reasons of a score.

use super::card::{LedgerRow, RowKind};
use super::model::{Model, Per, RuleKind};
use super::points::signed;

/// The three largest positive rows with their counts, such as "Hit a usage limit 2 times (+12.10)".
#[must_use]
pub fn top(model: &Model, ledger: &[LedgerRow]) -> Vec<String> {
    let mut rows: Vec<&LedgerRow> =
        ledger.iter().filter(|row| row.net > 0 && row.kind != RowKind::Clamp).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.net));
    rows.iter().take(3).map(|row| format!("{} ({})", words(model, row), signed(row.net))).collect()
}

/// What a row is about, with its counts: "Used a core feature on 12 days", "3 invites accepted".
#[must_use]
pub fn words(model: &Model, row: &LedgerRow) -> String {
    match row.kind {
        RowKind::Clamp => match row.category.as_deref().and_then(|key| model.category(key)) {
            Some(category) if row.net < 0 => format!("Lost to the limit of {}", category.label),
            Some(category) => format!("Lifted to the floor of {}", category.label),
            None => "Kept between 0 and 100".to_owned(),
        },
        RowKind::State => row.label.clone(),
        RowKind::Lookup => match &row.note {
            Some(note) if note.starts_with(&row.label) => note.clone(),
            Some(note) => format!("{} {note}", row.label),
            None => row.label.clone(),
        },
        RowKind::Event => {
            let rule = row.rule.as_deref().and_then(|key| model.rule(key));
            let per = match rule.map(|rule| &rule.kind) {
                Some(RuleKind::Event { per, .. }) => *per,
                _ => Per::Event,
            };
            counted(&row.label, per, row.events, row.days)
        }
    }
}

/// A label with its count. Labels that name a thing count things ("3 invites accepted"), labels
/// that tell what somebody did count times or days.
fn counted(label: &str, per: Per, events: i64, days: i64) -> String {
    let thing = match label {
        "Invite sent" => Some(("invite sent", "invites sent")),
        "Invite accepted" => Some(("invite accepted", "invites accepted")),
        "New active user" => Some(("new active user", "new active users")),
        _ => None,
    };
    match (per, thing) {
        (Per::Once, _) => label.to_owned(),
        (_, Some((one, _))) if events == 1 => format!("1 {one}"),
        (_, Some((_, many))) => format!("{events} {many}"),
        (Per::Day | Per::UserDay, None) if days == 1 => format!("{label} on 1 day"),
        (Per::Day | Per::UserDay, None) => format!("{label} on {days} days"),
        (Per::Event, None) if events == 1 => label.to_owned(),
        (Per::Event, None) => format!("{label} {events} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::presets::published_recipe;

    #[test]
    fn the_examples_of_the_specification() {
        let model = published_recipe();
        let row = |rule: &str, events, days, net| LedgerRow {
            rule: Some(rule.to_owned()),
            label: model.rule(rule).unwrap().label.clone(),
            events,
            days,
            net,
            ..LedgerRow::default()
        };
        let ledger = [
            row("invite_accepted", 3, 2, 987),
            row("pricing_page_view", 1, 1, 200),
            row("core_feature_used", 41, 12, 1450),
            row("usage_limit_hit", 2, 2, 1210),
            row("workspace_downgraded", 1, 1, -1500),
            LedgerRow { kind: RowKind::Clamp, net: 9000, ..LedgerRow::default() },
        ];
        assert_eq!(
            top(&model, &ledger),
            [
                "Used a core feature on 12 days (+14.50)",
                "Hit a usage limit 2 times (+12.10)",
                "3 invites accepted (+9.87)",
            ]
        );
    }
}
