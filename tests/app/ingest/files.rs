//! `ripen import events`: a file into the journal.

use std::io::{Cursor, Write};

use diesel::prelude::*;
use ripen::clock::Clock;
use ripen::db::Pool;
use ripen::error::Result;
use ripen::ingest::drain;
use ripen::ingest::import::Names;
use ripen::ingest::load::{self, Loaded};
use ripen::schema::{product_users, usage_days, workspaces};
use ripen::{catalog, jobs};

use super::server::{dead_letters, journal, source};
use crate::test_db::TestDb;

const LINES: &str = concat!(
    r#"{"type":"signup","messageId":"s1","userId":"u","groupId":"w","emailDomain":"a.example","timestamp":"2014-06-25T07:29:32-07:00","receivedAt":"2014-06-25T08:36:54-07:00"}"#,
    "\n\n",
    r#"{"type":"track","event":"change_shipped","messageId":"t1","userId":"u","groupId":"w","subject_len":14,"timestamp":"2014-06-25T07:29:32-07:00","receivedAt":"2014-06-25T08:36:54-07:00"}"#,
    "\nnot json\n",
    r#"{"type":"track","event":"x"}"#,
    "\n",
);

fn gzip(text: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

#[test]
fn a_file_is_loaded_line_by_line_plain_or_packed_and_the_same_each_time() {
    let db = TestDb::new();
    let source = source(&db);
    let names = Names::from([("change_shipped".to_owned(), "core_feature_used".to_owned())]);
    let import = |bytes: Vec<u8>| {
        let lines = load::open(Cursor::new(bytes)).unwrap();
        load::load(&db, &Clock::system(), source, lines, &names, |_| ()).unwrap()
    };
    let loaded = import(LINES.as_bytes().to_vec());
    assert_eq!(loaded, Loaded { lines: 4, events: 4, rejected: 2 });
    let first = journal(&db);
    assert_eq!(first.len(), 4);
    assert_eq!(first[3].event.as_deref(), Some("core_feature_used"));
    assert_eq!(first[3].at.to_rfc3339(), "2014-06-25T14:29:32+00:00");
    assert_eq!(dead_letters(&db), ["invalid_json", "missing_identity"]);

    // The drainer knows messages by their ids: those must be the same again.
    assert_eq!(import(gzip(LINES)), loaded);
    assert_eq!(journal(&db)[4..], first[..]);
    assert_eq!(dead_letters(&db).len(), 2, "the same letters");
}

#[test]
fn a_line_without_end_is_cut_and_the_next_is_read() {
    let db = TestDb::new();
    let source = source(&db);
    let long = format!("{{\"type\":\"track\",\"x\":\"{}\"}}\n", "a".repeat(3 * 1024 * 1024));
    let text = long + r#"{"type":"track","event":"x","userId":"u","messageId":"m"}"#;
    let lines = load::open(Cursor::new(text.into_bytes())).unwrap();
    let loaded = load::load(&db, &Clock::system(), source, lines, &Names::new(), |_| ()).unwrap();
    assert_eq!(loaded, Loaded { lines: 2, events: 1, rejected: 1 });
}

#[test]
fn importing_a_file_again_changes_nothing() {
    let db = TestDb::new();
    let source = source(&db);
    db.tx(Pool::Work, |conn| catalog::ops::seed(conn, Clock::system().now())).unwrap();
    let clock = Clock::system();
    let import = || {
        let lines = load::open(Cursor::new(LINES.as_bytes())).unwrap();
        load::load(&db, &clock, source, lines, &Names::new(), |_| ()).unwrap();
        drain::until_empty(&db, &clock, &jobs::PROJECTIONS, drain::Limits::default()).unwrap();
        let known: Result<_> = db.read(Pool::Work, |conn| {
            let days: Vec<(chrono::NaiveDate, String, i64)> = usage_days::table
                .order((usage_days::day, usage_days::event_key))
                .select((usage_days::day, usage_days::event_key, usage_days::events))
                .load(conn)?;
            let people: i64 = product_users::table.count().get_result(conn)?;
            let workspaces: i64 = workspaces::table.count().get_result(conn)?;
            Ok((days, people, workspaces))
        });
        known.unwrap()
    };
    let first = import();
    assert_eq!((first.1, first.2), (1, 1));
    assert!(
        first.0.iter().any(|(_, event, times)| event == "user_signed_up" && *times == 1),
        "{first:?}"
    );
    assert_eq!(import(), first);
}
