//! The SQL of where people were and when.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Timestamptz, Uuid as SqlUuid};

use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};

/// A row of a person, and whose it is today.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Person {
    /// The row.
    #[diesel(sql_type = SqlUuid)]
    pub id: UserId,
    /// Who that is today.
    #[diesel(sql_type = SqlUuid)]
    pub canonical_id: UserId,
    /// The user whose memberships the row's are: for a stitched visitor the one that a call named.
    #[diesel(sql_type = SqlUuid)]
    pub member_id: UserId,
    /// That today is a known user.
    #[diesel(sql_type = Bool)]
    pub is_user: bool,
}

/// Everybody who is one of these persons today.
///
/// # Errors
/// When the database fails.
pub fn people(conn: &mut PgConnection, canonical: &[UserId]) -> Result<Vec<Person>> {
    Ok(diesel::sql_query(
        "select id, canonical_id, case when kind = 'anonymous' then coalesce(linked_id, id) else id end as member_id,
                kind = 'known' or canonical_id <> id as is_user
         from product_users where canonical_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(canonical)
    .load(conn)?)
}

/// Since when somebody is in a workspace.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Joined {
    /// Who.
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    /// Where.
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    /// The oldest statement.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
}

/// Since when these people are in their workspaces.
///
/// # Errors
/// When the database fails.
pub fn joined(conn: &mut PgConnection, users: &[UserId]) -> Result<Vec<Joined>> {
    // The copy of a visitor's row in memberships says the same.
    Ok(diesel::sql_query(
        "select user_id, workspace_id, joined_at as at from memberships where user_id = any($1)
         union select user_id, workspace_id, joined_at from visitor_memberships where user_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(users)
    .load(conn)?)
}

/// A `group()` call.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Called {
    /// Who.
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    /// Where.
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// Its place among statements of the same time.
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
}

/// The `group()` calls of these people.
///
/// # Errors
/// When the database fails.
pub fn calls(conn: &mut PgConnection, users: &[UserId]) -> Result<Vec<Called>> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    Ok(diesel::sql_query(
        "select user_id, workspace_id, at, seq from group_calls where user_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(users)
    .load(conn)?)
}

/// That somebody left, or is there by a record's word.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Changed {
    /// Who.
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    /// Where.
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// Left; else there.
    #[diesel(sql_type = Bool)]
    pub is_left: bool,
    /// Its place among statements of the same time.
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
}

/// When these people left, or were there by a record's word.
///
/// # Errors
/// When the database fails.
pub fn changes(conn: &mut PgConnection, users: &[UserId]) -> Result<Vec<Changed>> {
    Ok(diesel::sql_query(
        "select user_id, workspace_id, at, is_left, seq from membership_changes where user_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(users)
    .load(conn)?)
}

/// A person was said to be in a workspace.
pub type Call = (UserId, DateTime<Utc>, WorkspaceId);

/// Records `group()` calls, each with its place among statements of the same time. One that was recorded
/// before these places were kept has its place from now on.
///
/// # Errors
/// When the database fails.
pub fn add_calls(conn: &mut PgConnection, calls: &BTreeSet<(Call, i64)>) -> Result<()> {
    if calls.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "with called as (
             select *
             from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::bigint[]) as t (user_id, at, workspace_id, seq)
         ), placed as (
             delete from group_calls g using called c
             where g.user_id = c.user_id and g.at = c.at and g.workspace_id = c.workspace_id
               and g.seq = 0 and c.seq > 0
         )
         insert into group_calls (user_id, at, workspace_id, seq) select * from called
         on conflict do nothing",
    )
    .bind::<Array<SqlUuid>, _>(calls.iter().map(|(call, _)| call.0).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(calls.iter().map(|(call, _)| call.1).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(calls.iter().map(|(call, _)| call.2).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(calls.iter().map(|(_, seq)| *seq).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// Records when people left (true), or were there by a record's word.
///
/// # Errors
/// When the database fails.
pub fn add_changes(conn: &mut PgConnection, changes: &BTreeMap<(Call, bool), i64>) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let all = changes;
    diesel::sql_query(
        "insert into membership_changes (user_id, at, workspace_id, is_left, seq)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::boolean[], $5::bigint[])
         on conflict (user_id, at, workspace_id, is_left) do update set seq = excluded.seq
         where excluded.seq > membership_changes.seq",
    )
    .bind::<Array<SqlUuid>, _>(all.keys().map(|(call, _)| call.0).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(all.keys().map(|(call, _)| call.1).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(all.keys().map(|(call, _)| call.2).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(all.keys().map(|(_, is_left)| *is_left).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(all.values().copied().collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}
