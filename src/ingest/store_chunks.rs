//! The SQL of looking back into the journal: what was drained by which catalog.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Int4};

use super::drain::Place;
use super::store_drain::JournalRow;
use crate::error::Result;

#[derive(QueryableByName)]
struct Head {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Date)]
    received_on: NaiveDate,
    #[diesel(sql_type = Int4)]
    events: i32,
}

/// Journal rows looked through by [`recent`] at most: single events come a row each.
const ROWS: i64 = 20_000;

/// The newest rows received since `since`, newest first, with at most so many events (but one row
/// at least), and whether these are all.
///
/// # Errors
/// When the database fails.
pub fn recent(
    conn: &mut PgConnection,
    since: NaiveDate,
    events: i64,
) -> Result<(Vec<JournalRow>, bool)> {
    let heads: Vec<Head> = diesel::sql_query(
        "select id, received_on, events from journal where received_on >= $1
         order by received_on desc, id desc limit $2",
    )
    .bind::<Date, _>(since)
    .bind::<BigInt, _>(ROWS + 1)
    .load(conn)?;
    let (mut room, mut ids, mut days) = (events, Vec::new(), Vec::new());
    for head in heads.iter().take(usize::try_from(ROWS).unwrap_or(usize::MAX)) {
        if !ids.is_empty() && i64::from(head.events) > room {
            break;
        }
        room = room.saturating_sub(i64::from(head.events));
        ids.push(head.id);
        days.push(head.received_on);
    }
    days.dedup();
    let complete = ids.len() == heads.len();
    Ok((rows(conn, &days, &ids)?, complete))
}

/// These rows, as far as the journal still holds them, in the order of their ids.
///
/// # Errors
/// When the database fails.
pub fn rows(conn: &mut PgConnection, days: &[NaiveDate], ids: &[i64]) -> Result<Vec<JournalRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(diesel::sql_query(
        "select id, received_at, received_on, source_id, payload from journal
         where received_on = any($1) and id = any($2) order by id",
    )
    .bind::<Array<Date>, _>(days)
    .bind::<Array<BigInt>, _>(ids)
    .load(conn)?)
}

/// What the drainer took in one transaction.
#[derive(Clone, Debug, QueryableByName)]
pub struct LoggedChunk {
    /// Its number.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// The version of the catalog by which its events count today.
    #[diesel(sql_type = Int4)]
    pub catalog: i32,
    /// The version of the rules by which they were projected ([`super::store_rules::RULES`]).
    #[diesel(sql_type = Int4)]
    pub rules: i32,
    /// Its journal rows.
    #[diesel(sql_type = Array<BigInt>)]
    pub journal_ids: Vec<i64>,
    /// Their days.
    #[diesel(sql_type = Array<Date>)]
    pub days: Vec<NaiveDate>,
    #[diesel(sql_type = Array<BigInt>)]
    left_ids: Vec<i64>,
    #[diesel(sql_type = Array<Int4>)]
    left_places: Vec<i32>,
}

impl LoggedChunk {
    /// The messages that were not counted: known ones and refused ones.
    pub fn left_out(&self) -> impl Iterator<Item = Place> {
        self.left_ids.iter().copied().zip(self.left_places.iter().copied())
    }
}

/// Chunks that count by an older catalog than this, those by the oldest first.
///
/// # Errors
/// When the database fails.
pub fn outdated(conn: &mut PgConnection, catalog: i32, at_most: i64) -> Result<Vec<LoggedChunk>> {
    Ok(diesel::sql_query(
        "select id, catalog, rules, journal_ids, days, left_ids, left_places from journal_chunks
         where catalog < $1 order by catalog, id limit $2",
    )
    .bind::<Int4, _>(catalog)
    .bind::<BigInt, _>(at_most)
    .load(conn)?)
}

