//! A scorecard for pages: why the points are what they are, what changed since, what is missing.
//! Pure: from the stored card and its model to texts and numbers that templates only write.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::ids::UserId;
use crate::scoring::card::{LedgerRow, RowKind, Scorecard};
use crate::scoring::change::{Part, PartKind};
use crate::scoring::lead::Why as LeadWhy;
use crate::scoring::model::{Decay, Model, Rule, RuleKind, stage_label};
use crate::scoring::reasons::words as reason_words;
use crate::usage::dictionary::in_words;
use crate::web::charts::{Band, Bar};
use crate::web::format;

/// One reason: points, what happened, and what was done with the points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Hundredths.
    pub points: i32,
    /// What happened: "Used a core feature on 9 days".
    pub what: String,
    /// By whom, capped, weighted, faded; may be empty.
    pub detail: String,
    /// The query of the timeline that shows the events, and how many: empty without events.
    pub events: Option<(String, String)>,
}

/// One row of the ledger as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerLine {
    /// The rule's label, or what a limit took.
    pub label: String,
    /// Whose, or the value found; may be empty.
    pub note: String,
    /// Events, or nothing.
    pub events: String,
    /// The query of the timeline that shows them; may be empty.
    pub href: String,
    /// Points before anything, then each effect; empty on rows without one.
    pub steps: [String; 4],
    /// What counts.
    pub net: String,
    /// `up`, `down` or nothing.
    pub direction: &'static str,
}

/// The ledger of a category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerPart {
    /// The category's key; empty for the limit of the whole.
    pub key: String,
    /// Its label.
    pub label: String,
    /// Its rows.
    pub lines: Vec<LedgerLine>,
    /// The sum of its rows.
    pub net: String,
}

/// What changed since an earlier day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The earlier day.
    pub since: NaiveDate,
    /// Hundredths, the sum of the parts.
    pub total: i32,
    /// Words and hundredths, the largest first.
    pub parts: Vec<(String, i32)>,
}

/// Hundredths as charts and lists take them; scores are far inside.
#[must_use]
pub fn small(hundredths: i64) -> i32 {
    i32::try_from(hundredths).unwrap_or(if hundredths < 0 { i32::MIN } else { i32::MAX })
}

/// Points to the hundredth with a true minus: the ledger's rows add up before the reader's eyes.
#[must_use]
pub fn exact(hundredths: i64) -> String {
    let size = hundredths.unsigned_abs();
    let sign = if hundredths < 0 { "\u{2212}" } else { "" };
    format!("{sign}{}.{:02}", size / 100, size % 100)
}

/// An effect: with its sign, empty for none.
fn effect(hundredths: i64) -> String {
    match hundredths {
        0 => String::new(),
        1.. => format!("+{}", exact(hundredths)),
        _ => exact(hundredths),
    }
}

/// Names of people by id, for rows of one member.
pub type Names = BTreeMap<UserId, String>;

/// The largest rows, those that give before those that take, at most `most`.
#[must_use]
pub fn reasons(card: &Scorecard, model: &Model, names: &Names, most: usize) -> Vec<Reason> {
    let mut rows: Vec<&LedgerRow> =
        card.ledger.iter().filter(|row| row.kind != RowKind::Clamp && row.net != 0).collect();
    rows.sort_by_key(|row| (row.net < 0, std::cmp::Reverse(row.net.abs())));
    // What takes away is said even when much gives.
    let losses = rows.iter().filter(|row| row.net < 0).count().min(2);
    let gains = rows.iter().filter(|row| row.net > 0).count().min(most.saturating_sub(losses));
    let kept = rows.iter().filter(|row| row.net > 0).take(gains);
    kept.chain(rows.iter().filter(|row| row.net < 0).take(losses))
        .map(|row| Reason {
            points: small(row.net),
            what: reason_words(model, row),
            detail: detail(row, card, model, names),
            events: (row.events > 0).then(|| (events_query(row, model), events_words(row.events))),
        })
        .collect()
}

fn rule_of<'a>(row: &LedgerRow, model: &'a Model) -> Option<&'a Rule> {
    row.rule.as_deref().and_then(|key| model.rule(key))
}

fn label_of(row: &LedgerRow, model: &Model) -> String {
    if !row.label.is_empty() {
        return row.label.clone();
    }
    match (rule_of(row, model), &row.rule) {
        (Some(rule), _) => rule.label.clone(),
        (None, Some(key)) => in_words(key),
        (None, None) => String::new(),
    }
}

