//! The SQL of the queue.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Interval, Jsonb, Text, Timestamptz};
use serde_json::Value;

use crate::error::Result;
use crate::schema::jobs;

/// A job that a worker holds.
#[derive(Debug, Clone, QueryableByName)]
pub struct Claimed {
    /// The job.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// Which handler does it.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// What the handler needs to know.
    #[diesel(sql_type = Jsonb)]
    pub payload: Value,
    /// The number of this attempt, from 1: the fence of every later write.
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
}

/// How a job stands, for its page and `GET /api/v1/jobs/{id}`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub struct Progress {
    pub id: i64,
    pub kind: String,
    /// Steps done, of `total` if that is known.
    pub done: i64,
    pub total: Option<i64>,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub died_at: Option<DateTime<Utc>>,
    /// A person ended it early.
    pub cancelled_at: Option<DateTime<Utc>>,
}

/// Puts a job into the queue in the caller's transaction. With a `dedupe_key` an unfinished job of
/// the same kind and key is left as it is and its id is returned.
///
/// # Errors
/// When the database fails.
pub fn enqueue(
    conn: &mut PgConnection,
    kind: &str,
    payload: &Value,
    dedupe_key: Option<&str>,
    now: DateTime<Utc>,
) -> Result<i64> {
    let inserted: Option<i64> = diesel::insert_into(jobs::table)
        .values((
            jobs::kind.eq(kind),
            jobs::payload.eq(payload),
            jobs::dedupe_key.eq(dedupe_key),
            jobs::run_at.eq(now),
            jobs::created_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .returning(jobs::id)
        .get_result(conn)
        .optional()?;
    match inserted {
        Some(id) => Ok(id),
        None => Ok(jobs::table
            .filter(jobs::kind.eq(kind))
            .filter(jobs::dedupe_key.is_not_distinct_from(dedupe_key))
            .filter(jobs::finished_at.is_null())
            .filter(jobs::died_at.is_null())
            .select(jobs::id)
            .first(conn)?),
    }
}

/// Which kinds of jobs: those that are listed, or all others.
pub(super) struct Kinds<'a> {
    pub listed: &'a [&'a str],
    pub are_wanted: bool,
}

/// Claims the next due job of these kinds for `lease`; one whose lease ran out counts as due again.
pub(super) fn claim(
    conn: &mut PgConnection,
    of: &Kinds<'_>,
    now: DateTime<Utc>,
    lease: TimeDelta,
    max_attempts: i32,
) -> Result<Option<Claimed>> {
    Ok(diesel::sql_query(
        "update jobs set attempts = attempts + 1, lease_until = $1 + $2
         where id = (select id from jobs
                     where finished_at is null and died_at is null and run_at <= $1
                       and (lease_until is null or lease_until < $1) and attempts < $3
                       and (kind = any($4)) = $5
                     order by run_at, id limit 1 for update skip locked)
         returning id, kind, payload, attempts",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Interval, _>(diesel::pg::data_types::PgInterval::from_microseconds(
        lease.num_microseconds().unwrap_or(0),
    ))
    .bind::<Integer, _>(max_attempts)
    .bind::<Array<Text>, _>(of.listed)
    .bind::<Bool, _>(of.are_wanted)
    .get_result(conn)
    .optional()?)
}

