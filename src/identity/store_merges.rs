//! The SQL of the page that judges candidates.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Int2, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};

use super::evidence::Pair;
use crate::error::Result;
use crate::ids::UserId;

/// Two users that may be one person.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of merge_candidates")]
pub struct Candidate {
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    #[diesel(sql_type = SqlUuid)]
    pub other_id: UserId,
    /// Who the two are today.
    #[diesel(sql_type = SqlUuid)]
    pub one: UserId,
    #[diesel(sql_type = SqlUuid)]
    pub other: UserId,
    #[diesel(sql_type = SmallInt)]
    pub confidence: i16,
    #[diesel(sql_type = Nullable<Text>)]
    pub decision: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub decided_at: Option<DateTime<Utc>>,
}

impl Candidate {
    /// The pair by which it is addressed.
    #[must_use]
    pub fn pair(&self) -> Pair {
        (self.user_id, self.other_id)
    }
}

/// Where a page of candidates begins: after this confidence and pair.
pub type After = (i16, UserId, UserId);

const CANDIDATE: &str =
    "select m.user_id, m.other_id, a.canonical_id as one, b.canonical_id as other,
        m.confidence, m.decision, m.decided_at
    from merge_candidates m
    join product_users a on a.id = m.user_id join product_users b on b.id = m.other_id";

/// Pairs that wait for a judgement, the surest first.
///
/// # Errors
/// When the database fails.
pub fn open(conn: &mut PgConnection, after: Option<After>, limit: i64) -> Result<Vec<Candidate>> {
    let (confidence, one, other) =
        after.unwrap_or((i16::MAX, UserId(uuid::Uuid::nil()), UserId(uuid::Uuid::nil())));
    Ok(diesel::sql_query(format!(
        "{CANDIDATE}
         where m.decision is null and a.canonical_id <> b.canonical_id
           and (m.confidence < $1 or (m.confidence = $1 and (m.user_id, m.other_id) > ($2, $3)))
         order by m.confidence desc, m.user_id, m.other_id limit $4"
    ))
    .bind::<Int2, _>(confidence)
    .bind::<SqlUuid, _>(one)
    .bind::<SqlUuid, _>(other)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// Pairs that were kept apart, the newest decision first.
///
/// # Errors
/// When the database fails.
pub fn kept_apart(conn: &mut PgConnection, limit: i64) -> Result<Vec<Candidate>> {
    Ok(diesel::sql_query(format!(
        "{CANDIDATE} where m.decision = 'kept_apart' order by m.decided_at desc, m.user_id, m.other_id limit $1"
    ))
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// One pair, whatever was decided.
///
/// # Errors
/// `NotFound` when it is none; when the database fails.
pub fn one(conn: &mut PgConnection, pair: Pair) -> Result<Candidate> {
    Ok(diesel::sql_query(format!("{CANDIDATE} where m.user_id = $1 and m.other_id = $2"))
        .bind::<SqlUuid, _>(pair.0)
        .bind::<SqlUuid, _>(pair.1)
        .get_result(conn)?)
}

/// A piece of evidence with the name of its source.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of merge_evidence")]
pub struct Piece {
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    #[diesel(sql_type = SqlUuid)]
    pub other_id: UserId,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub value: String,
    #[diesel(sql_type = Bool)]
    pub verified: bool,
    #[diesel(sql_type = Timestamptz)]
    pub seen_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    pub source: Option<String>,
}

/// The evidence for these pairs, by kind.
///
/// # Errors
/// When the database fails.
pub fn evidence(conn: &mut PgConnection, pairs: &[Pair]) -> Result<Vec<Piece>> {
    let (ones, others): (Vec<UserId>, Vec<UserId>) = pairs.iter().copied().unzip();
    Ok(diesel::sql_query(
        "select e.user_id, e.other_id, e.kind, e.value, e.verified, e.seen_at, s.name as source
         from merge_evidence e left join sources s on s.id = e.source_id
         where (e.user_id, e.other_id) in (select * from unnest($1::uuid[], $2::uuid[]))
         order by array_position(array['sso', 'email', 'alias'], e.kind), e.value",
    )
    .bind::<Array<SqlUuid>, _>(ones)
    .bind::<Array<SqlUuid>, _>(others)
    .load(conn)?)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How many pairs wait, counted no further than `most`.
///
/// # Errors
/// When the database fails.
pub fn waiting(conn: &mut PgConnection, most: i64) -> Result<i64> {
    let count: Count = diesel::sql_query(
        "select count(*) as n from (
             select 1 from merge_candidates m
             join product_users a on a.id = m.user_id join product_users b on b.id = m.other_id
             where m.decision is null and a.canonical_id <> b.canonical_id limit $1) open",
    )
    .bind::<BigInt, _>(most)
    .get_result(conn)?;
    Ok(count.n)
}
