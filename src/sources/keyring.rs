//! The open write keys in memory, so that an event does not cost a look into the database.
//!
//! The ring is a whole snapshot rather than an entry a key: an unknown key then costs no query
//! either, and a flood of wrong keys reaches nothing. One request at a time refreshes it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::key::KeyHash;
use super::store::{self, OpenKey};
use crate::clock::Clock;
use crate::db::{Database, Pool};
use crate::error::Result;

/// How old a snapshot may be before a request refreshes it: a revoked key works no longer than this.
const FRESH: Duration = Duration::from_secs(2);
/// How old it may be when a key is not in it: a key made a moment ago should open.
const FRESH_FOR_UNKNOWN: Duration = Duration::from_millis(250);
/// How often the use of keys is noted in the database.
const NOTE_USE: Duration = Duration::from_secs(10);

/// The open write keys of this server.
pub struct KeyRing {
    database: Database,
    clock: Clock,
    snapshot: RwLock<Option<Snapshot>>,
    refreshing: Mutex<Refresh>,
    used: Mutex<HashSet<Uuid>>,
}

#[derive(Clone)]
struct Snapshot {
    keys: Arc<HashMap<KeyHash, OpenKey>>,
    taken: Instant,
}

struct Refresh {
    noted_use: Instant,
}

impl KeyRing {
    /// An empty ring, which fills itself at the first request.
    #[must_use]
    pub fn new(database: Database, clock: Clock) -> Self {
        Self {
            database,
            clock,
            snapshot: RwLock::new(None),
            refreshing: Mutex::new(Refresh { noted_use: Instant::now() }),
            used: Mutex::new(HashSet::new()),
        }
    }

    /// What this key opens, if the snapshot is fresh enough to say so: `None` means that
    /// [`KeyRing::open`] has to look, which waits for the database.
    #[must_use]
    pub fn glance(&self, key: &str) -> Option<Option<OpenKey>> {
        let snapshot = self.snapshot()?;
        let found = snapshot.keys.get(&KeyHash::of(key)).copied();
        let fresh = if found.is_some() { FRESH } else { FRESH_FOR_UNKNOWN };
        if snapshot.taken.elapsed() >= fresh {
            return None;
        }
        if let Some(found) = found {
            lock(&self.used).insert(found.key_id);
        }
        Some(found)
    }

    /// What this key opens, after a look into the database when the snapshot is old.
    ///
    /// # Errors
    /// [`crate::error::Error::Unavailable`] when the database cannot be asked.
    pub fn open(&self, key: &str) -> Result<Option<OpenKey>> {
        let mut refresh = lock(&self.refreshing);
        // Whoever waited for another request's refresh finds it done.
        if let Some(found) = self.glance(key) {
            return Ok(found);
        }
        let now = self.clock.now();
        let mut used = HashSet::new();
        if refresh.noted_use.elapsed() >= NOTE_USE {
            refresh.noted_use = Instant::now();
            std::mem::swap(&mut used, &mut lock(&self.used));
        }
        let used: Vec<Uuid> = used.into_iter().collect();
        let taken = Instant::now();
        let keys = self.database.tx(Pool::Ingest, |conn| {
            if !used.is_empty() {
                store::touch_write_keys(conn, &used, now)?;
            }
            store::open_write_keys(conn, now)
        })?;
        let keys: Arc<HashMap<_, _>> = Arc::new(keys.into_iter().collect());
        let found = keys.get(&KeyHash::of(key)).copied();
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) =
            Some(Snapshot { keys, taken });
        if let Some(found) = found {
            lock(&self.used).insert(found.key_id);
        }
        Ok(found)
    }

    /// Makes the next request look into the database: a key was made or revoked here.
    pub fn forget(&self) {
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn snapshot(&self) -> Option<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The value, whether or not a thread panicked while it held the lock: each is valid at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
