//! The SQL of what people decided about candidates.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Timestamptz, Uuid as SqlUuid};

use super::evidence::Pair;
use crate::error::Result;
use crate::ids::UserId;

/// Notes the decision at every open pair within the group of one person.
///
/// # Errors
/// When the database fails.
pub fn decide_group(
    conn: &mut PgConnection,
    canonical: UserId,
    decision: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query(
        "update merge_candidates m set decision = $2, decided_at = $3, decided_on = m.evidence
         from product_users a, product_users b
         where a.canonical_id = $1 and b.canonical_id = $1 and m.user_id = a.id and m.other_id = b.id
           and m.decision is distinct from $2",
    )
    .bind::<SqlUuid, _>(canonical)
    .bind::<Text, _>(decision)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// Keeps every pair between the groups of two people apart; tells how many there are.
///
/// # Errors
/// When the database fails.
pub fn keep_apart(
    conn: &mut PgConnection,
    one: UserId,
    other: UserId,
    now: DateTime<Utc>,
) -> Result<usize> {
    Ok(diesel::sql_query(
        "update merge_candidates m set decision = 'kept_apart', decided_at = $3, decided_on = m.evidence
         from product_users a, product_users b
         where a.canonical_id = any(array[$1, $2]) and b.canonical_id = any(array[$1, $2])
           and a.canonical_id <> b.canonical_id and m.user_id = a.id and m.other_id = b.id",
    )
    .bind::<SqlUuid, _>(one)
    .bind::<SqlUuid, _>(other)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?)
}

/// After a merge was taken back: the pairs that it joined are kept apart.
///
/// # Errors
/// When the database fails.
pub fn keep_apart_again(
    conn: &mut PgConnection,
    groups: &[UserId],
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query(
        "update merge_candidates m set decision = 'kept_apart', decided_at = $2, decided_on = m.evidence
         from product_users a, product_users b
         where a.canonical_id = any($1) and b.canonical_id = any($1) and a.canonical_id <> b.canonical_id
           and m.user_id = a.id and m.other_id = b.id and m.decision = 'merged'",
    )
    .bind::<Array<SqlUuid>, _>(groups)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// Opens a pair again; tells whether it was kept apart.
///
/// # Errors
/// When the database fails.
pub fn reopen(conn: &mut PgConnection, of: Pair) -> Result<bool> {
    let rows = diesel::sql_query(
        "update merge_candidates set decision = null, decided_at = null, decided_on = null
         where user_id = $1 and other_id = $2 and decision = 'kept_apart'",
    )
    .bind::<SqlUuid, _>(of.0)
    .bind::<SqlUuid, _>(of.1)
    .execute(conn)?;
    Ok(rows > 0)
}
