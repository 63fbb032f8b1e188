//! The thread that keeps draining.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::drain::{self, Limits, Projection};
use crate::clock::Clock;
use crate::db::Database;
use crate::error::{Error, Result};

/// How long the drainer sleeps when nobody wakes it: other servers write to the journal too.
const NAP: Duration = Duration::from_millis(250);
/// How long it waits after a failure, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));

/// Wakes the drainer; clones wake the same one.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<(Mutex<bool>, Condvar)>);

impl Wake {
    /// There is something in the journal. Cheap; to be called after the commit.
    pub fn notify(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_one();
    }

    /// Sleeps until woken, at most so long.
    fn wait(&self, at_most: Duration) {
        let woken = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let woken = self.0.1.wait_timeout_while(woken, at_most, |woken| !*woken);
        *woken.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}

/// A drainer at work; stopping it waits for the chunk at hand.
#[derive(Debug)]
pub struct Drainer {
    stopping: Arc<AtomicBool>,
    wake: Wake,
    thread: Option<JoinHandle<()>>,
}

impl Drainer {
    /// Starts to drain: until the journal has nothing pending, then whenever woken, or four times a
    /// second. Goes on by itself when the database was away.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(
        db: Database,
        clock: Clock,
        projections: &'static [Projection],
        limits: Limits,
        wake: Wake,
    ) -> Result<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        let (stop, woken) = (Arc::clone(&stopping), wake.clone());
        let thread = std::thread::Builder::new()
            .name("drainer".to_owned())
            .spawn(move || work(&db, &clock, projections, limits, &woken, &stop))
            .map_err(Error::internal)?;
        Ok(Self { stopping, wake, thread: Some(thread) })
    }

    /// Stops after the chunk at hand.
    pub fn stop(mut self) {
        self.halt();
    }

    fn halt(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.wake.notify();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the drainer had panicked");
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
    let mut pause = PAUSES.0;
    while !stopping.load(Ordering::SeqCst) {
        // A panic in a projection is a mistake of ours; the next chunk may be fine.
        let step = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            drain::step(db, clock, projections, limits)
        }));
        match step {
            Ok(Ok(done)) => {
                pause = PAUSES.0;
                if done.rows == 0 {
                    wake.wait(NAP);
                }
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot drain now, trying again in {} ms", pause.as_millis());
                wake.wait(pause);
                pause = pause.saturating_mul(2).min(PAUSES.1);
            }
            Err(_) => {
                tracing::error!("draining panicked, trying again in {} ms", pause.as_millis());
                wake.wait(pause);
                pause = pause.saturating_mul(2).min(PAUSES.1);
            }
        }
    }
}
