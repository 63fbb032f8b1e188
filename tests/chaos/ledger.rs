//! The clients' ledger against the database.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use ripen::clock::Clock;
use ripen::db::{Database, Pool};
use ripen::ingest::drain::{self, Limits};
use ripen::ingest::message::Message;
use ripen::ingest::store_journal;
use ripen::ingest::writer::Submission;
use ripen::ingest::{journal, payload};
use ripen::{jobs, schema, scoring};
use uuid::Uuid;

use crate::clients::Ledger;
use crate::dump::{PROJECTED, SCORED, difference, dump};
use crate::serve::{SOURCE, furnish};
use crate::test_db::{TestDb, eventually};

/// One row of the journal.
struct Request {
    received_at: chrono::DateTime<chrono::Utc>,
    messages: Vec<Message<'static>>,
}

/// Asserts all that acknowledging promises, once the server has drained and scored everything.
pub fn audit(db: &Database, ledger: &Ledger) {
    audit_by(db, ledger, |_| ());
}

/// As [`audit`], against a calm run that `prepared` its empty database.
pub fn audit_by(db: &Database, ledger: &Ledger, prepared: impl FnOnce(&Database)) {
    assert_eq!(ledger.complaints, Vec::<String>::new());
    assert!(!ledger.acknowledged.is_empty());
    let idle = eventually(|| {
        (count(db, "journal_pending")? == 0 && count(db, "touched_workspaces")? == 0).then_some(())
    });
    assert!(
        idle.is_some(),
        "the server catches up by itself: {:?} pending, {:?} touched",
        count(db, "journal_pending"),
        count(db, "touched_workspaces")
    );
    let requests = requests(db);
    let stored = stored_once(&requests, ledger);
    projected_once(db, &stored);
    let calm = calm_run(&requests, prepared);
    for tables in [PROJECTED.as_slice(), SCORED.as_slice()] {
        let differs = difference(&dump(&calm, tables), &dump(db, tables));
        assert!(differs.is_empty(), "a calm run of the same events says:\n{differs}");
    }
}

/// Rows of a table; none while the database is away.
pub fn count(db: &Database, table: &str) -> Option<i64> {
    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let query = format!("select count(*) as n from {table}");
    let number =
        db.read(Pool::Work, |conn| Ok(diesel::sql_query(&query).get_result::<Number>(conn)?.n));
    number.ok()
}

fn requests(db: &Database) -> Vec<Request> {
    type Row = (chrono::DateTime<chrono::Utc>, Vec<u8>);
    let rows: ripen::error::Result<Vec<Row>> = db.read(Pool::Work, |conn| {
        use schema::journal as j;
        Ok(j::table.order(j::id).select((j::received_at, j::payload)).load(conn)?)
    });
    rows.unwrap()
        .into_iter()
        .map(|(received_at, bytes)| {
            let lines = payload::inflate(&bytes).unwrap();
            let messages = journal::read(&lines).unwrap();
            Request {
                received_at,
                messages: messages.into_iter().map(Message::into_owned).collect(),
            }
        })
        .collect()
}

/// How often each message is in the journal: what was acknowledged is there, once unless it was
/// sent again.
fn stored_once(requests: &[Request], ledger: &Ledger) -> BTreeMap<String, usize> {
    let mut stored: BTreeMap<String, usize> = BTreeMap::new();
    for message in requests.iter().flat_map(|request| &request.messages) {
        *stored.entry(message.message_id.to_string()).or_default() += 1;
    }
    for id in &ledger.acknowledged {
        assert!(stored.contains_key(id), "{id} was acknowledged and is lost");
    }
    for (id, times) in &stored {
        let sent_again = ledger.uncertain.contains(id);
        assert!(sent_again || ledger.acknowledged.contains(id), "{id} was never sent");
        assert!(*times == 1 || sent_again, "{id} is there {times} times and was sent once");
    }
    stored
}

/// Each message was projected once: known once, counted once.
fn projected_once(db: &Database, stored: &BTreeMap<String, usize>) {
    let refused: Vec<String> = db
        .read(Pool::Work, |conn| {
            use schema::dead_letters as d;
            let blocked = d::table.filter(d::code.eq("blocked_identity"));
            let ids: Vec<Option<String>> = blocked.select(d::message_id).load(conn)?;
            Ok(ids.into_iter().flatten().collect())
        })
        .unwrap();
    let mut expected: Vec<Uuid> = stored
        .keys()
        .filter(|id| !refused.contains(id))
        .map(|id| Uuid::new_v5(&SOURCE.0, id.as_bytes()))
        .collect();
    expected.sort_unstable();
    let seen: Vec<Uuid> = db
        .read(Pool::Work, |conn| {
            use schema::seen_messages as s;
            Ok(s::table.order(s::key).select(s::key).load(conn)?)
        })
        .unwrap();
    assert!(seen == expected, "{} seen, {} sent", seen.len(), expected.len());
}

/// The same events, each once, without any trouble.
fn calm_run(requests: &[Request], prepared: impl FnOnce(&Database)) -> TestDb {
    let db = TestDb::new();
    furnish(&db);
    prepared(&db);
    let clock = Clock::system();
    let mut known = std::collections::HashSet::new();
    for request in requests {
        let mut lines = Vec::new();
        let mut events = 0;
        for message in &request.messages {
            if known.insert(message.message_id.clone()) {
                journal::write(message, &mut lines);
                events += 1;
            }
        }
        let submission = Submission {
            source_id: SOURCE,
            stored_at: request.received_at,
            events,
            lines,
            refused: Vec::new(),
        };
        let room = db.check_room().unwrap();
        db.tx(Pool::Work, |conn| store_journal::append(conn, room, &[&submission])).unwrap();
    }
    drain::until_empty(&db, &clock, &jobs::PROJECTIONS, Limits::default()).unwrap();
    scoring::worker::drain(&db, &clock, jobs::after_scoring).unwrap();
    db
}
