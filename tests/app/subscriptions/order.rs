//! How a subscription stands is a function of the set of its events: any order, any repetition.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use ripen::db::Pool;
use ripen::subscriptions::ops_stripe;
use ripen::subscriptions::stripe::event;
use serde_json::{Value, json};
use uuid::Uuid;

use super::stripe as shop;
use crate::drain::support::Product;

/// Anything that Stripe might say, whether it makes sense or not.
fn any_event() -> impl Strategy<Value = Value> {
    let kind = select(vec!["created", "updated", "updated", "updated", "deleted"]);
    let status = select(vec!["incomplete", "trialing", "active", "past_due", "unpaid", "canceled"]);
    let workspace = select(vec!["w1", "w2", ""]);
    let previous = select(vec![
        Value::Null,
        json!({"status": "incomplete"}),
        json!({"status": "active"}),
        json!({"metadata": {"workspace_id": "w1"}}),
    ]);
    (kind, status, 0..3_i64, 1..4_i64, workspace, previous).prop_map(
        |(kind, status, second, seats, workspace, previous)| {
            let status = if kind == "deleted" { "canceled" } else { status };
            let mut event = shop::event("", kind, second, status, seats, previous);
            event["data"]["object"]["metadata"]["workspace_id"] = workspace.into();
            event
        },
    )
}

/// Events with ids of their own, and the same in another order, some of them twice.
fn two_orders() -> impl Strategy<Value = (Vec<Value>, Vec<Value>)> {
    proptest::collection::vec(any_event(), 1..8)
        .prop_map(|mut events| {
            for (number, event) in events.iter_mut().enumerate() {
                event["id"] = format!("evt_{number}").into();
            }
            events
        })
        .prop_flat_map(|events| {
            let again = proptest::sample::subsequence(events.clone(), 0..=events.len());
            let other = (Just(events.clone()), again).prop_map(|(mut all, again)| {
                all.extend(again);
                all
            });
            (Just(events), other.prop_shuffle())
        })
}

fn after(product: &Product, events: &[Value]) -> Vec<Option<String>> {
    let now = product.clock.now();
    for table in ["stripe_events", "stripe_subscriptions", "subscription_changes", "subscriptions"]
    {
        product.execute(&format!("delete from {table}"));
    }
    for event in events {
        let event = event::read(event.to_string().as_bytes()).unwrap();
        let by = (Uuid::nil(), Uuid::nil());
        product.db.tx(Pool::Work, |conn| ops_stripe::take(conn, &event, by, now)).unwrap();
    }
    [
        "select string_agg(to_jsonb(s)::text, ' ' order by id) from subscriptions s",
        "select string_agg(to_jsonb(c)::text, ' ' order by at, place) from subscription_changes c",
        "select string_agg((to_jsonb(t) - 'heard_at')::text, ' ' order by id) from stripe_subscriptions t",
    ]
    .map(|query| product.cell(query))
    .into()
}

#[test]
fn any_permutation_and_duplication_ends_equal() {
    let product = Product::new();
    let mut runner =
        TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    let result = runner.run(&two_orders(), |(events, shuffled)| {
        prop_assert_eq!(after(&product, &events), after(&product, &shuffled));
        Ok(())
    });
    result.unwrap();
}
