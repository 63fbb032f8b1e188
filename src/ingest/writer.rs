//! Group commit without a timer: many requests, one transaction, one fsync.
//!
//! Handlers hand their requests to a bounded queue and wait. One thread takes everything that piled
//! up while the last group was being committed, commits it as the next group, and answers each
//! waiting request: under no load a request waits for nobody, under load groups grow by themselves.
//!
//! What a waiting request hears is the truth: `Ok` means committed. If a group fails for any reason
//! but the database being away, its requests are tried one by one, so that one that PostgreSQL
//! refuses does not fail its neighbours.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::PgConnection;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::store_journal;
use crate::clock::Clock;
use crate::db::{Database, Pool};
use crate::error::{Error, Result, caught};
use crate::ids::SourceId;
use crate::threads::Threads;

/// One request's worth of events, ready to be written down.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Who sent it.
    pub source_id: SourceId,
    /// When it is written down; its day names the journal's partition.
    pub stored_at: DateTime<Utc>,
    /// How many events `lines` holds; without any, no journal row is written.
    pub events: usize,
    /// The accepted messages as [`super::journal`] writes them.
    pub lines: Vec<u8>,
    /// What the parser refused.
    pub refused: Vec<Refused>,
}

impl Submission {
    /// What it weighs in the queue, in bytes.
    fn weight(&self) -> usize {
        self.refused.iter().map(|letter| letter.raw.len() + 200).sum::<usize>()
            + self.lines.len()
            + 200
    }
}

/// An event that the parser refused, on its way to the dead letters.
#[derive(Clone, Debug)]
pub struct Refused {
    /// A letter of the same id is written once: a file that is imported again adds none.
    pub id: Uuid,
    /// Whether it may be another event than the one that came under this id before: then a letter
    /// that was settled is open again.
    pub may_be_another: bool,
    pub code: String,
    pub message: String,
    pub message_id: Option<String>,
    pub event_name: Option<String>,
    /// As it came, but without NUL characters, which PostgreSQL cannot keep.
    pub raw: String,
}

/// How much may wait before senders are asked to slow down.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub requests: usize,
    pub bytes: usize,
}

impl Limits {
    /// What one source may take of it, so that a noisy one leaves room for the others.
    const fn of_one_source(self) -> Self {
        Self { requests: self.requests - self.requests / 4, bytes: self.bytes - self.bytes / 4 }
    }
}

impl Default for Limits {
    /// About a second's worth at full speed; a small part of the server's 300 MB.
    fn default() -> Self {
        Self { requests: 20_000, bytes: 48 * 1024 * 1024 }
    }
}

/// What a waiting request will hear: committed, or why not.
pub type Answer = oneshot::Receiver<Result<()>>;

/// The queue and its thread. Dropping it writes down what is queued and stops.
pub struct Writer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
    threads: Threads,
}

struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    limits: Limits,
}

#[derive(Default)]
struct Waiting {
    requests: Vec<Request>,
    total: Load,
    by_source: HashMap<SourceId, Load>,
    closed: bool,
}

/// What waits, of one source or of all.
#[derive(Clone, Copy, Default)]
struct Load {
    requests: usize,
    bytes: usize,
}

impl Load {
    fn with(self, weight: usize) -> Self {
        Self { requests: self.requests.saturating_add(1), bytes: self.bytes.saturating_add(weight) }
    }

    fn within(self, limits: Limits) -> bool {
        self.requests <= limits.requests && self.bytes <= limits.bytes
    }
}

struct Request {
    submission: Submission,
    answer: oneshot::Sender<Result<()>>,
}

impl Writer {
    /// Starts the thread among no others: [`Writer::start_among`].
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(
        database: Database,
        clock: Clock,
        limits: Limits,
        committed: impl Fn() + Send + 'static,
    ) -> Result<Self> {
        Self::start_among(&Threads::default(), database, clock, limits, committed)
    }

