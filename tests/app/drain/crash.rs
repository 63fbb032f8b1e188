//! A drainer that dies, a projection that fails, a worker at work.

use diesel::PgConnection;
use ripen::error::{Error, Result};
use ripen::ingest::chunk::Chunk;
use ripen::ingest::drain::{self, Limits, Projection};
use ripen::ingest::drainer::{Drainer, Wake};
use ripen::jobs::PROJECTIONS;
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
