//! The threads that live as long as the server: none ends without anybody noticing.
//!
//! A thread that panics or returns unasked is started again, after a pause that doubles from a quarter
//! of a second to half a minute; `/readyz` names it until it runs. One that keeps failing, so that
//! starting it again does not help, begins the shutdown of the process: whoever supervises that
//! (systemd, a container runtime) starts it anew, and a person sees the exit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::{Error, Result, panicked};
use crate::shutdown::Shutdown;

/// The pause before the first new start, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));
/// A thread that ran for so long has recovered: its failures are counted from zero again.
const RECOVERED: Duration = Duration::from_secs(60);
/// After so many failures in a row the process stops: about a minute after the first.
const MOST_FAILURES: u32 = 8;
/// How often a pause looks whether the thread is still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// The threads of one server; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Threads {
    states: Arc<Mutex<Vec<State>>>,
    shutdown: Shutdown,
}

#[derive(Clone, Debug)]
struct State {
    name: String,
    phase: Phase,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    /// It ended unasked, for this reason.
    Down(String),
    /// It ended because it was asked to.
    Stopped,
}

impl Threads {
    /// Threads whose lasting failure begins this shutdown.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self { states: Arc::default(), shutdown }
    }

    /// Starts a thread that runs `body` until `is_stopping` says that its end is wanted.
    ///
    /// # Errors
    /// Internal when the system has no thread to give.
    pub fn spawn(
        &self,
        name: &str,
        is_stopping: impl Fn() -> bool + Send + 'static,
        mut body: impl FnMut() + Send + 'static,
    ) -> Result<JoinHandle<()>> {
        let index = self.enter(name);
        let threads = self.clone();
        let supervised = move || {
            let mut failures = 0_u32;
            loop {
                let began = Instant::now();
                let outcome = catch_unwind(AssertUnwindSafe(&mut body));
                if is_stopping() {
                    break threads.set(index, Phase::Stopped);
                }
                let why = match outcome {
                    Ok(()) => "it returned".to_owned(),
                    Err(panic) => panicked(&*panic).to_string(),
                };
                failures = if began.elapsed() >= RECOVERED { 1 } else { failures + 1 };
                if !threads.restart_after_failure(index, failures, why, &is_stopping) {
                    break;
                }
            }
        };
        let builder = std::thread::Builder::new().name(name.to_owned());
        builder.spawn(supervised).map_err(|error| {
            self.set(index, Phase::Down(error.to_string()));
            Error::internal(error)
        })
    }

    /// Notes a failure and waits; whether the thread is to run again.
    fn restart_after_failure(
        &self,
        index: usize,
        failures: u32,
        why: String,
        is_stopping: &impl Fn() -> bool,
    ) -> bool {
        let name = self.lock().get(index).map(|state| state.name.clone()).unwrap_or_default();
        self.set(index, Phase::Down(why.clone()));
        if failures >= MOST_FAILURES {
            tracing::error!(thread = name, failures, why, "a thread keeps failing: stopping");
            self.shutdown.fail(format!("the thread {name} failed {failures} times: {why}"));
            return false;
        }
        let pause = pause(failures);
        tracing::error!(thread = name, failures, why, "a thread ended; again in {pause:?}");
        let since = Instant::now();
        while since.elapsed() < pause {
            if is_stopping() {
                self.set(index, Phase::Stopped);
                return false;
            }
            std::thread::sleep(LOOK.min(pause));
        }
        self.set(index, Phase::Running);
        true
    }

    /// The threads that should run and do not, each with the reason.
    #[must_use]
    pub fn down(&self) -> Vec<(String, String)> {
        let down = |state: &State| match &state.phase {
            Phase::Down(why) => Some((state.name.clone(), why.clone())),
            Phase::Running | Phase::Stopped => None,
        };
        self.lock().iter().filter_map(down).collect()
    }

    /// The names of the threads that run.
    #[must_use]
    pub fn running(&self) -> Vec<String> {
        let states = self.lock();
        let running = states.iter().filter(|state| state.phase == Phase::Running);
        running.map(|state| state.name.clone()).collect()
    }

    fn enter(&self, name: &str) -> usize {
        let mut states = self.lock();
        states.push(State { name: name.to_owned(), phase: Phase::Running });
        states.len() - 1
    }

    fn set(&self, index: usize, phase: Phase) {
        if let Some(state) = self.lock().get_mut(index) {
            state.phase = phase;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to wait before a new start, after so many failures in a row.
fn pause(failures: u32) -> Duration {
    let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
    PAUSES.0.saturating_mul(factor).min(PAUSES.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        let seconds = [1, 2, 3, 8, 40].map(|failures| pause(failures).as_secs_f64());
        assert_eq!(seconds, [0.25, 0.5, 1.0, 30.0, 30.0]);
    }

    #[test]
    fn a_thread_that_panics_or_returns_runs_again_until_it_is_asked_to_stop() {
        let (runs, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let threads = Threads::default();
        let (counted, stopped) = (Arc::clone(&runs), Arc::clone(&stop));
        let is_stopping = {
            let stop = Arc::clone(&stop);
            move || stop.load(Ordering::SeqCst)
        };
        let (reached, third) = std::sync::mpsc::channel();
        let thread = threads
            .spawn("test", is_stopping, move || {
                match counted.fetch_add(1, Ordering::SeqCst) {
                    0 => panic!("the first run"),
                    1 => return,
                    _ => reached.send(()).unwrap(),
                }
                while !stopped.load(Ordering::SeqCst) {
                    std::thread::sleep(LOOK);
                }
            })
            .unwrap();
        third.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(threads.down(), []);
        assert_eq!(threads.running(), ["test"]);
        stop.store(true, Ordering::SeqCst);
        thread.join().unwrap();
        assert_eq!((threads.running().len(), threads.down().len()), (0, 0));
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn one_that_is_down_is_named_and_one_that_keeps_failing_begins_the_shutdown() {
        let shutdown = Shutdown::default();
        let threads = Threads::new(shutdown.clone());
        let index = threads.enter("scorer");
        let go_on = || false;
        let stop = || true;
        assert!(threads.restart_after_failure(index, 1, "a panic: x".into(), &go_on));
        assert_eq!(threads.running(), ["scorer"]);
        assert!(!threads.restart_after_failure(index, 7, "a panic: x".into(), &stop));
        assert!(!shutdown.has_begun());
        assert!(!threads.restart_after_failure(index, MOST_FAILURES, "a panic: x".into(), &go_on));
        assert_eq!(threads.down(), [("scorer".to_owned(), "a panic: x".to_owned())]);
        let failure = shutdown.failure().unwrap();
        assert!(failure.contains("scorer") && failure.contains("a panic: x"), "{failure}");
    }
}
