//! All SQL of memberships and of who was said to be where.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::membership::{Membership, Span};
use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};

/// A person in a workspace.
pub type Pair = (WorkspaceId, UserId);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
    #[diesel(sql_type = Nullable<Text>)]
    role: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    role_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    persona: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    persona_source: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    persona_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    joined_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    left_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    explicit_active_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    first_group_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_group_at: Option<DateTime<Utc>>,
}

pub(super) fn columns(pairs: &[Pair]) -> (Vec<WorkspaceId>, Vec<UserId>) {
    pairs.iter().copied().unzip()
}

#[derive(QueryableByName)]
struct SpanRow {
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
    #[diesel(sql_type = Timestamptz)]
    joined_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    explicit_active_at: Option<DateTime<Utc>>,
}

/// Since when these memberships exist and until when they were active.
///
/// # Errors
/// When the database fails.
pub fn spans(conn: &mut PgConnection, pairs: &[Pair]) -> Result<HashMap<Pair, Span>> {
    let (workspaces, users) = columns(pairs);
    let rows: Vec<SpanRow> = diesel::sql_query(
        "select m.workspace_id, m.user_id, m.joined_at, m.explicit_active_at
         from unnest($1::uuid[], $2::uuid[]) as t (workspace_id, user_id)
         join memberships m on m.workspace_id = t.workspace_id and m.user_id = t.user_id",
    )
    .bind::<Array<SqlUuid>, _>(workspaces)
    .bind::<Array<SqlUuid>, _>(users)
    .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let SpanRow { workspace_id, user_id, joined_at, explicit_active_at } = row;
            ((workspace_id, user_id), Span { joined_at, explicit_active_at })
        })
        .collect())
}

