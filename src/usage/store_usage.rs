//! The SQL of usage days, as the drainer writes them.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Text, Uuid as SqlUuid};

use super::count::{Counts, DayKey, Delta};
use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};
use crate::retention;

/// Adds the changes to the usage days; days that come to nothing are removed, and what follows from
/// the rest is derived anew.
///
/// # Errors
/// When the database fails.
pub fn apply(conn: &mut PgConnection, counts: &Counts) -> Result<()> {
    if counts.days.is_empty() {
        return Ok(());
    }
    // Of several values the database makes the sum, exactly; with one at most there is nothing to
    // add up, and rows come in the order of the table already.
    let (plain, summed): (Vec<_>, Vec<_>) =
        counts.days.iter().partition(|(_, delta)| delta.values.len() <= 1);
    let mut suspects = add(conn, &plain, ADD)?;
    suspects.extend(add(conn, &summed, ADD_SUMS)?);
    remove_empty(conn, counts)?;
    suspects.extend(lessened(conn, counts)?);
    recount_loops(conn, &suspects)
}

const ADD: &str = "with added as (
    insert into usage_days (workspace_id, day, user_id, event_key, feature, events, value)
    select workspace_id, day, user_id, event_key, feature, events, trim_scale(coalesce(value::numeric, 0))
    from unnest($1::uuid[], $2::date[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::text[])
        as t (workspace_id, day, user_id, event_key, feature, events, value)
    on conflict (workspace_id, day, user_id, event_key, feature) do update set
        events = usage_days.events + excluded.events,
        value = trim_scale(usage_days.value + excluded.value)
    returning workspace_id, day, user_id, events)
select distinct workspace_id, day, user_id from added where events >= 100";

const ADD_SUMS: &str = "with added as (
    insert into usage_days (workspace_id, day, user_id, event_key, feature, events, value)
    select workspace_id, day, user_id, event_key, feature, sum(events), trim_scale(coalesce(sum(value::numeric), 0))
    from unnest($1::uuid[], $2::date[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::text[])
        as t (workspace_id, day, user_id, event_key, feature, events, value)
    group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
    on conflict (workspace_id, day, user_id, event_key, feature) do update set
        events = usage_days.events + excluded.events,
        value = trim_scale(usage_days.value + excluded.value)
    returning workspace_id, day, user_id, events)
select distinct workspace_id, day, user_id from added where events >= 100";

/// Answers with the days of people that may hold a loop now.
fn add(
    conn: &mut PgConnection,
    deltas: &[(&DayKey, &Delta)],
    statement: &str,
) -> Result<Vec<PersonDay>> {
    if deltas.is_empty() {
        return Ok(Vec::new());
    }
    let (mut workspaces, mut days, mut users) = (Vec::new(), Vec::new(), Vec::new());
    let (mut keys, mut features) = (Vec::new(), Vec::new());
    let (mut events, mut values) = (Vec::<i64>::new(), Vec::<Option<&str>>::new());
    for ((workspace, day, user, key, feature), delta) in deltas {
        // The first value travels with the count, every further one in a row of its own.
        for place in 0..delta.values.len().max(1) {
            workspaces.push(*workspace);
            days.push(*day);
            users.push(*user);
            keys.push(key.as_str());
            features.push(feature.as_str());
            events.push(if place == 0 { delta.events } else { 0 });
            values.push(delta.values.get(place).map(String::as_str));
        }
    }
    Ok(diesel::sql_query(statement)
        .bind::<Array<SqlUuid>, _>(workspaces)
        .bind::<Array<Date>, _>(days)
        .bind::<Array<SqlUuid>, _>(users)
        .bind::<Array<Text>, _>(keys)
        .bind::<Array<Text>, _>(features)
        .bind::<Array<BigInt>, _>(events)
        .bind::<Array<Nullable<Text>>, _>(values)
        .load(conn)?)
}

