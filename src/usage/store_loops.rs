//! The SQL of loops: one event repeated a hundred times by one person in one clock hour.
//!
//! Nothing is stored about them. The hours of a day are with its usage days, under the person as sent;
//! who that is today is joined when somebody asks, so that a loop follows a stitch, a merge and the undoing
//! of either by itself.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Text, Uuid as SqlUuid};

use super::hours::{EventDay, Hours, PersonDay};
use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};

#[derive(QueryableByName)]
struct HoursRow {
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = Text)]
    hours: String,
    #[diesel(sql_type = BigInt)]
    events: i64,
}

/// The number of hours with a loop, by person and day, on these days of these events
/// ([`super::hours::suspects`]). Nothing is asked when there are none, which is the rule.
///
/// # Errors
/// When the database fails.
pub fn loops(conn: &mut PgConnection, days: &[EventDay]) -> Result<BTreeMap<PersonDay, i64>> {
    let mut loops = BTreeMap::new();
    if days.is_empty() {
        return Ok(loops);
    }
    let rows: Vec<HoursRow> = diesel::sql_query(
        "select u.workspace_id, coalesce(p.canonical_id, u.user_id) as user_id, u.day,
                sum(u.hours)::text as hours, sum(u.events)::bigint as events
         from unnest($1::uuid[], $2::date[], $3::text[]) as t (workspace_id, day, event_key)
         join usage_days u on u.workspace_id = t.workspace_id and u.day = t.day and u.event_key = t.event_key
         left join product_users p on p.id = u.user_id
         where u.workspace_id = any($1)
         group by 1, 2, 3, u.event_key having sum(u.events) >= 100",
    )
    .bind::<Array<SqlUuid>, _>(days.iter().map(|day| day.0).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(days.iter().map(|day| day.1).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(days.iter().map(|day| day.2.as_str()).collect::<Vec<_>>())
    .load(conn)?;
    for row in rows {
        // Rows older than this column may have lost events whose hours they never had: their number
        // says nothing then.
        let hours = Hours::from_decimal(&row.hours).filter(|hours| hours.total() <= row.events);
        let found = hours.map_or(0, |hours| hours.loops());
        if found > 0 {
            *loops.entry((row.workspace_id, row.day, row.user_id)).or_insert(0) += found;
        }
    }
    Ok(loops)
}
