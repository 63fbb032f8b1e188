//! The jobs of a running Ripen: what is forgotten, and what becomes of a job nobody finished.

use std::sync::atomic::AtomicBool;

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use ripen::clock::Clock;
use ripen::db::{Database, Pool};
use ripen::ingest::drainer::Wake;
use ripen::queue::engine::{self, Handler, Lane, Running};
use ripen::queue::store;
use ripen::schema::{account_scores, dead_letters, jobs, journal, journal_chunks, seen_messages};
use ripen::threads::Threads;
use ripen::workers::Workers;

use crate::test_db::{TestDb, eventually};

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
fn tidying_forgets_what_is_too_old_and_nothing_that_waits() {
    let db = TestDb::new();
    db.checkout(Pool::Work)
        .unwrap()
        .batch_execute(
            "insert into sources (id, name, created_at) values
               ('00000000-0000-0000-0000-0000000000a1', 'Product', '2026-01-01Z');
             insert into seen_messages (key, received_on) values
               ('00000000-0000-0000-0000-000000000001', '2026-10-15'),
               ('00000000-0000-0000-0000-000000000002', '2026-10-17');
             create table journal_20260801 partition of journal for values from ('2026-08-01') to ('2026-08-02');
             create table journal_20260802 partition of journal for values from ('2026-08-02') to ('2026-08-03');
             create table journal_20260901 partition of journal for values from ('2026-09-01') to ('2026-09-02');
             insert into journal (received_on, id, received_at, source_id, events, payload)
               select d, row_number() over (), d, '00000000-0000-0000-0000-0000000000a1', 1, ''
               from unnest(array['2026-07-30', '2026-08-01', '2026-08-02', '2026-09-01']::date[]) d;
             insert into journal_pending (id, received_on, received_at, events) values (3, '2026-08-02', '2026-08-02Z', 1);
             insert into journal_chunks (catalog, journal_ids, days) values
               (1, '{1}', '{2026-07-30}'), (1, '{1,2}', '{2026-07-30,2026-08-01}'), (1, '{2,4}', '{2026-08-01,2026-09-01}');
             insert into dead_letters (id, source_id, received_at, refused_by, code, message, raw, discarded_at)
               select gen_random_uuid(), '00000000-0000-0000-0000-0000000000a1', at, 'parser', 'invalid_json', '', '', discarded
               from (values ('2026-08-01Z'::timestamptz, '2026-08-02Z'::timestamptz),
                            ('2026-08-01Z', null), ('2026-11-01Z', '2026-11-02Z')) t (at, discarded);",
        )
        .unwrap();
    run(&db, &clock(), "tidy");
    db.read(Pool::Work, |conn| {
        assert_eq!(seen_messages::table.count().get_result::<i64>(conn)?, 1, "35 days and no more");
        let left: Vec<i64> = journal::table.order(journal::id).select(journal::id).load(conn)?;
        assert_eq!(left, [3, 4], "90 days, and what the drainer has yet to read");
        let chunks = journal_chunks::table.count().get_result::<i64>(conn)?;
        assert_eq!(chunks, 1, "a chunk goes with the last of its days");
        assert_eq!(dead_letters::table.count().get_result::<i64>(conn)?, 2, "open letters wait");
        Ok(())
    })
    .unwrap();
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

#[test]
fn a_lane_claims_its_own_kinds_and_leaves_the_others() {
    fn nothing(_: &Running<'_>) -> ripen::error::Result<()> {
        Ok(())
    }
    let handlers = [
        Handler { kind: "soon", lane: Lane::Quick, run: nothing },
        Handler { kind: "late", lane: Lane::Long, run: nothing },
    ];
    let db = TestDb::new();
    let (clock, stop) = (clock(), AtomicBool::new(false));
    for kind in ["late", "soon", "unknown", "late"] {
        let now = clock.now();
        db.tx(Pool::Work, |conn| store::enqueue(conn, kind, &serde_json::json!({}), None, now))
            .unwrap();
    }
    let lane = |lane| engine::drain_lane(&db, &clock, &handlers, lane, &stop).unwrap();
    assert_eq!(lane(Lane::Quick), 2, "what nobody knows is no long work");
    let open: i64 = db
        .read(Pool::Work, |conn| {
            let late = jobs::table.filter(jobs::kind.eq("late"));
            Ok(late.filter(jobs::finished_at.is_null()).count().get_result(conn)?)
        })
        .unwrap();
    assert_eq!(open, 2);
    assert_eq!((lane(Lane::Long), lane(Lane::Quick)), (2, 0));
}

/// An import that cannot go on, for somebody holds its row, delays neither the nightly run nor the
/// watch; when it is let go, it comes to its end.
#[test]
fn a_quick_job_is_done_while_a_long_one_runs() {
    let db = TestDb::new();
    let clock = Clock::system();
    let now = clock.now();
    let mut holder = db.checkout(Pool::Web).unwrap();
    holder
        .batch_execute(
            "insert into team_members (id, email, name, role, created_at)
               values ('00000000-0000-0000-0000-00000000000b', 'a@ripen.test', 'Ada', 'admin', now());
             insert into imports (id, kind, file_name, made_by, created_at, status, header, mapping, as_of)
               values ('00000000-0000-0000-0000-00000000001a', 'users', 'a.csv', '00000000-0000-0000-0000-00000000000b',
                       now(), 'importing', '{id}', '{user_id}', now())",
        )
        .unwrap();
    holder.batch_execute("begin").unwrap();
    holder.batch_execute("select 1 from imports for update").unwrap();
    let enqueue = |kind: &str| {
        let payload = serde_json::json!({"import": "00000000-0000-0000-0000-00000000001a"});
        db.tx(Pool::Work, |conn| store::enqueue(conn, kind, &payload, None, now)).unwrap()
    };
    let progress = |id: i64| db.read(Pool::Work, |conn| store::progress(conn, id)).unwrap();
    let long = enqueue(ripen::imports::ops::JOB);
    let workers = Workers::start(&db, &clock, Wake::default(), &Threads::default()).unwrap();
    let begun = eventually(|| (progress(long).attempts == 1).then_some(()));
    assert!(begun.is_some(), "the long one runs");
    let quick = [enqueue(ripen::ingest::watch::WATCH), enqueue(ripen::scoring::jobs::RESCORE)];
    for id in quick {
        let done = eventually(|| progress(id).finished_at);
        assert!(done.is_some(), "{:?}", progress(id));
    }
    assert!(progress(long).finished_at.is_none(), "and the long one still runs");
    holder.batch_execute("commit").unwrap();
    assert!(eventually(|| progress(long).finished_at).is_some());
    assert_eq!(progress(long).attempts, 1);
    drop(workers);
}