fn detail(row: &LedgerRow, card: &Scorecard, model: &Model, names: &Names) -> String {
    let mut parts = Vec::new();
    if let Some(user) = row.user_id {
        let name = names.get(&user).cloned().unwrap_or_else(|| "one member".to_owned());
        parts.push(format!("by {name}"));
    }
    if row.capped != 0 {
        let rule = rule_of(row, model).map(|rule| &rule.kind);
        let limit = match rule {
            Some(RuleKind::Event { cap: Some(cap), .. }) => {
                format!("at most {} in {}", cap.points, format::count(cap.days, "day", "days"))
            }
            _ => "capped".to_owned(),
        };
        parts.push(format!("{limit} ({} not counted)", tenths(row.capped.abs())));
    }
    if row.role != 0 {
        let lead = card.lead_user.as_ref().filter(|lead| row.user_id == Some(lead.user_id));
        let factor = lead.map(|lead| format!("× {} {} ", lead.factor, lead_word(lead.why)));
        parts.push(format!(
            "{}({})",
            factor.unwrap_or_else(|| "role ".to_owned()),
            signed(row.role)
        ));
    }
    if row.decay != 0 {
        parts.push(format!("{} by age{}", signed(row.decay), decay_words(row, model)));
    }
    if row.kind == RowKind::State {
        parts.push("while it lasts".to_owned());
    }
    if row.net > 0 && over_the_limit(row.category.as_deref(), card) > 0 {
        let category = row.category.as_deref().unwrap_or_default();
        let max = card.categories.iter().find(|one| one.key == category).map_or(0, |one| one.max);
        parts.push(format!(
            "{} counts at most {}",
            category_label(category, model),
            format::limit(small(max))
        ));
    }
    parts.join("; ")
}

fn decay_words(row: &LedgerRow, model: &Model) -> String {
    let rule = rule_of(row, model);
    let category = row.category.as_deref().and_then(|key| model.category(key));
    let decay = rule.and_then(|rule| rule.decay).or(category.map(|category| category.decay));
    match decay {
        Some(Decay::HalfLife { days }) => format!(", half is left after {days} days"),
        Some(Decay::Exponential { days }) => format!(", 37 % is left after {days} days"),
        Some(Decay::Linear { days }) => format!(", nothing is left after {days} days"),
        Some(Decay::None) | None => String::new(),
    }
}

/// Why a member leads, in a word or two.
#[must_use]
pub fn lead_word(why: LeadWhy) -> &'static str {
    match why {
        LeadWhy::Admin => "admin",
        LeadWhy::Champion => "champion",
        LeadWhy::SuggestedChampion => "champion, suggested",
        LeadWhy::BestMember => "most engaged member",
    }
}

fn tenths(hundredths: i64) -> String {
    format::points(small(hundredths))
}

fn signed(hundredths: i64) -> String {
    format::signed(small(hundredths))
}

fn events_words(events: i64) -> String {
    format::count(events, "event", "events")
}

/// `kind=..&person=..` for the timeline.
fn events_query(row: &LedgerRow, model: &Model) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(RuleKind::Event { event, .. }) = rule_of(row, model).map(|rule| &rule.kind) {
        query.append_pair("kind", event);
    }
    if let Some(user) = row.user_id {
        query.append_pair("person", &user.to_string());
    }
    query.finish()
}

/// The whole ledger by category, in the model's order; the limit of the whole stands last.
#[must_use]
pub fn ledger(card: &Scorecard, model: &Model, names: &Names) -> Vec<LedgerPart> {
    let mut parts: Vec<LedgerPart> = Vec::new();
    let keys = card.categories.iter().map(|category| Some(category.key.as_str())).chain([None]);
    for key in keys {
        let rows: Vec<&LedgerRow> =
            card.ledger.iter().filter(|row| row.category.as_deref() == key).collect();
        if rows.is_empty() {
            continue;
        }
        parts.push(LedgerPart {
            key: key.unwrap_or_default().to_owned(),
            label: key.map_or_else(|| "The whole".to_owned(), |key| category_label(key, model)),
            net: exact(rows.iter().map(|row| row.net).sum()),
            lines: rows.into_iter().map(|row| ledger_line(row, model, names)).collect(),
        });
    }
    parts
}

