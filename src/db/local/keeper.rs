//! The thread that keeps the server: it waits for the ownership, starts PostgreSQL, buries it and
//! starts it again when it died without being asked to.
//!
//! One thread for all of it, because the server ends with the thread that started it.

use std::fs::{File, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::{LocalError, launch, process};
use crate::error::panicked;

/// How often a borrower asks whether the owner is gone.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// Between two lives of a server that keeps dying.
const REST: Duration = Duration::from_secs(1);
/// How long an orphan may take to end by itself, then when asked, then when told.
const PATIENCE: [Duration; 3] =
    [Duration::from_secs(5), Duration::from_secs(20), Duration::from_secs(5)];

/// What the server is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// We own it and are about to start it.
    Starting,
    /// It belongs to another process, for now.
    Borrowing,
    /// Ours runs, or is recovering, as this process.
    Running(u32),
    /// It could not be started, or died; the words say why.
    Down(Trouble),
}

/// A failure that can be told more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble(String);

impl Trouble {
    fn of_panic(panic: &(dyn std::any::Any + Send)) -> Self {
        Self(panicked(panic).to_string())
    }
}

impl From<Trouble> for LocalError {
    fn from(trouble: Trouble) -> Self {
        Self::DidNotStart(trouble.0)
    }
}

impl From<LocalError> for Trouble {
    fn from(error: LocalError) -> Self {
        match error {
            LocalError::DidNotStart(words) => Self(words),
            other => Self(other.to_string()),
        }
    }
}

/// The handle on the thread; dropping it stops the server, if it is ours, and waits for its end.
#[derive(Debug)]
pub struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    stopping: bool,
    ended: bool,
}

impl Keeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the lock file can't be opened or the system has no thread left.
    pub fn spawn(cluster: Cluster, launcher: PathBuf) -> Result<Self, LocalError> {
        let lock = cluster.open_lock()?;
        let state = State { phase: Phase::Starting, stopping: false, ended: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let seen = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("postgres keeper".to_owned())
            .spawn(move || {
                // The server ends with this thread, so a panic must not end it: a new round finds
                // what the last one left.
                let round = || keep(&cluster, &launcher, &lock, &seen);
                while let Err(panic) = catch_unwind(AssertUnwindSafe(round)) {
                    seen.change(|state| state.phase = Phase::Down(Trouble::of_panic(&*panic)));
                    if seen.rest(REST) {
                        break;
                    }
                }
                seen.change(|state| state.ended = true);
            })
            .map_err(LocalError::io("starting a thread"))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// What the server is doing now.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.shared.lock().phase.clone()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.change(|state| state.stopping = true);
        for insist in [process::ask_to_end, process::tell_to_end] {
            if let Phase::Running(pid) = self.phase() {
                insist(pid);
            }
            if self.shared.ended_within(Duration::from_secs(20)) {
                break;
            }
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits so long, or until we are to stop; tells whether we are.
    fn rest(&self, time: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), time, |state| !state.stopping);
        waited.unwrap_or_else(PoisonError::into_inner).0.stopping
    }

    fn ended_within(&self, time: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), time, |state| !state.ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.ended
    }

    /// Notes that the server runs; tells whether it is already unwanted.
    fn running(&self, pid: u32) -> bool {
        let mut state = self.lock();
        state.phase = Phase::Running(pid);
        state.stopping
    }
}

fn keep(cluster: &Cluster, launcher: &Path, lock: &File, shared: &Shared) {
    if !own(lock, shared) {
        return;
    }
    loop {
        shared.change(|state| state.phase = Phase::Starting);
        let trouble = match live_once(cluster, launcher, shared) {
            Ok(()) => Trouble(cluster.last_words()),
            Err(error) => error.into(),
        };
        if shared.rest(Duration::ZERO) {
            return;
        }
        tracing::error!("PostgreSQL ended unasked and is started again: {}", trouble.0);
        shared.change(|state| state.phase = Phase::Down(trouble));
        if shared.rest(REST) {
            return;
        }
    }
}

/// Waits for the ownership; tells whether we have it (else we are to stop).
fn own(lock: &File, shared: &Shared) -> bool {
    loop {
        match lock.try_lock() {
            Ok(()) => return true,
            Err(TryLockError::WouldBlock) => {
                shared.change(|state| state.phase = Phase::Borrowing);
            }
            Err(TryLockError::Error(error)) => {
                let trouble = LocalError::io("locking postgres.lock")(error).into();
                shared.change(|state| state.phase = Phase::Down(trouble));
            }
        }
        if shared.rest(ASK_EVERY) {
            return false;
        }
    }
}

/// One life of the server, from the end of a predecessor to its own end.
fn live_once(cluster: &Cluster, launcher: &Path, shared: &Shared) -> Result<(), LocalError> {
    await_orphans(cluster)?;
    cluster.remove_stale_files()?;
    cluster.create_if_new()?;
    let log = cluster.open_log()?;
    let account = cluster.account.as_ref();
    let mut child = launch::spawn(launcher, account, log, &cluster.command_line())
        .map_err(LocalError::io(format!("running {}", launcher.display())))?;
    if shared.running(child.id()) {
        process::ask_to_end(child.id());
    }
    child.wait().map_err(LocalError::io("waiting for PostgreSQL"))?;
    Ok(())
}

/// Waits until nobody lives in the data directory: the owner of whoever does is dead.
fn await_orphans(cluster: &Cluster) -> Result<(), LocalError> {
    let data = cluster.data();
    let steps: [Option<fn(u32)>; 3] = [None, Some(process::ask_to_end), Some(process::tell_to_end)];
    for (insist, patience) in steps.into_iter().zip(PATIENCE) {
        let since = Instant::now();
        let mut holders = process::holders(&data);
        if let (Some(insist), Some(first)) = (insist, process::first_process(&data))
            && holders.contains(&first)
        {
            insist(first);
        }
        while !holders.is_empty() && since.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(20));
            holders = process::holders(&data);
        }
        if holders.is_empty() {
            return Ok(());
        }
    }
    let pids: Vec<String> = process::holders(&data).iter().map(ToString::to_string).collect();
    Err(LocalError::OrphanStays { dir: data, pids: pids.join(", ") })
}