/// Declares jobs dead whose last attempt ended without a word, killed with its server: nobody claims
/// them again, and their dedupe key must not keep new ones out.
pub(super) fn bury(conn: &mut PgConnection, now: DateTime<Utc>, max_attempts: i32) -> Result<()> {
    diesel::update(jobs::table)
        .filter(jobs::finished_at.is_null())
        .filter(jobs::died_at.is_null())
        .filter(jobs::attempts.ge(max_attempts))
        .filter(jobs::lease_until.lt(now))
        .set((
            jobs::died_at.eq(now),
            jobs::lease_until.eq(None::<DateTime<Utc>>),
            jobs::last_error.eq("The last attempt ended without a word."),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes progress and renews the lease. False: another worker holds the job by now, stop.
///
/// # Errors
/// When the database fails.
pub fn heartbeat(
    conn: &mut PgConnection,
    job: &Claimed,
    done: i64,
    total: Option<i64>,
    lease_until: DateTime<Utc>,
) -> Result<bool> {
    let rows = diesel::update(jobs::table)
        .filter(jobs::id.eq(job.id))
        .filter(jobs::attempts.eq(job.attempts))
        .filter(jobs::finished_at.is_null())
        .set((jobs::done.eq(done), jobs::total.eq(total), jobs::lease_until.eq(lease_until)))
        .execute(conn)?;
    Ok(rows == 1)
}

pub(super) fn finish(conn: &mut PgConnection, job: &Claimed, now: DateTime<Utc>) -> Result<()> {
    diesel::update(jobs::table)
        .filter(jobs::id.eq(job.id))
        .filter(jobs::attempts.eq(job.attempts))
        .set((jobs::finished_at.eq(now), jobs::lease_until.eq(None::<DateTime<Utc>>)))
        .execute(conn)?;
    Ok(())
}

/// Notes a failure: the job runs again at `run_at`, or never when that is `None`.
pub(super) fn fail(
    conn: &mut PgConnection,
    job: &Claimed,
    error: &str,
    run_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::update(jobs::table)
        .filter(jobs::id.eq(job.id))
        .filter(jobs::attempts.eq(job.attempts))
        .filter(jobs::finished_at.is_null())
        .set((
            jobs::last_error.eq(error),
            jobs::lease_until.eq(None::<DateTime<Utc>>),
            jobs::run_at.eq(run_at.unwrap_or(now)),
            jobs::died_at.eq(run_at.is_none().then_some(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Ends a job early: its handler notices with its next progress, and what it committed stays.
/// False when there is no such job under way.
///
/// # Errors
/// When the database fails.
pub fn cancel(conn: &mut PgConnection, id: i64, kind: &str, now: DateTime<Utc>) -> Result<bool> {
    let rows = diesel::update(jobs::table)
        .filter(jobs::id.eq(id))
        .filter(jobs::kind.eq(kind))
        .filter(jobs::finished_at.is_null())
        .filter(jobs::died_at.is_null())
        .set((jobs::finished_at.eq(now), jobs::cancelled_at.eq(now)))
        .execute(conn)?;
    Ok(rows == 1)
}

/// Takes the turn of a schedule: true at most once per `due` moment, whoever asks.
pub(super) fn take_turn(
    conn: &mut PgConnection,
    name: &str,
    due: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let rows = diesel::sql_query(
        "insert into schedules (name, last_run_at) values ($1, $2)
         on conflict (name) do update set last_run_at = excluded.last_run_at
         where schedules.last_run_at < $3",
    )
    .bind::<Text, _>(name)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(due)
    .execute(conn)?;
    Ok(rows == 1)
}

/// One job's progress.
///
/// # Errors
/// `NotFound` when there is no such job.
pub fn progress(conn: &mut PgConnection, id: i64) -> Result<Progress> {
    Ok(jobs::table.find(id).select(Progress::as_select()).first(conn)?)
}

/// The newest unfinished job of a kind, so that a page can show its progress.
///
/// # Errors
/// When the database fails.
pub fn running(conn: &mut PgConnection, kind: &str) -> Result<Option<Progress>> {
    Ok(jobs::table
        .filter(jobs::kind.eq(kind))
        .filter(jobs::finished_at.is_null())
        .filter(jobs::died_at.is_null())
        .order(jobs::id.desc())
        .select(Progress::as_select())
        .first(conn)
        .optional()?)
}

/// Jobs that are neither finished nor dead: tests fail when some remain.
///
/// # Errors
/// When the database fails.
pub fn unfinished(conn: &mut PgConnection) -> Result<i64> {
    Ok(jobs::table
        .filter(jobs::finished_at.is_null())
        .filter(jobs::died_at.is_null())
        .count()
        .get_result(conn)?)
}

/// Deletes jobs that finished before `before`.
///
/// # Errors
/// When the database fails.
pub fn forget_finished(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<usize> {
    Ok(diesel::delete(jobs::table.filter(jobs::finished_at.lt(before))).execute(conn)?)
}

/// Deletes jobs of one kind that finished before `before`.
///
/// # Errors
/// When the database fails.
pub fn forget_finished_of(
    conn: &mut PgConnection,
    kind: &str,
    before: DateTime<Utc>,
) -> Result<usize> {
    let finished = jobs::table.filter(jobs::kind.eq(kind)).filter(jobs::finished_at.lt(before));
    Ok(diesel::delete(finished).execute(conn)?)
}
