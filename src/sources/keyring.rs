//! The open write keys in memory, so that an event does not cost a look into the database.
//!
//! The ring is a whole snapshot rather than an entry a key: an unknown key then costs no query
//! either, and a flood of wrong keys reaches nothing. One request at a time refreshes it.
//!
//! With the database away a try takes as long as a connection is waited for. One request in so long
//! tries; for the others the old snapshot goes on: the keys in it open, so that whoever stores the
//! events says that it cannot, and about any other key nobody can say anything now.
//!
//! Whoever makes, replaces or revokes a key on this server calls [`KeyRing::forget`] once that is
//! committed: from then on no earlier snapshot is used here. Other servers hear of it when their
//! snapshot is old: of a revoked key after [`FRESH`], of a new one after [`FRESH_FOR_UNKNOWN`].

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::key::KeyHash;
use super::store::{self, OpenKey};
use crate::clock::Clock;
use crate::db::{Database, Pool};
use crate::error::{Error, Result};

/// How old a snapshot may be before a request refreshes it: a revoked key works no longer than this.
const FRESH: Duration = Duration::from_secs(2);
/// How old it may be when a key is not in it: a key made a moment ago should open.
const FRESH_FOR_UNKNOWN: Duration = Duration::from_millis(250);
/// How often the use of a key is noted in the database.
const NOTE_USE: Duration = Duration::from_secs(10);
/// How long nobody asks again after the database did not answer.
const PAUSE: Duration = Duration::from_millis(500);
/// How old a snapshot may become while the database is away. Nothing can be stored then; but where
/// only the keys cannot be asked for, a revoked one works no longer than this.
const STALE: Duration = Duration::from_secs(60);
/// When senders of unknown keys may come again meanwhile, in seconds.
const PATIENCE: u32 = 2;

/// The open write keys of this server.
pub struct KeyRing {
    database: Database,
    clock: Clock,
    snapshot: RwLock<Option<Snapshot>>,
    /// Held by the one request that looks into the database.
    refreshing: Mutex<()>,
    /// When the newest refresh failed; none once one succeeded.
    failed: RwLock<Option<Instant>>,
    /// How often keys were changed here; a snapshot of another number is not used.
    changes: AtomicU64,
    used: Mutex<Use>,
}

#[derive(Clone)]
struct Snapshot {
    keys: Arc<HashMap<KeyHash, OpenKey>>,
    taken: Instant,
    /// [`KeyRing::changes`] before the database was asked.
    changes: u64,
}

#[derive(Default)]
struct Use {
    /// Keys that were used and whose use is not in the database.
    fresh: HashSet<Uuid>,
    /// When the use of a key was noted last.
    noted: HashMap<Uuid, Instant>,
}

impl Use {
    /// Those of which it is time to note the use; they count as noted.
    fn due(&mut self) -> Vec<Uuid> {
        let noted = &self.noted;
        let is_due = |id: &Uuid| noted.get(id).is_none_or(|at| at.elapsed() >= NOTE_USE);
        let (due, early): (Vec<Uuid>, Vec<Uuid>) = self.fresh.drain().partition(is_due);
        self.fresh.extend(early);
        self.noted.extend(due.iter().map(|id| (*id, Instant::now())));
        due
    }
}

impl KeyRing {
    /// An empty ring, which fills itself at the first request.
    #[must_use]
    pub fn new(database: Database, clock: Clock) -> Self {
        Self {
            database,
            clock,
            snapshot: RwLock::new(None),
            refreshing: Mutex::new(()),
            failed: RwLock::new(None),
            changes: AtomicU64::new(0),
            used: Mutex::default(),
        }
    }