/// Moves on when these members were last active, each at most once in `active`.
///
/// # Errors
/// When the database fails.
pub fn be_active(conn: &mut PgConnection, active: &[(Pair, DateTime<Utc>)]) -> Result<()> {
    if active.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "update memberships m set
             explicit_active_at = greatest(m.explicit_active_at, t.at),
             last_active_at = greatest(m.last_active_at, t.at)
         from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as t (workspace_id, user_id, at)
         where m.workspace_id = t.workspace_id and m.user_id = t.user_id",
    )
    .bind::<Array<SqlUuid>, _>(active.iter().map(|(pair, _)| pair.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(active.iter().map(|(pair, _)| pair.1).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(active.iter().map(|(_, at)| *at).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// These memberships, as far as they exist; written back whole under the drainer's lock.
///
/// # Errors
/// When the database fails.
pub fn load(conn: &mut PgConnection, pairs: &[Pair]) -> Result<HashMap<Pair, Membership>> {
    if pairs.is_empty() {
        return Ok(HashMap::new());
    }
    let (workspaces, users) = columns(pairs);
    let rows: Vec<Row> = diesel::sql_query(
        "select workspace_id, user_id, role, role_at, persona, persona_source, persona_at, joined_at, left_at,
                explicit_active_at, first_group_at, last_group_at
         from memberships
         where (workspace_id, user_id) in (select * from unnest($1::uuid[], $2::uuid[]))",
    )
    .bind::<Array<SqlUuid>, _>(workspaces)
    .bind::<Array<SqlUuid>, _>(users)
    .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let membership = Membership {
                workspace: row.workspace_id,
                user: row.user_id,
                role: row.role,
                role_at: row.role_at,
                persona: row.persona,
                persona_source: row.persona_source,
                persona_at: row.persona_at,
                joined_at: row.joined_at,
                left_at: row.left_at,
                explicit_active_at: row.explicit_active_at,
                first_group_at: row.first_group_at,
                last_group_at: row.last_group_at,
            };
            ((row.workspace_id, row.user_id), membership)
        })
        .collect())
}

/// Writes memberships, in the order of their keys.
///
/// # Errors
/// When the database fails.
pub fn upsert(conn: &mut PgConnection, memberships: &[Membership]) -> Result<()> {
    if memberships.is_empty() {
        return Ok(());
    }
    let all = memberships;
    diesel::sql_query(
        "insert into memberships (workspace_id, user_id, role, role_at, persona, persona_source, persona_at,
             joined_at, left_at, explicit_active_at, last_active_at, first_group_at, last_group_at)
         select workspace_id, user_id, role, role_at, persona, persona_source, persona_at,
                joined_at, left_at, active_at, active_at, first_group_at, last_group_at
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::text[],
                     $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[],
                     $12::timestamptz[])
             as t (workspace_id, user_id, role, role_at, persona, persona_source, persona_at, joined_at, left_at,
                   active_at, first_group_at, last_group_at)
         order by workspace_id, user_id
         on conflict (workspace_id, user_id) do update set
             role = excluded.role, role_at = excluded.role_at, persona = excluded.persona,
             persona_source = excluded.persona_source, persona_at = excluded.persona_at,
             joined_at = excluded.joined_at, left_at = excluded.left_at,
             explicit_active_at = excluded.explicit_active_at,
             last_active_at = greatest(memberships.last_active_at, excluded.last_active_at),
             first_group_at = excluded.first_group_at, last_group_at = excluded.last_group_at",
    )
    .bind::<Array<SqlUuid>, _>(all.iter().map(|one| one.workspace).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(all.iter().map(|one| one.user).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(all.iter().map(|one| one.role.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(all.iter().map(|one| one.role_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(all.iter().map(|one| one.persona.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(all.iter().map(|one| one.persona_source.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(all.iter().map(|one| one.persona_at).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(all.iter().map(|one| one.joined_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(all.iter().map(|one| one.left_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(all.iter().map(|one| one.explicit_active_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(all.iter().map(|one| one.first_group_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(all.iter().map(|one| one.last_group_at).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// A person was said to be in a workspace.
pub type Call = (UserId, DateTime<Utc>, WorkspaceId);

/// Records `group()` calls.
///
/// # Errors
/// When the database fails.
pub fn add_calls(conn: &mut PgConnection, calls: &BTreeSet<Call>) -> Result<()> {
    if calls.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into group_calls (user_id, at, workspace_id)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) on conflict do nothing",
    )
    .bind::<Array<SqlUuid>, _>(calls.iter().map(|call| call.0).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(calls.iter().map(|call| call.1).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(calls.iter().map(|call| call.2).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Same {
    #[diesel(sql_type = SqlUuid)]
    id: UserId,
    #[diesel(sql_type = SqlUuid)]
    canonical_id: UserId,
}

/// Everybody who is one of these persons today, with who that is.
///
/// # Errors
/// When the database fails.
pub fn everybody(conn: &mut PgConnection, canonical: &[UserId]) -> Result<HashMap<UserId, UserId>> {
    let rows: Vec<Same> = diesel::sql_query(
        "select id, canonical_id from product_users where canonical_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(canonical)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row.canonical_id)).collect())
}

/// A membership, as far as it says where somebody is.
#[derive(QueryableByName)]
pub struct Place {
    /// Who.
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    /// Where.
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    /// Since when.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// Still so.
    #[diesel(sql_type = Bool)]
    pub current: bool,
}

/// The memberships of these people.
///
/// # Errors
/// When the database fails.
pub fn places(conn: &mut PgConnection, users: &[UserId]) -> Result<Vec<Place>> {
    Ok(diesel::sql_query(
        "select user_id, workspace_id, joined_at as at, left_at is null as current
         from memberships where user_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(users)
    .load(conn)?)
}

/// The `group()` calls of these people.
///
/// # Errors
/// When the database fails.
pub fn calls(conn: &mut PgConnection, users: &[UserId]) -> Result<Vec<Place>> {
    Ok(diesel::sql_query(
        "select user_id, workspace_id, at, false as current from group_calls where user_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(users)
    .load(conn)?)
}

/// Memberships whose person created the workspace or accepted an invitation, as the key events of
/// the pairs say now. A creator is an admin until a role is given; the earliest invitation stays.
///
/// # Errors
/// When the database fails.
pub fn settle_roles(conn: &mut PgConnection, pairs: &[Pair]) -> Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    let (workspaces, users) = columns(pairs);
    diesel::sql_query(
        "with said as (
             select distinct on (k.workspace_id, k.user_id, k.event_key)
                    k.workspace_id, k.user_id, k.event_key, k.invitation_source, k.invited_by
             from membership_events k
             where k.workspace_id = any($1) and (k.workspace_id, k.user_id) in (select * from unnest($1::uuid[], $2::uuid[]))
             order by k.workspace_id, k.user_id, k.event_key, k.occurred_at, k.id
         ), told as (
             select t.workspace_id, t.user_id, c.event_key is not null as created, i.invitation_source, i.invited_by
             from unnest($1::uuid[], $2::uuid[]) as t (workspace_id, user_id)
             left join said c on (c.workspace_id, c.user_id, c.event_key) = (t.workspace_id, t.user_id, 'workspace_created')
             left join said i on (i.workspace_id, i.user_id, i.event_key) = (t.workspace_id, t.user_id, 'invite_accepted')
         )
         update memberships m set
             role = case when m.role_at is not null then m.role when told.created then 'admin' end,
             invitation_source = told.invitation_source, invited_by = told.invited_by
         from told where m.workspace_id = told.workspace_id and m.user_id = told.user_id",
    )
    .bind::<Array<SqlUuid>, _>(workspaces)
    .bind::<Array<SqlUuid>, _>(users)
    .execute(conn)?;
    Ok(())
}
