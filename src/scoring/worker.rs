//! The scorer's life: scores what was touched, batch by batch, until the server stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::ops::{self, AfterScoring};
use crate::clock::Clock;
use crate::db::{Database, Pool};
use crate::error::Result;

/// Rows of `touched_workspaces` a transaction: enough to share the set queries, few enough that a
/// page never waits long for a fresh score.
const BATCH: i64 = 500;
/// An event is on the page within two seconds: the drainer's pause and this one are its share.
const IDLE: Duration = Duration::from_millis(200);

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

/// Scores until `stop`. Survives the database going away.
pub fn work(db: &Database, clock: &Clock, after: AfterScoring, stop: &Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        let now = clock.now();
        match db.tx(Pool::Work, |conn| ops::score_touched(conn, BATCH, now, after)) {
            Ok(0) => std::thread::sleep(IDLE),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "scoring failed, trying again");
                std::thread::sleep(IDLE * 5);
            }
        }
    }
}
