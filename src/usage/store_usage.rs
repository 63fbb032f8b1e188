//! The SQL of usage days, as the drainer writes them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::count::{Counts, DayKey, Delta};
use crate::error::Result;

/// Adds the changes to the usage days; days that come to nothing are removed.
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
    add(conn, &plain, ADD)?;
    add(conn, &summed, ADD_SUMS)?;
    remove_empty(conn, counts)?;
    settle_first(conn, counts)
}

const ADD: &str = "insert into usage_days (workspace_id, day, user_id, event_key, feature, events, value, hours, first_at)
    select workspace_id, day, user_id, event_key, feature, events, trim_scale(coalesce(value::numeric, 0)),
           hours::numeric, first_at
    from unnest($1::uuid[], $2::date[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[],
                $9::timestamptz[])
        as t (workspace_id, day, user_id, event_key, feature, events, value, hours, first_at)
    on conflict (workspace_id, day, user_id, event_key, feature) do update set
        events = usage_days.events + excluded.events,
        value = trim_scale(usage_days.value + excluded.value),
        hours = usage_days.hours + excluded.hours,
        first_at = least(usage_days.first_at, excluded.first_at)";

const ADD_SUMS: &str = "insert into usage_days (workspace_id, day, user_id, event_key, feature, events, value, hours, first_at)
    select workspace_id, day, user_id, event_key, feature, sum(events), trim_scale(coalesce(sum(value::numeric), 0)),
           sum(hours::numeric), min(first_at)
    from unnest($1::uuid[], $2::date[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[],
                $9::timestamptz[])
        as t (workspace_id, day, user_id, event_key, feature, events, value, hours, first_at)
    group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
    on conflict (workspace_id, day, user_id, event_key, feature) do update set
        events = usage_days.events + excluded.events,
        value = trim_scale(usage_days.value + excluded.value),
        hours = usage_days.hours + excluded.hours,
        first_at = least(usage_days.first_at, excluded.first_at)";

fn add(conn: &mut PgConnection, deltas: &[(&DayKey, &Delta)], statement: &str) -> Result<()> {
    if deltas.is_empty() {
        return Ok(());
    }
    let (mut workspaces, mut days, mut users) = (Vec::new(), Vec::new(), Vec::new());
    let (mut keys, mut features) = (Vec::new(), Vec::new());
    let (mut events, mut values) = (Vec::<i64>::new(), Vec::<Option<&str>>::new());
    let (mut hours, mut moments) = (Vec::<String>::new(), Vec::<Option<DateTime<Utc>>>::new());
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
            hours.push(if place == 0 { delta.hours.to_decimal() } else { "0".to_owned() });
            moments.push(delta.first_at);
        }
    }
    diesel::sql_query(statement)
        .bind::<Array<SqlUuid>, _>(workspaces)
        .bind::<Array<Date>, _>(days)
        .bind::<Array<SqlUuid>, _>(users)
        .bind::<Array<Text>, _>(keys)
        .bind::<Array<Text>, _>(features)
        .bind::<Array<BigInt>, _>(events)
        .bind::<Array<Nullable<Text>>, _>(values)
        .bind::<Array<Text>, _>(hours)
        .bind::<Array<Nullable<Timestamptz>>, _>(moments)
        .execute(conn)?;
    Ok(())
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

/// Of rows that lost events, finds the first moment again among the key events that are left. Of days
/// whose key events are dropped it is not known any more.
fn settle_first(conn: &mut PgConnection, counts: &Counts) -> Result<()> {
    let lost: Vec<_> =
        counts.days.iter().filter(|(_, delta)| delta.lost).map(|(key, _)| key).collect();
    if lost.is_empty() {
        return Ok(());
    }
    let days = lost.iter().map(|key| key.1);
    let (first, last) = (days.clone().min(), days.max());
    diesel::sql_query(
        "update usage_days u set first_at = (
             select min(k.occurred_at) from key_events k
             where k.workspace_id = t.workspace_id and k.event_key = t.event_key and k.user_id = t.user_id
               and k.feature = t.feature
               and k.occurred_at >= t.day::timestamp at time zone 'UTC'
               and k.occurred_at < (t.day + 1)::timestamp at time zone 'UTC'
               and k.occurred_at >= $6::date::timestamp at time zone 'UTC'
               and k.occurred_at < ($7::date + 1)::timestamp at time zone 'UTC')
         from unnest($1::uuid[], $2::date[], $3::uuid[], $4::text[], $5::text[])
             as t (workspace_id, day, user_id, event_key, feature)
         where u.workspace_id = t.workspace_id and u.day = t.day and u.user_id = t.user_id
           and u.event_key = t.event_key and u.feature = t.feature and u.first_at is not null",
    )
    .bind::<Array<SqlUuid>, _>(lost.iter().map(|key| key.0).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(lost.iter().map(|key| key.1).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(lost.iter().map(|key| key.2).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(lost.iter().map(|key| key.3.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(lost.iter().map(|key| key.4.as_str()).collect::<Vec<_>>())
    .bind::<Nullable<Date>, _>(first)
    .bind::<Nullable<Date>, _>(last)
    .execute(conn)?;
    Ok(())
}

/// At most so many key features are told apart: more are no names of features.
const KEY_FEATURES: i64 = 500;

/// Notes the features that events of category depth name for the first time.
///
/// # Errors
/// When the database fails.
pub fn note_key_features(conn: &mut PgConnection, counts: &Counts) -> Result<()> {
    let named: BTreeMap<(&str, &str), NaiveDate> = counts
        .days
        .iter()
        .filter(|((.., feature), delta)| !feature.is_empty() && delta.events > 0)
        .map(|((_, day, _, event, feature), _)| ((event.as_str(), feature.as_str()), *day))
        .collect();
    if named.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into key_features (feature, first_seen_on)
         select t.feature, min(t.day) from unnest($1::text[], $2::text[], $3::date[]) as t (event_key, feature, day)
         join event_definitions d on d.key = t.event_key and d.category = 'depth'
         where not exists (select from key_features k where k.feature = t.feature)
           and (select count(*) from key_features) < $4
         group by t.feature order by t.feature
         on conflict do nothing",
    )
    .bind::<Array<Text>, _>(named.keys().map(|(event, _)| *event).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(named.keys().map(|(_, feature)| *feature).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(named.values().copied().collect::<Vec<_>>())
    .bind::<BigInt, _>(KEY_FEATURES)
    .execute(conn)?;
    Ok(())
}
