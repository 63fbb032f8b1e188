//! The jobs of a running Ripen: what is forgotten, and what becomes of a job nobody finished.

use std::sync::atomic::AtomicBool;

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use ripen::clock::Clock;
use ripen::db::{Database, Pool};
use ripen::queue::{engine, store};
use ripen::schema::{account_scores, jobs};

use crate::test_db::TestDb;

fn clock() -> Clock {
    Clock::frozen("2026-11-20T10:00:00Z".parse().unwrap())
}

fn run(db: &Database, clock: &Clock, kind: &str) {
    let now = clock.now();
    db.tx(Pool::Work, |conn| store::enqueue(conn, kind, &serde_json::json!({}), None, now))
        .unwrap();
    engine::drain(db, clock, &ripen::jobs::HANDLERS, &AtomicBool::new(false)).unwrap();
    let failed: Vec<Option<String>> = db
        .read(Pool::Work, |conn| {
            Ok(jobs::table
                .filter(jobs::finished_at.is_null())
                .select(jobs::last_error)
                .load(conn)?)
        })
        .unwrap();
    assert_eq!(failed, [], "every job came to its end");
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

#[test]
fn the_nightly_run_forgets_scores_of_accounts_that_nobody_belongs_to() {
    let db = TestDb::new();
    db.checkout(Pool::Work)
        .unwrap()
        .batch_execute(
            "insert into account_scores (account_id, as_of, score, stage, workspaces, best_workspace_score, card, scored_at)
               values ('00000000-0000-0000-0000-00000000000a', '2026-11-19', 7800, 'pql', 1, 7800, '{}', '2026-11-19Z')",
        )
        .unwrap();
    run(&db, &clock(), "rescore");
    let left: i64 =
        db.read(Pool::Work, |conn| Ok(account_scores::table.count().get_result(conn)?)).unwrap();
    assert_eq!(left, 0);
}
