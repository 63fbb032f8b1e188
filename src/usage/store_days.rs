//! The SQL of the days of key events: partitions made as days begin or come up, and dropped.
//!
//! A day is made beside the table and then attached, which locks out neither readers nor the drainer
//! (`create table .. partition of` would). Where that cannot be done at once, rows go to the default
//! partition, from where [`settle`] takes them later: nothing waits, nothing is refused.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Text};

use crate::error::Result;

/// One maker of partitions at a time, across all servers.
const MAKER_LOCK: i64 = 7_219_005;

#[derive(QueryableByName)]
struct Room {
    #[diesel(sql_type = Date)]
    from: NaiveDate,
    #[diesel(sql_type = Array<Date>)]
    missing: Vec<NaiveDate>,
}

/// Makes the partitions of these days where they are missing. Answers with the first day of which key
/// events are kept: those of earlier days get no partition and must not be put in.
///
/// # Errors
/// When the database fails.
pub fn make_room(conn: &mut PgConnection, days: &BTreeSet<NaiveDate>) -> Result<NaiveDate> {
    let room: Room = diesel::sql_query(
        "select key_events_from as from, array(
             select day from unnest($1::date[]) as d (day)
             where day >= key_events_from and to_regclass('key_events_' || to_char(day, 'YYYYMMDD')) is null
             order by day) as missing
         from retention",
    )
    .bind::<Array<Date>, _>(days.iter().copied().collect::<Vec<_>>())
    .get_result(conn)?;
    if !room.missing.is_empty() {
        create(conn, &room.missing)?;
    }
    Ok(room.from)
}

