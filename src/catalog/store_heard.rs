//! The SQL of what was heard under which name.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Text, Timestamptz};

use crate::error::Result;

/// A name that came, as it is counted.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Heard {
    /// The key of a definition, or the key that the name would have.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// The newest receipt.
    #[diesel(sql_type = Timestamptz)]
    pub last_at: DateTime<Utc>,
    /// Events ever, from all sources.
    #[diesel(sql_type = BigInt)]
    pub events: i64,
    /// Whether it was counted while nobody had defined it.
    #[diesel(sql_type = Bool)]
    pub was_unknown: bool,
    /// Events a day of receipt, oldest first, as many as were asked for.
    #[diesel(sql_type = Array<BigInt>)]
    pub days: Vec<i64>,
}

/// Every name that came, the most frequent first, with the days from `first` to `last`. A source has
/// some hundred names, so this is a small table.
///
/// # Errors
/// When the database fails.
pub fn names(conn: &mut PgConnection, first: NaiveDate, last: NaiveDate) -> Result<Vec<Heard>> {
    Ok(diesel::sql_query(
        "with names as (
             select n.name, max(n.last_received_at) as last_at, sum(n.events)::bigint as events,
                    bool_or(u.name is not null) as was_unknown
             from event_names n
             left join unknown_event_names u on u.source_id = n.source_id and u.name = n.name
             group by n.name
         ), lately as (
             select name, received_on, sum(events)::bigint as events from event_name_days
             where received_on between $1 and $2 group by name, received_on
         )
         select n.name, n.last_at, n.events, n.was_unknown,
                array_agg(coalesce(l.events, 0) order by d.day) as days
         from names n
         cross join (select generate_series($1::timestamp, $2::timestamp, '1 day')::date as day) d
         left join lately l on l.name = n.name and l.received_on = d.day
         group by n.name, n.last_at, n.events, n.was_unknown order by n.events desc, n.name",
    )
    .bind::<Date, _>(first)
    .bind::<Date, _>(last)
    .load(conn)?)
}
