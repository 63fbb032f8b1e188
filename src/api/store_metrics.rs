//! The SQL of the figures for Prometheus.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Timestamptz};

use crate::error::Result;

/// The database's figures as of one instant.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "said in words by `metrics`")]
pub struct Figures {
    #[diesel(sql_type = BigInt)]
    pub accepted: i64,
    #[diesel(sql_type = BigInt)]
    pub rejected: i64,
    #[diesel(sql_type = BigInt)]
    pub duplicates: i64,
    #[diesel(sql_type = BigInt)]
    pub pending: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub oldest_pending_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub dead_letters: i64,
    #[diesel(sql_type = BigInt)]
    pub alerts: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub processed_to: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub touched: i64,
    #[diesel(sql_type = BigInt)]
    pub scored: i64,
    #[diesel(sql_type = BigInt)]
    pub jobs_waiting: i64,
    #[diesel(sql_type = BigInt)]
    pub jobs_dead: i64,
}

/// Reads them.
///
/// # Errors
/// When the database fails.
pub fn figures(conn: &mut PgConnection) -> Result<Figures> {
    Ok(diesel::sql_query(
        "with sums as (
             select coalesce(sum(accepted), 0)::bigint as accepted,
                    coalesce(sum(rejected), 0)::bigint as rejected,
                    coalesce(sum(duplicates), 0)::bigint as duplicates
             from ingest_minutes
         ), waiting as (
             select coalesce(sum(events), 0)::bigint as pending,
                    min(received_at) as oldest_pending_at
             from journal_pending
         ), work as (
             select count(*) filter (where finished_at is null and died_at is null) as jobs_waiting,
                    count(*) filter (where died_at is not null) as jobs_dead
             from jobs
         )
         select sums.*, waiting.*, work.*,
                (select count(*) from dead_letters
                 where replayed_at is null and discarded_at is null) as dead_letters,
                (select count(*) from ingest_alerts where closed_at is null) as alerts,
                case when waiting.oldest_pending_at is null
                     then (select received_at from journal order by received_on desc, id desc limit 1)
                     else (select received_at from journal
                           where (received_on, id) < (select received_on, id from journal_pending order by id limit 1)
                           order by received_on desc, id desc limit 1)
                end as processed_to,
                (select count(*) from touched_workspaces) as touched,
                (select count(*) from workspace_scores) as scored
         from sums, waiting, work",
    )
    .get_result(conn)?)
}
