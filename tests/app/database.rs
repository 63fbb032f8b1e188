//! `db::pool` and `db::migrate`.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{PgConnection, QueryableByName, RunQueryDsl};
use ripen::db::{Database, Pool, migrate};
use ripen::error::{Error, Result};

use crate::test_db::{TestDb, disposable_server, eventually, scratch_dir};

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn number(conn: &mut PgConnection, sql: &str) -> Result<i64> {
    Ok(diesel::sql_query(sql).get_result::<Number>(conn)?.n)
}

fn count_things(db: &Database) -> i64 {
    db.read(Pool::Web, |conn| number(conn, "SELECT count(*) AS n FROM things")).unwrap()
}

fn with_things() -> TestDb {
    let db = TestDb::new();
    let create = "CREATE TABLE things (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)";
    db.tx(Pool::Work, |conn| Ok(conn.batch_execute(create)?)).unwrap();
    db
}

#[test]
fn each_test_has_its_own_database() {
    let (one, two) = (with_things(), with_things());
    one.tx(Pool::Work, |conn| Ok(conn.batch_execute("INSERT INTO things VALUES (1)")?)).unwrap();
    assert_eq!((count_things(&one), count_things(&two)), (1, 0));
}

#[test]
fn migrations_apply_once_even_when_two_start_together() {
    let dir = scratch_dir("migrate");
    let server = disposable_server(&dir);
    let url = server.url("ripen");
    assert!(!migrate::pending(&url).unwrap().is_empty());
    let applied: Vec<Vec<String>> = std::thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| migrate::run(&url).unwrap()));
        both.map(|thread| thread.join().unwrap()).into()
    });
    assert!(applied.iter().any(Vec::is_empty), "one of them found nothing to do: {applied:?}");
    assert!(applied.iter().any(|versions| !versions.is_empty()));
    assert!(migrate::run(&url).unwrap().is_empty());
    assert!(migrate::pending(&url).unwrap().is_empty());
    drop(server);
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_transaction_that_fails_changes_nothing() {
    let db = with_things();
    let result: Result<()> = db.tx(Pool::Web, |conn| {
        conn.batch_execute("INSERT INTO things VALUES (1)")?;
        Err(Error::Conflict("somebody was faster".to_owned()))
    });
    assert!(matches!(result, Err(Error::Conflict(_))));
    assert_eq!(count_things(&db), 0);
}

#[test]
fn a_read_can_not_write() {
    let db = with_things();
    let written = db.read(Pool::Web, |conn| Ok(conn.batch_execute("DELETE FROM things")?));
    assert!(written.is_err());
}

#[test]
fn transactions_that_deadlock_both_succeed() {
    let db = with_things();
    db.tx(Pool::Work, |conn| Ok(conn.batch_execute("INSERT INTO things VALUES (1), (2)")?))
        .unwrap();
    let (meet, attempts) = (Barrier::new(2), AtomicU32::new(0));
    let touch = |first: u32, second: u32| {
        let mut met = false;
        db.tx(Pool::Web, |conn| {
            attempts.fetch_add(1, Ordering::SeqCst);
            conn.batch_execute(&format!("UPDATE things SET n = n + 1 WHERE id = {first}"))?;
            if !met {
                met = true;
                meet.wait();
            }
            conn.batch_execute(&format!("UPDATE things SET n = n + 1 WHERE id = {second}"))?;
            Ok(())
        })
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| touch(2, 1));
        touch(1, 2).unwrap();
        other.join().unwrap().unwrap();
    });
    assert!(attempts.load(Ordering::SeqCst) >= 3, "one of them ran again");
    let sum = db.read(Pool::Web, |conn| number(conn, "SELECT sum(n) AS n FROM things")).unwrap();
    assert_eq!(sum, 4);
}

#[actix_web::test]
async fn handlers_ask_without_blocking_their_thread() {
    let db = with_things();
    db.tx_web(|conn| Ok(conn.batch_execute("INSERT INTO things VALUES (7)")?)).await.unwrap();
    let id = db.read_web(|conn| number(conn, "SELECT id::bigint AS n FROM things")).await.unwrap();
    assert_eq!(id, 7);
}

#[test]
fn pools_recover_by_themselves_when_postgres_was_killed() {
    let dir = scratch_dir("recover");
    let server = disposable_server(&dir);
    let db = Database::connect(&server.url("ripen"), ripen::db::pool::Sizes::default()).unwrap();
    let ask = || db.read(Pool::Web, |conn| number(conn, "SELECT 1::bigint AS n"));
    assert_eq!(ask().unwrap(), 1);
    let first = server.pid().unwrap();
    crate::private_postgres::kill_9(first);
    let again = eventually(|| match ask() {
        Ok(n) => (server.pid() != Some(first)).then_some(n),
        Err(Error::Unavailable(..)) => None,
        Err(other) => panic!("while the database is gone: {other}"),
    });
    assert_eq!(again, Some(1));
    drop(db);
    drop(server);
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn what_is_answered_is_durable_by_any_pool_whatever_the_servers_default() {
    let db = TestDb::new();
    let commits = |how: &str| {
        format!("SELECT count(*) AS n WHERE current_setting('synchronous_commit') = '{how}'")
    };
    for pool in [Pool::Web, Pool::Ingest, Pool::Work] {
        let waits = db.read(pool, |conn| number(conn, &commits("on"))).unwrap();
        assert_eq!(waits, 1, "{pool:?}");
    }
    // Whoever need not wait says so for the one transaction.
    let relaxed = db.tx(Pool::Work, |conn| {
        ripen::ingest::store_drain::begin(conn)?;
        number(conn, &commits("off"))
    });
    assert_eq!(relaxed.unwrap(), 1);
}