/// How many events the rows of these chunks hold, as far as the journal still has them, in order.
///
/// # Errors
/// When the database fails.
pub fn sizes(conn: &mut PgConnection, chunks: &[LoggedChunk]) -> Result<Vec<i64>> {
    let heads: Vec<Head> = diesel::sql_query(
        "select id, received_on, events from journal where received_on = any($1) and id = any($2)",
    )
    .bind::<Array<Date>, _>(chunks.iter().flat_map(|one| one.days.clone()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(
        chunks.iter().flat_map(|one| one.journal_ids.clone()).collect::<Vec<_>>(),
    )
    .load(conn)?;
    let events: HashMap<i64, i64> =
        heads.iter().map(|head| (head.id, i64::from(head.events))).collect();
    let size = |chunk: &LoggedChunk| chunk.journal_ids.iter().filter_map(|id| events.get(id)).sum();
    Ok(chunks.iter().map(size).collect())
}

/// Notes that these chunks count by this catalog now.
///
/// # Errors
/// When the database fails.
pub fn counted_by(conn: &mut PgConnection, chunks: &[i64], catalog: i32) -> Result<()> {
    diesel::sql_query("update journal_chunks set catalog = $2 where id = any($1)")
        .bind::<Array<BigInt>, _>(chunks)
        .bind::<Int4, _>(catalog)
        .execute(conn)?;
    Ok(())
}

/// Bytes of a note up to which it is small: of a few hundred rows.
const SMALL: i32 = 2_000;

/// Small notes after this one, of rows of one day that is before `before`, in their order.
///
/// # Errors
/// When the database fails.
pub fn small(
    conn: &mut PgConnection,
    after: i64,
    before: NaiveDate,
    at_most: i64,
) -> Result<Vec<LoggedChunk>> {
    Ok(diesel::sql_query(
        "select id, catalog, rules, journal_ids, days, left_ids, left_places from journal_chunks
         where id > $1 and cardinality(days) = 1 and days[1] < $2
           and pg_column_size(journal_ids) + pg_column_size(left_ids) + pg_column_size(left_places) < $3
         order by id limit $4",
    )
    .bind::<BigInt, _>(after)
    .bind::<Date, _>(before)
    .bind::<Int4, _>(SMALL)
    .bind::<BigInt, _>(at_most)
    .load(conn)?)
}

/// Makes one note of several, which keeps the number of the first. They count by one catalog, and
/// nobody drains or rebuilds meanwhile ([`super::store_drain::lock`]).
///
/// # Errors
/// When the database fails.
pub fn merge(conn: &mut PgConnection, chunks: &[LoggedChunk]) -> Result<()> {
    let Some((first, others)) = chunks.split_first() else { return Ok(()) };
    let all = |part: fn(&LoggedChunk) -> &[i64]| -> Vec<i64> {
        chunks.iter().flat_map(|chunk| part(chunk).iter().copied()).collect()
    };
    diesel::sql_query("delete from journal_chunks where id = any($1)")
        .bind::<Array<BigInt>, _>(others.iter().map(|chunk| chunk.id).collect::<Vec<_>>())
        .execute(conn)?;
    diesel::sql_query(
        "update journal_chunks set journal_ids = $2, left_ids = $3, left_places = $4 where id = $1",
    )
    .bind::<BigInt, _>(first.id)
    .bind::<Array<BigInt>, _>(all(|chunk| &chunk.journal_ids))
    .bind::<Array<BigInt>, _>(all(|chunk| &chunk.left_ids))
    .bind::<Array<Int4>, _>(
        chunks.iter().flat_map(|chunk| chunk.left_places.iter().copied()).collect::<Vec<_>>(),
    )
    .execute(conn)?;
    Ok(())
}

/// Beyond so many chunks nobody waits for the exact number.
const COUNTED: i64 = 10_000;

/// What waits for a rebuild.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, QueryableByName)]
pub struct Outdated {
    /// Chunks that count by an older catalog; 10,000 stands for more.
    #[diesel(sql_type = BigInt)]
    pub chunks: i64,
    /// Requests in these.
    #[diesel(sql_type = BigInt)]
    pub requests: i64,
}

/// How much counts by an older catalog than this.
///
/// # Errors
/// When the database fails.
pub fn waiting(conn: &mut PgConnection, catalog: i32) -> Result<Outdated> {
    Ok(diesel::sql_query(
        "select count(*) as chunks, coalesce(sum(cardinality(journal_ids)), 0)::bigint as requests
         from (select journal_ids from journal_chunks where catalog < $1 order by catalog, id limit $2) c",
    )
    .bind::<Int4, _>(catalog)
    .bind::<BigInt, _>(COUNTED)
    .get_result(conn)?)
}