    /// What this key opens, if the snapshot is fresh enough to say so: `None` means that
    /// [`KeyRing::open`] has to look, which waits for the database.
    #[must_use]
    pub fn glance(&self, key: &str) -> Option<Option<OpenKey>> {
        let snapshot = self.snapshot()?;
        let found = snapshot.keys.get(&KeyHash::of(key)).copied();
        let fresh = match found {
            Some(_) if self.failed_within(PAUSE) => STALE,
            Some(_) => FRESH,
            None => FRESH_FOR_UNKNOWN,
        };
        if snapshot.taken.elapsed() >= fresh {
            return None;
        }
        if let Some(found) = found {
            lock(&self.used).fresh.insert(found.key_id);
        }
        Some(found)
    }

    /// What this key opens, after a look into the database when the snapshot is old.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database cannot be asked, and it is not a key that was open a
    /// moment ago.
    pub fn open(&self, key: &str) -> Result<Option<OpenKey>> {
        let _alone = match self.refreshing.try_lock() {
            Ok(alone) => alone,
            // Another request waits for a database that was away: this one need not wait as well.
            Err(TryLockError::WouldBlock) if self.failed_within(STALE) => return self.stale(key),
            Err(_) => lock(&self.refreshing),
        };
        // Whoever waited for another request's refresh finds it done, or failed.
        if let Some(found) = self.glance(key) {
            return Ok(found);
        }
        if self.failed_within(PAUSE) {
            return self.stale(key);
        }
        match self.refresh() {
            Err(error) if error.passes() => {
                *self.failed.write().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                tracing::warn!(%error, "the write keys cannot be looked up now");
                self.stale(key)
            }
            Err(error) => Err(error),
            Ok(keys) => {
                *self.failed.write().unwrap_or_else(PoisonError::into_inner) = None;
                let found = keys.get(&KeyHash::of(key)).copied();
                if let Some(found) = found {
                    lock(&self.used).fresh.insert(found.key_id);
                }
                Ok(found)
            }
        }
    }

    /// What the old snapshot says of this key.
    fn stale(&self, key: &str) -> Result<Option<OpenKey>> {
        let snapshot = self.snapshot().filter(|snapshot| snapshot.taken.elapsed() < STALE);
        match snapshot.and_then(|snapshot| snapshot.keys.get(&KeyHash::of(key)).copied()) {
            Some(found) => Ok(Some(found)),
            None => Err(Error::Unavailable(PATIENCE, "the write keys cannot be looked up".into())),
        }
    }

    fn failed_within(&self, time: Duration) -> bool {
        let failed = *self.failed.read().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|failed| failed.elapsed() < time)
    }

    /// Asks the database for all open keys.
    fn refresh(&self) -> Result<Arc<HashMap<KeyHash, OpenKey>>> {
        let now = self.clock.now();
        let taken = Instant::now();
        let changes = self.changes.load(Ordering::SeqCst);
        let keys = self.database.read(Pool::Ingest, |conn| store::open_write_keys(conn, now))?;
        let keys: Arc<HashMap<_, _>> = Arc::new(keys.into_iter().collect());
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) =
            Some(Snapshot { keys: Arc::clone(&keys), taken, changes });
        Ok(keys)
    }

    /// Writes down which keys were used: one's first use at once, further ones every ten seconds.
    ///
    /// # Errors
    /// When the database fails; the use of these keys is noted when they are used again.
    pub fn note_use(&self) -> Result<()> {
        let due = lock(&self.used).due();
        if due.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let noted = self.database.tx(Pool::Ingest, |conn| store::touch_write_keys(conn, &due, now));
        if noted.is_err() {
            lock(&self.used).noted.retain(|id, _| !due.contains(id));
        }
        noted
    }

    /// Makes the next request look into the database: a key was made, replaced or revoked here, and
    /// that is committed.
    pub fn forget(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// The newest snapshot, unless keys were changed here since it was asked for.
    fn snapshot(&self) -> Option<Snapshot> {
        let snapshot = self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone();
        let changes = self.changes.load(Ordering::SeqCst);
        snapshot.filter(|snapshot| snapshot.changes == changes)
    }
}

/// The value, whether or not a thread panicked while it held the lock: each is valid at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
