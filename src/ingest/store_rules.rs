//! The SQL of updates that change what stored events mean.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Int4, Timestamptz};

use super::store_chunks::LoggedChunk;
use crate::error::Result;

/// The version of the rules by which events are projected: who somebody is, who is a member when, where
/// an event counts, which of two statements is the newer. A release that changes them raises it; what
/// older rules made is then projected again, once.
pub const RULES: i32 = 1;

#[derive(QueryableByName)]
struct Reached {
    #[diesel(sql_type = Bool)]
    has_data: bool,
}

/// Notes that this installation has these rules. Answers with whether there is stored data that older
/// rules made; none when they were noted before.
///
/// # Errors
/// When the database fails.
pub fn reach(conn: &mut PgConnection, version: i32, now: DateTime<Utc>) -> Result<Option<bool>> {
    let reached: Option<Reached> = diesel::sql_query(
        "insert into rules_updates (version, noted_at)
         select $1, $2 where not exists (select from rules_updates where version >= $1)
         on conflict do nothing
         returning exists (select from journal_chunks) or exists (select from product_users)
                or exists (select from workspaces) as has_data",
    )
    .bind::<Int4, _>(version)
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .optional()?;
    Ok(reached.map(|row| row.has_data))
}

/// Notes the jobs that bring stored data up to these rules.
///
/// # Errors
/// When the database fails.
pub fn note_jobs(conn: &mut PgConnection, version: i32, rebuild: i64, rescore: i64) -> Result<()> {
    diesel::sql_query(
        "update rules_updates set rebuild_job = $2, rescore_job = $3 where version = $1",
    )
    .bind::<Int4, _>(version)
    .bind::<BigInt, _>(rebuild)
    .bind::<BigInt, _>(rescore)
    .execute(conn)?;
    Ok(())
}

/// Chunks that older rules than these projected, the oldest first.
///
/// # Errors
/// When the database fails.
pub fn superseded(conn: &mut PgConnection, rules: i32, at_most: i64) -> Result<Vec<LoggedChunk>> {
    Ok(diesel::sql_query(
        "select id, catalog, rules, journal_ids, days, left_ids, left_places from journal_chunks
         where rules < $1 order by id limit $2",
    )
    .bind::<Int4, _>(rules)
    .bind::<BigInt, _>(at_most)
    .load(conn)?)
}

/// Notes that these chunks were projected by these rules.
///
/// # Errors
/// When the database fails.
pub fn projected_by(conn: &mut PgConnection, chunks: &[i64], rules: i32) -> Result<()> {
    diesel::sql_query("update journal_chunks set rules = $2 where id = any($1)")
        .bind::<Array<BigInt>, _>(chunks)
        .bind::<Int4, _>(rules)
        .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    chunks: i64,
}

/// How many chunks older rules than these projected.
///
/// # Errors
/// When the database fails.
pub fn waiting(conn: &mut PgConnection, rules: i32) -> Result<i64> {
    let count: Count =
        diesel::sql_query("select count(*) as chunks from journal_chunks where rules < $1")
            .bind::<Int4, _>(rules)
            .get_result(conn)?;
    Ok(count.chunks)
}