    /// Starts the thread among those of a server. `committed` is called after every group, to wake the
    /// drainer. If the thread fails, those who wait for the group at hand are told to send it again, and
    /// the next group is committed by a new run.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start_among(
        threads: &Threads,
        database: Database,
        clock: Clock,
        limits: Limits,
        committed: impl Fn() + Send + 'static,
    ) -> Result<Self> {
        let queue = Arc::new(Queue { waiting: Mutex::default(), changed: Condvar::new(), limits });
        let (asked, taken) = (Arc::clone(&queue), Arc::clone(&queue));
        let is_stopping = move || asked.lock().closed;
        let body = move || write_groups(&taken, &database, &clock, &committed);
        let thread = threads.spawn("ingest writer", is_stopping, body)?;
        Ok(Self { queue, thread: Some(thread), threads: threads.clone() })
    }

    /// The threads that its own belongs to.
    #[must_use]
    pub fn threads(&self) -> &Threads {
        &self.threads
    }

    /// Queues a request; the answer arrives once it is committed.
    ///
    /// # Errors
    /// [`Error::TooMany`] when too much is waiting, [`Error::Unavailable`] during shutdown.
    pub fn submit(&self, submission: Submission) -> Result<Answer> {
        let weight = submission.weight();
        let mut waiting = self.queue.lock();
        if waiting.closed {
            return Err(Error::Unavailable(2, "the server is shutting down".into()));
        }
        let limits = self.queue.limits;
        let source = submission.source_id;
        let total = waiting.total.with(weight);
        let of_source = waiting.by_source.get(&source).copied().unwrap_or_default().with(weight);
        // One request always fits, however large: the endpoint has limited its size.
        let fits = total.within(limits) && of_source.within(limits.of_one_source());
        if !fits && !waiting.requests.is_empty() || limits.requests == 0 {
            return Err(Error::TooMany(1));
        }
        let (answer, receiver) = oneshot::channel();
        waiting.total = total;
        waiting.by_source.insert(source, of_source);
        waiting.requests.push(Request { submission, answer });
        drop(waiting);
        self.queue.changed.notify_one();
        Ok(receiver)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported where it happened.
            let _ = thread.join();
        }
    }
}

