//! The SQL of draining: taking journal rows, telling new events from known ones, finishing a chunk.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bytea, Date, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use uuid::Uuid;

use super::chunk::{Chunk, Refusal};
use super::drain::Place;
use super::store_lost;
use super::store_rules::RULES;
use crate::error::Result;
use crate::ids::{SourceId, UserId};

/// Held while a chunk is projected: one at a time, across all servers. Whoever else writes rows that
/// projections write holds it, too.
const DRAIN_LOCK: i64 = 7_219_001;

/// Begins a chunk: its commit will not wait for the disk. What it is made of is durable, in the
/// journal, and comes off the list of pending rows by the same commit: if PostgreSQL dies before the
/// disk has it, all of it is drained once more, to the same end. Whoever builds on it (a score, a
/// task) and waits for the disk at their own commit takes this one there, too, since the log is
/// written in order.
///
/// # Errors
/// When the database fails.
pub fn begin(conn: &mut PgConnection) -> Result<()> {
    diesel::sql_query("set local synchronous_commit = off").execute(conn)?;
    Ok(())
}

/// Waits until no other chunk is being projected; until the transaction ends it is this one's turn.
///
/// # Errors
/// When the database fails.
pub fn wait_for_turn(conn: &mut PgConnection) -> Result<()> {
    diesel::sql_query("select pg_advisory_xact_lock($1)")
        .bind::<BigInt, _>(DRAIN_LOCK)
        .execute(conn)?;
    Ok(())
}

/// Waits until nobody drains, and keeps others from draining until the transaction ends: for whoever
/// else writes what projections write.
///
/// # Errors
/// [`crate::error::Error::Unavailable`] after twenty seconds; when the database fails.
pub fn lock(conn: &mut PgConnection) -> Result<()> {
    diesel::sql_query("set local lock_timeout = '20s'").execute(conn)?;
    wait_for_turn(conn)
}

#[derive(QueryableByName)]
struct Pending {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Date)]
    received_on: NaiveDate,
    #[diesel(sql_type = Int4)]
    events: i32,
}

/// A row of the journal: what one source sent in acknowledged requests.
#[derive(Debug, QueryableByName)]
pub struct JournalRow {
    /// Its id in journal and journal_pending.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// When it was received.
    #[diesel(sql_type = Timestamptz)]
    pub received_at: DateTime<Utc>,
    /// The day of the journal in which it is kept.
    #[diesel(sql_type = Date)]
    pub received_on: NaiveDate,
    /// Who sent it.
    #[diesel(sql_type = SqlUuid)]
    pub source_id: SourceId,
    /// Its messages, compressed ([`super::payload`]).
    #[diesel(sql_type = Bytea)]
    pub payload: Vec<u8>,
}

/// Pending rows are fetched so many at a time.
const FETCHED: i64 = 8;

/// Takes the oldest pending rows that nobody else has taken off the list: at most `rows`, and no more
/// than `events` events beyond the first row. They are this transaction's until it ends; if it fails
/// they are pending again.
///
/// # Errors
/// When the database fails.
pub fn claim(conn: &mut PgConnection, rows: i64, events: i64) -> Result<Vec<JournalRow>> {
    // A cursor locks a row when it is fetched: what goes beyond this chunk is left to the next.
    diesel::sql_query(
        "declare pending no scroll cursor for
         select id, received_on, events from journal_pending order by id for update skip locked",
    )
    .execute(conn)?;
    let (mut ids, mut days) = (Vec::new(), Vec::new());
    let (mut left, mut room) = (rows, events);
    while left > 0 && room > 0 {
        // The number is of our own making.
        let fetch = format!("fetch {} from pending", left.min(FETCHED));
        let fetched: Vec<Pending> = diesel::sql_query(fetch).load(conn)?;
        if fetched.is_empty() {
            break;
        }
        left = left.saturating_sub(FETCHED);
        for row in fetched {
            if ids.is_empty() || i64::from(row.events) <= room {
                ids.push(row.id);
                days.push(row.received_on);
            }
            room = room.saturating_sub(i64::from(row.events));
        }
    }
    diesel::sql_query("close pending").execute(conn)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    days.sort_unstable();
    days.dedup();
    let found: Vec<JournalRow> = diesel::sql_query(
        "select id, received_at, received_on, source_id, payload from journal
         where received_on = any($1) and id = any($2) order by id",
    )
    .bind::<Array<Date>, _>(days)
    .bind::<Array<BigInt>, _>(&ids)
    .load(conn)?;
    if found.len() < ids.len() {
        store_lost::bury(conn, &ids)?;
    }
    diesel::sql_query("delete from journal_pending where id = any($1)")
        .bind::<Array<BigInt>, _>(&ids)
        .execute(conn)?;
    if found.is_empty() {
        return claim(conn, rows, events);
    }
    Ok(found)
}

