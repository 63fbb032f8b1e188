//! A database with a source, ways to journal events and to look at what became of them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use ripen::clock::Clock;
use ripen::db::Pool;
use ripen::ids::SourceId;
use ripen::ingest::drain::{self, Limits, Step};
use ripen::ingest::endpoint::Endpoint;
use ripen::ingest::{intake, store_journal};
use ripen::jobs::PROJECTIONS;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::dump::{PROJECTED, dump};
use crate::test_db::TestDb;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Cell {
    #[diesel(sql_type = Nullable<Text>)]
    cell: Option<String>,
}

/// A test's own product, sending to its own database.
pub struct Product {
    pub db: TestDb,
    pub clock: Clock,
    pub source: SourceId,
}

impl Product {
    pub fn new() -> Self {
        let db = TestDb::new();
        let clock = Clock::frozen("2026-11-20T12:00:00Z".parse().unwrap());
        let source = SourceId(Uuid::from_u128(7));
        db.tx(Pool::Work, |conn| {
            ripen::catalog::ops::seed(conn, clock.now())?;
            diesel::sql_query(
                "insert into sources (id, name, created_at) values ($1, 'app', now())",
            )
            .bind::<diesel::sql_types::Uuid, _>(source)
            .execute(conn)?;
            Ok(())
        })
        .unwrap();
        Self { db, clock, source }
    }

    /// Journals events as one request.
    pub fn journal(&self, events: &[Value]) {
        let body = json!({ "batch": events }).to_string();
        self.journal_body(Endpoint::Batch, body.as_bytes(), self.clock.now());
    }

    /// Journals a body as it came.
    pub fn journal_body(&self, endpoint: Endpoint, body: &[u8], at: DateTime<Utc>) {
        let prepared =
            intake::prepare(endpoint, None, body, at, Uuid::now_v7()).expect("a usable body");
        let submission = prepared.of(self.source, at);
        let room = self.db.check_room().unwrap();
        self.db.tx(Pool::Work, |conn| store_journal::append(conn, room, &[&submission])).unwrap();
    }

    /// Drains everything that is pending.
    pub fn drain(&self) -> Step {
        drain::until_empty(&self.db, &self.clock, &PROJECTIONS, Limits::default()).unwrap()
    }

    /// Journals events as one request and drains it.
    pub fn send(&self, events: &[Value]) {
        self.journal(events);
        self.drain();
    }

    /// All projections, sorted.
    pub fn dump(&self) -> Vec<String> {
        dump(&self.db, &PROJECTED)
    }

    pub fn count(&self, what: &str) -> i64 {
        let query = format!("select count(*) as n from {what}");
        self.db
            .read(Pool::Work, |conn| Ok(diesel::sql_query(&query).get_result::<Number>(conn)?.n))
            .unwrap()
    }

    /// One value as text; `None` for null.
    pub fn cell(&self, query: &str) -> Option<String> {
        let query = format!("select ({query})::text as cell");
        self.db
            .read(Pool::Work, |conn| Ok(diesel::sql_query(&query).get_result::<Cell>(conn)?.cell))
            .unwrap()
    }

    pub fn execute(&self, statement: &str) {
        self.db.tx(Pool::Work, |conn| Ok(diesel::sql_query(statement).execute(conn)?)).unwrap();
    }
}

/// A track call; `extra` is merged in.
pub fn track(id: &str, event: &str, at: &str, extra: Value) -> Value {
    call("track", id, at, merged(json!({ "event": event }), extra))
}

/// Any call.
pub fn call(kind: &str, id: &str, at: &str, extra: Value) -> Value {
    merged(json!({ "type": kind, "messageId": id, "timestamp": at }), extra)
}

fn merged(mut value: Value, extra: Value) -> Value {
    if let (Value::Object(value), Value::Object(extra)) = (&mut value, extra) {
        value.extend(extra);
    }
    value
}
