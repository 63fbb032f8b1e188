//! The SQL of events whose workspace is inferred, and of where visitors were.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::count::DayKey;
use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};
use crate::ingest::moment::Moment;

/// A counted event that does not name its workspace.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct InferredRow {
    /// The person as sent.
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    /// When it happened.
    #[diesel(sql_type = Timestamptz)]
    pub occurred_at: DateTime<Utc>,
    /// Its place among statements of the same time.
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    /// The event's id.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// What it counts as.
    #[diesel(sql_type = Text)]
    pub event_key: String,
    /// The feature it names.
    #[diesel(sql_type = Text)]
    pub feature: String,
    /// Its value, in decimal digits.
    #[diesel(sql_type = Nullable<Text>)]
    pub value: Option<String>,
    /// Where it counts today; none while it waits.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub workspace_id: Option<WorkspaceId>,
    /// What a waiting key event needs once it counts.
    #[diesel(sql_type = Nullable<Text>)]
    pub payload: Option<String>,
}

impl InferredRow {
    /// When it was said, to find the `group()` call before it.
    #[must_use]
    pub const fn moment(&self) -> Moment {
        Moment::new(self.occurred_at, self.seq)
    }

    /// The usage day in which it counts when it happened in `workspace`.
    #[must_use]
    pub fn day_key(&self, workspace: WorkspaceId) -> DayKey {
        (
            workspace,
            self.occurred_at.date_naive(),
            self.user_id,
            self.event_key.clone(),
            self.feature.clone(),
        )
    }
}

