//! The SQL of looking on: how much came in, how far behind the projections are.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Timestamptz, Uuid as SqlUuid};

use crate::error::Result;
use crate::ids::SourceId;

/// Ingestion as a whole, as of one instant.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Totals {
    /// Events acknowledged, duplicates included.
    #[diesel(sql_type = BigInt)]
    pub accepted: i64,
    /// Of these, events that were known already.
    #[diesel(sql_type = BigInt)]
    pub duplicates: i64,
    /// Events refused by the parser or the drainer.
    #[diesel(sql_type = BigInt)]
    pub rejected: i64,
    /// Events acknowledged and not yet projected.
    #[diesel(sql_type = BigInt)]
    pub pending: i64,
    /// When the oldest of those was received.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub oldest_pending_at: Option<DateTime<Utc>>,
    /// When the newest event was received that is followed by no pending one before it.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub processed_to: Option<DateTime<Utc>>,
    /// Dead letters that wait for a person.
    #[diesel(sql_type = BigInt)]
    pub dead_letters: i64,
    /// Alerts that stand.
    #[diesel(sql_type = BigInt)]
    pub alerts: i64,
    /// Whether workspaces wait for their score.
    #[diesel(sql_type = Bool)]
    pub scoring: bool,
}

/// A source's last hour, minute by minute.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Minute {
    #[diesel(sql_type = SqlUuid)]
    pub source_id: SourceId,
    #[diesel(sql_type = Timestamptz)]
    pub minute: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    pub accepted: i64,
    #[diesel(sql_type = BigInt)]
    pub rejected: i64,
    #[diesel(sql_type = BigInt)]
    pub duplicates: i64,
}

/// When a source was last heard of.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct LastHeard {
    #[diesel(sql_type = SqlUuid)]
    pub source_id: SourceId,
    /// To the minute.
    #[diesel(sql_type = Timestamptz)]
    pub minute: DateTime<Utc>,
}

/// Ingestion as a whole; the counts since `since`, the rest as it is now.
///
/// # Errors
/// When the database fails.
pub fn totals(conn: &mut PgConnection, since: DateTime<Utc>) -> Result<Totals> {
    // The journal is read backwards by its key: it may hold months.
    Ok(diesel::sql_query(
        "with sums as (
             select coalesce(sum(accepted), 0)::bigint as accepted, coalesce(sum(rejected), 0)::bigint as rejected,
                    coalesce(sum(duplicates), 0)::bigint as duplicates
             from ingest_minutes where minute >= $1
         ), waiting as (
             select coalesce(sum(events), 0)::bigint as pending, min(received_at) as oldest_pending_at
             from journal_pending
         ), next as (
             select received_on, id from journal_pending order by id limit 1
         )
         select sums.*, waiting.*,
                case when exists (select from next)
                     then (select received_at from journal
                           where (received_on, id) < (select received_on, id from next)
                           order by received_on desc, id desc limit 1)
                     else (select received_at from journal order by received_on desc, id desc limit 1)
                end as processed_to,
                (select count(*) from dead_letters where replayed_at is null and discarded_at is null) as dead_letters,
                (select count(*) from ingest_alerts where closed_at is null) as alerts,
                exists (select from touched_workspaces) as scoring
         from sums, waiting",
    )
    .bind::<Timestamptz, _>(since)
    .get_result(conn)?)
}

/// Acknowledged events that are not yet projected.
///
/// # Errors
/// When the database fails.
pub fn pending(conn: &mut PgConnection) -> Result<i64> {
    use diesel::dsl::sql;
    Ok(diesel::select(sql::<BigInt>(
        "(select coalesce(sum(events), 0)::bigint from journal_pending)",
    ))
    .get_result(conn)?)
}

/// What every source sent since `since`, oldest minute first; minutes without events are missing.
///
/// # Errors
/// When the database fails.
pub fn minutes(conn: &mut PgConnection, since: DateTime<Utc>) -> Result<Vec<Minute>> {
    Ok(diesel::sql_query(
        "select source_id, minute, accepted, rejected, duplicates from ingest_minutes
         where minute >= $1 order by minute, source_id",
    )
    .bind::<Timestamptz, _>(since)
    .load(conn)?)
}

