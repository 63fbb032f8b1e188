use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::*;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_760_000_000 + second, 0).unwrap()
}

fn row(second: i64, said: &Value) -> Row {
    Row {
        id: "s".to_owned(),
        workspace: "w".to_owned(),
        said: Said(said.as_object().unwrap().clone()),
        said_at: at(second),
    }
}

fn heard(rows: &[Row]) -> Agreement {
    let mut agreement = Agreement::default();
    for row in rows {
        agreement.hear(row);
    }
    agreement
}

fn stripe(second: i64, terms: Terms) -> Change {
    Change {
        id: "s".to_owned(),
        at: at(second),
        key: "e".to_owned(),
        place: 0,
        terms,
        origin: Origin::Stripe,
    }
}

#[test]
fn an_absent_field_keeps_its_value_and_null_clears_it() {
    let rows = [
        row(1, &json!({"status": "active", "plan": "pro", "seats_purchased": 5})),
        row(2, &json!({"seats_purchased": 9})),
        row(3, &json!({"plan": null})),
    ];
    let outlook = heard(&rows).outlook("s");
    let terms = outlook.standing.unwrap().terms;
    assert_eq!((terms.status, terms.plan, terms.seats_purchased), ("active", None, Some(9)));
    assert_eq!(outlook.changes.len(), 3);
    assert_eq!(outlook.changes[1].terms.plan.as_deref(), Some("pro"));
}

#[test]
fn nothing_stands_before_somebody_says_the_status() {
    let seats = row(1, &json!({"seats_purchased": 5}));
    let mut agreement = heard(std::slice::from_ref(&seats));
    assert_eq!(agreement.outlook("s"), Outlook::default());
    agreement.hear(&row(2, &json!({"status": "active"})));
    let outlook = agreement.outlook("s");
    assert_eq!(outlook.standing.unwrap().terms.seats_purchased, Some(5));
    assert_eq!(outlook.changes.len(), 1);
}

#[test]
fn money_in_major_units_follows_the_currency() {
    let mut agreement = heard(&[
        row(1, &json!({"status": "active", "mrr": 4999})),
        row(2, &json!({"currency": "jpy"})),
    ]);
    assert_eq!(agreement.outlook("s").standing.unwrap().terms.mrr_cents, 4999);
    agreement.hear(&row(3, &json!({"currency": null})));
    assert_eq!(agreement.outlook("s").standing.unwrap().terms.mrr_cents, 499_900);
}

#[test]
fn stripe_says_everything_and_newer_records_speak_of_their_fields() {
    let mut agreement = heard(&[
        row(1, &json!({"status": "trialing", "plan": "mine", "seats_purchased": 3})),
        row(5, &json!({"seats_purchased": 7})),
    ]);
    let told = Terms { plan: Some("Team".to_owned()), mrr_cents: 100, ..Terms::new("active") };
    agreement.stripe.push(stripe(3, told));
    let outlook = agreement.outlook("s");
    let standing = outlook.standing.unwrap();
    let terms = &standing.terms;
    assert_eq!(
        (terms.status, terms.plan.as_deref(), terms.seats_purchased, terms.mrr_cents),
        ("active", Some("Team"), Some(7), 100)
    );
    assert_eq!((standing.origin, standing.said_at), (Origin::Api, at(5)));
    let seats: Vec<_> = outlook.changes.iter().map(|c| c.terms.seats_purchased).collect();
    assert_eq!(seats, [Some(3), None, Some(7)]);
}

#[test]
fn whose_it_is_says_stripe_first() {
    let (w, other) = (WorkspaceId::of("w"), WorkspaceId::of("other"));
    let mut agreement = heard(&[row(1, &json!({"status": "active"}))]);
    let claimed = |workspace, may_come| Some(Claimed { workspace, may_come, customer: None });
    for (claim, expected) in [
        (None, Some(w)),
        (claimed(None, Some(other)), Some(w)),
        (claimed(Some(other), None), Some(other)),
    ] {
        agreement.claimed = claim;
        assert_eq!(agreement.workspace(), expected);
    }
    agreement.words.clear();
    agreement.claimed = claimed(None, Some(other));
    assert_eq!(agreement.workspace(), Some(other));
}

#[test]
fn the_first_day_that_differs() {
    let one = |second, status| stripe(second, Terms::new(status));
    let day = 86_400;
    let before = [one(day, "active"), one(2 * day, "past_due")];
    assert_eq!(differs_since(&before, &before), None);
    assert_eq!(differs_since(&[], &before), Some(before_all()), "its dates name no first day");
    let after = [one(day, "active"), one(2 * day, "past_due"), one(3 * day, "canceled")];
    assert_eq!(differs_since(&before, &after), Some(at(3 * day).date_naive()));
    let between = [before[0].clone(), one(day + 1, "paused"), before[1].clone()];
    assert_eq!(differs_since(&before, &between), Some(at(day + 1).date_naive()));
}

fn any_row() -> impl Strategy<Value = Row> {
    let said = select(vec![
        json!({"status": "active"}),
        json!({"status": "canceled", "plan": null}),
        json!({"plan": "pro", "mrr": 49.5}),
        json!({"mrr_cents": 700, "currency": "eur"}),
        json!({"mrr_cents": null, "seats_purchased": 4}),
        json!({"currency": null, "trial_end_on": "2026-11-20"}),
    ]);
    (said, 0..6_i64, select(vec!["w1", "w2"])).prop_map(|(said, second, workspace)| Row {
        workspace: workspace.to_owned(),
        ..row(second, &said)
    })
}

proptest! {
    #[test]
    fn any_order_and_repetition_ends_the_same(
        (rows, other) in proptest::collection::vec(any_row(), 1..10).prop_flat_map(|rows| {
            let twice: Vec<Row> = rows.iter().chain(rows.iter().step_by(2)).cloned().collect();
            (Just(rows), Just(twice).prop_shuffle())
        }),
        events in proptest::collection::vec(0..6_i64, 0..3),
    ) {
        let (mut one, mut two) = (heard(&rows), heard(&other));
        let mut events: Vec<Change> =
            events.into_iter().map(|second| stripe(second, Terms { mrr_cents: second, ..Terms::new("past_due") })).collect();
        events.sort_by_key(|change| change.at);
        one.stripe.clone_from(&events);
        two.stripe = events;
        prop_assert_eq!(one.outlook("s"), two.outlook("s"));
        prop_assert_eq!(one, two);
    }
}
