//! The threads that keep draining: while one projects its chunk, the other reads the next.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::drain::{self, Limits, Projection};
use crate::clock::Clock;
use crate::db::Database;
use crate::error::Result;
use crate::threads::Threads;

/// How long the drainer sleeps when nobody wakes it: other servers write to the journal too.
const NAP: Duration = Duration::from_millis(250);
/// How long it gathers after a chunk that was not full: a chunk costs some thirty statements, be it
/// of one event or of thousands.
const GATHER: Duration = Duration::from_millis(200);
/// Chunks under way: one that is projected, one that is read. A third would only wait.
const THREADS: usize = 2;
/// How long it waits after a failure, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));

/// Wakes the drainer; clones wake the same one.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<(Mutex<u64>, Condvar)>);

impl Wake {
    /// There is something in the journal. Cheap; to be called after the commit.
    pub fn notify(&self) {
        let mut times = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        *times = times.wrapping_add(1);
        self.0.1.notify_all();
    }

    /// Sleeps until woken, at most so long; not at all if that happened since `heard` was set.
    fn wait(&self, heard: &mut u64, at_most: Duration) {
        let times = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let times = self.0.1.wait_timeout_while(times, at_most, |times| *times == *heard);
        *heard = *times.unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// A drainer at work; stopping it waits for the chunks at hand.
#[derive(Debug)]
pub struct Drainer {
    stopping: Arc<AtomicBool>,
    wake: Wake,
    threads: Vec<JoinHandle<()>>,
}

impl Drainer {
    /// Starts to drain: until the journal has nothing pending, then whenever woken, or four times a
    /// second. Goes on by itself when the database was away.
    ///
    /// # Errors
    /// When there are no threads to be had.
    pub fn start(
        db: Database,
        clock: Clock,
        projections: &'static [Projection],
        limits: Limits,
        wake: Wake,
        among: &Threads,
    ) -> Result<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        let mut drainer = Self { stopping, wake, threads: Vec::new() };
        for number in 1..=THREADS {
            let (stop, wake) = (Arc::clone(&drainer.stopping), drainer.wake.clone());
            let (db, clock) = (db.clone(), clock.clone());
            let asked = Arc::clone(&stop);
            let is_stopping = move || asked.load(Ordering::SeqCst);
            let body = move || work(&db, &clock, projections, limits, &wake, &stop);
            drainer.threads.push(among.spawn(&format!("drainer {number}"), is_stopping, body)?);
        }
        Ok(drainer)
    }

    /// Stops after the chunks at hand.
    pub fn stop(mut self) {
        self.halt();
    }

    fn halt(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.wake.notify();
        for thread in self.threads.drain(..) {
            // A panic was reported where it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Drainer {
    fn drop(&mut self) {
        self.halt();
    }
}

fn work(
    db: &Database,
    clock: &Clock,
    projections: &[Projection],
    limits: Limits,
    wake: &Wake,
    stopping: &AtomicBool,
) {
    let (mut pause, mut heard) = (PAUSES.0, 0);
    while !stopping.load(Ordering::SeqCst) {
        // A panic in a projection is a mistake of ours; the next chunk may be fine.
        let step = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            drain::step(db, clock, projections, limits)
        }));
        match step {
            Ok(Ok(done)) => {
                pause = PAUSES.0;
                if done.rows == 0 {
                    wake.wait(&mut heard, NAP);
                } else if !limits.reached_by(done) {
                    std::thread::sleep(GATHER);
                }
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot drain now, trying again in {} ms", pause.as_millis());
                wake.wait(&mut heard, pause);
                pause = pause.saturating_mul(2).min(PAUSES.1);
            }
            Err(_) => {
                tracing::error!("draining panicked, trying again in {} ms", pause.as_millis());
                wake.wait(&mut heard, pause);
                pause = pause.saturating_mul(2).min(PAUSES.1);
            }
        }
    }
}
