//! Stopping the process: what asks for it, and that it ends.
//!
//! SIGTERM, Ctrl-C and a thread that cannot be kept alive ([`crate::threads`]) begin the shutdown.
//! From then on it has a deadline: a watchdog ends the process when connections, jobs or threads have
//! not ended by then. Both wait on threads of their own, so that neither needs the server's runtime.
//! What was acknowledged is in the journal, so an end by the watchdog loses nothing.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::sync::Notify;

use crate::error::{Error, Result};

/// Exit status of a process that did not stop in time (EX_TEMPFAIL).
pub const STOPPED_LATE: i32 = 75;
/// Time for the log's last lines.
const LAST_LINES: Duration = Duration::from_millis(200);

/// A shutdown that may have begun; clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    begun: Notify,
}

#[derive(Debug, Default)]
struct State {
    has_begun: bool,
    failure: Option<String>,
}

impl Shutdown {
    /// Begins it; further calls change nothing but to add a failure.
    pub fn begin(&self) {
        self.lock().has_begun = true;
        self.0.changed.notify_all();
        self.0.begun.notify_waiters();
    }

    /// Begins it because something that the server needs has failed for good.
    pub fn fail(&self, why: String) {
        self.lock().failure.get_or_insert(why);
        self.begin();
    }

    /// Whether it has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.lock().has_begun
    }

    /// Why it began, if by a failure.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.lock().failure.clone()
    }

    /// Resolves once it has begun.
    pub async fn begun(&self) {
        loop {
            let mut notified = std::pin::pin!(self.0.begun.notified());
            // Registered before looking, or a beginning in between would be missed.
            notified.as_mut().enable();
            if self.has_begun() {
                return;
            }
            notified.await;
        }
    }

    /// Begins it at SIGTERM and Ctrl-C, on a thread of its own.
    ///
    /// # Errors
    /// Internal when the signals can't be listened to.
    pub fn on_signals(&self) -> Result<()> {
        let mut signals = Signals::new([SIGTERM, SIGINT]).map_err(Error::internal)?;
        let shutdown = self.clone();
        let listen = move || {
            for _ in signals.forever() {
                shutdown.begin();
            }
        };
        let builder = std::thread::Builder::new().name("signals".to_owned());
        builder.spawn(listen).map_err(Error::internal)?;
        Ok(())
    }

    /// Starts the watchdog: `end` is called on a thread of its own when the process still lives so long
    /// after the shutdown began.
    ///
    /// # Errors
    /// Internal when the system has no thread to give.
    pub fn within(&self, limit: Duration, end: impl FnOnce() + Send + 'static) -> Result<()> {
        let shutdown = self.clone();
        let watch = move || {
            shutdown.wait();
            std::thread::sleep(limit);
            end();
        };
        let builder = std::thread::Builder::new().name("watchdog".to_owned());
        builder.spawn(watch).map_err(Error::internal)?;
        Ok(())
    }

    fn wait(&self) {
        let state = self.lock();
        let begun = self.0.changed.wait_while(state, |state| !state.has_begun);
        drop(begun.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends this process at once, without waiting for anything. Its private PostgreSQL is stopped in order
/// by the kernel's signal at our end.
pub fn end_process(running: &[String]) -> ! {
    tracing::error!(threads = running.join(", "), "not stopped in time: ending the process");
    std::thread::sleep(LAST_LINES);
    signal_hook::low_level::exit(STOPPED_LATE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_watchdog_acts_only_after_the_shutdown_began() {
        let shutdown = Shutdown::default();
        let (tell, told) = mpsc::channel();
        shutdown.within(Duration::from_millis(20), move || tell.send(()).unwrap()).unwrap();
        assert!(told.recv_timeout(Duration::from_millis(100)).is_err());
        shutdown.fail("scorer".to_owned());
        told.recv_timeout(Duration::from_secs(10)).unwrap();
        shutdown.fail("another".to_owned());
        assert_eq!(shutdown.failure().as_deref(), Some("scorer"), "the first is the cause");
    }

    #[actix_web::test]
    async fn whoever_waits_hears_of_it_before_and_afterwards() {
        let shutdown = Shutdown::default();
        let waiting = tokio::task::spawn_local({
            let shutdown = shutdown.clone();
            async move { shutdown.begun().await }
        });
        tokio::task::yield_now().await;
        std::thread::spawn({
            let shutdown = shutdown.clone();
            move || shutdown.begin()
        });
        waiting.await.unwrap();
        shutdown.begun().await;
    }
}
