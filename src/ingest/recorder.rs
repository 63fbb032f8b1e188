//! Keeps what is measured about requests until there is time to write it down.
//!
//! A request notes its figures under a lock for less than a microsecond; one thread writes them once a
//! second, so the commits that requests wait for carry nothing of it. What a killed server had not
//! written is lost: these are measurements, and nobody was promised them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::measure::{Measure, Measures};
use super::store_measures;
use crate::db::{Database, Pool};
use crate::error::Result;
use crate::ids::SourceId;
use crate::sources::keyring::KeyRing;
use crate::threads::Threads;

/// How often is written.
const PAUSE: Duration = Duration::from_secs(1);

/// The place to note figures; dropping it writes down the rest.
pub struct Recorder {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    noted: Mutex<Noted>,
    changed: Condvar,
}

#[derive(Default)]
struct Noted {
    measures: Measures,
    closed: bool,
}

impl Recorder {
    /// Starts the thread, which also notes which keys were used.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(database: Database, keys: Arc<KeyRing>, among: &Threads) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let (asked, taken) = (Arc::clone(&shared), Arc::clone(&shared));
        let is_stopping = move || asked.lock().closed;
        let thread = among.spawn("ingest recorder", is_stopping, move || {
            while let Some(measures) = taken.take() {
                let written =
                    database.tx(Pool::Ingest, |conn| store_measures::add(conn, &measures));
                if let Err(error) = written {
                    tracing::warn!(%error, "measurements of ingestion could not be written");
                }
                if let Err(error) = keys.note_use() {
                    tracing::warn!(%error, "the use of write keys could not be noted");
                }
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Notes a request that is committed now: when it came, and when it was sent if it said so.
    pub fn committed(
        &self,
        source: SourceId,
        received_at: DateTime<Utc>,
        sent_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        let mut noted = self.shared.lock();
        let was_empty = noted.measures.is_empty();
        let waited = (now - received_at).num_milliseconds().max(0);
        noted.measures.note(source, Measure::Accept, received_at, waited, 1);
        if let Some(sent_at) = sent_at {
            let skew = (received_at - sent_at).num_milliseconds();
            noted.measures.note(source, Measure::Skew, received_at, skew, 1);
        }
        drop(noted);
        if was_empty {
            self.shared.changed.notify_one();
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported where it happened.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// What was noted, a second after the first of it; none when closed and empty.
    fn take(&self) -> Option<Measures> {
        let noted = self.lock();
        let noted = self
            .changed
            .wait_while(noted, |noted| noted.measures.is_empty() && !noted.closed)
            .unwrap_or_else(PoisonError::into_inner);
        let (mut noted, _) = self
            .changed
            .wait_timeout_while(noted, PAUSE, |noted| !noted.closed)
            .unwrap_or_else(PoisonError::into_inner);
        if noted.measures.is_empty() {
            return None;
        }
        Some(std::mem::take(&mut noted.measures))
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