fn ledger_line(row: &LedgerRow, model: &Model, names: &Names) -> LedgerLine {
    let is_clamp = row.kind == RowKind::Clamp;
    let label = match (is_clamp, row.net < 0) {
        (true, true) => "Over the limit, not counted".to_owned(),
        (true, false) => "Lifted to the lower limit".to_owned(),
        (false, _) => label_of(row, model),
    };
    let who = row.user_id.and_then(|user| names.get(&user).cloned());
    LedgerLine {
        label,
        note: who.or_else(|| row.note.clone()).unwrap_or_default(),
        events: if row.events > 0 { format::grouped(row.events) } else { String::new() },
        href: if row.events > 0 { events_query(row, model) } else { String::new() },
        steps: if is_clamp {
            Default::default()
        } else {
            [exact(row.raw), effect(row.capped), effect(row.role), effect(row.decay)]
        },
        net: exact(row.net),
        direction: format::direction(small(row.net)),
    }
}

/// A category's label; its key in words where the model does not know it.
#[must_use]
pub fn category_label(key: &str, model: &Model) -> String {
    model.category(key).map_or_else(|| in_words(key), |category| category.label.clone())
}

/// What a category's upper limit took, in hundredths.
fn over_the_limit(category: Option<&str>, card: &Scorecard) -> i64 {
    let clamps = card.ledger.iter().filter(|row| row.kind == RowKind::Clamp && row.net < 0);
    clamps.filter(|row| row.category.as_deref() == category).map(|row| row.net.abs()).sum()
}

/// A bar for each category of a card.
#[must_use]
pub fn bars(card: &Scorecard, model: &Model) -> Vec<Bar> {
    card.categories
        .iter()
        .map(|category| {
            let note = match over_the_limit(Some(&category.key), card) {
                0 => String::new(),
                lost => format!("{} over the limit were not counted", tenths(lost)),
            };
            let has_rows = card
                .ledger
                .iter()
                .any(|row| row.category.as_deref() == Some(category.key.as_str()));
            Bar {
                label: category_label(&category.key, model),
                points: small(category.points),
                limit: limit_of(&category.key, category.max, model),
                note,
                href: if has_rows { format!("#ledger-{}", category.key) } else { String::new() },
            }
        })
        .collect()
}

/// The upper limit, or the lower one of a category that only takes away.
fn limit_of(key: &str, max: i64, model: &Model) -> i32 {
    if max > 0 {
        return small(max);
    }
    model
        .category(key)
        .map_or(0, |category| small(crate::scoring::points::hundredths(category.min)))
}

/// The stages above the lowest, as charts draw them.
#[must_use]
pub fn bands(model: &Model) -> Vec<Band> {
    model
        .stages
        .iter()
        .map(|stage| Band {
            key: stage.key.clone(),
            label: stage_label(&stage.key),
            min: small(stage.min_hundredths()),
        })
        .collect()
}

/// How far it is to the next stage: "5.9 points to Hot PQL"; in the highest, how far above its line.
#[must_use]
pub fn distance(score: i64, model: &Model) -> String {
    if let Some((stage, missing)) = model.next_stage(score) {
        return format!("{} points to {}", tenths(missing), stage_label(&stage.key));
    }
    let top = model.stages.iter().max_by_key(|stage| stage.min_hundredths());
    top.map_or_else(String::new, |stage| {
        let above = score - stage.min_hundredths();
        format!("{} points above the line of {}", tenths(above), stage_label(&stage.key))
    })
}

/// The change of a card in words; nothing where the card has none.
#[must_use]
pub fn changed(card: &Scorecard, model: &Model) -> Option<Changed> {
    let change = card.change.as_ref()?;
    let rule_words = |part: &Part| {
        let key = part.rule.as_deref().unwrap_or_default();
        model.rule(key).map_or_else(|| in_words(key), |rule| rule.label.clone())
    };
    let words = |part: &Part| match part.kind {
        PartKind::Activity | PartKind::State | PartKind::Fit => rule_words(part),
        PartKind::Decay => "Older activity counts less".to_owned(),
        PartKind::Limit => match part.category.as_deref() {
            Some(category) => format!("Limit of {}", category_label(category, model)),
            None => "Kept between 0 and 100".to_owned(),
        },
        PartKind::Role => "Roles of people changed".to_owned(),
        PartKind::Lead => "Another member leads".to_owned(),
        PartKind::Identity => "Merged people and late events".to_owned(),
        PartKind::Model => "New scoring model".to_owned(),
    };
    Some(Changed {
        since: change.since,
        total: small(card.score - change.from),
        parts: change.parts.iter().map(|part| (words(part), small(part.net))).collect(),
    })
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