/// Writes down by which catalog these rows were projected, and which of their messages were left out.
///
/// # Errors
/// When the database fails.
pub fn log_chunk(
    conn: &mut PgConnection,
    catalog: i32,
    rows: &[JournalRow],
    left: &[Place],
) -> Result<()> {
    let mut days: Vec<NaiveDate> = rows.iter().map(|row| row.received_on).collect();
    days.sort_unstable();
    days.dedup();
    diesel::sql_query(
        "insert into journal_chunks (catalog, journal_ids, days, left_ids, left_places, rules)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind::<Int4, _>(catalog)
    .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.id).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(days)
    .bind::<Array<BigInt>, _>(left.iter().map(|place| place.0).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(left.iter().map(|place| place.1).collect::<Vec<_>>())
    .bind::<Int4, _>(RULES)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = SqlUuid)]
    key: Uuid,
}

/// Remembers these messages; answers with those that were not known before.
///
/// # Errors
/// When the database fails.
pub fn remember(
    conn: &mut PgConnection,
    mut keys: Vec<Uuid>,
    day: NaiveDate,
) -> Result<HashSet<Uuid>> {
    keys.sort_unstable();
    keys.dedup();
    let fresh: Vec<Key> = diesel::sql_query(
        "insert into seen_messages (key, received_on) select unnest($1::uuid[]), $2
         on conflict (key) do nothing returning key",
    )
    .bind::<Array<SqlUuid>, _>(keys)
    .bind::<Date, _>(day)
    .load(conn)?;
    Ok(fresh.into_iter().map(|row| row.key).collect())
}

/// Forgets messages that were refused, so that they can be replayed.
fn forget(conn: &mut PgConnection, keys: &[Uuid]) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    diesel::sql_query("delete from seen_messages where key = any($1)")
        .bind::<Array<SqlUuid>, _>(keys)
        .execute(conn)?;
    Ok(())
}