impl Queue {
    /// Everything that is waiting, as soon as anything is; none when closed and empty.
    fn take(&self) -> Option<Vec<Request>> {
        let mut waiting = self.lock();
        while waiting.requests.is_empty() {
            if waiting.closed {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.total = Load::default();
        waiting.by_source.clear();
        Some(std::mem::take(&mut waiting.requests))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Commits group after group until the queue is closed and empty.
fn write_groups(queue: &Queue, database: &Database, clock: &Clock, committed: &impl Fn()) {
    let mut partitions = Partitions::default();
    // If the database is away, the first group hears it.
    let _ = partitions.ensure(database, clock.today(), Instant::now());
    let mut away = Away::default();
    while let Some(group) = queue.take() {
        if let Some(error) = away.says() {
            // Without asking: the next group after the pause asks again.
            let _ = commit(database, Err(error), group);
            continue;
        }
        let ready = partitions.ensure(database, clock.today(), Instant::now());
        match commit(database, ready, group) {
            Ok(true) => committed(),
            Ok(false) => {}
            Err(error) => away = Away::now(error),
        }
    }
}

/// How long the journal is let be after somebody held it, so that no partition could be made: a
/// backup reads it for hours, and every try makes all others wait behind it.
const LET_BE: Duration = Duration::from_secs(60);

/// The journal's partitions, made once a day and two days ahead, so that it never waits for one.
#[derive(Default)]
struct Partitions {
    made_on: Option<NaiveDate>,
    held_up: Option<Instant>,
}

impl Partitions {
    fn are_due(&self, today: NaiveDate, now: Instant) -> bool {
        self.made_on != Some(today)
            && self.held_up.is_none_or(|since| now.saturating_duration_since(since) >= LET_BE)
    }

    /// Makes them when they are due. Events need not wait for them: the default partition serves.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is away.
    fn ensure(&mut self, database: &Database, today: NaiveDate, now: Instant) -> Result<()> {
        if !self.are_due(today, now) {
            return Ok(());
        }
        match database.tx(Pool::Ingest, |conn| store_journal::create_partitions(conn, today)) {
            Ok(()) => (self.made_on, self.held_up) = (Some(today), None),
            Err(error) if error.is_held_up() => {
                self.held_up = Some(now);
                tracing::warn!("the journal's partitions cannot be made now: somebody reads it");
            }
            Err(error) if error.passes() => return Err(error),
            Err(error) => {
                self.made_on = Some(today);
                tracing::warn!(%error, "the journal's partitions could not be made; its default partition serves");
            }
        }
        Ok(())
    }
}

/// How long nobody asks again after the database did not answer: that takes as long as a connection is
/// waited for, and what came meanwhile would wait as long again.
const PAUSE: Duration = Duration::from_millis(500);

/// That the database did not answer a moment ago.
#[derive(Default)]
struct Away {
    since: Option<Instant>,
    seconds: u32,
    cause: String,
}

impl Away {
    fn now(error: Error) -> Self {
        match error {
            Error::Unavailable(seconds, cause) => {
                Self { since: Some(Instant::now()), seconds, cause }
            }
            _ => Self::default(),
        }
    }

    /// What a group hears without asking.
    fn says(&self) -> Option<Error> {
        self.since.filter(|since| since.elapsed() < PAUSE)?;
        Some(Error::Unavailable(self.seconds, self.cause.clone()))
    }
}

/// Commits a group, if the journal is ready for it, and answers it; tells whether anything was
/// committed.
///
/// # Errors
/// [`Error::Unavailable`] as all of the group heard it.
fn commit(database: &Database, ready: Result<()>, group: Vec<Request>) -> Result<bool> {
    let submissions: Vec<&Submission> = group.iter().map(|request| &request.submission).collect();
    // With the database away one wait for it is enough.
    match ready.and_then(|()| write(database, &submissions)) {
        Ok(()) => {
            for request in group {
                answer(request, Ok(()));
            }
            Ok(true)
        }
        Err(Error::Unavailable(seconds, cause)) => {
            tracing::warn!(
                requests = group.len(),
                cause,
                "events could not be stored: the database is away"
            );
            for request in group {
                answer(request, Err(Error::Unavailable(seconds, cause.clone())));
            }
            Err(Error::Unavailable(seconds, cause))
        }
        Err(error) => {
            tracing::warn!(requests = group.len(), %error, "a group failed; its requests are tried one by one");
            let mut any = false;
            let mut away = None;
            for request in group {
                // With the database gone there is no use in waiting for it once a request.
                let written = match &away {
                    Some(cause) => Err(Error::Unavailable(2, String::clone(cause))),
                    None => write(database, &[&request.submission]),
                };
                match &written {
                    Ok(()) => any = true,
                    Err(Error::Unavailable(_, cause)) => away = Some(cause.clone()),
                    Err(error) => tracing::error!(
                        source = %request.submission.source_id, %error, "a request could not be stored"
                    ),
                }
                answer(request, written);
            }
            Ok(any)
        }
    }
}

fn write(database: &Database, group: &[&Submission]) -> Result<()> {
    let room = database.check_room()?;
    // A panic is a mistake of ours, and must not silence everybody who sends from now on.
    caught(|| {
        let append = |conn: &mut PgConnection| store_journal::append(conn, room, group);
        if store_journal::is_single(group) {
            database.statement(Pool::Ingest, append)
        } else {
            database.tx(Pool::Ingest, append)
        }
    })
}

/// The sender may be gone by now; what it sent is stored all the same.
fn answer(request: Request, written: Result<()>) {
    let _ = request.answer.send(written);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_is_held_is_let_be_for_a_minute() {
        let (today, now) = (NaiveDate::default(), Instant::now());
        let mut partitions = Partitions::default();
        assert!(partitions.are_due(today, now));
        partitions.held_up = Some(now);
        assert!(!partitions.are_due(today, now + LET_BE / 2));
        assert!(partitions.are_due(today, now + LET_BE));
        partitions.made_on = Some(today);
        assert!(!partitions.are_due(today, now + LET_BE));
        assert!(partitions.are_due(today.succ_opt().unwrap(), now + LET_BE));
    }
}
