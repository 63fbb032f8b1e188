//! `event_loop`: a hundred of one event by one person in one clock hour, whatever the order of arrival.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use ripen::db::Pool;
use ripen::ids::{UserId, WorkspaceId};
use ripen::usage::{hours, store_loops};
use serde_json::{Value, json};

use crate::drain::support::{Product, call, track};

impl Product {
    /// The loops of a workspace by person and day, as the scorer finds them.
    pub fn loops(&self, workspace: &str) -> BTreeMap<(UserId, NaiveDate), i64> {
        let workspace = WorkspaceId::of(workspace);
        self.db
            .read(Pool::Work, |conn| {
                let rows = ripen::api::store_parts::usage(
                    conn,
                    workspace,
                    ("2020-01-01".parse().unwrap(), "2030-01-01".parse().unwrap()),
                    100_000,
                )?;
                let days = rows
                    .iter()
                    .filter(|row| row.event != "event_loop")
                    .map(|row| ((workspace, row.day, row.person), row.event.as_str(), row.count));
                let found = store_loops::loops(conn, &hours::suspects(days))?;
                let found: BTreeMap<_, _> =
                    found.into_iter().map(|((_, day, user), n)| ((user, day), n)).collect();
                let told = rows.iter().filter(|row| row.event == "event_loop");
                assert_eq!(told.map(|row| row.count).sum::<i64>(), found.values().sum::<i64>());
                Ok(found)
            })
            .unwrap()
    }
}

fn used(n: usize, who: Value, event: &str, feature: &str, minute: usize) -> Value {
    let mut extra = json!({"context": {"groupId": "w"}, "properties": {"feature": feature}});
    extra.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
    track(&format!("m{n}"), event, &format!("2026-11-19T08:{minute:02}:00Z"), extra)
}

fn ana() -> Value {
    json!({"userId": "ana"})
}

fn visitor() -> Value {
    json!({"anonymousId": "v1"})
}

fn once(user: &str) -> BTreeMap<(UserId, NaiveDate), i64> {
    BTreeMap::from([((UserId::known(user), "2026-11-19".parse().unwrap()), 1)])
}

fn in_every_order(parts: [Vec<Value>; 3]) -> Vec<Product> {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let products: Vec<Product> = orders
        .iter()
        .map(|order| {
            let product = Product::new();
            order.iter().for_each(|at| product.send(&parts[*at]));
            product
        })
        .collect();
    let first = products[0].dump();
    assert!(products.iter().all(|product| product.dump() == first));
    products
}

#[test]
fn two_features_in_one_hour_add_up_in_any_order() {
    let x = (0..60).map(|n| used(n, ana(), "core_feature_used", "x", n % 60)).collect();
    let y = (60..120).map(|n| used(n, ana(), "core_feature_used", "y", n % 60)).collect();
    let more = (120..160).map(|n| used(n, ana(), "core_feature_used", "x", n % 60)).collect();
    for product in in_every_order([x, y, more]) {
        assert_eq!(product.loops("w"), once("ana"));
    }
}

#[test]
fn an_event_that_is_no_key_event_loops_as_well() {
    let parts = [0..50, 50..99, 99..100]
        .map(|range| range.map(|n| used(n, ana(), "Cell edited", "", n % 60)).collect::<Vec<_>>());
    for product in in_every_order(parts) {
        assert_eq!(product.count("key_events"), 0);
        assert_eq!(product.loops("w"), once("ana"));
    }
}

#[test]
fn ninety_nine_in_an_hour_are_none_nor_a_hundred_over_two_hours_or_of_two_events() {
    let product = Product::new();
    let mut events: Vec<Value> =
        (0..99).map(|n| used(n, ana(), "automation_run", "", n % 60)).collect();
    events.push(used(200, ana(), "login", "", 5));
    events.push(track(
        "m300",
        "automation_run",
        "2026-11-19T07:59:59.999Z",
        json!({"userId": "ana", "context": {"groupId": "w"}}),
    ));
    events.push(track(
        "m301",
        "automation_run",
        "2026-11-19T09:00:00Z",
        json!({"userId": "ana", "context": {"groupId": "w"}}),
    ));
    product.send(&events);
    assert_eq!(product.loops("w"), BTreeMap::new());
    product.send(&[used(400, ana(), "automation_run", "", 59)]);
    assert_eq!(product.loops("w"), once("ana"));
}

#[test]
fn a_visitor_and_the_user_it_became_are_one_person() {
    let before = (0..50).map(|n| used(n, visitor(), "automation_run", "", n % 60)).collect();
    let after = (50..100).map(|n| used(n, ana(), "automation_run", "", n % 60)).collect();
    let stitch = vec![call(
        "identify",
        "i1",
        "2026-11-19T08:30:00Z",
        json!({"userId": "ana", "anonymousId": "v1"}),
    )];
    for product in in_every_order([before, after, stitch]) {
        assert_eq!(product.loops("w"), once("ana"));
    }
}

#[test]
fn a_loop_follows_a_merge_and_its_undoing() {
    let product = Product::new();
    let half = |who: &str, range: std::ops::Range<usize>| -> Vec<Value> {
        range.map(|n| used(n, json!({"userId": who}), "automation_run", "", n % 60)).collect()
    };
    product.send(&half("ana", 0..60));
    product.send(&half("bea", 60..110));
    assert_eq!(product.loops("w"), BTreeMap::new());
    let (ana, bea) = (UserId::known("ana"), UserId::known("bea"));
    let canonical = |into: UserId| {
        product.execute(&format!(
            "update product_users set canonical_id = '{into}' where id = '{bea}'"
        ));
    };
    canonical(ana);
    assert_eq!(product.loops("w"), once("ana"));
    canonical(bea);
    assert_eq!(product.loops("w"), BTreeMap::new());
}

#[test]
fn events_without_a_workspace_loop_where_they_are_found_to_belong() {
    let product = Product::new();
    let bare = |n: usize| {
        track(
            &format!("m{n}"),
            "automation_run",
            &format!("2026-11-19T08:{:02}:00Z", n % 60),
            ana(),
        )
    };
    product.send(&(0..100).map(bare).collect::<Vec<_>>());
    assert_eq!(product.loops("w"), BTreeMap::new());
    let group =
        call("group", "g1", "2026-11-19T07:00:00Z", json!({"userId": "ana", "groupId": "w"}));
    product.send(&[group]);
    assert_eq!(product.loops("w"), once("ana"));
    // An earlier membership elsewhere is learned: the hour moves there, whole.
    let hours = product.cell("select hours from usage_days where event_key = 'automation_run'");
    assert_eq!(hours.as_deref(), Some(&*format!("100{}", "0".repeat(64))));
}