/// The events of these people since then (or ever), and the waiting ones of those people, each once.
///
/// # Errors
/// When the database fails.
pub fn load(
    conn: &mut PgConnection,
    people: &[(UserId, Option<DateTime<Utc>>)],
    waiting: &[UserId],
) -> Result<Vec<InferredRow>> {
    if people.is_empty() && waiting.is_empty() {
        return Ok(Vec::new());
    }
    Ok(diesel::sql_query(
        "with placed as (
             select i.* from unnest($1::uuid[], $2::timestamptz[]) as t (user_id, since)
             join inferred_events i on i.user_id = t.user_id and i.occurred_at >= coalesce(t.since, '-infinity')
             union
             select i.* from inferred_events i where i.user_id = any($3) and i.workspace_id is null
         )
         select user_id, occurred_at, seq, id, event_key, feature, value::text as value, workspace_id,
                payload::text as payload
         from placed order by user_id, occurred_at, id",
    )
    .bind::<Array<SqlUuid>, _>(people.iter().map(|person| person.0).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(people.iter().map(|person| person.1).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(waiting)
    .load(conn)?)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: UserId,
}

/// Which of the people of these events are known users.
///
/// # Errors
/// When the database fails.
pub fn known(conn: &mut PgConnection, rows: &[InferredRow]) -> Result<HashSet<UserId>> {
    let people: HashSet<UserId> = rows.iter().map(|row| row.user_id).collect();
    if people.is_empty() {
        return Ok(HashSet::new());
    }
    let known: Vec<Id> =
        diesel::sql_query("select id from product_users where id = any($1) and kind = 'known'")
            .bind::<Array<SqlUuid>, _>(people.into_iter().collect::<Vec<_>>())
            .load(conn)?;
    Ok(known.into_iter().map(|row| row.id).collect())
}

/// Puts events in.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut PgConnection, rows: &mut [InferredRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by_key(|row| (row.user_id, row.occurred_at, row.id));
    diesel::sql_query(
        "insert into inferred_events (user_id, occurred_at, id, event_key, feature, value, workspace_id, payload, seq)
         select user_id, at, id, event_key, feature, value::numeric, workspace_id, payload::jsonb, seq
         from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::text[],
                     $9::bigint[])
             as t (user_id, at, id, event_key, feature, value, workspace_id, payload, seq)
         on conflict do nothing",
    )
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.user_id).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(rows.iter().map(|row| row.occurred_at).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.event_key.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.feature.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|row| row.value.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(rows.iter().map(|row| row.workspace_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|row| row.payload.as_deref()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.seq).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// Writes where events count now.
///
/// # Errors
/// When the database fails.
pub fn update(conn: &mut PgConnection, rows: &[InferredRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "update inferred_events i set workspace_id = t.workspace_id, payload = t.payload::jsonb
         from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::text[])
             as t (user_id, at, id, workspace_id, payload)
         where i.user_id = t.user_id and i.occurred_at = t.at and i.id = t.id",
    )
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.user_id).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(rows.iter().map(|row| row.occurred_at).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.id).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(
        rows.iter().map(|row| row.workspace_id).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Text>>, _>(
        rows.iter().map(|row| row.payload.as_deref()).collect::<Vec<_>>(),
    )
    .execute(conn)?;
    Ok(())
}

/// Records in which workspaces anonymous visitors have usage, since when.
///
/// # Errors
/// When the database fails.
pub fn visit(conn: &mut PgConnection, visits: &[(UserId, WorkspaceId, NaiveDate)]) -> Result<()> {
    let mut first: BTreeMap<(UserId, WorkspaceId), NaiveDate> = BTreeMap::new();
    for (user, workspace, day) in visits {
        let since = first.entry((*user, *workspace)).or_insert(*day);
        *since = day.min(since).to_owned();
    }
    if first.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into visits (user_id, workspace_id, first_on) select * from unnest($1::uuid[], $2::uuid[], $3::date[])
         on conflict (user_id, workspace_id) do update set first_on = excluded.first_on
         where excluded.first_on < visits.first_on",
    )
    .bind::<Array<SqlUuid>, _>(first.keys().map(|key| key.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(first.keys().map(|key| key.1).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(first.values().copied().collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Visit {
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
    #[diesel(sql_type = Date)]
    first_on: NaiveDate,
}

/// Where these visitors have usage, since when.
///
/// # Errors
/// When the database fails.
pub fn visited(
    conn: &mut PgConnection,
    visitors: &[UserId],
) -> Result<Vec<(WorkspaceId, NaiveDate)>> {
    if visitors.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Visit> =
        diesel::sql_query("select workspace_id, first_on from visits where user_id = any($1)")
            .bind::<Array<SqlUuid>, _>(visitors)
            .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.workspace_id, row.first_on)).collect())
}

/// People after this one by their ids, each as who they are today; at most so many.
///
/// # Errors
/// When the database fails.
pub fn people_after(
    conn: &mut PgConnection,
    after: Option<UserId>,
    at_most: i64,
) -> Result<Vec<UserId>> {
    let rows: Vec<Id> = diesel::sql_query(
        "select id from product_users where canonical_id = id and ($1 is null or id > $1) order by id limit $2",
    )
    .bind::<Nullable<SqlUuid>, _>(after)
    .bind::<BigInt, _>(at_most)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Takes these events out, each by person, time and id, wherever they count today; answers with
/// what was there.
///
/// # Errors
/// When the database fails.
pub fn remove(
    conn: &mut PgConnection,
    events: &[(UserId, DateTime<Utc>, Uuid)],
) -> Result<Vec<InferredRow>> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    Ok(diesel::sql_query(
        "delete from inferred_events i using unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) as t (user_id, at, id)
         where i.user_id = t.user_id and i.occurred_at = t.at and i.id = t.id
         returning i.user_id, i.occurred_at, i.seq, i.id, i.event_key, i.feature, i.value::text as value,
                   i.workspace_id, i.payload::text as payload",
    )
    .bind::<Array<SqlUuid>, _>(events.iter().map(|event| event.0).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(events.iter().map(|event| event.1).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(events.iter().map(|event| event.2).collect::<Vec<_>>())
    .load(conn)?)
}
