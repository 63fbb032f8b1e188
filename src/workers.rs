//! The threads behind the server: two drain, one scores, one a lane does jobs. One that ends unasked is
//! started again; if that does not help, all stop ([`crate::threads`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::clock::Clock;
use crate::db::Database;
use crate::error::Result;
use crate::ingest::drain::Limits;
use crate::ingest::drainer::{Drainer, Wake};
use crate::queue::engine::{Lane, work};
use crate::threads::Threads;
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
    pub fn start(db: &Database, clock: &Clock, wake: Wake, threads: &Threads) -> Result<Self> {
        let (projections, limits) = (&jobs::PROJECTIONS, Limits::default());
        let drainer =
            Drainer::start(db.clone(), clock.clone(), projections, limits, wake, threads)?;
        let mut workers =
            Self { stop: Arc::default(), threads: Vec::new(), drainer: Some(drainer) };
        workers.spawn(threads, "scorer", db, clock, |db, clock, stop| {
            scoring::worker::work(db, clock, jobs::after_scoring, stop);
        })?;
        workers.spawn(threads, "jobs", db, clock, |db, clock, stop| {
            work(db, clock, &jobs::HANDLERS, Lane::Quick, &jobs::SCHEDULES, stop);
        })?;
        workers.spawn(threads, "long jobs", db, clock, |db, clock, stop| {
            work(db, clock, &jobs::HANDLERS, Lane::Long, &[], stop);
        })?;
        Ok(workers)
    }

    fn spawn(
        &mut self,
        threads: &Threads,
        name: &str,
        db: &Database,
        clock: &Clock,
        work: fn(&Database, &Clock, &Arc<AtomicBool>),
    ) -> Result<()> {
        let (db, clock, stop) = (db.clone(), clock.clone(), Arc::clone(&self.stop));
        let asked = Arc::clone(&self.stop);
        let is_stopping = move || asked.load(Ordering::SeqCst);
        self.threads.push(threads.spawn(name, is_stopping, move || work(&db, &clock, &stop))?);
        Ok(())
    }

    /// Has jobs and scoring end after what they have in hand, without waiting for it. The drainer goes
    /// on: requests that are still under way bring more.
    pub fn finish_up(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(drainer) = self.drainer.take() {
            drainer.stop();
        }
        for thread in self.threads.drain(..) {
            // A panic was reported where it happened.
            let _ = thread.join();
        }
    }
}
