//! The SQL of event names: which a source sends, how often, and when it last did.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Text, Timestamptz, Uuid as SqlUuid};

use super::names::NameDay;
use crate::error::Result;
use crate::ids::SourceId;

/// Adds up; each (source, name, day) at most once, in this order. Close to the end of its transaction:
/// others add to the same rows.
///
/// # Errors
/// When the database fails.
pub fn count(conn: &mut PgConnection, days: &[NameDay]) -> Result<()> {
    if days.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "with counted as (
             select * from unnest($1::uuid[], $2::text[], $3::date[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])
                 as t (source_id, name, received_on, first_at, last_at, n)
         ), totals as (
             insert into event_names (source_id, name, first_received_at, last_received_at, events)
             select source_id, name, min(first_at), max(last_at), sum(n) from counted
             group by source_id, name order by source_id, name
             on conflict (source_id, name) do update set
                 first_received_at = least(event_names.first_received_at, excluded.first_received_at),
                 last_received_at = greatest(event_names.last_received_at, excluded.last_received_at),
                 events = event_names.events + excluded.events
         )
         insert into event_name_days (source_id, name, received_on, first_received_at, last_received_at, events)
         select * from counted order by source_id, name, received_on
         on conflict (source_id, name, received_on) do update set
             first_received_at = least(event_name_days.first_received_at, excluded.first_received_at),
             last_received_at = greatest(event_name_days.last_received_at, excluded.last_received_at),
             events = event_name_days.events + excluded.events",
    )
    .bind::<Array<SqlUuid>, _>(days.iter().map(|day| day.source).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(days.iter().map(|day| day.name.as_str()).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(days.iter().map(|day| day.day).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(days.iter().map(|day| day.first_received_at).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(days.iter().map(|day| day.last_received_at).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(days.iter().map(|day| day.events).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// A name of a source.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct EventName {
    /// The key under which it counts.
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Timestamptz)]
    pub first_received_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub last_received_at: DateTime<Utc>,
    /// Since the first.
    #[diesel(sql_type = BigInt)]
    pub events: i64,
    /// Whether nobody has defined it: it was counted as unknown, and no definition has its key by now.
    #[diesel(sql_type = Bool)]
    pub is_unknown: bool,
    /// Whether its definition is muted.
    #[diesel(sql_type = Bool)]
    pub is_muted: bool,
}

/// The names of a source, by volume; there are at most some hundred.
///
/// # Errors
/// When the database fails.
pub fn of_source(conn: &mut PgConnection, source: SourceId) -> Result<Vec<EventName>> {
    Ok(diesel::sql_query(
        "select n.name, n.first_received_at, n.last_received_at, n.events,
                u.name is not null and d.key is null as is_unknown,
                coalesce(d.muted_at is not null, false) as is_muted
         from event_names n
         left join unknown_event_names u on u.source_id = n.source_id and u.name = n.name
         left join event_definitions d on d.key = n.name
         where n.source_id = $1 order by n.events desc, n.name",
    )
    .bind::<SqlUuid, _>(source)
    .load(conn)?)
}

#[derive(QueryableByName)]
struct Day {
    #[diesel(sql_type = SqlUuid)]
    source_id: SourceId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Date)]
    received_on: NaiveDate,
    #[diesel(sql_type = Timestamptz)]
    first_received_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    last_received_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    events: i64,
}

/// The days of a source's names since `since`: by name, oldest first.
///
/// # Errors
/// When the database fails.
pub fn days(conn: &mut PgConnection, source: SourceId, since: NaiveDate) -> Result<Vec<NameDay>> {
    let days: Vec<Day> = diesel::sql_query(
        "select source_id, name, received_on, first_received_at, last_received_at, events
         from event_name_days where source_id = $1 and received_on >= $2 order by name, received_on",
    )
    .bind::<SqlUuid, _>(source)
    .bind::<Date, _>(since)
    .load(conn)?;
    let day = |day: Day| NameDay {
        source: day.source_id,
        name: day.name,
        day: day.received_on,
        first_received_at: day.first_received_at,
        last_received_at: day.last_received_at,
        events: day.events,
    };
    Ok(days.into_iter().map(day).collect())
}
