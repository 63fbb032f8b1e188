//! All SQL of memberships and of who was said to be where.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};

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
    #[diesel(sql_type = BigInt)]
    role_seq: i64,
    #[diesel(sql_type = BigInt)]
    persona_seq: i64,
    #[diesel(sql_type = BigInt)]
    left_seq: i64,
    #[diesel(sql_type = BigInt)]
    group_seq: i64,
}

/// Which memberships.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Those of known users.
    OfUsers,
    /// What is known of anonymous visitors; while they are stitched it stands beside those of users, too.
    OfVisitors,
}

impl Kept {
    const fn table(self) -> &'static str {
        match self {
            Self::OfUsers => "memberships",
            Self::OfVisitors => "visitor_memberships",
        }
    }
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
pub fn spans(conn: &mut PgConnection, of: Kept, pairs: &[Pair]) -> Result<HashMap<Pair, Span>> {
    let (workspaces, users) = columns(pairs);
    let rows: Vec<SpanRow> = diesel::sql_query(format!(
        "select m.workspace_id, m.user_id, m.joined_at, m.explicit_active_at
         from unnest($1::uuid[], $2::uuid[]) as t (workspace_id, user_id)
         join {} m on m.workspace_id = t.workspace_id and m.user_id = t.user_id",
        of.table()
    ))
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
pub fn be_active(
    conn: &mut PgConnection,
    of: Kept,
    active: &[(Pair, DateTime<Utc>)],
) -> Result<()> {
    if active.is_empty() {
        return Ok(());
    }
    diesel::sql_query(format!(
        "update {} m set
             explicit_active_at = greatest(m.explicit_active_at, t.at),
             last_active_at = greatest(m.last_active_at, t.at)
         from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as t (workspace_id, user_id, at)
         where m.workspace_id = t.workspace_id and m.user_id = t.user_id",
        of.table()
    ))
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
pub fn load(
    conn: &mut PgConnection,
    of: Kept,
    pairs: &[Pair],
) -> Result<HashMap<Pair, Membership>> {
    if pairs.is_empty() {
        return Ok(HashMap::new());
    }
    let (workspaces, users) = columns(pairs);
    let rows: Vec<Row> = diesel::sql_query(format!(
        "select workspace_id, user_id, role, role_at, role_seq, persona, persona_source, persona_at, persona_seq,
                joined_at, left_at, left_seq, explicit_active_at, first_group_at, last_group_at, group_seq
         from {}
         where (workspace_id, user_id) in (select * from unnest($1::uuid[], $2::uuid[]))",
        of.table()
    ))
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
                role_seq: row.role_seq,
                persona: row.persona,
                persona_source: row.persona_source,
                persona_at: row.persona_at,
                persona_seq: row.persona_seq,
                joined_at: row.joined_at,
                left_at: row.left_at,
                left_seq: row.left_seq,
                explicit_active_at: row.explicit_active_at,
                first_group_at: row.first_group_at,
                last_group_at: row.last_group_at,
                group_seq: row.group_seq,
            };
            ((row.workspace_id, row.user_id), membership)
        })
        .collect())
}

/// Writes memberships, in the order of their keys.
///
/// # Errors
/// When the database fails.
pub fn upsert(conn: &mut PgConnection, of: Kept, memberships: &[Membership]) -> Result<()> {
    if memberships.is_empty() {
        return Ok(());
    }
    let all = memberships;
    let table = of.table();
    diesel::sql_query(format!(
        "insert into {table} (workspace_id, user_id, role, role_at, persona, persona_source, persona_at,
             joined_at, left_at, explicit_active_at, last_active_at, first_group_at, last_group_at,
             role_seq, persona_seq, left_seq, group_seq)
         select workspace_id, user_id, role, role_at, persona, persona_source, persona_at,
                joined_at, left_at, active_at, active_at, first_group_at, last_group_at,
                role_seq, persona_seq, left_seq, group_seq
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::text[],
                     $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[],
                     $12::timestamptz[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[])
             as t (workspace_id, user_id, role, role_at, persona, persona_source, persona_at, joined_at, left_at,
                   active_at, first_group_at, last_group_at, role_seq, persona_seq, left_seq, group_seq)
         order by workspace_id, user_id
         on conflict (workspace_id, user_id) do update set
             role = excluded.role, role_at = excluded.role_at, role_seq = excluded.role_seq,
             persona = excluded.persona, persona_source = excluded.persona_source,
             persona_at = excluded.persona_at, persona_seq = excluded.persona_seq,
             joined_at = excluded.joined_at, left_at = excluded.left_at, left_seq = excluded.left_seq,
             explicit_active_at = excluded.explicit_active_at,
             last_active_at = greatest({table}.last_active_at, excluded.last_active_at),
             first_group_at = excluded.first_group_at, last_group_at = excluded.last_group_at,
             group_seq = excluded.group_seq"
    ))
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
    .bind::<Array<BigInt>, _>(all.iter().map(|one| one.role_seq).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(all.iter().map(|one| one.persona_seq).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(all.iter().map(|one| one.left_seq).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(all.iter().map(|one| one.group_seq).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
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

#[derive(QueryableByName)]
struct PersonWorkspace {
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
}

/// The workspaces in which these people are or were members, by whichever of the users that are one
/// person with them.
///
/// # Errors
/// When the database fails.
pub fn workspaces_of(
    conn: &mut PgConnection,
    users: &[UserId],
) -> Result<Vec<(UserId, WorkspaceId)>> {
    let rows: Vec<PersonWorkspace> = diesel::sql_query(
        "select distinct p.id as user_id, m.workspace_id
         from product_users p
         join product_users u on u.canonical_id = p.canonical_id
         join memberships m on m.user_id = u.id
         where p.id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(users)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.user_id, row.workspace_id)).collect())
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
