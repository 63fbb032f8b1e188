//! The SQL of what people decided about who is who, and of what follows for the rows of people.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::{Value, json};
use uuid::Uuid;

use super::stitch::Claim;
use crate::error::Result;
use crate::ids::{MemberId, UserId, WorkspaceId};

#[derive(QueryableByName)]
struct Merge {
    #[diesel(sql_type = SqlUuid)]
    person_id: UserId,
    #[diesel(sql_type = SqlUuid)]
    other_id: UserId,
    #[diesel(sql_type = Timestamptz)]
    decided_at: DateTime<Utc>,
}

/// The standing merges of these users and of those whom they became: who is whom, since when.
///
/// # Errors
/// When the database fails.
pub fn merges(
    conn: &mut PgConnection,
    users: &[UserId],
) -> Result<BTreeMap<UserId, (UserId, DateTime<Utc>)>> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<Merge> = diesel::sql_query(
        "with recursive chain as (
             select person_id, other_id, decided_at from identity_changes
             where kind = 'merge' and undone_at is null and person_id = any($1)
             union
             select c.person_id, c.other_id, c.decided_at from chain
             join identity_changes c on c.kind = 'merge' and c.undone_at is null and c.person_id = chain.other_id
         )
         select * from chain",
    )
    .bind::<Array<SqlUuid>, _>(users)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.person_id, (row.other_id, row.decided_at))).collect())
}

/// A row of `product_users` as far as it says who that is.
#[derive(Clone, Debug, QueryableByName)]
pub struct Linked {
    /// Whose row.
    #[diesel(sql_type = SqlUuid)]
    pub id: UserId,
    /// Whom the standing claim or merge names.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub linked_id: Option<UserId>,
    /// Who that is in the end.
    #[diesel(sql_type = SqlUuid)]
    pub canonical_id: UserId,
}

/// Everybody who is one of these today; locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub fn tree(conn: &mut PgConnection, canonical: &[UserId]) -> Result<Vec<Linked>> {
    Ok(diesel::sql_query(
        "select id, linked_id, canonical_id from product_users where canonical_id = any($1)
         order by id for update",
    )
    .bind::<Array<SqlUuid>, _>(canonical)
    .load(conn)?)
}

/// Writes whom the person's standing claim or merge names; none: themselves.
///
/// # Errors
/// When the database fails.
pub fn set_link(conn: &mut PgConnection, person: UserId, link: Option<Claim>) -> Result<()> {
    diesel::sql_query(
        "update product_users set linked_id = $2, linked_at = $3, linked_by = $4 where id = $1",
    )
    .bind::<SqlUuid, _>(person)
    .bind::<Nullable<SqlUuid>, _>(link.map(|link| link.known))
    .bind::<Nullable<Timestamptz>, _>(link.map(|link| link.at))
    .bind::<Nullable<Text>, _>(link.map(|link| link.by.as_str()))
    .execute(conn)?;
    Ok(())
}

/// Writes who these people are.
///
/// # Errors
/// When the database fails.
pub fn set_canonical(conn: &mut PgConnection, people: &BTreeMap<UserId, UserId>) -> Result<()> {
    diesel::sql_query(
        "update product_users u set canonical_id = t.canonical_id
         from unnest($1::uuid[], $2::uuid[]) as t (id, canonical_id) where u.id = t.id",
    )
    .bind::<Array<SqlUuid>, _>(people.keys().copied().collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(people.values().copied().collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
    #[diesel(sql_type = Date)]
    since: NaiveDate,
}

/// Where these people are or were, each since the first day that counts there.
///
/// # Errors
/// When the database fails.
pub fn places(
    conn: &mut PgConnection,
    people: &BTreeSet<UserId>,
) -> Result<Vec<(WorkspaceId, NaiveDate)>> {
    let rows: Vec<Place> = diesel::sql_query(
        "select workspace_id, min(since) as since from (
             select workspace_id, first_on as since from visits where user_id = any($1)
             union all
             select m.workspace_id, least(
                 (m.joined_at at time zone 'UTC')::date,
                 (select min(d.day) from usage_days d
                  where d.workspace_id = m.workspace_id and d.user_id = m.user_id))
             from memberships m where m.user_id = any($1)
         ) places group by workspace_id order by workspace_id",
    )
    .bind::<Array<SqlUuid>, _>(people.iter().copied().collect::<Vec<_>>())
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.workspace_id, row.since)).collect())
}

