//! Dead letters: replayed by the same parser, discarded with a reason; the state of ingestion in numbers.

use diesel::prelude::*;
use ripen::clock::Clock;
use ripen::db::{Database, Pool};
use ripen::error::{Error, Result};
use ripen::ingest::ops;
use ripen::ingest::status::Status;
use ripen::ingest::store_dead_letters::{self as store, Chosen, DeadLetter};
use ripen::ingest::store_replays;
use ripen::ingest::store_status;
use ripen::schema::{audit_entries, dead_letters, journal_pending, touched_workspaces};
use ripen::team::audit::Actor;

use super::server::{Server, journal, source};
use crate::test_db::TestDb;

fn tx<T>(db: &Database, change: impl FnMut(&mut PgConnection) -> Result<T>) -> T {
    db.tx(Pool::Work, change).unwrap()
}

fn letters(db: &Database) -> Vec<DeadLetter> {
    tx(db, |conn| store::page(conn, &Chosen::default(), None, 100))
}

/// Three letters of two codes.
fn refused(db: &Database) -> Vec<DeadLetter> {
    source(db);
    let server = Server::start(db);
    let body = r#"{"sentAt":"2026-11-20T10:00:00Z","batch":[
        {"type":"track","event":"A","messageId":"m1","timestamp":"2026-11-20T09:59:59Z"},
        {"type":"track","event":"B","messageId":"m2"},
        {"type":"dance","userId":"u","messageId":"m3"}]}"#;
    assert_eq!(server.post("/v1/batch", body).status, 200);
    letters(db)
}

/// How many letters were tried, and how many of these are open.
fn replay(db: &Database, chosen: &Chosen, at: chrono::DateTime<chrono::Utc>) -> (i64, i64) {
    let room = db.check_room().unwrap();
    let standing = tx(db, |conn| {
        let id = ops::replay(conn, room, &Actor::system(), chosen, at)?;
        Ok(store_replays::standing(conn, id)?.1)
    });
    (standing.tried, standing.refused)
}

fn mend(db: &Database, id: uuid::Uuid) {
    tx(db, |conn| {
        let letter = store::find(conn, id)?;
        let raw = letter.raw.replace("\"event\"", "\"userId\":\"u\",\"event\"");
        diesel::update(dead_letters::table.find(id))
            .set(dead_letters::raw.eq(raw))
            .execute(conn)?;
        Ok(())
    });
}

#[test]
fn a_mended_letter_is_replayed_with_the_time_of_its_first_receipt() {
    let db = TestDb::new();
    let first =
        refused(&db).into_iter().find(|letter| letter.message_id.as_deref() == Some("m1")).unwrap();
    let (by, now) = (Actor::system(), Clock::system().now());
    assert_eq!((first.code.as_str(), first.event_name.as_deref()), ("missing_identity", Some("A")));

    assert_eq!(replay(&db, &Chosen::one(first.id), now), (1, 1), "unmended");
    assert_eq!(letters(&db).len(), 3);

    mend(&db, first.id);
    let later = now + chrono::TimeDelta::hours(5);
    assert_eq!(replay(&db, &Chosen::one(first.id), later), (1, 0));
    let stored = journal(&db).remove(0);
    assert_eq!(stored.message_id, "m1");
    assert_eq!(
        (first.received_at - stored.at).num_milliseconds(),
        1000,
        "corrected by the first receipt"
    );
    assert_eq!(letters(&db).len(), 2);
    let room = db.check_room().unwrap();
    let one = Chosen::one(first.id);
    let again = db.tx(Pool::Work, |conn| ops::replay(conn, room, &by, &one, later));
    assert!(matches!(again, Err(Error::NotFound)), "once is enough");
}

