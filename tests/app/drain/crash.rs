//! A drainer that dies, a projection that fails, a worker at work.

use diesel::PgConnection;
use ripen::error::{Error, Result};
use ripen::ingest::chunk::Chunk;
use ripen::ingest::drain::{self, Limits, Projection};
use ripen::ingest::drainer::{Drainer, Wake};
use ripen::jobs::PROJECTIONS;
use ripen::threads::Threads;
use serde_json::{Value, json};

use super::support::{Product, track};

fn clicks(range: std::ops::Range<usize>) -> Vec<Value> {
    range
        .map(|n| {
            track(
                &format!("m{n}"),
                "upgrade_click",
                "2026-11-19T08:00:00Z",
                json!({"userId": "u1", "context": {"groupId": "w"}}),
            )
        })
        .collect()
}

fn fail_on_poison(_: &mut PgConnection, chunk: &mut Chunk<'_>) -> Result<()> {
    let poison = chunk.events.iter().any(|event| event.message.message_id == "m13");
    if poison { Err(Error::internal("poison")) } else { Ok(()) }
}

fn lose_the_database(_: &mut PgConnection, _: &mut Chunk<'_>) -> Result<()> {
    Err(Error::Unavailable(2, "gone".to_owned()))
}

#[test]
fn one_poison_event_is_a_letter_and_its_neighbours_are_stored() {
    let product = Product::new();
    product.journal(&clicks(0..10));
    product.journal(&clicks(10..20));
    product.journal(&clicks(20..30));
    let mut projections: Vec<Projection> = PROJECTIONS.to_vec();
    projections.push(fail_on_poison);
    drain::until_empty(&product.db, &product.clock, &projections, Limits::default()).unwrap();
    assert_eq!(product.count("key_events"), 29);
    assert_eq!(
        product.cell("select code || ' ' || message_id from dead_letters").as_deref(),
        Some("internal m13")
    );
    assert_eq!(product.count("journal_pending"), 0);
    // Once the cause is mended the event can be sent again.
    product.send(&clicks(13..14));
    assert_eq!(product.count("key_events"), 30);
}

fn fail_always(_: &mut PgConnection, _: &mut Chunk<'_>) -> Result<()> {
    Err(Error::internal("permission denied for table workspaces"))
}

/// As a statement does that PostgreSQL refuses: the transaction is over, too.
fn fail_in_the_database(conn: &mut PgConnection, _: &mut Chunk<'_>) -> Result<()> {
    use diesel::RunQueryDsl;
    diesel::sql_query("select * from a_table_that_a_restore_forgot").execute(conn)?;
    Ok(())
}

#[test]
fn what_nothing_passes_is_no_events_fault_and_changes_nothing() {
    let product = Product::new();
    product.journal(&clicks(0..10));
    product.journal(&clicks(10..11));
    for failing in [fail_always as Projection, fail_in_the_database] {
        for limits in [Limits::default(), Limits { rows: 1, events: 1 }] {
            let mut projections: Vec<Projection> = PROJECTIONS.to_vec();
            projections.push(failing);
            let step = drain::step(&product.db, &product.clock, &projections, limits);
            assert!(matches!(step, Err(Error::Internal(_))), "{step:?}");
        }
    }
    assert_eq!(product.count("journal_pending"), 2);
    assert_eq!(product.count("dead_letters") + product.count("seen_messages"), 0);
    assert_eq!(product.count("product_users"), 0, "the event that was tried is taken back, too");
    product.drain();
    assert_eq!(product.count("key_events"), 11);
}

fn fail_on_duplicates(_: &mut PgConnection, chunk: &mut Chunk<'_>) -> Result<()> {
    if chunk.recheck.is_empty() { Ok(()) } else { Err(Error::internal("a bug")) }
}

#[test]
fn a_known_event_that_fails_stays_known() {
    let product = Product::new();
    let waits = [track("m1", "upgrade_click", "2026-11-19T08:00:00Z", json!({"userId": "u1"}))];
    product.send(&waits);
    product.journal(&waits);
    let mut projections: Vec<Projection> = PROJECTIONS.to_vec();
    projections.push(fail_on_duplicates);
    drain::until_empty(&product.db, &product.clock, &projections, Limits::default()).unwrap();
    assert_eq!(product.count("seen_messages"), 1);
    product.send(&waits);
    product.send(&[super::support::call(
        "group",
        "m2",
        "2026-11-19T09:00:00Z",
        json!({"userId": "u1", "groupId": "w"}),
    )]);
    assert_eq!(product.count("key_events"), 1);
    assert_eq!(product.cell("select sum(events) from usage_days").as_deref(), Some("1"));
}

