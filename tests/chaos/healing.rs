//! What cannot be brought back is said and holds nothing up; what comes twice is there once; what
//! nobody asks for any more is forgotten.

use std::sync::atomic::AtomicBool;

use chrono::TimeDelta;
use ripen::db::Pool;
use ripen::ingest;
use ripen::queue::engine::{self, Handler, Lane};
use ripen::queue::store;
use serde_json::{Value, json};

use crate::dump::{SCORED, difference, dump};
use crate::order::{furnished, score};
use crate::product::{Product, call, track};

fn click(id: &str, extra: Value) -> Value {
    track(id, "upgrade_click", "2026-11-19T08:00:00Z", extra)
}

fn placed() -> Value {
    json!({"userId": "u1", "context": {"groupId": "w"}})
}

#[test]
fn pending_rows_that_the_journal_lost_become_letters_and_hold_nothing_up() {
    let product = Product::new();
    product.journal(&[click("m1", placed()), click("m2", placed())]);
    product.journal(&[click("m3", placed())]);
    product.execute("delete from journal");
    assert_eq!(product.drain().rows, 0);
    assert_eq!(product.count("journal_pending"), 0);
    product.send(&[click("m4", placed())]);
    assert_eq!(product.count("key_events"), 1);
    let letters = "select string_agg(code || ' ' || left(message, 1), ',' order by message) from dead_letters";
    assert_eq!(product.cell(letters).as_deref(), Some("internal 1,internal 2"));
}

#[test]
fn a_lost_row_beside_a_sound_one() {
    let product = Product::new();
    product.journal(&[click("m1", placed())]);
    product.journal(&[click("m2", placed())]);
    product.execute("delete from journal where id = (select min(id) from journal)");
    product.drain();
    assert_eq!((product.count("journal_pending"), product.count("key_events")), (0, 1));
    assert_eq!(product.count("dead_letters"), 1);
}

#[test]
fn a_retry_of_what_the_parser_refused_is_one_letter() {
    let product = Product::new();
    let nobody = click("m1", json!({}));
    product.send(&[nobody.clone(), click("m2", placed())]);
    product.send(&[nobody]);
    assert_eq!(product.count("dead_letters"), 1);
    // Without an id it is known by its text.
    let mut unnamed = click("", json!({}));
    unnamed.as_object_mut().unwrap().remove("messageId");
    product.send(&[unnamed.clone()]);
    product.send(&[unnamed]);
    assert_eq!(product.count("dead_letters"), 2);
}

#[test]
fn the_first_of_two_events_of_one_id_counts() {
    let product = Product::new();
    product.send(&[click("m1", placed())]);
    product.send(&[track("m1", "invite_sent", "2026-11-19T09:00:00Z", placed())]);
    assert_eq!(
        product.cell("select string_agg(event_key, ',') from key_events").as_deref(),
        Some("upgrade_click")
    );
}

fn forget(product: &Product) {
    let now = product.clock.now();
    product
        .db
        .tx(Pool::Work, |conn| store::enqueue(conn, "forget", &json!({}), None, now))
        .unwrap();
    let handler = Handler { kind: "forget", lane: Lane::Quick, run: ingest::jobs::forget };
    engine::drain(&product.db, &product.clock, &[handler], &AtomicBool::new(false)).unwrap();
}

#[test]
fn where_events_were_placed_is_forgotten_and_what_they_count_stays() {
    let product = Product::new();
    product.send(&[
        call("group", "g", "2026-11-19T07:00:00Z", json!({"userId": "u1", "groupId": "w"})),
        click("m1", json!({"userId": "u1"})),
        track("m2", "invite_sent", "2026-11-19T09:00:00Z", json!({"userId": "u1"})),
        click("m3", json!({"anonymousId": "a1"})),
        click("m4", json!({"userId": "u2"})),
    ]);
    let active = product.cell("select last_active_at from memberships");
    assert_eq!((product.count("inferred_events"), product.count("dead_letters")), (4, 2));
    product.clock.advance(TimeDelta::days(80));
    forget(&product);
    assert_eq!((product.count("inferred_events"), product.count("dead_letters")), (4, 2));
    product.clock.advance(TimeDelta::days(4000));
    forget(&product);
    // The newest of the member in the workspace stays, and the letter of the user.
    assert_eq!(product.count("inferred_events"), 1);
    assert_eq!(product.cell("select message_id from dead_letters").as_deref(), Some("m4"));
    assert_eq!(product.count("key_events"), 2);
    product.send(&[track("m5", "invite_sent", "2026-11-19T08:30:00Z", json!({"userId": "u1"}))]);
    assert_eq!(product.cell("select last_active_at from memberships"), active);
}

/// Which of too many undefined names keep their own line is decided by who comes first; what counts
/// in a score is not.
#[test]
fn too_many_undefined_names_score_the_same_in_any_order() {
    let names: Vec<Value> = (0..520)
        .map(|n| track(&format!("m{n}"), &format!("Thing {n}"), "2026-11-19T08:00:00Z", placed()))
        .collect();
    let [one, other] = [false, true].map(|reversed| {
        let product = furnished();
        let mut names = names.clone();
        if reversed {
            names.reverse();
        }
        names.chunks(100).for_each(|batch| product.send(batch));
        score(&product);
        product
    });
    let sum = "select count(*) || ' ' || sum(events) from usage_days";
    assert_eq!(one.cell(sum).as_deref(), Some("501 520"));
    assert_eq!(other.cell(sum), one.cell(sum));
    let differs = difference(&dump(&one.db, &SCORED), &dump(&other.db, &SCORED));
    assert!(differs.is_empty(), "{differs}");
}
