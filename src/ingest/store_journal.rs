//! The SQL of acknowledging: journal rows, what is pending, the parser's dead letters, counts.
//!
//! Requests of one source that are written down together share rows: what the database does for a
//! row is paid once for many requests, and a chunk of the drainer is a few rows.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::measure::minute;
use super::payload::Packer;
use super::sheaf;
use super::store_group::Group;
use super::writer::Submission;
use crate::db::Room;
use crate::error::Result;
use crate::ids::SourceId;

const BURY: &str = "insert into dead_letters
    (id, source_id, received_at, refused_by, code, message, message_id, event_name, raw)
select id, source_id, received_at, 'parser', code, message, message_id, event_name, raw
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
    as t (id, source_id, received_at, code, message, message_id, event_name, raw)
on conflict (id) do update set replayed_at = null, discarded_at = null, discard_reason = null,
    received_at = excluded.received_at
where dead_letters.id = any($9) and excluded.received_at > coalesce(dead_letters.replayed_at, dead_letters.discarded_at)";

/// Writes down a group of requests; once the transaction has committed they may be acknowledged. The
/// disk was asked for room: whatever comes into the journal comes this way.
///
/// # Errors
/// When the database fails or refuses any one of them.
pub fn append(conn: &mut PgConnection, _room: Room, group: &[&Submission]) -> Result<()> {
    bury(conn, group)?;
    group_of(group)?.execute(conn)?;
    Ok(())
}

/// Whether [`append`] is a single statement for this group, and so needs no transaction around it.
#[must_use]
pub fn is_single(group: &[&Submission]) -> bool {
    group.iter().all(|request| request.refused.is_empty())
}

fn bury(conn: &mut PgConnection, group: &[&Submission]) -> Result<()> {
    let mut letters: Vec<_> = group
        .iter()
        .flat_map(|request| request.refused.iter().map(move |r| (request, r)))
        .collect();
    // One order for all servers, and each once.
    letters.sort_by_key(|(_, letter)| letter.id);
    letters.dedup_by_key(|(_, letter)| letter.id);
    let others = letters.iter().filter(|(_, letter)| letter.may_be_another);
    let others: Vec<Uuid> = others.map(|(_, letter)| letter.id).collect();
    if letters.is_empty() {
        return Ok(());
    }
    diesel::sql_query(BURY)
        .bind::<Array<SqlUuid>, _>(letters.iter().map(|(_, l)| l.id).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(letters.iter().map(|(r, _)| r.source_id).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(letters.iter().map(|(r, _)| r.stored_at).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(letters.iter().map(|(_, l)| l.code.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(letters.iter().map(|(_, l)| l.message.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(
            letters.iter().map(|(_, l)| l.message_id.as_deref()).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<Text>>, _>(
            letters.iter().map(|(_, l)| l.event_name.as_deref()).collect::<Vec<_>>(),
        )
        .bind::<Array<Text>, _>(letters.iter().map(|(_, l)| l.raw.as_str()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(others)
        .execute(conn)?;
    Ok(())
}

fn group_of(group: &[&Submission]) -> Result<Group> {
    let whole = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let mut written = Group::default();
    let rows = sheaf::bind(group);
    if !rows.is_empty() {
        let mut packer = Packer::new()?;
        for row in rows {
            written.days.push(row.received_at.date_naive());
            written.received.push(row.received_at);
            written.sources.push(row.source_id);
            written.events.push(i32::try_from(row.events).unwrap_or(i32::MAX));
            written.payloads.push(packer.pack(&row.lines)?);
        }
    }
    let mut counts: BTreeMap<(SourceId, DateTime<Utc>), (i64, i64)> = BTreeMap::new();
    for request in group {
        let count = counts.entry((request.source_id, minute(request.stored_at))).or_default();
        count.0 = count.0.saturating_add(whole(request.events));
        count.1 = count.1.saturating_add(whole(request.refused.len()));
    }
    for ((source, minute), (accepted, rejected)) in counts {
        written.counted_sources.push(source);
        written.counted_minutes.push(minute);
        written.accepted.push(accepted);
        written.rejected.push(rejected);
    }
    Ok(written)
}

/// Makes the journal's partitions of `today` and the two days after it, where they are missing.
/// Whatever has none lands in the default partition, so that a missing partition loses nothing.
///
/// # Errors
/// When the database fails, or when a lock is not to be had within a second, or a tenth of it for the
/// days to come (events come first): [`crate::error::Error::is_held_up`].
pub fn create_partitions(conn: &mut PgConnection, today: NaiveDate) -> Result<()> {
    for ahead in 0..=2 {
        let Some(day) = today.checked_add_days(Days::new(ahead)) else { continue };
        let Some(next) = day.succ_opt() else { continue };
        let name = format!("journal_{}", day.format("%Y%m%d"));
        if partition_exists(conn, &name)? || default_holds(conn, day)? {
            continue;
        }
        // Everybody else waits behind this one, and only today's is needed by now.
        let patience = if ahead == 0 { "1s" } else { "100ms" };
        // Names and bounds are of our own making: nothing here comes from outside.
        diesel::sql_query(format!("set local lock_timeout = '{patience}'")).execute(conn)?;
        diesel::sql_query("select pg_advisory_xact_lock(7219004)").execute(conn)?;
        diesel::sql_query(format!(
            "create table if not exists {name} partition of journal for values from ('{day}') to ('{next}')"
        ))
        .execute(conn)?;
        diesel::sql_query(format!("alter table {name} alter column payload set storage external"))
            .execute(conn)?;
    }
    Ok(())
}

fn partition_exists(conn: &mut PgConnection, name: &str) -> Result<bool> {
    Ok(diesel::select(
        diesel::dsl::sql::<diesel::sql_types::Bool>("to_regclass(")
            .bind::<Text, _>(name)
            .sql(") is not null"),
    )
    .get_result(conn)?)
}

/// A day whose first rows went to the default partition stays there: a partition for it would be refused.
fn default_holds(conn: &mut PgConnection, day: NaiveDate) -> Result<bool> {
    use diesel::dsl::sql;
    Ok(diesel::select(
        sql::<diesel::sql_types::Bool>("exists (select from journal_default where received_on = ")
            .bind::<Date, _>(day)
            .sql(")"),
    )
    .get_result(conn)?)
}