/// What a change moves. No row of usage is written: these are what counts for somebody else now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, QueryableByName)]
pub struct Moved {
    /// Users and visitors.
    #[diesel(sql_type = BigInt)]
    pub people: i64,
    /// Workspaces in which they are or were.
    #[diesel(sql_type = BigInt)]
    pub workspaces: i64,
    /// Days on which they did something, of the last 90.
    #[diesel(sql_type = BigInt)]
    pub days: i64,
    /// Events of those days.
    #[diesel(sql_type = BigInt)]
    pub events: i64,
}

impl Moved {
    /// As it is kept.
    #[must_use]
    pub fn as_json(self) -> Value {
        json!({ "people": self.people, "workspaces": self.workspaces,
                "days_of_90": self.days, "events_of_90": self.events })
    }
}

/// What moves with these people.
///
/// # Errors
/// When the database fails.
pub fn moved(
    conn: &mut PgConnection,
    people: &BTreeSet<UserId>,
    today: NaiveDate,
) -> Result<Moved> {
    Ok(diesel::sql_query(
        "with places as (
             select workspace_id from visits where user_id = any($1)
             union select workspace_id from memberships where user_id = any($1)
         ), used as (
             select d.day, sum(d.events) as events from usage_days d
             where d.workspace_id in (select workspace_id from places)
               and d.day > $2 - 90 and d.user_id = any($1) group by d.day
         )
         select cardinality($1)::bigint as people, (select count(*) from places) as workspaces,
                count(*) as days, coalesce(sum(events), 0)::bigint as events from used",
    )
    .bind::<Array<SqlUuid>, _>(people.iter().copied().collect::<Vec<_>>())
    .bind::<Date, _>(today)
    .get_result(conn)?)
}

/// A decision to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct NewChange<'a> {
    /// `merge` or `split`.
    pub kind: &'static str,
    /// Who became somebody else, or nobody.
    pub person: UserId,
    /// Whom they became, or whom they are not.
    pub other: UserId,
    /// Why, in the words of whoever decided.
    pub reason: &'a str,
    /// What moved.
    pub moved: Moved,
}

/// Records a decision; answers with its id.
///
/// # Errors
/// When the database fails.
pub fn insert(
    conn: &mut PgConnection,
    change: &NewChange<'_>,
    by: Option<MemberId>,
    now: DateTime<Utc>,
) -> Result<Uuid> {
    let id = Uuid::now_v7();
    diesel::sql_query(
        "insert into identity_changes (id, kind, person_id, other_id, reason, moved, decided_by, decided_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(change.kind)
    .bind::<SqlUuid, _>(change.person)
    .bind::<SqlUuid, _>(change.other)
    .bind::<Text, _>(change.reason)
    .bind::<Jsonb, _>(change.moved.as_json())
    .bind::<Nullable<SqlUuid>, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(id)
}

/// Notes what a recorded decision moved.
///
/// # Errors
/// When the database fails.
pub fn set_moved(conn: &mut PgConnection, id: Uuid, moved: Moved) -> Result<()> {
    diesel::sql_query("update identity_changes set moved = $2 where id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Jsonb, _>(moved.as_json())
        .execute(conn)?;
    Ok(())
}

/// A recorded decision.
#[derive(Clone, Debug, QueryableByName)]
pub struct Change {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// `merge` or `split`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// Who became somebody else, or nobody.
    #[diesel(sql_type = SqlUuid)]
    pub person_id: UserId,
    /// Whom they became, or whom they are not.
    #[diesel(sql_type = SqlUuid)]
    pub other_id: UserId,
    /// When it was taken back.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub undone_at: Option<DateTime<Utc>>,
}

/// A decision, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Change>> {
    Ok(diesel::sql_query(
        "select id, kind, person_id, other_id, undone_at from identity_changes where id = $1 for update",
    )
    .bind::<SqlUuid, _>(id)
    .get_result(conn)
    .optional()?)
}

/// Notes that a decision was taken back.
///
/// # Errors
/// When the database fails.
pub fn mark_undone(
    conn: &mut PgConnection,
    id: Uuid,
    by: Option<MemberId>,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query("update identity_changes set undone_by = $2, undone_at = $3 where id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Nullable<SqlUuid>, _>(by)
        .bind::<Timestamptz, _>(now)
        .execute(conn)?;
    Ok(())
}