/// Makes the partitions of `today` and the two days after it, where they are missing.
///
/// # Errors
/// When the database fails.
pub fn make_ahead(conn: &mut PgConnection, today: NaiveDate) -> Result<()> {
    let days = (0..=2).filter_map(|ahead| today.checked_add_days(Days::new(ahead))).collect();
    make_room(conn, &days).map(|_| ())
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

fn create(conn: &mut PgConnection, days: &[NaiveDate]) -> Result<()> {
    let waits: Setting =
        diesel::sql_query("select current_setting('lock_timeout') as value").get_result(conn)?;
    let made = conn.transaction(|conn| {
        // Only a reader of the default partition can be in the way, and not for long.
        diesel::sql_query("set local lock_timeout = '200ms'").execute(conn)?;
        diesel::sql_query("select pg_advisory_xact_lock($1)")
            .bind::<BigInt, _>(MAKER_LOCK)
            .execute(conn)?;
        for day in days {
            if !stands(conn, *day)? && !default_holds(conn, *day)? {
                build(conn, *day)?;
                attach(conn, *day)?;
            }
        }
        Ok(())
    });
    diesel::sql_query("select set_config('lock_timeout', $1, true)")
        .bind::<Text, _>(waits.value)
        .execute(conn)?;
    match made {
        Err(error) if crate::error::Error::passes(&error) => {
            tracing::info!(%error, "key events go to the default partition for now");
            Ok(())
        }
        other => other,
    }
}

fn name(day: NaiveDate) -> String {
    format!("key_events_{}", day.format("%Y%m%d"))
}

/// From this midnight in UTC to the next, as PostgreSQL writes it.
fn bounds(day: NaiveDate) -> (String, String) {
    let next = day.succ_opt().unwrap_or(day);
    (format!("{day} 00:00:00+00"), format!("{next} 00:00:00+00"))
}

// Names and bounds below are of our own making: nothing in them comes from outside.

fn build(conn: &mut PgConnection, day: NaiveDate) -> Result<()> {
    let name = name(day);
    diesel::sql_query(format!("create table {name} (like key_events including all)"))
        .execute(conn)?;
    Ok(())
}

fn attach(conn: &mut PgConnection, day: NaiveDate) -> Result<()> {
    let (name, (from, to)) = (name(day), bounds(day));
    diesel::sql_query(format!(
        "alter table key_events attach partition {name} for values from ('{from}') to ('{to}')"
    ))
    .execute(conn)?;
    Ok(())
}

fn stands(conn: &mut PgConnection, day: NaiveDate) -> Result<bool> {
    // Not by to_regclass: it may answer from before the wait for the lock.
    Ok(diesel::select(
        diesel::dsl::sql::<diesel::sql_types::Bool>(
            "exists (select from pg_inherits i join pg_class c on c.oid = i.inhrelid
                     where i.inhparent = 'key_events'::regclass and c.relname = ",
        )
        .bind::<Text, _>(name(day))
        .sql(")"),
    )
    .get_result(conn)?)
}

fn default_holds(conn: &mut PgConnection, day: NaiveDate) -> Result<bool> {
    let (from, to) = bounds(day);
    Ok(diesel::select(diesel::dsl::sql::<diesel::sql_types::Bool>(&format!(
        "exists (select from key_events_default where occurred_at >= '{from}' and occurred_at < '{to}')"
    )))
    .get_result(conn)?)
}

#[derive(QueryableByName)]
struct Day {
    #[diesel(sql_type = Date)]
    day: NaiveDate,
}

/// The days from `from` on whose key events lie in the default partition.
///
/// # Errors
/// When the database fails.
pub fn unsettled(conn: &mut PgConnection, from: NaiveDate) -> Result<Vec<NaiveDate>> {
    let days: Vec<Day> = diesel::sql_query(
        "select distinct (occurred_at at time zone 'UTC')::date as day from key_events_default
         where occurred_at >= $1::timestamp at time zone 'UTC' order by 1",
    )
    .bind::<Date, _>(from)
    .load(conn)?;
    Ok(days.into_iter().map(|row| row.day).collect())
}

/// Takes a day out of the default partition into one of its own. Nobody may write key events meanwhile
/// ([`crate::ingest::store_drain::lock`]).
///
/// # Errors
/// When the database fails, or when a lock is not to be had in time.
pub fn settle(conn: &mut PgConnection, day: NaiveDate) -> Result<()> {
    diesel::sql_query("select pg_advisory_xact_lock($1)")
        .bind::<BigInt, _>(MAKER_LOCK)
        .execute(conn)?;
    if stands(conn, day)? {
        return Ok(());
    }
    let (name, (from, to)) = (name(day), bounds(day));
    build(conn, day)?;
    diesel::sql_query(format!(
        "with moved as (delete from key_events_default where occurred_at >= '{from}' and occurred_at < '{to}'
             returning *)
         insert into {name} select * from moved"
    ))
    .execute(conn)?;
    attach(conn, day)
}

#[derive(QueryableByName)]
struct Partition {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The partitions of days before `from`, the oldest first.
///
/// # Errors
/// When the database fails.
pub fn old_partitions(conn: &mut PgConnection, from: NaiveDate) -> Result<Vec<String>> {
    let old: Vec<Partition> = diesel::sql_query(
        "select c.relname::text as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = 'key_events'::regclass and c.relname ~ '^key_events_[0-9]{8}$'
           and c.relname < 'key_events_' || to_char($1, 'YYYYMMDD')
         order by 1",
    )
    .bind::<Date, _>(from)
    .load(conn)?;
    Ok(old.into_iter().map(|partition| partition.name).collect())
}

/// Forgets key events of days before `from` in the default partition, at most so many. How many.
///
/// # Errors
/// When the database fails.
pub fn forget_default(conn: &mut PgConnection, from: NaiveDate, at_most: i64) -> Result<usize> {
    Ok(diesel::sql_query(
        "delete from key_events_default where ctid = any (array
             (select ctid from key_events_default
              where occurred_at < $1::timestamp at time zone 'UTC' limit $2))",
    )
    .bind::<Date, _>(from)
    .bind::<BigInt, _>(at_most)
    .execute(conn)?)
}
