//! The scorer's life: scores what was touched, batch by batch, until the server stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::ops::{self, AfterScoring};
use crate::clock::Clock;
use crate::db::{Database, Pool};
use crate::error::Result;
use crate::ingest::store_status;

/// Rows of `touched_workspaces` a transaction: enough to share the set queries, few enough that a
/// page never waits long for a fresh score.
const BATCH: i64 = 500;
/// An event is on the page within two seconds: the drainer's pause and this one are its share.
const IDLE: Duration = Duration::from_millis(200);

/// While what was received so long ago is not projected, the scorer gives way to the drainer: it would
/// score what is not all there, on processors that the drainer needs.
const PATIENCE: TimeDelta = TimeDelta::seconds(2);
/// How long it gives way between two batches; a batch takes a fraction of that.
const GIVE_WAY: Duration = Duration::from_secs(1);

/// Scores everything that waits; how many workspaces.
///
/// # Errors
/// When the database fails.
pub fn drain(db: &Database, clock: &Clock, after: AfterScoring) -> Result<usize> {
    let mut scored = 0;
    loop {
        let now = clock.now();
        match db.tx(Pool::Work, |conn| ops::score_touched(conn, BATCH, now, after))? {
            0 => return Ok(scored),
            some => scored += some,
        }
    }
}

/// A failure is no answer; the next batch meets it, too, and says so.
fn drainer_is_behind(db: &Database, now: DateTime<Utc>) -> bool {
    let oldest = db.read(Pool::Work, store_status::oldest_pending);
    oldest.is_ok_and(|oldest| oldest.is_some_and(|received_at| received_at < now - PATIENCE))
}

/// Scores until `stop`. Survives the database going away.
pub fn work(db: &Database, clock: &Clock, after: AfterScoring, stop: &Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        let now = clock.now();
        match db.tx(Pool::Work, |conn| ops::score_touched(conn, BATCH, now, after)) {
            Ok(0) => std::thread::sleep(IDLE),
            Ok(_) if drainer_is_behind(db, now) => std::thread::sleep(GIVE_WAY),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "scoring failed, trying again");
                std::thread::sleep(IDLE * 5);
            }
        }
    }
}