/// Writes the chunk's dead letters. One that waits already stays as it is, one that was replayed
/// in vain is open again.
///
/// # Errors
/// When the database fails.
pub fn bury(conn: &mut PgConnection, refused: &[Refusal]) -> Result<()> {
    if refused.is_empty() {
        return Ok(());
    }
    let mut refused: Vec<&Refusal> = refused.iter().collect();
    refused.sort_by_key(|letter| letter.id);
    refused.dedup_by_key(|letter| letter.id);
    diesel::sql_query(
        "insert into dead_letters
             (id, source_id, received_at, refused_by, code, message, message_id, event_name, person_id, raw)
         select id, source_id, received_at, 'drainer', code, message, message_id, event_name, person_id, raw
         from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
                     $8::uuid[], $9::text[])
             as t (id, source_id, received_at, code, message, message_id, event_name, person_id, raw)
         on conflict (id) do update set replayed_at = null
         where dead_letters.replayed_at is not null",
    )
    .bind::<Array<SqlUuid>, _>(refused.iter().map(|letter| letter.id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(refused.iter().map(|letter| letter.source).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(refused.iter().map(|letter| letter.received_at).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(refused.iter().map(|letter| letter.code).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(refused.iter().map(|letter| letter.message.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(refused.iter().map(|letter| letter.message_id.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(refused.iter().map(|letter| letter.event_name.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(refused.iter().map(|letter| letter.person).collect::<Vec<Option<UserId>>>())
    .bind::<Array<Text>, _>(refused.iter().map(|letter| letter.raw.as_str()).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// Notes which dead letters found their workspace, and which replayed ones did not.
fn settle_letters(conn: &mut PgConnection, chunk: &Chunk<'_>) -> Result<()> {
    if !chunk.waiting.is_empty() {
        diesel::sql_query("update dead_letters set replayed_at = null where id = any($1) and replayed_at is not null")
            .bind::<Array<SqlUuid>, _>(&chunk.waiting)
            .execute(conn)?;
    }
    if chunk.healed.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "update dead_letters set replayed_at = $2
         where id = any($1) and replayed_at is null and discarded_at is null",
    )
    .bind::<Array<SqlUuid>, _>(&chunk.healed)
    .bind::<Timestamptz, _>(chunk.now)
    .execute(conn)?;
    Ok(())
}

/// Events per source and minute of receipt that turned out to be known, or were refused.
pub type Counts = BTreeMap<(SourceId, DateTime<Utc>), (i64, i64)>;

/// Adds up duplicates and refusals.
fn count(conn: &mut PgConnection, counts: &Counts) -> Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    let (mut sources, mut minutes, mut duplicates, mut rejected) = (vec![], vec![], vec![], vec![]);
    for ((source, minute), (known, refused)) in counts {
        sources.push(*source);
        minutes.push(*minute);
        duplicates.push(*known);
        rejected.push(*refused);
    }
    diesel::sql_query(
        "insert into ingest_minutes (source_id, minute, duplicates, rejected)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::bigint[])
         on conflict (source_id, minute) do update set
             duplicates = ingest_minutes.duplicates + excluded.duplicates,
             rejected = ingest_minutes.rejected + excluded.rejected",
    )
    .bind::<Array<SqlUuid>, _>(sources)
    .bind::<Array<Timestamptz>, _>(minutes)
    .bind::<Array<BigInt>, _>(duplicates)
    .bind::<Array<BigInt>, _>(rejected)
    .execute(conn)?;
    Ok(())
}

fn log_touched(conn: &mut PgConnection, chunk: &Chunk<'_>) -> Result<()> {
    if chunk.touched.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into touched_workspaces (workspace_id, since_on, touched_at)
         select workspace_id, since_on, $3 from unnest($1::uuid[], $2::date[]) as t (workspace_id, since_on)",
    )
    .bind::<Array<SqlUuid>, _>(chunk.touched.keys().copied().collect::<Vec<_>>())
    .bind::<Array<Date>, _>(chunk.touched.values().copied().collect::<Vec<_>>())
    .bind::<Timestamptz, _>(chunk.now)
    .execute(conn)?;
    Ok(())
}

/// What remains once all projections have run: dead letters, touched workspaces, counts. The counts
/// come last: their rows are shared with the writer, which must not wait for a whole chunk.
///
/// # Errors
/// When the database fails.
pub fn conclude(conn: &mut PgConnection, chunk: &Chunk<'_>, counts: &Counts) -> Result<()> {
    bury(conn, &chunk.refused)?;
    // An event that waits for its workspace is stored and remembered; the others are not.
    let lost = chunk.refused.iter().filter(|letter| letter.code != "missing_workspace");
    forget(conn, &lost.map(|letter| letter.id).collect::<Vec<_>>())?;
    settle_letters(conn, chunk)?;
    log_touched(conn, chunk)?;
    count(conn, counts)
}
