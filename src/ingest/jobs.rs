//! What ingestion forgets, and when.

use chrono::{DateTime, Days, NaiveDate, Utc};
use uuid::Uuid;

use super::{ops, ops_notes, store_retention};
use crate::db::Pool;
use crate::error::{Error, Result};
use crate::queue::engine::Running;
use crate::retention::{policy, store};

const KEEP_SEEN: Days = Days::new(policy::KNOWN_MESSAGES);
const KEEP_LETTERS: Days = Days::new(policy::DEAD_LETTERS);
/// The rhythm of a source is read from four weeks of minutes; older ones become days.
const KEEP_MINUTES: Days = Days::new(35);
const KEEP_MEASURES: Days = Days::new(policy::MEASURES);
/// What is usual for an event name is read from so many days ([`super::names::HISTORY`]).
const KEEP_NAMES: Days = Days::new(90);
/// Rows a transaction: the drainer writes the same tables.
const BATCH: i64 = 20_000;

/// Forgets known messages, dead letters that are settled or of visitors who stayed unknown, where events
/// without a named workspace were placed, and days of the journal that are kept no longer.
///
/// # Errors
/// When the database fails, or when the job's lease was lost; what was forgotten stays so.
pub fn forget(running: &Running<'_>) -> Result<()> {
    let now = running.clock.now();
    let mut done = 0;
    let seen = before(now, KEEP_SEEN);
    loop {
        match running.db.tx(Pool::Work, |conn| store_retention::forget_seen(conn, seen, BATCH))? {
            0 => break,
            some => done += some,
        }
        running.progress(i64::try_from(done).unwrap_or(i64::MAX), None)?;
    }
    let minutes = before(now, KEEP_MINUTES);
    running.db.tx(Pool::Work, |conn| store_retention::fold_minutes(conn, minutes))?;
    let (measured, named) = (before(now, KEEP_MEASURES), before(now, KEEP_NAMES));
    running.db.tx(Pool::Work, |conn| store_retention::forget_measures(conn, measured, named))?;
    let letters = before(now, KEEP_LETTERS);
    running.db.tx(Pool::Work, |conn| store_retention::forget_letters(conn, letters))?;
    let raw = running
        .db
        .read(Pool::Work, |conn| Ok(store::load(conn)?.policy.journal_from(now.date_naive())))?;
    for name in running.db.read(Pool::Work, |conn| store_retention::old_partitions(conn, raw))? {
        running.db.tx(Pool::Work, |conn| store_retention::drop_partition(conn, &name))?;
    }
    running.db.tx(Pool::Work, |conn| store_retention::forget_default(conn, raw))?;
    // What was drained of days that are gone cannot be counted again.
    while running.db.tx(Pool::Work, |conn| store_retention::forget_chunks(conn, raw, BATCH))? > 0 {
        running.progress(i64::try_from(done).unwrap_or(i64::MAX), None)?;
    }
    // After them: a rebuild in between would take events for new whose places are forgotten.
    while running.db.tx(Pool::Work, |conn| store_retention::forget_inferred(conn, raw, BATCH))? > 0
    {
        running.progress(i64::try_from(done).unwrap_or(i64::MAX), None)?;
    }
    Ok(())
}

/// Notes of the drainer looked at by one transaction: it waits for that.
const NOTES: i64 = 2_000;

/// Makes one of the drainer's small notes about days that are over, as far as they are alike.
///
/// # Errors
/// When the database fails, or when the job's lease was lost; what was merged stays so.
pub fn merge_notes(running: &Running<'_>) -> Result<()> {
    let today = running.clock.now().date_naive();
    let mut after = 0;
    loop {
        let last = running.db.tx(Pool::Work, |conn| ops_notes::merge(conn, after, today, NOTES))?;
        let Some(last) = last else { return Ok(()) };
        after = last;
        running.progress(0, None)?;
    }
}

/// Goes on with the replay that the job names until all its letters were tried.
///
/// # Errors
/// When the database fails, or when the job's lease was lost; what was tried stays so.
pub fn replay(running: &Running<'_>) -> Result<()> {
    let id = running.job.payload.get("replay").and_then(|id| id.as_str()?.parse().ok());
    let id: Uuid = id.ok_or_else(|| Error::internal("a job that names no replay"))?;
    let mut done = 0_i64;
    loop {
        let now = running.clock.now();
        let room = running.db.check_room()?;
        let step = running.db.tx(Pool::Work, |conn| ops::step(conn, room, id, now))?;
        done += i64::try_from(step.journaled + step.refused).unwrap_or(0);
        if !step.more {
            return Ok(());
        }
        running.progress(done, None)?;
    }
}

fn before(now: DateTime<Utc>, keep: Days) -> NaiveDate {
    let today = now.date_naive();
    today.checked_sub_days(keep).unwrap_or(today)
}