/// When each source was last heard of; those that never sent are missing.
///
/// # Errors
/// When the database fails.
pub fn last_heard(conn: &mut PgConnection) -> Result<Vec<LastHeard>> {
    Ok(diesel::sql_query(
        "select s.id as source_id, m.minute
         from sources s cross join lateral
              (select minute from ingest_minutes where source_id = s.id order by source_id desc, minute desc limit 1) m",
    )
    .load(conn)?)
}

/// What one source sent in requests that were written down together, as it lies in the journal.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Stored {
    #[diesel(sql_type = Timestamptz)]
    pub received_at: DateTime<Utc>,
    #[diesel(sql_type = diesel::sql_types::Bytea)]
    pub payload: Vec<u8>,
    /// Whether it waits for its projection.
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub waits: bool,
}

/// The first minute in which something of this source was accepted, as far as minutes are kept.
///
/// # Errors
/// When the database fails.
pub fn first_accepted(conn: &mut PgConnection, source: SourceId) -> Result<Option<DateTime<Utc>>> {
    #[derive(QueryableByName)]
    struct First {
        #[diesel(sql_type = Timestamptz)]
        minute: DateTime<Utc>,
    }
    let first: Option<First> = diesel::sql_query(
        "select minute from ingest_minutes where source_id = $1 and accepted > 0 order by minute limit 1",
    )
    .bind::<SqlUuid, _>(source)
    .get_result(conn)
    .optional()?;
    Ok(first.map(|first| first.minute))
}

/// What this source sent last, newest first, at most so many requests: of the minute in which it was
/// last heard and what came after it.
///
/// # Errors
/// When the database fails.
pub fn last_stored(
    conn: &mut PgConnection,
    source: SourceId,
    minute: DateTime<Utc>,
    at_most: i64,
) -> Result<Vec<Stored>> {
    // By the key, backwards, within a minute: a busy neighbour costs a scan of that minute at most.
    Ok(diesel::sql_query(
        "select received_at, payload, exists (select from journal_pending p where p.id = journal.id) as waits
         from journal
         where received_on >= ($2 at time zone 'utc')::date and received_at >= $2 and source_id = $1
         order by received_on desc, id desc limit $3",
    )
    .bind::<SqlUuid, _>(source)
    .bind::<Timestamptz, _>(minute)
    .bind::<BigInt, _>(at_most)
    .load(conn)?)
}

/// What waits for its projection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, QueryableByName)]
pub struct Waiting {
    /// Requests, which are rows of the journal.
    #[diesel(sql_type = BigInt)]
    pub requests: i64,
    #[diesel(sql_type = BigInt)]
    pub events: i64,
    /// When the oldest was received.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub oldest_at: Option<DateTime<Utc>>,
}

/// What waits for its projection.
///
/// # Errors
/// When the database fails.
pub fn waiting(conn: &mut PgConnection) -> Result<Waiting> {
    Ok(diesel::sql_query(
        "select count(*) as requests, coalesce(sum(events), 0)::bigint as events, min(received_at) as oldest_at
         from journal_pending",
    )
    .get_result(conn)?)
}

/// What a source sent since `since`, in slots of so many seconds, oldest first; slots without events
/// are missing.
///
/// # Errors
/// When the database fails.
pub fn slots(
    conn: &mut PgConnection,
    source: SourceId,
    since: DateTime<Utc>,
    seconds: i64,
) -> Result<Vec<Minute>> {
    Ok(diesel::sql_query(
        "select source_id, to_timestamp(floor(extract(epoch from minute) / $3) * $3) as minute,
                sum(accepted)::bigint as accepted, sum(rejected)::bigint as rejected,
                sum(duplicates)::bigint as duplicates
         from ingest_minutes where source_id = $1 and minute >= $2 group by 1, 2 order by 2",
    )
    .bind::<SqlUuid, _>(source)
    .bind::<Timestamptz, _>(since)
    .bind::<BigInt, _>(seconds.max(60))
    .load(conn)?)
}
