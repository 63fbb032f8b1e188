//! The scorer's life: scores what was touched, batch by batch, until the server stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::ops::{self, AfterScoring};
use crate::clock::Clock;
use crate::db::{Database, Pool};
use crate::error::Result;
use crate::ingest::store_status::{self, Waiting};

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

/// So many events that are not projected say that the processors are busy with what comes in.
const BUSY: i64 = 2_000;

/// How long to rest after a batch that took so long, while so many events wait to be projected, the oldest
/// of them received then. While many come in the scorer works half of the time: what it scores now it
/// will score again, and acknowledging comes first.
fn rest(waiting: Waiting, now: DateTime<Utc>, took: Duration) -> Duration {
    if waiting.oldest_at.is_some_and(|received_at| received_at < now - PATIENCE) {
        GIVE_WAY
    } else if waiting.events >= BUSY {
        took.min(GIVE_WAY)
    } else {
        Duration::ZERO
    }
}

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
        let began = Instant::now();
        match db.tx(Pool::Work, |conn| ops::score_touched(conn, BATCH, now, after)) {
            Ok(0) => std::thread::sleep(IDLE),
            Ok(_) => {
                let took = began.elapsed();
                // A failure is no answer; the next batch meets it, too, and says so.
                let waiting = db.read(Pool::Work, store_status::waiting).unwrap_or_default();
                std::thread::sleep(rest(waiting, now, took));
            }
            Err(error) => {
                tracing::warn!(%error, "scoring failed, trying again");
                std::thread::sleep(IDLE * 5);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_way_to_what_comes_in_and_to_a_drainer_that_is_behind() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let took = Duration::from_millis(150);
        let after = |events, seconds, took| {
            let oldest_at = Some(now - TimeDelta::seconds(seconds));
            rest(Waiting { requests: 1, events, oldest_at }, now, took)
        };
        assert_eq!(rest(Waiting::default(), now, took), Duration::ZERO);
        assert_eq!(after(BUSY - 1, 1, took), Duration::ZERO);
        assert_eq!(after(BUSY, 1, took), took);
        assert_eq!(after(BUSY, 1, GIVE_WAY * 9), GIVE_WAY);
        assert_eq!(after(1, 3, took), GIVE_WAY);
    }
}
