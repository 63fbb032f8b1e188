//! The SQL of when people were last active in a workspace.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Nullable, Uuid as SqlUuid};

use super::store_memberships::{Pair, columns};
use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};

/// Sets when these people were last active in these workspaces, from the events that name the
/// workspace and from those that were placed there.
///
/// # Errors
/// When the database fails.
pub fn settle_activity(conn: &mut PgConnection, pairs: &[Pair]) -> Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    let (workspaces, users) = columns(pairs);
    diesel::sql_query(
        "update memberships m set last_active_at = greatest(m.explicit_active_at, t.inferred_at)
         from (select p.workspace_id, p.user_id,
                      (select max(i.occurred_at) from inferred_events i
                       where i.user_id = p.user_id and i.workspace_id = p.workspace_id) as inferred_at
               from unnest($1::uuid[], $2::uuid[]) as p (workspace_id, user_id)) t
         where m.workspace_id = t.workspace_id and m.user_id = t.user_id
           and m.last_active_at is distinct from greatest(m.explicit_active_at, t.inferred_at)",
    )
    .bind::<Array<SqlUuid>, _>(workspaces)
    .bind::<Array<SqlUuid>, _>(users)
    .execute(conn)?;
    Ok(())
}

/// Corrects when these people were last active where the day of it has no usage any more: the newest
/// day that has some, or the newest key event of that day.
///
/// # Errors
/// When the database fails.
pub fn forget_activity(conn: &mut PgConnection, pairs: &[Pair]) -> Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    let distinct: BTreeSet<Pair> = pairs.iter().copied().collect();
    let distinct: Vec<Pair> = distinct.into_iter().collect();
    let (workspaces, users) = columns(&distinct);
    // Whoever has no usage day left has none here, and is known no more to have been active.
    let found: Vec<NewestDay> = diesel::sql_query(
        "select m.workspace_id, m.user_id,
                (select max(u.day) from usage_days u
                 where u.workspace_id = m.workspace_id and u.user_id = m.user_id) as day
         from unnest($1::uuid[], $2::uuid[]) as p (workspace_id, user_id)
         join memberships m on m.workspace_id = p.workspace_id and m.user_id = p.user_id
         where not exists (select from usage_days u
                           where u.workspace_id = m.workspace_id and u.user_id = m.user_id
                             and u.day = (m.explicit_active_at at time zone 'UTC')::date)",
    )
    .bind::<Array<SqlUuid>, _>(workspaces)
    .bind::<Array<SqlUuid>, _>(users)
    .load(conn)?;
    if !found.is_empty() {
        set_activity(conn, &found)?;
    }
    settle_activity(conn, &distinct)
}

#[derive(QueryableByName)]
struct NewestDay {
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
    #[diesel(sql_type = Nullable<Date>)]
    day: Option<NaiveDate>,
}

fn set_activity(conn: &mut PgConnection, found: &[NewestDay]) -> Result<()> {
    let days = found.iter().filter_map(|pair| pair.day);
    diesel::sql_query(
        "with newest as (
             select t.workspace_id, t.user_id, max(k.occurred_at) as at
             from unnest($1::uuid[], $2::uuid[], $3::date[]) as t (workspace_id, user_id, day)
             join key_events k on k.workspace_id = t.workspace_id and k.user_id = t.user_id
              and k.occurred_at >= t.day::timestamp at time zone 'UTC'
              and k.occurred_at < (t.day + 1)::timestamp at time zone 'UTC'
             where k.workspace_id = any($1) and k.inferred is null
               and k.occurred_at >= $4::date::timestamp at time zone 'UTC'
               and k.occurred_at < ($5::date + 1)::timestamp at time zone 'UTC'
             group by 1, 2
         )
         update memberships m set explicit_active_at = greatest(n.at, t.day::timestamp at time zone 'UTC')
         from unnest($1::uuid[], $2::uuid[], $3::date[]) as t (workspace_id, user_id, day)
         left join newest n on n.workspace_id = t.workspace_id and n.user_id = t.user_id
         where m.workspace_id = t.workspace_id and m.user_id = t.user_id",
    )
    .bind::<Array<SqlUuid>, _>(found.iter().map(|pair| pair.workspace_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(found.iter().map(|pair| pair.user_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<Date>>, _>(found.iter().map(|pair| pair.day).collect::<Vec<_>>())
    .bind::<Nullable<Date>, _>(days.clone().min())
    .bind::<Nullable<Date>, _>(days.max())
    .execute(conn)?;
    Ok(())
}
