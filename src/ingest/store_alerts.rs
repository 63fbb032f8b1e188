//! The SQL of the watch: the rhythm of sources, and alerts.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use uuid::Uuid;

use super::alert::Facts;
use super::rhythm::{HeardHour, Pause};
use crate::error::{Error, Result};
use crate::ids::SourceId;
use crate::team::audit::Actor;

/// A source that may send and has sent.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Heard {
    #[diesel(sql_type = SqlUuid)]
    pub id: SourceId,
    #[diesel(sql_type = Text)]
    pub name: String,
    /// The first minute in which something arrived.
    #[diesel(sql_type = Timestamptz)]
    pub first: DateTime<Utc>,
    /// The last one.
    #[diesel(sql_type = Timestamptz)]
    pub last: DateTime<Utc>,
}

/// Every source that has a key, is not switched off and was ever heard; two steps down an index each.
///
/// # Errors
/// When the database fails.
pub fn heard(conn: &mut PgConnection) -> Result<Vec<Heard>> {
    Ok(diesel::sql_query(
        "select s.id, s.name, f.minute as first, l.minute as last
         from sources s
         cross join lateral (select minute from ingest_minutes where source_id = s.id
                             and accepted + rejected > 0 order by source_id, minute limit 1) f
         cross join lateral (select minute from ingest_minutes where source_id = s.id
                             and accepted + rejected > 0 order by source_id desc, minute desc limit 1) l
         where exists (select from write_keys k where k.source_id = s.id and k.revoked_at is null)
         order by s.id",
    )
    .load(conn)?)
}

#[derive(QueryableByName)]
struct Hour {
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    minutes: i64,
}

/// The hours in which something arrived from a source, since `since`.
///
/// # Errors
/// When the database fails.
pub fn hours(
    conn: &mut PgConnection,
    source: SourceId,
    since: DateTime<Utc>,
) -> Result<Vec<HeardHour>> {
    let hours: Vec<Hour> = diesel::sql_query(
        "select date_trunc('hour', minute) as at, count(*) as minutes from ingest_minutes
         where source_id = $1 and minute >= $2 and accepted + rejected > 0 group by 1 order by 1",
    )
    .bind::<SqlUuid, _>(source)
    .bind::<Timestamptz, _>(since)
    .load(conn)?;
    Ok(hours.into_iter().map(|hour| HeardHour { at: hour.at, minutes: hour.minutes }).collect())
}

#[derive(QueryableByName)]
struct Between {
    #[diesel(sql_type = Timestamptz)]
    start: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    until: DateTime<Utc>,
}

/// The pauses of a source longer than a minute, since `since`.
///
/// # Errors
/// When the database fails.
pub fn pauses(
    conn: &mut PgConnection,
    source: SourceId,
    since: DateTime<Utc>,
) -> Result<Vec<Pause>> {
    let pauses: Vec<Between> = diesel::sql_query(
        "select start, until from (
             select lag(minute) over (order by minute) as start, minute as until from ingest_minutes
             where source_id = $1 and minute >= $2 and accepted + rejected > 0) m
         where until - start > interval '1 minute'",
    )
    .bind::<SqlUuid, _>(source)
    .bind::<Timestamptz, _>(since)
    .load(conn)?;
    Ok(pauses.into_iter().map(|pause| Pause { from: pause.start, until: pause.until }).collect())
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = BigInt)]
    accepted: i64,
    #[diesel(sql_type = BigInt)]
    refused: i64,
}

/// Events accepted and refused from a source between two times.
///
/// # Errors
/// When the database fails.
pub fn outcomes(
    conn: &mut PgConnection,
    source: SourceId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<(i64, i64)> {
    let sum: Sum = diesel::sql_query(
        "select coalesce(sum(accepted), 0)::bigint as accepted, coalesce(sum(rejected), 0)::bigint as refused
         from ingest_minutes where source_id = $1 and minute >= $2 and minute < $3",
    )
    .bind::<SqlUuid, _>(source)
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(until)
    .get_result(conn)?;
    Ok((sum.accepted, sum.refused))
}

/// An alert.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct Alert {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub source_id: Option<SourceId>,
    /// The source's name; empty for the lag of all.
    #[diesel(sql_type = Text)]
    pub source: String,
    #[diesel(sql_type = Timestamptz)]
    pub opened_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub closed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Jsonb)]
    facts: Value,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub acknowledged_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub acknowledged_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub note: Option<String>,
}