#[test]
fn a_group_and_a_day_are_replayed_and_what_is_not_needed_is_discarded() {
    let db = TestDb::new();
    for letter in refused(&db).iter().filter(|letter| letter.code == "missing_identity") {
        mend(&db, letter.id);
    }
    let (by, now) = (Actor::system(), Clock::system().now());
    let kinds = tx(&db, store::kinds);
    let counts: Vec<_> =
        kinds.iter().map(|kind| (kind.code.as_str(), kind.event.as_str(), kind.letters)).collect();
    assert_eq!(
        counts,
        [("invalid_type", "", 1), ("missing_identity", "A", 1), ("missing_identity", "B", 1)]
    );

    assert_eq!(replay(&db, &Chosen::group("missing_identity"), now), (2, 0));
    let since = Chosen::since(now - chrono::TimeDelta::hours(1));
    assert_eq!(replay(&db, &since, Clock::system().now()), (1, 1));

    let group = Chosen::group("invalid_type");
    let silent = db.tx(Pool::Work, |conn| ops::discard(conn, &by, &group, " ", now));
    assert!(matches!(silent, Err(Error::Invalid(_))));
    assert_eq!(tx(&db, |conn| ops::discard(conn, &by, &group, "a test", now)), 1);
    assert!(letters(&db).is_empty());
    let actions: Vec<String> = tx(&db, |conn| {
        Ok(audit_entries::table
            .order(audit_entries::id)
            .select(audit_entries::action)
            .load(conn)?)
    });
    assert!(actions.ends_with(&[
        "dead_letters.replayed".into(),
        "dead_letters.replayed".into(),
        "dead_letters.discarded".into()
    ]));
}

#[test]
fn an_event_without_an_id_that_comes_after_its_letter_was_put_away_is_open_again() {
    let db = TestDb::new();
    source(&db);
    let server = Server::start(&db);
    let nameless = r#"{"batch":[{"type":"track","event":"A"},{"type":"track","event":"A"}]}"#;
    let named = r#"{"batch":[{"type":"track","event":"A","messageId":"m1"}]}"#;
    let send = |body| assert_eq!(server.post("/v1/batch", body).status, 200);
    send(nameless);
    send(nameless);
    send(named);
    assert_eq!(letters(&db).len(), 2, "what may be a retry is one letter");
    let all = Chosen::group("missing_identity");
    let (by, now) = (Actor::system(), Clock::system().now());
    assert_eq!(tx(&db, |conn| ops::discard(conn, &by, &all, "a test", now)), 2);
    send(named);
    assert!(letters(&db).is_empty(), "the same event is settled");
    send(nameless);
    let open = letters(&db);
    assert_eq!(open.len(), 1, "another event may say the same");
    assert!(open[0].message_id.is_none() && open[0].received_at > now);
}

#[test]
fn the_status_tells_when_everything_is_projected_and_scored() {
    let db = TestDb::new();
    refused(&db);
    let server = Server::start(&db);
    let one = r#"{"batch":[{"type":"track","event":"A","userId":"u","messageId":"m9"}]}"#;
    assert_eq!(server.post("/v1/batch", one).status, 200);
    let status = || {
        let totals = db
            .read(Pool::Work, |conn| store_status::totals(conn, chrono::DateTime::UNIX_EPOCH))
            .unwrap();
        Status::of(&totals, Clock::system().now())
    };
    let waiting = status();
    assert_eq!(
        (waiting.accepted, waiting.rejected, waiting.pending, waiting.dead_letters),
        (1, 3, 1, 3)
    );
    assert!(!waiting.drained && !waiting.settled && waiting.last_processed_at.is_none());

    let now = Clock::system().now();
    tx(&db, |conn| {
        diesel::delete(journal_pending::table).execute(conn)?;
        diesel::insert_into(touched_workspaces::table)
            .values((
                touched_workspaces::workspace_id.eq(uuid::Uuid::now_v7()),
                touched_workspaces::since_on.eq(now.date_naive()),
                touched_workspaces::touched_at.eq(now),
            ))
            .execute(conn)?;
        Ok(())
    });
    let drained = status();
    assert!(drained.drained && !drained.settled && drained.last_processed_at.is_some());
    tx(&db, |conn| Ok(diesel::delete(touched_workspaces::table).execute(conn)?));
    assert!(status().settled);
}
