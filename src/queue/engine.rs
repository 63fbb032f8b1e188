//! The workers, one a lane: each claims due jobs one after the other and runs their handlers; the quick
//! one fires schedules.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};

use super::backoff;
use super::store::{self, Claimed};
use crate::clock::Clock;
use crate::db::{Database, Pool};
use crate::error::{Error, Result, caught};

/// After so many failed attempts a job is dead; the schema refuses more, too.
pub const MAX_ATTEMPTS: i32 = 25;
/// A job that is not heard of for so long is taken over by another worker.
const LEASE: TimeDelta = TimeDelta::minutes(2);
const IDLE: Duration = Duration::from_millis(500);

/// Who waits for whom: jobs of one lane are done one after the other, those of another beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// What is over soon, or must not wait: the nightly run, tidying, looking after ingestion.
    Quick,
    /// What may take an hour, because it is as large as somebody's file or history.
    Long,
}

/// What does the jobs of one kind.
#[derive(Clone, Copy)]
pub struct Handler {
    /// As in `jobs.kind`.
    pub kind: &'static str,
    /// Beside whom.
    pub lane: Lane,
    /// Does the job; may be called again after it failed half-way.
    pub run: fn(&Running<'_>) -> Result<()>,
}

/// When a job is put into the queue by itself.
#[derive(Clone, Copy)]
pub struct Schedule {
    /// The job's kind; there is one schedule a kind.
    pub kind: &'static str,
    pub period: Period,
}

/// How often a schedule fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Once a day, at so many minutes after midnight UTC.
    DailyAt(u32),
    /// Every so many minutes of the hour.
    Minutes(u32),
}

impl Period {
    /// The newest moment at or before `now` at which the schedule was due.
    #[must_use]
    pub fn last_due(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let midnight = now.date_naive().and_time(NaiveTime::MIN).and_utc();
        match self {
            Self::DailyAt(minute) => {
                let today = midnight + TimeDelta::minutes(i64::from(minute));
                if today <= now { today } else { today - Days::new(1) }
            }
            Self::Minutes(minutes) => {
                let step = i64::from(minutes.max(1));
                let passed = (now - midnight).num_minutes();
                midnight + TimeDelta::minutes(passed - passed % step)
            }
        }
    }
}

/// A job that runs: what its handler may use.
pub struct Running<'a> {
    pub db: &'a Database,
    pub clock: &'a Clock,
    pub job: &'a Claimed,
    stop: &'a AtomicBool,
}

impl Running<'_> {
    /// Says how far the job is and renews its lease.
    ///
    /// # Errors
    /// `Conflict` when another worker took the job over, `Unavailable` when the server shuts down:
    /// in both cases the handler ends at once; what it committed stays.
    pub fn progress(&self, done: i64, total: Option<i64>) -> Result<()> {
        if self.stop.load(Ordering::SeqCst) {
            return Err(Error::Unavailable(1, "shutting down".to_owned()));
        }
        let until = self.clock.now() + LEASE;
        let held =
            self.db.tx(Pool::Work, |conn| store::heartbeat(conn, self.job, done, total, until))?;
        if held { Ok(()) } else { Err(Error::Conflict("the lease of this job ran out".to_owned())) }
    }
}

/// Runs due jobs of all lanes until none is left, the quick ones first; how many ran.
///
/// # Errors
/// As [`drain_lane`].
pub fn drain(
    db: &Database,
    clock: &Clock,
    handlers: &[Handler],
    stop: &AtomicBool,
) -> Result<usize> {
    let quick = drain_lane(db, clock, handlers, Lane::Quick, stop)?;
    Ok(quick.saturating_add(drain_lane(db, clock, handlers, Lane::Long, stop)?))
}

/// Runs due jobs of one lane until none is left; how many ran. A kind without a handler is quick: its
/// jobs say so and die.
///
/// # Errors
/// When the queue itself can't be reached. A job's own failure is noted at the job.
pub fn drain_lane(
    db: &Database,
    clock: &Clock,
    handlers: &[Handler],
    lane: Lane,
    stop: &AtomicBool,
) -> Result<usize> {
    let long = handlers.iter().filter(|handler| handler.lane == Lane::Long);
    let long: Vec<&str> = long.map(|handler| handler.kind).collect();
    let of = store::Kinds { listed: &long, are_wanted: lane == Lane::Long };
    let mut ran = 0;
    let now = clock.now();
    db.tx(Pool::Work, |conn| store::bury(conn, now, MAX_ATTEMPTS))?;
    while !stop.load(Ordering::SeqCst) {
        let now = clock.now();
        let claimed =
            db.tx(Pool::Work, |conn| store::claim(conn, &of, now, LEASE, MAX_ATTEMPTS))?;
        let Some(job) = claimed else { break };
        ran += 1;
        let running = Running { db, clock, job: &job, stop };
        let outcome = match handlers.iter().find(|handler| handler.kind == job.kind) {
            Some(handler) => caught(|| (handler.run)(&running)),
            None => Err(Error::internal(format!("no handler for jobs of kind {}", job.kind))),
        };
        let now = clock.now();
        match outcome {
            Ok(()) => db.tx(Pool::Work, |conn| store::finish(conn, &job, now))?,
            Err(error) => note_failure(db, &job, &error, now)?,
        }
    }
    Ok(ran)
}

fn note_failure(db: &Database, job: &Claimed, error: &Error, now: DateTime<Utc>) -> Result<()> {
    let noise = u64::try_from(job.id).unwrap_or(0).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let again = (job.attempts < MAX_ATTEMPTS).then(|| now + backoff::pause(job.attempts, noise));
    tracing::warn!(job = job.id, kind = job.kind, attempt = job.attempts, %error, "job failed");
    db.tx(Pool::Work, |conn| store::fail(conn, job, &error.to_string(), again, now))
}

/// Enqueues the jobs of all schedules that came due since they last ran.
///
/// # Errors
/// When the database fails.
pub fn fire(db: &Database, now: DateTime<Utc>, schedules: &[Schedule]) -> Result<()> {
    for schedule in schedules {
        let due = schedule.period.last_due(now);
        db.tx(Pool::Work, |conn| {
            if store::take_turn(conn, schedule.kind, due, now)? {
                let nothing = serde_json::json!({});
                store::enqueue(conn, schedule.kind, &nothing, Some("scheduled"), now)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// The life of a lane's worker: schedules and jobs, until `stop`. Survives the database going away.
pub fn work(
    db: &Database,
    clock: &Clock,
    handlers: &[Handler],
    lane: Lane,
    schedules: &[Schedule],
    stop: &Arc<AtomicBool>,
) {
    while !stop.load(Ordering::SeqCst) {
        let outcome = fire(db, clock.now(), schedules)
            .and_then(|()| drain_lane(db, clock, handlers, lane, stop));
        match outcome {
            Ok(0) => std::thread::sleep(IDLE),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "the job queue can't be reached, trying again");
                std::thread::sleep(IDLE * 4);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn a_daily_schedule_was_last_due_yesterday_until_its_minute() {
        let nightly = Period::DailyAt(75);
        assert_eq!(nightly.last_due(at("2026-11-20T01:14:59Z")), at("2026-11-19T01:15:00Z"));
        assert_eq!(nightly.last_due(at("2026-11-20T01:15:00Z")), at("2026-11-20T01:15:00Z"));
    }

    #[test]
    fn a_schedule_of_minutes_counts_from_midnight() {
        assert_eq!(
            Period::Minutes(15).last_due(at("2026-11-20T10:44:59Z")),
            at("2026-11-20T10:30:00Z")
        );
    }
}
