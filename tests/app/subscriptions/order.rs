//! How a subscription stands is a function of the set of its events: any order, any repetition.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use ripen::db::Pool;
use ripen::ids::WorkspaceId;
use ripen::subscriptions::ops_stripe;
use ripen::subscriptions::stripe::event;
use serde_json::{Value, json};
use uuid::Uuid;

use super::stripe as shop;
use crate::drain::support::{Product, call};

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

/// Events about the subscription, and invoices that repeat its metadata.
fn any_told() -> impl Strategy<Value = Value> {
    let invoice = (0..3_i64, select(vec!["w1", "w2", "w3"]))
        .prop_map(|(second, workspace)| shop::invoice("", second, workspace));
    prop_oneof![4 => any_event(), 1 => invoice]
}

/// Events with ids of their own, and the same in another order, some of them twice.
fn two_orders() -> impl Strategy<Value = (Vec<Value>, Vec<Value>)> {
    proptest::collection::vec(any_told(), 1..8)
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

/// All orders of so many things.
fn orders(many: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for next in 0..many {
        let wider = |order: Vec<usize>| {
            (0..=order.len()).map(move |at| {
                let mut order = order.clone();
                order.insert(at, next);
                order
            })
        };
        all = all.into_iter().flat_map(wider).collect();
    }
    all
}

enum Told {
    Group(Value),
    Stripe(Value),
}

fn tell(product: &Product, told: &Told) {
    match told {
        Told::Group(call) => product.send(std::slice::from_ref(call)),
        Told::Stripe(event) => {
            let event = event::read(event.to_string().as_bytes()).unwrap();
            let (now, by) = (product.clock.now(), (Uuid::nil(), Uuid::nil()));
            product.db.tx(Pool::Work, |conn| ops_stripe::take(conn, &event, by, now)).unwrap();
        }
    }
}

/// The subscription names w1, by itself or by an invoice; a trait of w2 names the customer; a person
/// mapped the customer to w3.
#[test]
fn a_workspace_that_comes_after_its_subscription_has_it_all_the_same() {
    let group = |workspace: &str, traits: Value| {
        let said = json!({"userId": "u", "groupId": workspace, "traits": traits});
        Told::Group(call("group", workspace, "2026-11-20T08:00:00Z", said))
    };
    let sub = |workspace: &str| {
        let mut event = shop::event("evt_1", "created", 0, "active", 4, Value::Null);
        event["data"]["object"]["metadata"]["workspace_id"] = workspace.into();
        Told::Stripe(event)
    };
    let others = || [group("w1", json!({})), group("w2", json!({"stripe_customer_id": "cus_1"}))];
    let by_itself: Vec<Told> = [sub("w1")].into_iter().chain(others()).collect();
    let invoice = Told::Stripe(shop::invoice("evt_2", 1, "w1"));
    let by_an_invoice: Vec<Told> = [sub(""), invoice].into_iter().chain(others()).collect();
    for (said, is_mapped) in [(&by_itself, false), (&by_itself, true), (&by_an_invoice, false)] {
        for order in orders(said.len()) {
            let product = Product::new();
            if is_mapped {
                product.execute(&format!(
                    "insert into stripe_customers (id, said_at, workspace_id) values ('cus_1', 'epoch', '{}')",
                    WorkspaceId::of("w3")
                ));
            }
            order.iter().for_each(|at| tell(&product, &said[*at]));
            let own =
                product.cell("select workspace_id from subscriptions where origin = 'stripe'");
            let expected = WorkspaceId::of("w1").to_string();
            assert_eq!(own, Some(expected), "{order:?}, mapped: {is_mapped}");
        }
    }
}
