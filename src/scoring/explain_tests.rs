use super::*;
use crate::ids::WorkspaceId;
use crate::scoring::card::{CategoryPoints, LeadUser, ModelRef};
use crate::scoring::presets::published_recipe;

fn card(rows: Vec<LedgerRow>) -> Scorecard {
    let score = rows.iter().map(|row| row.net).sum();
    Scorecard {
        workspace_id: WorkspaceId::new(),
        as_of: NaiveDate::from_ymd_opt(2026, 11, 20).unwrap(),
        model: ModelRef { name: "recipe".to_owned(), version: 1 },
        score,
        stage: "warm".to_owned(),
        lead_user: None,
        buyers: vec![],
        flags: Vec::new(),
        categories: [("intent", 2000), ("depth", 2500), ("negative", 0)]
            .map(|(key, max)| CategoryPoints { key: key.to_owned(), points: 0, max })
            .into(),
        ledger: rows,
        reasons: Vec::new(),
        change: None,
        next_best_action: None,
    }
}

fn row(rule: &str, category: &str, net: i64) -> LedgerRow {
    LedgerRow {
        rule: Some(rule.to_owned()),
        category: Some(category.to_owned()),
        events: 3,
        days: 2,
        raw: net,
        net,
        ..LedgerRow::default()
    }
}

#[test]
fn hundredths_are_written_exactly() {
    assert_eq!([exact(7_412), exact(-5), exact(0)], ["74.12", "\u{2212}0.05", "0.00"]);
    assert_eq!([effect(-400), effect(600), effect(0)], ["\u{2212}4.00", "+6.00", ""]);
}

#[test]
fn a_reason_says_what_was_done_with_its_points() {
    let ada = UserId::new();
    let mut used = row("core_feature_used", "depth", 1_450);
    (used.raw, used.capped, used.role, used.decay) = (2_400, -400, 600, -1_150);
    used.user_id = Some(ada);
    let mut card = card(vec![used, row("uninstall_integration", "negative", -600)]);
    card.lead_user = Some(LeadUser { user_id: ada, why: LeadWhy::Admin, factor: 1.3 });
    let names = Names::from([(ada, "Ada".to_owned())]);
    let reasons = reasons(&card, &published_recipe(), &names, 6);
    assert_eq!(reasons.len(), 2);
    assert_eq!(
        reasons[0].detail,
        "by Ada; at most 10 in 7 days (4.0 not counted); \u{d7} 1.3 admin (+6.0); \
         \u{2212}11.5 by age, 37 % is left after 14 days"
    );
    let query = format!("kind=core_feature_used&person={ada}");
    assert_eq!(reasons[0].events, Some((query, "3 events".to_owned())));
    assert!(reasons[1].points < 0, "what takes away stands last");
}

#[test]
fn losses_are_told_even_when_much_gives() {
    let mut rows: Vec<LedgerRow> =
        (0..9).map(|n| row("upgrade_click", "intent", 900 - n)).collect();
    rows.push(row("uninstall_integration", "negative", -1));
    let told = reasons(&card(rows), &published_recipe(), &Names::new(), 6);
    assert_eq!(told.len(), 6);
    assert_eq!(told.last().map(|reason| reason.points), Some(-1));
}

#[test]
fn the_parts_of_a_ledger_add_up_to_the_score() {
    let clamp = LedgerRow {
        category: Some("intent".to_owned()),
        kind: RowKind::Clamp,
        net: -212,
        ..LedgerRow::default()
    };
    let card = card(vec![row("upgrade_click", "intent", 2_212), clamp]);
    let model = published_recipe();
    let parts = ledger(&card, &model, &Names::new());
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].net, exact(card.score));
    assert_eq!(parts[0].lines[1].label, "Over the limit, not counted");
    assert!(bars(&card, &model)[0].note.starts_with("2.1 over the limit"));
    assert_eq!(distance(6_200, &model), "3.0 points to PQL");
    assert_eq!(distance(8_400, &model), "4.0 points above the line of Hot PQL");
}
