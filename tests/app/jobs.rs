//! The jobs of a running Ripen: what is forgotten, and what becomes of a job nobody finished.

use std::sync::atomic::AtomicBool;

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use ripen::clock::Clock;
use ripen::db::Pool;
use ripen::queue::{engine, store};

use crate::test_db::TestDb;

fn clock() -> Clock {
    Clock::frozen("2026-11-20T10:00:00Z".parse().unwrap())
}

#[test]
fn a_job_whose_last_attempt_was_killed_is_dead_and_keeps_no_other_out() {
    let db = TestDb::new();
    let (clock, nothing) = (clock(), serde_json::json!({}));
    let enqueue = |clock: &Clock| {
        let now = clock.now();
        db.tx(Pool::Work, |conn| store::enqueue(conn, "tidy", &nothing, Some("scheduled"), now))
            .unwrap()
    };
    let first = enqueue(&clock);
    db.checkout(Pool::Work)
        .unwrap()
        .batch_execute("update jobs set attempts = 25, lease_until = '2026-11-20T10:02:00Z'")
        .unwrap();
    assert_eq!(enqueue(&clock), first, "it may still be at work");
    clock.advance(TimeDelta::minutes(3));
    engine::drain(&db, &clock, &ripen::jobs::HANDLERS, &AtomicBool::new(false)).unwrap();
    let job = db.read(Pool::Work, |conn| store::progress(conn, first)).unwrap();
    assert!(job.died_at.is_some());
    assert_ne!(enqueue(&clock), first);
}
