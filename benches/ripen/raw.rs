//! The raw limits: what PostgreSQL itself does with the same rows on the same machine.

use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::pg::CopyFormat;
use diesel::prelude::*;
use diesel::{copy_from, copy_to, sql_query};
use ripen::db::Pool;
use ripen::ingest::endpoint::Endpoint;
use ripen::ingest::intake;
use ripen::ingest::payload::Packer;
use ripen::schema;
use uuid::Uuid;

use crate::place::Place;

diesel::table! {
    key_events_whole (id) {
        workspace_id -> Uuid,
        occurred_at -> Timestamptz,
        id -> Uuid,
        user_id -> Uuid,
        event_key -> Text,
        name -> Text,
        feature -> Text,
        value -> Nullable<Float8>,
        properties -> Jsonb,
        source_id -> Uuid,
        inferred -> Nullable<Text>,
    }
}

/// A table of the product that COPY can read and write.
macro_rules! copies {
    ($($table:ident),*) => {
        /// Tables that the drainer fills, the large ones.
        pub const TABLES: &[&str] = &[$(stringify!($table)),*];

        /// On a connection of its own: after a COPY out Diesel's is of no further use.
        fn dump(place: &Place, table: &str) -> Vec<u8> {
            let conn = &mut PgConnection::establish(place.url.expose()).expect("a connection");
            let mut bytes = Vec::new();
            if table == "key_events" {
                // COPY does not read a table in partitions.
                sql_query("create temporary table key_events_whole as table key_events")
                    .execute(conn)
                    .expect(table);
                copy_to(key_events_whole::table).with_format(CopyFormat::Binary).load_raw(conn)
                    .expect(table).read_to_end(&mut bytes).expect(table);
                return bytes;
            }
            match table {
                $(stringify!($table) => {
                    copy_to(schema::$table::table).with_format(CopyFormat::Binary).load_raw(conn)
                        .expect(table).read_to_end(&mut bytes).expect(table);
                })*
                _ => panic!("{table} is not among the tables"),
            }
            bytes
        }

        fn load(conn: &mut PgConnection, table: &str, bytes: &[u8]) {
            match table {
                $(stringify!($table) => {
                    copy_from(schema::$table::table)
                        .from_raw_data(schema::$table::table, |copy| {
                            std::io::Write::write_all(copy, bytes).map_err(|e| diesel::result::Error::SerializationError(Box::new(e)))
                        })
                        .with_format(CopyFormat::Binary)
                        .execute(conn)
                        .expect(table);
                })*
                _ => panic!("{table} is not among the tables"),
            }
        }
    };
}

copies!(seen_messages, usage_days, key_events, product_users, identifiers, memberships, workspaces);

/// How long COPY takes to put the rows of the projections back into their emptied tables, one
/// transaction a table, indexes kept.
pub fn copy_back(place: &Place) -> Duration {
    let mut conn = place.db.checkout(Pool::Work).expect("a connection");
    let mut took = Duration::ZERO;
    for table in TABLES {
        let bytes = dump(place, table);
        sql_query(format!("truncate {table}")).execute(&mut *conn).expect(table);
        let started = Instant::now();
        load(&mut conn, table, &bytes);
        took += started.elapsed();
    }
    took
}

/// How long COPY takes to stream the rows that scoring reads out of PostgreSQL, binary, read to the
/// end and thrown away.
pub fn stream_out(place: &Place) -> (Duration, usize) {
    let started = Instant::now();
    let bytes: usize = ["usage_days", "memberships", "product_users", "workspaces"]
        .iter()
        .map(|table| dump(place, table).len())
        .sum();
    (started.elapsed(), bytes)
}

/// Events in a second when `clients` connections do nothing but insert rows of the journal, each with a
/// hundred events, each with its own commit.
pub fn journal_inserts(place: &Place, body: &str, clients: usize, lasts: Duration) -> f64 {
    let now = place.clock.now();
    let prepared =
        intake::prepare(Endpoint::Batch, None, body.as_bytes(), now, Uuid::nil()).expect("a body");
    let source = Uuid::now_v7();
    let lines = prepared.of(ripen::ids::SourceId(source), now).lines;
    let payload = Packer::new().and_then(|mut packer| packer.pack(&lines)).expect("packed");
    let (stop, rows) = (AtomicBool::new(false), AtomicU64::new(0));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                let mut conn = place.db.checkout(Pool::Work).expect("a connection");
                while !stop.load(Ordering::Relaxed) {
                    sql_query(
                        "with row as (insert into journal (received_on, received_at, source_id, events, payload)
                                      values ($1, $2, $3, 100, $4) returning id, received_on, received_at, events)
                         insert into journal_pending (id, received_on, received_at, events) select id, received_on, received_at, events from row",
                    )
                    .bind::<diesel::sql_types::Date, _>(now.date_naive())
                    .bind::<diesel::sql_types::Timestamptz, _>(now)
                    .bind::<diesel::sql_types::Uuid, _>(source)
                    .bind::<diesel::sql_types::Bytea, _>(&payload)
                    .execute(&mut *conn)
                    .expect("an insert");
                    rows.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(lasts);
        stop.store(true, Ordering::Relaxed);
    });
    let took = started.elapsed();
    place.execute("truncate journal, journal_pending");
    crate::table::rate(rows.load(Ordering::Relaxed) * 100, took)
}
