//! The SQL of claims: every call that said an anonymous visitor is a known user.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text, Timestamptz, Uuid as SqlUuid};

use super::evidence::Heard;
use super::stitch::By;
use crate::error::Result;
use crate::ids::{SourceId, UserId};

/// A claim as it is kept.
#[derive(Clone, Debug, QueryableByName)]
pub struct ClaimRow {
    /// Who is said to be a user.
    #[diesel(sql_type = SqlUuid)]
    pub visitor_id: UserId,
    /// Which user.
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    /// `identify` or `alias`.
    #[diesel(sql_type = Text)]
    pub said_by: String,
    /// The earliest such call.
    #[diesel(sql_type = Timestamptz)]
    pub said_at: DateTime<Utc>,
    /// Who sent it.
    #[diesel(sql_type = SqlUuid)]
    pub source_id: SourceId,
    /// A person decided otherwise.
    #[diesel(sql_type = Bool)]
    pub is_split: bool,
}

/// Records claims; the earliest of each visitor, user and kind of call stays.
///
/// # Errors
/// When the database fails.
pub fn add(conn: &mut PgConnection, claims: &[(&(UserId, UserId, By), &Heard)]) -> Result<()> {
    if claims.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into identity_claims (visitor_id, user_id, said_by, said_at, source_id)
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::uuid[])
         on conflict (visitor_id, user_id, said_by) do update set
             said_at = excluded.said_at, source_id = excluded.source_id
         where (excluded.said_at, excluded.source_id) < (identity_claims.said_at, identity_claims.source_id)",
    )
    .bind::<Array<SqlUuid>, _>(claims.iter().map(|(key, _)| key.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(claims.iter().map(|(key, _)| key.1).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(claims.iter().map(|(key, _)| key.2.as_str()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(claims.iter().map(|(_, heard)| heard.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(claims.iter().map(|(_, heard)| heard.1).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// All claims on these visitors.
///
/// # Errors
/// When the database fails.
pub fn of(conn: &mut PgConnection, visitors: &[UserId]) -> Result<Vec<ClaimRow>> {
    if visitors.is_empty() {
        return Ok(Vec::new());
    }
    Ok(diesel::sql_query(
        "select c.visitor_id, c.user_id, c.said_by, c.said_at, c.source_id, s.id is not null as is_split
         from identity_claims c
         left join identity_changes s on s.kind = 'split' and s.undone_at is null
          and s.person_id = c.visitor_id and s.other_id = c.user_id
         where c.visitor_id = any($1)
         order by c.visitor_id, c.user_id, c.said_by",
    )
    .bind::<Array<SqlUuid>, _>(visitors)
    .load(conn)?)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    visitor_id: UserId,
}

/// Those of these visitors on whom an alias call claims.
///
/// # Errors
/// When the database fails.
pub fn aliased(conn: &mut PgConnection, visitors: &[UserId]) -> Result<Vec<UserId>> {
    if visitors.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Id> = diesel::sql_query(
        "select distinct visitor_id from identity_claims where visitor_id = any($1) and said_by = 'alias'",
    )
    .bind::<Array<SqlUuid>, _>(visitors)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.visitor_id).collect())
}