fn remove_empty(conn: &mut PgConnection, counts: &Counts) -> Result<()> {
    let fewer: Vec<_> =
        counts.days.iter().filter(|(_, delta)| delta.events <= 0).map(|(key, _)| key).collect();
    if fewer.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "delete from usage_days u
         using unnest($1::uuid[], $2::date[], $3::uuid[], $4::text[], $5::text[])
             as t (workspace_id, day, user_id, event_key, feature)
         where u.workspace_id = t.workspace_id and u.day = t.day and u.user_id = t.user_id
           and u.event_key = t.event_key and u.feature = t.feature and u.events <= 0",
    )
    .bind::<Array<SqlUuid>, _>(fewer.iter().map(|key| key.0).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(fewer.iter().map(|key| key.1).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(fewer.iter().map(|key| key.2).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(fewer.iter().map(|key| key.3.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(fewer.iter().map(|key| key.4.as_str()).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct PersonDay {
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
}

/// The days of people that lost events and hold a loop: it may be one no more.
fn lessened(conn: &mut PgConnection, counts: &Counts) -> Result<Vec<PersonDay>> {
    let fewer: Vec<_> =
        counts.days.iter().filter(|(_, delta)| delta.lost).map(|(key, _)| key).collect();
    if fewer.is_empty() {
        return Ok(Vec::new());
    }
    Ok(diesel::sql_query(
        "select distinct u.workspace_id, u.day, u.user_id
         from unnest($1::uuid[], $2::date[], $3::uuid[]) as t (workspace_id, day, user_id)
         join usage_days u on u.workspace_id = t.workspace_id and u.day = t.day and u.user_id = t.user_id
         where u.workspace_id = any($1) and u.event_key = 'event_loop'",
    )
    .bind::<Array<SqlUuid>, _>(fewer.iter().map(|key| key.0).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(fewer.iter().map(|key| key.1).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(fewer.iter().map(|key| key.2).collect::<Vec<_>>())
    .load(conn)?)
}

/// Sets the derived event `event_loop` for these days: the number of hours in which the person
/// repeated one key event at least 100 times (`spec/scoring.md`). Counted anew from the key events
/// rather than added to, so that any order ends the same. Events more can make a loop only of a
/// row that they bring to a hundred, events fewer can only end one. Of days whose key events may
/// have been dropped what was found stays.
fn recount_loops(conn: &mut PgConnection, suspects: &[PersonDay]) -> Result<()> {
    if suspects.is_empty() {
        return Ok(());
    }
    let complete_from = retention::store::load(conn)?.key_events_complete_from;
    let suspects: Vec<&PersonDay> =
        suspects.iter().filter(|suspect| suspect.day >= complete_from).collect();
    let (first, last) = (
        suspects.iter().map(|suspect| suspect.day).min(),
        suspects.iter().map(|suspect| suspect.day).max(),
    );
    if suspects.is_empty() {
        return Ok(());
    }
    let workspaces: Vec<WorkspaceId> =
        suspects.iter().map(|suspect| suspect.workspace_id).collect();
    let days: Vec<NaiveDate> = suspects.iter().map(|suspect| suspect.day).collect();
    let users: Vec<UserId> = suspects.iter().map(|suspect| suspect.user_id).collect();
    diesel::sql_query(
        "delete from usage_days u using unnest($1::uuid[], $2::date[], $3::uuid[]) as t (workspace_id, day, user_id)
         where u.workspace_id = t.workspace_id and u.day = t.day and u.user_id = t.user_id
           and u.event_key = 'event_loop'",
    )
    .bind::<Array<SqlUuid>, _>(&workspaces)
    .bind::<Array<Date>, _>(&days)
    .bind::<Array<SqlUuid>, _>(&users)
    .execute(conn)?;
    diesel::sql_query(
        "insert into usage_days (workspace_id, day, user_id, event_key, events)
         select workspace_id, day, user_id, 'event_loop', count(*) from (
             select t.workspace_id, t.day, t.user_id
             from unnest($1::uuid[], $2::date[], $3::uuid[]) as t (workspace_id, day, user_id)
             join key_events k on k.workspace_id = t.workspace_id and k.user_id = t.user_id
              and k.occurred_at >= t.day::timestamp at time zone 'UTC'
              and k.occurred_at < (t.day + 1)::timestamp at time zone 'UTC'
             where k.workspace_id = any($1) and k.occurred_at >= $4::date::timestamp at time zone 'UTC'
               and k.occurred_at < ($5::date + 1)::timestamp at time zone 'UTC'
             group by t.workspace_id, t.day, t.user_id, k.event_key, date_trunc('hour', k.occurred_at at time zone 'UTC')
             having count(*) >= 100
         ) hours group by 1, 2, 3 order by 1, 2, 3",
    )
    .bind::<Array<SqlUuid>, _>(workspaces)
    .bind::<Array<Date>, _>(days)
    .bind::<Array<SqlUuid>, _>(users)
    .bind::<Nullable<Date>, _>(first)
    .bind::<Nullable<Date>, _>(last)
    .execute(conn)?;
    Ok(())
}