impl Alert {
    /// Why it was opened.
    ///
    /// # Errors
    /// Internal, when the row is damaged.
    pub fn facts(&self) -> Result<Facts> {
        serde_json::from_value(self.facts.clone()).map_err(Error::internal)
    }
}

const COLUMNS: &str =
    "select a.id, a.kind, a.source_id, coalesce(s.name, '') as source, a.opened_at, a.closed_at,
    a.facts, a.acknowledged_at, a.acknowledged_name, a.note
    from ingest_alerts a left join sources s on s.id = a.source_id";

/// The alerts that stand.
///
/// # Errors
/// When the database fails.
pub fn open(conn: &mut PgConnection) -> Result<Vec<Alert>> {
    Ok(diesel::sql_query(format!(
        "{COLUMNS} where a.closed_at is null order by a.opened_at desc, a.id"
    ))
    .load(conn)?)
}

/// The newest alerts that are over.
///
/// # Errors
/// When the database fails.
pub fn closed(conn: &mut PgConnection, limit: i64) -> Result<Vec<Alert>> {
    let query = format!("{COLUMNS} where a.closed_at is not null order by a.id desc limit $1");
    Ok(diesel::sql_query(query).bind::<BigInt, _>(limit).load(conn)?)
}

/// One alert.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub fn find(conn: &mut PgConnection, id: Uuid) -> Result<Alert> {
    Ok(diesel::sql_query(format!("{COLUMNS} where a.id = $1"))
        .bind::<SqlUuid, _>(id)
        .get_result(conn)?)
}

/// Opens an alert; none when one of its kind and source stands.
///
/// # Errors
/// When the database fails.
pub fn raise(
    conn: &mut PgConnection,
    source: Option<SourceId>,
    facts: &Facts,
    at: DateTime<Utc>,
) -> Result<Option<Uuid>> {
    let id = Uuid::now_v7();
    let raised = diesel::sql_query(
        "insert into ingest_alerts (id, kind, source_id, opened_at, facts) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(facts.kind())
    .bind::<Nullable<SqlUuid>, _>(source)
    .bind::<Timestamptz, _>(at)
    .bind::<Jsonb, _>(serde_json::to_value(facts).map_err(Error::internal)?)
    .execute(conn)?;
    Ok((raised == 1).then_some(id))
}

/// Closes an alert that is over.
///
/// # Errors
/// When the database fails.
pub fn close(conn: &mut PgConnection, id: Uuid, at: DateTime<Utc>) -> Result<()> {
    diesel::sql_query(
        "update ingest_alerts set closed_at = $2 where id = $1 and closed_at is null",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(at)
    .execute(conn)?;
    Ok(())
}

/// Notes that somebody knows; false when somebody did before.
///
/// # Errors
/// When the database fails.
pub fn acknowledge(
    conn: &mut PgConnection,
    id: Uuid,
    by: &Actor,
    note: &str,
    at: DateTime<Utc>,
) -> Result<bool> {
    let done = diesel::sql_query(
        "update ingest_alerts
         set acknowledged_at = $2, acknowledged_by = $3, acknowledged_name = $4, note = $5
         where id = $1 and acknowledged_at is null",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(at)
    .bind::<Nullable<SqlUuid>, _>(by.id)
    .bind::<Text, _>(&by.name)
    .bind::<Text, _>(note)
    .execute(conn)?;
    Ok(done == 1)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Alerts that stand and that nobody has acknowledged.
///
/// # Errors
/// When the database fails.
pub fn count_unheeded(conn: &mut PgConnection) -> Result<i64> {
    let count: Count = diesel::sql_query(
        "select count(*) as n from ingest_alerts where closed_at is null and acknowledged_at is null",
    )
    .get_result(conn)?;
    Ok(count.n)
}
