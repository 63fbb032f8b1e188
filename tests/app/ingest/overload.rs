//! When too much comes in, when one request is poison, when the database goes away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::SimpleConnection;
use ripen::clock::Clock;
use ripen::db::{Database, Pool};
use ripen::error::Error;
use ripen::ids::SourceId;
use ripen::ingest::endpoint::Endpoint;
use ripen::ingest::intake;
use ripen::ingest::writer::{Limits, Refused, Submission, Writer};
use uuid::Uuid;

use super::server::{BASIC, Server, Setup, dead_letters, journal, source};
use crate::private_postgres::kill_9;
use crate::test_db::{TestDb, disposable_server, eventually, scratch_dir};

fn event(id: &str) -> String {
    format!(r#"{{"batch":[{{"type":"track","event":"E","userId":"u","messageId":"{id}"}}]}}"#)
}

fn submission(source: SourceId, id: &str) -> Submission {
    let at = Clock::system().now();
    let body = event(id);
    intake::prepare(Endpoint::Batch, None, body.as_bytes(), at, Uuid::nil()).unwrap().of(source, at)
}

/// Holds the journal so that nothing can be committed until the closure is done.
fn while_the_journal_is_held<T>(db: &Database, act: impl FnOnce() -> T) -> T {
    let mut held = db.checkout(Pool::Work).unwrap();
    held.batch_execute("BEGIN; LOCK TABLE journal IN EXCLUSIVE MODE").unwrap();
    let done = act();
    held.batch_execute("COMMIT").unwrap();
    done
}

#[test]
fn a_full_queue_answers_429_with_whole_seconds_and_keeps_what_it_has() {
    let db = TestDb::new();
    source(&db);
    let limits = Limits { requests: 4, bytes: 1024 * 1024 };
    let server = Arc::new(Server::start_with(&db, &Setup { limits, ..Setup::default() }));
    assert_eq!(server.post("/v1/batch", &event("first")).status, 200);
    let refused = Arc::new(AtomicUsize::new(0));
    let senders = while_the_journal_is_held(&db, || {
        let senders: Vec<_> = (0..20)
            .map(|n| {
                let (server, refused) = (Arc::clone(&server), Arc::clone(&refused));
                std::thread::spawn(move || {
                    let answer = server.post("/v1/batch", &event(&n.to_string()));
                    if answer.status != 200 {
                        answer.assert_refused(429, "rate_limited");
                        assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
                        refused.fetch_add(1, Ordering::SeqCst);
                    }
                    answer.status
                })
            })
            .collect();
        // One group is with the database, four wait; the rest is told to come back.
        let enough = eventually(|| (refused.load(Ordering::SeqCst) >= 10).then_some(()));
        assert_eq!(enough, Some(()));
        senders
    });
    let accepted = senders
        .into_iter()
        .filter(|_| true)
        .map(|t| t.join().unwrap())
        .filter(|s| *s == 200)
        .count();
    assert!(accepted >= 4);
    assert_eq!(journal(&db).len(), 1 + accepted);
}

#[test]
fn requests_that_wait_together_are_committed_together() {
    let db = TestDb::new();
    let source = source(&db);
    let commits = Arc::new(AtomicUsize::new(0));
    let writer = Writer::start(db.clone(), Clock::system(), Limits::default(), {
        let commits = Arc::clone(&commits);
        move || {
            commits.fetch_add(1, Ordering::SeqCst);
        }
    })
    .unwrap();
    writer.submit(submission(source, "warm")).unwrap().blocking_recv().unwrap().unwrap();
    let answers: Vec<_> = while_the_journal_is_held(&db, || {
        (0..50).map(|n| writer.submit(submission(source, &n.to_string())).unwrap()).collect()
    });
    for answer in answers {
        answer.blocking_recv().unwrap().unwrap();
    }
    drop(writer);
    assert_eq!(journal(&db).len(), 51);
    assert!(
        commits.load(Ordering::SeqCst) <= 4,
        "one, those that waited, and the race around them"
    );
}

#[test]
fn a_noisy_source_leaves_room_for_the_others() {
    let db = TestDb::new();
    let (noisy, quiet) = (source(&db), SourceId(Uuid::now_v7()));
    let limits = Limits { requests: 8, bytes: 1024 * 1024 };
    let writer = Writer::start(db.clone(), Clock::system(), limits, || ()).unwrap();
    writer.submit(submission(noisy, "warm")).unwrap().blocking_recv().unwrap().unwrap();
    let answers: Vec<_> = while_the_journal_is_held(&db, || {
        let mut answers = vec![writer.submit(submission(noisy, "with the database")).unwrap()];
        // The writer takes what waits once; from then on six of the eight places are the source's.
        let refused = (0..50).find(|n| match writer.submit(submission(noisy, &n.to_string())) {
            Ok(answer) => {
                answers.push(answer);
                false
            }
            Err(error) => {
                assert!(matches!(error, Error::TooMany(_)), "{error}");
                true
            }
        });
        assert!(refused.is_some_and(|accepted| (5..=12).contains(&accepted)), "{refused:?}");
        answers.push(writer.submit(submission(quiet, "quiet")).unwrap());
        answers
    });
    for answer in answers {
        answer.blocking_recv().unwrap().unwrap();
    }
}

#[test]
fn a_poison_request_fails_alone() {
    let db = TestDb::new();
    let source = source(&db);
    let writer = Writer::start(db.clone(), Clock::system(), Limits::default(), || ()).unwrap();
    writer.submit(submission(source, "warm")).unwrap().blocking_recv().unwrap().unwrap();
    let answers: Vec<_> = while_the_journal_is_held(&db, || {
        ["a", "poison", "b"]
            .map(|id| {
                let mut submission = submission(source, id);
                if id == "poison" {
                    // PostgreSQL keeps no NUL; the parser removes it, this stands for what it misses.
                    submission.refused.push(Refused {
                        id: Uuid::now_v7(),
                        may_be_another: false,
                        code: "invalid_json".into(),
                        message: "nul".into(),
                        message_id: None,
                        event_name: None,
                        raw: "\0".into(),
                    });
                }
                writer.submit(submission).unwrap()
            })
            .into_iter()
            .collect()
    });
    let heard: Vec<bool> =
        answers.into_iter().map(|a| a.blocking_recv().unwrap().is_ok()).collect();
    assert_eq!(heard, [true, false, true]);
    let stored: Vec<_> =
        journal(&db).iter().map(|message| message.message_id.to_string()).collect();
    assert_eq!(stored, ["warm", "a", "b"]);
    assert!(dead_letters(&db).is_empty());
}

#[test]
fn the_writer_survives_the_death_of_the_database() {
    let dir = scratch_dir("writer");
    let server = disposable_server(&dir);
    ripen::db::migrate::run(&server.url("ripen")).unwrap();
    let db = Database::connect(&server.url("ripen"), ripen::db::pool::Sizes::default()).unwrap();
    let source = source(&db);
    let http = Server::start(&db);
    assert_eq!(http.post("/v1/batch", &event("before")).status, 200);
    kill_9(server.pid().unwrap());
    let writer = Writer::start(db.clone(), Clock::system(), Limits::default(), || ()).unwrap();
    let mut refused = false;
    let back = eventually(|| {
        let answer = http.post("/v1/batch", &event("after"));
        if answer.status != 200 {
            answer.assert_refused(503, "overloaded");
            assert!(answer.header("retry-after").unwrap().parse::<u32>().is_ok());
            refused = true;
        }
        (answer.status == 200).then_some(())
    });
    assert_eq!(back, Some(()), "it recovered by itself");
    let direct = eventually(|| {
        match writer.submit(submission(source, "direct")).unwrap().blocking_recv().unwrap() {
            Ok(()) => Some(()),
            Err(Error::Unavailable(..)) => None,
            Err(other) => panic!("{other}"),
        }
    });
    assert_eq!(direct, Some(()));
    // What the killed server left may still answer the first question, and nothing after it.
    let is_back = || db.read(Pool::Web, |conn| Ok(conn.batch_execute("select 1")?)).ok();
    assert!(eventually(is_back).is_some());
    let stored: Vec<_> =
        journal(&db).iter().map(|message| message.message_id.to_string()).collect();
    for id in ["before", "after", "direct"] {
        assert!(stored.iter().any(|stored| stored == id), "{id} is missing; refused: {refused}");
    }
    drop((writer, http, db));
    drop(server);
    std::fs::remove_dir_all(dir).unwrap();
}

/// A try to reach the database takes two seconds: whoever waited for the try of another to try again
/// himself waited for minutes.
#[test]
fn without_the_database_fifty_at_once_hear_503_in_seconds() {
    let dir = scratch_dir("away");
    let server = disposable_server(&dir);
    ripen::db::migrate::run(&server.url("ripen")).unwrap();
    let db = Database::connect(&server.url("ripen"), ripen::db::pool::Sizes::default()).unwrap();
    source(&db);
    let http = Server::start(&db);
    assert_eq!(http.post("/v1/batch", &event("before")).status, 200);
    drop(server);
    // Each round is longer than the keys in memory are taken for fresh.
    for round in 0..2 {
        std::thread::sleep(std::time::Duration::from_millis(2_100));
        let since = std::time::Instant::now();
        std::thread::scope(|scope| {
            for n in 0..50 {
                let (http, id) = (&http, format!("{round}-{n}"));
                scope.spawn(move || {
                    let key = if n % 5 == 4 { "/v1/batch?writeKey=wk_new" } else { "/v1/batch" };
                    let headers = [BASIC, ("Content-Type", "application/json")];
                    let headers = if n % 5 == 4 { &headers[1..] } else { &headers };
                    let answer = http.send("POST", key, headers, event(&id).as_bytes());
                    answer.assert_refused(503, "overloaded");
                    assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
                });
            }
        });
        // Two tries, of the keys and of the writer; the rest is for a busy machine.
        assert!(since.elapsed().as_secs() < 15, "{:?}", since.elapsed());
    }
    drop((http, db));
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_reader_of_the_journal_holds_no_group_up_for_long() {
    let db = TestDb::new();
    let source = source(&db);
    let clock = Clock::frozen("2026-11-20T23:59:00Z".parse().unwrap());
    let writer = Writer::start(db.clone(), clock.clone(), Limits::default(), || ()).unwrap();
    let submit = |id: &str| {
        let mut submission = submission(source, id);
        submission.stored_at = clock.now();
        writer.submit(submission).unwrap().blocking_recv().unwrap().unwrap();
    };
    submit("before");
    let mut backup = db.checkout(Pool::Work).unwrap();
    backup.batch_execute("BEGIN; SELECT count(*) FROM journal").unwrap();
    clock.advance(chrono::TimeDelta::days(1));
    let since = std::time::Instant::now();
    (0..20).for_each(|n| submit(&n.to_string()));
    assert!(since.elapsed().as_secs() < 10, "one try a minute, not one a group");
    let held: ripen::error::Result<()> = db.tx(Pool::Ingest, |conn| {
        ripen::ingest::store_journal::create_partitions(conn, clock.today())
    });
    assert!(held.is_err_and(|error| error.is_held_up()));
    backup.batch_execute("COMMIT").unwrap();
    assert_eq!(journal(&db).len(), 21);
}

#[test]
fn the_journal_has_a_partition_for_each_day_that_begins() {
    let db = TestDb::new();
    let source = source(&db);
    let clock = Clock::frozen("2026-11-20T23:59:00Z".parse().unwrap());
    let writer = Writer::start(db.clone(), clock.clone(), Limits::default(), || ()).unwrap();
    for day in 0..5 {
        let mut submission = submission(source, &day.to_string());
        submission.stored_at = clock.now();
        writer.submit(submission).unwrap().blocking_recv().unwrap().unwrap();
        clock.advance(chrono::TimeDelta::days(1));
    }
    assert_eq!(journal(&db).len(), 5);
    let in_default: ripen::error::Result<i64> = db.read(Pool::Work, |conn| {
        use diesel::RunQueryDsl;
        Ok(diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(
            "(select count(*) from journal_default)",
        ))
        .get_result(conn)?)
    });
    assert_eq!(in_default.unwrap(), 0);
}
