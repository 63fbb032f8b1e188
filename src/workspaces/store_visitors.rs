//! The SQL by which the memberships of stitched visitors stand among those of users.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Timestamptz, Uuid as SqlUuid};

use super::store_memberships::{Pair, columns};
use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};

#[derive(QueryableByName)]
struct Visitor {
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
}

/// The visitors stitched to these users who are in the same workspaces.
///
/// # Errors
/// When the database fails.
pub fn beside(conn: &mut PgConnection, users: &[Pair]) -> Result<Vec<UserId>> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let (workspaces, users) = columns(users);
    let rows: Vec<Visitor> = diesel::sql_query(
        "select distinct v.user_id
         from unnest($1::uuid[], $2::uuid[]) as t (workspace_id, user_id)
         join product_users k on k.id = t.user_id
         join product_users p on p.canonical_id = k.canonical_id and p.linked_id = k.id and p.kind = 'anonymous'
         join visitor_memberships v on v.user_id = p.id and v.workspace_id = t.workspace_id",
    )
    .bind::<Array<SqlUuid>, _>(workspaces)
    .bind::<Array<SqlUuid>, _>(users)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.user_id).collect())
}

#[derive(QueryableByName)]
struct Followed {
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
    #[diesel(sql_type = Timestamptz)]
    joined_at: DateTime<Utc>,
    #[diesel(sql_type = Bool)]
    came_or_went: bool,
}

/// Makes the memberships of these visitors what follows from what was said about them: a copy while they
/// are stitched to a user, none while they are not. Who left as a user left as the visitor that the user
/// was, unless the visitor came back after that. Answers with these memberships, and for those that came or went
/// since when they are or were there.
///
/// # Errors
/// When the database fails.
pub fn follow(
    conn: &mut PgConnection,
    people: &[UserId],
) -> Result<Vec<(Pair, Option<DateTime<Utc>>)>> {
    let gone: Vec<Followed> = diesel::sql_query(
        "delete from memberships m using product_users p
         where m.user_id = any($1) and p.id = m.user_id and p.kind = 'anonymous' and p.canonical_id = p.id
         returning m.workspace_id, m.user_id, m.joined_at, true as came_or_went",
    )
    .bind::<Array<SqlUuid>, _>(people)
    .load(conn)?;
    let written: Vec<Followed> = diesel::sql_query(
        "insert into memberships (workspace_id, user_id, role, role_at, role_seq, persona, persona_source, persona_at,
             persona_seq, joined_at, left_at, left_seq, explicit_active_at, last_active_at, first_group_at,
             last_group_at, group_seq)
         select v.workspace_id, v.user_id, v.role, v.role_at, v.role_seq, v.persona, v.persona_source, v.persona_at,
                v.persona_seq, v.joined_at, coalesce(v.left_at, gone.at), case when v.left_at is null and gone.at is not null
                then k.left_seq else v.left_seq end, v.explicit_active_at, v.explicit_active_at, v.first_group_at,
                v.last_group_at, v.group_seq
         from visitor_memberships v
         join product_users p on p.id = v.user_id and p.kind = 'anonymous' and p.canonical_id <> p.id
         left join memberships k on k.workspace_id = v.workspace_id and k.user_id = p.linked_id
         cross join lateral (select case when (k.left_at, k.left_seq) >= (coalesce(v.last_group_at, v.joined_at), v.group_seq)
                                         then k.left_at end as at) gone
         where v.user_id = any($1)
         order by v.workspace_id, v.user_id
         on conflict (workspace_id, user_id) do update set
             role = excluded.role, role_at = excluded.role_at, role_seq = excluded.role_seq,
             persona = excluded.persona, persona_source = excluded.persona_source,
             persona_at = excluded.persona_at, persona_seq = excluded.persona_seq,
             joined_at = excluded.joined_at, left_at = excluded.left_at, left_seq = excluded.left_seq,
             explicit_active_at = excluded.explicit_active_at,
             last_active_at = greatest(memberships.last_active_at, excluded.last_active_at),
             first_group_at = excluded.first_group_at, last_group_at = excluded.last_group_at,
             group_seq = excluded.group_seq
         returning workspace_id, user_id, joined_at, xmax = 0 as came_or_went",
    )
    .bind::<Array<SqlUuid>, _>(people)
    .load(conn)?;
    let all = gone.into_iter().chain(written);
    let since = |row: &Followed| row.came_or_went.then_some(row.joined_at);
    Ok(all.map(|row| ((row.workspace_id, row.user_id), since(&row))).collect())
}
