//! SIGKILL of the server in the middle of a file: the job is taken up again when its lease is over, goes on
//! after the last committed chunk, and ends as a run that nobody disturbed.

use std::fmt::Write;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use rand::RngExt;
use ripen::clock::Clock;
use ripen::db::{Database, Pool};
use ripen::imports::store::{Import, Reading};
use ripen::imports::{file, ops, store, store_parts};
use ripen::jobs::HANDLERS;
use ripen::queue::engine;
use ripen::schema::jobs;
use ripen::team::audit::Actor;
use uuid::Uuid;

use crate::dump::{PROJECTED, difference, dump};
use crate::schedule::{Seed, rounds};
use crate::serve::{Home, Ripen, free_address, furnish};
use crate::test_db::{TestDb, eventually};

const IMPORT: Uuid = Uuid::from_u128(0x1a);
/// Several chunks.
const ROWS: usize = 9_000;

/// People, every 13th of them twice, every 101st with an address that is none.
fn file_of_people() -> String {
    let mut text = String::from("id,E-Mail,Title\n");
    for row in 0..ROWS {
        let person = if row % 13 == 12 { row - 5 } else { row };
        let at = if is_bad(row) { "at" } else { "@" };
        writeln!(text, "u{person},p{person}{at}firm{}.com,Title {row}", row % 900).unwrap();
    }
    text
}

fn is_bad(row: usize) -> bool {
    row % 101 == 100
}

fn reading() -> Reading {
    let texts = |all: [&str; 3]| all.map(str::to_owned).to_vec();
    Reading {
        kind: "users".to_owned(),
        encoding: "utf-8".to_owned(),
        delimiter: ",".to_owned(),
        header_row: 0,
        header: texts(["id", "E-Mail", "Title"]),
        mapping: texts(["user_id", "email", "job_title"]),
        clears_blanks: false,
    }
}

/// A database with the file uploaded and on its way to be checked.
fn uploaded(at: DateTime<Utc>) -> TestDb {
    let db = TestDb::new();
    furnish(&db);
    db.checkout(Pool::Work)
        .unwrap()
        .batch_execute(&format!(
            "insert into team_members (id, email, name, role, created_at)
               values ('00000000-0000-0000-0000-00000000000b', 'a@ripen.test', 'Ada', 'admin', now());
             insert into imports (id, kind, file_name, made_by, created_at, status)
               values ('{IMPORT}', 'users', 'people.csv', '00000000-0000-0000-0000-00000000000b', now(), 'mapping');"
        ))
        .unwrap();
    let text = file_of_people();
    db.tx(Pool::Work, |conn| {
        for (part, bytes) in text.as_bytes().chunks(file::PART).enumerate() {
            store_parts::insert(conn, IMPORT, i32::try_from(part).unwrap(), &file::packed(bytes)?)?;
        }
        ops::check(conn, IMPORT, &reading(), at)
    })
    .unwrap();
    db
}

fn import(db: &Database) -> Option<Import> {
    db.read(Pool::Work, |conn| store::find(conn, IMPORT)).ok()
}

fn start(db: &Database, at: DateTime<Utc>) {
    db.tx(Pool::Work, |conn| ops::start(conn, IMPORT, &Actor::system(), at)).unwrap();
}

/// Where the import stands once this holds.
fn once(db: &Database, holds: impl Fn(&Import) -> bool) -> Import {
    let found = eventually(|| import(db).filter(|import| holds(import)));
    found.unwrap_or_else(|| panic!("stuck: {:?}", import(db)))
}

/// Attempts of the job that imports, and until when somebody holds it.
fn held(db: &Database) -> (i32, Option<DateTime<Utc>>) {
    db.read(Pool::Work, |conn| {
        let newest = jobs::table.filter(jobs::kind.eq(ops::JOB)).order(jobs::id.desc());
        Ok(newest.select((jobs::attempts, jobs::lease_until)).first(conn)?)
    })
    .unwrap()
}

#[test]
fn an_import_survives_kills_of_the_server_and_writes_every_row_once() {
    let seed = Seed::new();
    let at = Clock::system().now();
    let at = DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap();
    let db = uploaded(at);
    let (home, address) = (Home::Given(db.url()), free_address());
    let mut ripen = Ripen::start(&home, address);
    once(&db, |import| import.status == "checked");
    start(&db, at);
    let mut random = seed.random(9);
    let mut killed_at = Vec::new();
    for round in 0..rounds(2, 12) {
        let before = import(&db).unwrap().done_rows;
        let standing = once(&db, |import| import.done_rows > before || import.status == "done");
        if standing.status == "done" {
            break;
        }
        // In the middle of the next chunk, wherever that is.
        std::thread::sleep(std::time::Duration::from_millis(random.random_range(0..150)));
        ripen.kill();
        let (attempts, until) = held(&db);
        let stands = import(&db).unwrap();
        if stands.status == "done" {
            break;
        }
        killed_at.push(stands.done_rows);
        assert_eq!(attempts, i32::try_from(round).unwrap() + 1);
        assert!(until.is_some_and(|until| until > Clock::system().now()), "its lease goes on");
        ripen = Ripen::start(&home, address);
        // Nobody takes it before the lease is over. Two minutes pass.
        assert_eq!(held(&db), (attempts, until));
        db.checkout(Pool::Work)
            .unwrap()
            .batch_execute("update jobs set lease_until = now() - interval '1 s' where lease_until is not null")
            .unwrap();
        let again = eventually(|| (held(&db).0 == attempts + 1).then_some(()));
        assert!(again.is_some(), "the job is claimed again");
    }
    assert!(!killed_at.is_empty(), "it was killed half-way");
    let done = once(&db, |import| import.status == "done");
    drop(ripen);

    let calm = uploaded(at);
    let (clock, stop) = (Clock::frozen(at), AtomicBool::new(false));
    engine::drain(&calm, &clock, &HANDLERS, &stop).unwrap();
    start(&calm, at);
    engine::drain(&calm, &clock, &HANDLERS, &stop).unwrap();
    let expected = import(&calm).unwrap();
    let counts = |import: &Import| {
        let Import { status, total_rows, done_rows, created, updated, unchanged, rejected, .. } =
            import;
        (status.clone(), *total_rows, *done_rows, [*created, *updated, *unchanged, *rejected])
    };
    assert_eq!(counts(&done), counts(&expected), "killed at {killed_at:?}");
    assert_eq!(done.done_rows, i64::try_from(ROWS).unwrap());
    let faults = |db: &Database| {
        let rows =
            db.read(Pool::Work, |conn| store_parts::refused(conn, IMPORT, 0, 10_000)).unwrap();
        rows.into_iter().map(|row| (row.line, row.message, row.cells)).collect::<Vec<_>>()
    };
    assert_eq!(faults(&db), faults(&calm));
    let bad: Vec<i64> =
        (0..ROWS).filter(|row| is_bad(*row)).map(|row| i64::try_from(row).unwrap() + 2).collect();
    assert_eq!(faults(&db).iter().map(|(line, ..)| *line).collect::<Vec<_>>(), bad);
    let (got, expected) = (dump(&db, &PROJECTED), dump(&calm, &PROJECTED));
    assert!(expected.len() > ROWS / 2);
    assert_eq!(difference(&expected, &got), "", "killed at {killed_at:?}");
}
