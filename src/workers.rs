//! The threads behind the server: one drains, one scores, one a lane does jobs. If one ends, all stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::clock::Clock;
use crate::db::Database;
use crate::error::{Error, Result};
use crate::ingest::drain::Limits;
use crate::ingest::drainer::{Drainer, Wake};
use crate::queue::engine::{Lane, work};
use crate::{jobs, scoring};

/// The workers of one server; dropping them lets each finish what it has in hand.
pub struct Workers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    drainer: Option<Drainer>,
}

impl Workers {
    /// Starts all of them.
    ///
    /// # Errors
    /// When there are no threads to be had.
    pub fn start(db: &Database, clock: &Clock, wake: Wake) -> Result<Self> {
        let drainer =
            Drainer::start(db.clone(), clock.clone(), &jobs::PROJECTIONS, Limits::default(), wake)?;
        let mut workers =
            Self { stop: Arc::default(), threads: Vec::new(), drainer: Some(drainer) };
        workers.spawn("scorer", db, clock, |db, clock, stop| {
            scoring::worker::work(db, clock, jobs::after_scoring, stop);
        })?;
        workers.spawn("jobs", db, clock, |db, clock, stop| {
            work(db, clock, &jobs::HANDLERS, Lane::Quick, &jobs::SCHEDULES, stop);
        })?;
        workers.spawn("long jobs", db, clock, |db, clock, stop| {
            work(db, clock, &jobs::HANDLERS, Lane::Long, &[], stop);
        })?;
        Ok(workers)
    }

    fn spawn(
        &mut self,
        name: &str,
        db: &Database,
        clock: &Clock,
        work: fn(&Database, &Clock, &Arc<AtomicBool>),
    ) -> Result<()> {
        let (db, clock, stop) = (db.clone(), clock.clone(), Arc::clone(&self.stop));
        let body = move || {
            while !stop.load(Ordering::SeqCst) {
                let run = std::panic::AssertUnwindSafe(|| work(&db, &clock, &stop));
                if std::panic::catch_unwind(run).is_err() {
                    // A mistake of ours in one piece of work; the next may be fine.
                    tracing::error!("a worker panicked and goes on in a second");
                    std::thread::sleep(std::time::Duration::from_secs(1));
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(body)
            .map_err(Error::internal)?;
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(drainer) = self.drainer.take() {
            drainer.stop();
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a worker ended badly");
            }
        }
    }
}