#[test]
fn rows_that_the_journal_lost_do_not_end_the_work() {
    let product = Product::new();
    for n in 0..20 {
        product.journal(&clicks(n..n + 1));
    }
    product
        .execute("delete from journal where id in (select id from journal order by id limit 17)");
    let limits = Limits { rows: 3, events: 100 };
    let done = drain::until_empty(&product.db, &product.clock, &PROJECTIONS, limits).unwrap();
    assert_eq!((done.rows, product.count("journal_pending")), (3, 0));
    assert_eq!(product.count("key_events"), 3);
}

#[test]
fn what_is_longer_than_an_index_takes_harms_nobody() {
    let product = Product::new();
    let mut calls = clicks(0..3);
    // No two pieces alike, so that PostgreSQL cannot make it shorter.
    let token: String =
        (0..150).map(|n| uuid::Uuid::from_u128(n * 0x9e37_79b9_7f4a_7c15).to_string()).collect();
    calls.push(super::support::call(
        "identify",
        "i",
        "2026-11-19T08:00:00Z",
        json!({"userId": "u1", "traits": {"sso_id": token, "title": "CTO"}}),
    ));
    calls.push(super::support::call(
        "group",
        "g",
        "2026-11-19T08:00:00Z",
        json!({"userId": "u1", "groupId": "w", "traits": {"stripe_customer_id": token, "seats": 3}}),
    ));
    product.send(&calls);
    assert_eq!(product.cell("select string_agg(code || message_id, ',') from dead_letters"), None);
    assert_eq!(product.count("key_events"), 3);
    assert_eq!(product.count("identifiers where kind = 'sso'"), 0);
    assert_eq!(product.cell("select job_title from product_users").as_deref(), Some("CTO"));
}

#[test]
fn two_copies_of_a_refused_event_are_one_refusal() {
    let product = Product::new();
    let nobody = track("m1", "upgrade_click", "2026-11-19T08:00:00Z", json!({"userId": "null"}));
    product.send(&[nobody.clone(), nobody]);
    assert_eq!(product.count("dead_letters"), 1);
    let counted = "select rejected || ' ' || duplicates from ingest_minutes";
    assert_eq!(product.cell(counted).as_deref(), Some("1 1"));
}

#[test]
fn damaged_bytes_are_a_letter_and_stop_nothing() {
    let product = Product::new();
    product.journal(&clicks(0..5));
    product.execute("update journal set payload = 'xxxx'::bytea");
    product.journal(&clicks(5..10));
    product.drain();
    assert_eq!(product.count("key_events"), 5);
    assert_eq!(product.cell("select code from dead_letters").as_deref(), Some("internal"));
}

#[test]
fn what_was_not_committed_is_done_again() {
    let product = Product::new();
    product.journal(&clicks(0..10));
    let mut dying: Vec<Projection> = PROJECTIONS.to_vec();
    dying.push(lose_the_database);
    assert!(drain::step(&product.db, &product.clock, &dying, Limits::default()).is_err());
    assert_eq!(product.count("key_events"), 0);
    assert_eq!(product.count("seen_messages"), 0);
    assert_eq!(product.count("journal_pending"), 1);
    let one_row = Limits { rows: 1, events: 1 };
    product.journal(&clicks(5..15));
    drain::step(&product.db, &product.clock, &PROJECTIONS, one_row).unwrap();
    assert_eq!(product.count("journal_pending"), 1);
    product.drain();
    let other = Product::new();
    other.send(&clicks(0..15));
    assert_eq!(product.dump(), other.dump());
}

#[test]
fn the_worker_drains_what_comes_and_stops() {
    let product = Product::new();
    let wake = Wake::default();
    let drainer = Drainer::start(
        product.db.clone(),
        product.clock.clone(),
        &PROJECTIONS,
        Limits::default(),
        wake.clone(),
        &Threads::default(),
    )
    .unwrap();
    for part in 0..5 {
        product.journal(&clicks(part * 10..part * 10 + 10));
        wake.notify();
    }
    let drained = crate::test_db::eventually(|| (product.count("key_events") == 50).then_some(()));
    assert!(drained.is_some());
    drainer.stop();
}
