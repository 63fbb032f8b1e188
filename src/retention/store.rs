//! The SQL of the settings, and of what stands on disk.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text};

use super::policy::Policy;
use crate::error::Result;
use crate::schema::retention;

/// What is set, and how far the job that forgets has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// For how many days.
    pub policy: Policy,
    /// Key events of earlier days are not kept.
    pub key_events_from: NaiveDate,
    /// Key events of earlier days may have been dropped already, whatever is kept now.
    pub key_events_complete_from: NaiveDate,
    /// When the job last came to its end.
    pub forgotten_at: Option<DateTime<Utc>>,
}

type Row = (i32, i32, NaiveDate, NaiveDate, Option<DateTime<Utc>>);

fn columns() -> (
    retention::journal_days,
    retention::key_event_days,
    retention::key_events_from,
    retention::key_events_complete_from,
    retention::forgotten_at,
) {
    (
        retention::journal_days,
        retention::key_event_days,
        retention::key_events_from,
        retention::key_events_complete_from,
        retention::forgotten_at,
    )
}

fn kept((journal, key_events, from, complete, at): Row) -> Kept {
    Kept {
        policy: Policy { journal_days: journal, key_event_days: key_events },
        key_events_from: from,
        key_events_complete_from: complete,
        forgotten_at: at,
    }
}

/// What is set.
///
/// # Errors
/// When the database fails.
pub fn load(conn: &mut PgConnection) -> Result<Kept> {
    Ok(kept(retention::table.select(columns()).first(conn)?))
}

/// What is set, held until the transaction ends.
///
/// # Errors
/// When the database fails.
pub fn lock(conn: &mut PgConnection) -> Result<Kept> {
    Ok(kept(retention::table.select(columns()).for_update().first(conn)?))
}

/// Sets for how long, and from which day on key events are kept from now on.
///
/// # Errors
/// When the database fails or refuses the number of days.
pub fn save(conn: &mut PgConnection, policy: Policy, key_events_from: NaiveDate) -> Result<()> {
    diesel::update(retention::table)
        .set((
            retention::journal_days.eq(policy.journal_days),
            retention::key_event_days.eq(policy.key_event_days),
            retention::key_events_from.eq(key_events_from),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes that key events of days too old for what is set go now. Answers with the first day kept.
///
/// # Errors
/// When the database fails.
pub fn let_go(conn: &mut PgConnection, today: NaiveDate) -> Result<NaiveDate> {
    let from = lock(conn)?.policy.key_events_from(today);
    diesel::sql_query(
        "update retention set key_events_from = $1,
             key_events_complete_from = greatest(key_events_complete_from, $1)",
    )
    .bind::<Date, _>(from)
    .execute(conn)?;
    Ok(from)
}

/// Notes that the job that forgets came to its end.
///
/// # Errors
/// When the database fails.
pub fn forgotten(conn: &mut PgConnection, at: DateTime<Utc>) -> Result<()> {
    diesel::update(retention::table).set(retention::forgotten_at.eq(at)).execute(conn)?;
    Ok(())
}

/// What stands on disk of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// Partitions of a day; 0 for a table that has none.
    pub days: i64,
    /// Rows: counted where the table is small, else as PostgreSQL last estimated them.
    pub rows: i64,
    /// With indexes.
    pub bytes: i64,
    /// The oldest day; none when there is nothing, or too much to look through.
    pub oldest: Option<NaiveDate>,
}

/// The tables whose stock is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the table of its name")]
pub enum Table {
    Journal,
    KeyEvents,
    SeenMessages,
    DeadLetters,
    IngestMeasures,
}

impl Table {
    const fn name(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::KeyEvents => "key_events",
            Self::SeenMessages => "seen_messages",
            Self::DeadLetters => "dead_letters",
            Self::IngestMeasures => "ingest_measures",
        }
    }

    /// What says how old a row is.
    const fn age(self) -> &'static str {
        match self {
            Self::Journal | Self::SeenMessages => "received_on",
            Self::KeyEvents => "(occurred_at at time zone 'UTC')::date",
            Self::DeadLetters => "(received_at at time zone 'UTC')::date",
            Self::IngestMeasures => "(minute at time zone 'UTC')::date",
        }
    }
}

/// Up to so many bytes, rows are counted and not estimated.
const COUNTED: i64 = 64 * 1024 * 1024;

#[derive(QueryableByName)]
struct OnDisk {
    #[diesel(sql_type = BigInt)]
    days: i64,
    #[diesel(sql_type = BigInt)]
    rows: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = Nullable<Date>)]
    oldest: Option<NaiveDate>,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    rows: i64,
    #[diesel(sql_type = Nullable<Date>)]
    oldest: Option<NaiveDate>,
}

/// What stands on disk of a table; with `before`, of its partitions of earlier days.
///
/// # Errors
/// When the database fails.
pub fn stock(conn: &mut PgConnection, table: Table, before: Option<NaiveDate>) -> Result<Stock> {
    let disk: OnDisk = diesel::sql_query(
        "select count(*) filter (where day is not null) as days,
                coalesce(sum(greatest(reltuples, 0)), 0)::bigint as rows,
                coalesce(sum(pg_total_relation_size(oid)), 0)::bigint as bytes, min(day) as oldest
         from (select c.oid, c.reltuples, to_date(substring(c.relname from '_([0-9]{8})$'), 'YYYYMMDD') as day
               from pg_class c where c.oid in (
                   select relid from pg_partition_tree($1::regclass) where isleaf
                   union all select $1::regclass where not exists (select from pg_partition_tree($1::regclass)))) parts
         where $2::date is null or day < $2",
    )
    .bind::<Text, _>(table.name())
    .bind::<Nullable<Date>, _>(before)
    .get_result(conn)?;
    let mut stock =
        Stock { days: disk.days, rows: disk.rows, bytes: disk.bytes, oldest: disk.oldest };
    if disk.bytes <= COUNTED {
        // Names of our own making.
        let (name, age) = (table.name(), table.age());
        let counted: Counted = diesel::sql_query(format!(
            "select count(*) as rows, min({age}) as oldest from {name}
             where $1::date is null or {age} < $1"
        ))
        .bind::<Nullable<Date>, _>(before)
        .get_result(conn)?;
        stock.rows = counted.rows;
        stock.oldest = counted.oldest;
    }
    Ok(stock)
}
