//! The SQL of pools: who is in which, and whose turn it is.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Nullable, Uuid as SqlUuid};

use crate::error::Result;
use crate::ids::{MemberId, PoolId};
use crate::schema::{pool_members, pools};

/// Holds every pool until the transaction ends: whose turn it is, is decided by one at a time. Joining
/// a pool, which only refers to its row, does not wait for it.
///
/// # Errors
/// The database's.
pub fn lock_pools(conn: &mut PgConnection) -> Result<()> {
    pools::table.select(pools::id).order(pools::key).for_no_key_update().load::<PoolId>(conn)?;
    Ok(())
}

/// Notes whose turns were taken; pools and members by id.
///
/// # Errors
/// The database's.
pub fn note_turns(
    conn: &mut PgConnection,
    turns: &BTreeMap<MemberId, DateTime<Utc>>,
) -> Result<()> {
    for (member, at) in turns {
        diesel::update(pool_members::table.filter(pool_members::member_id.eq(member)))
            .set(pool_members::last_assigned_at.eq(at))
            .execute(conn)?;
    }
    Ok(())
}

/// Makes a pool unless its key is taken.
///
/// # Errors
/// The database's.
pub fn ensure_pool(conn: &mut PgConnection, key: &str, name: &str) -> Result<()> {
    diesel::insert_into(pools::table)
        .values((
            pools::id.eq(PoolId::new()),
            pools::key.eq(key),
            pools::name.eq(name),
            pools::function.eq(key),
        ))
        .on_conflict_do_nothing()
        .execute(conn)?;
    Ok(())
}

/// Puts active members without a pool into the pool of their function; one member, or all.
///
/// # Errors
/// The database's.
pub fn join_pools(conn: &mut PgConnection, only: Option<MemberId>) -> Result<()> {
    sql_query(
        "insert into pool_members (pool_id, member_id) \
         select p.id, m.id from team_members m join pools p on p.key = m.function \
         where m.deactivated_at is null and ($1 is null or m.id = $1) \
         order by p.id, m.id on conflict do nothing",
    )
    .bind::<Nullable<SqlUuid>, _>(only)
    .execute(conn)?;
    Ok(())
}

/// Takes a member out of the pools of other functions than theirs.
///
/// # Errors
/// The database's.
pub fn leave_foreign_pools(conn: &mut PgConnection, member: MemberId) -> Result<()> {
    sql_query(
        "delete from pool_members pm using pools p, team_members m \
         where pm.pool_id = p.id and m.id = pm.member_id and pm.member_id = $1 \
           and p.function is distinct from m.function",
    )
    .bind::<SqlUuid, _>(member)
    .execute(conn)?;
    Ok(())
}
