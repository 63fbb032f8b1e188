//! A book of the requests that were refused, so that whoever connects a product sees why nothing arrives.
//!
//! Bounded in memory and in the database, and written at most once a second, whatever comes in: a flood
//! of wrong keys costs one small statement a second. No body, no address of a sender and no whole key
//! is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::refusal::Refusal;
use super::store_refusals::{self, Entry};
use crate::clock::Clock;
use crate::db::{Database, Pool};
use crate::ids::SourceId;
use crate::sources::key;

/// Kinds of refused requests between two writes; further ones are not noted.
const KINDS: usize = 64;
/// How often the book is written down.
const PERIOD: Duration = Duration::from_secs(1);
/// A key of ours of so many characters may be shown as ours are, also when its end was cut off: most of it
/// stays hidden.
const MOSTLY_HIDDEN: usize = 20;
/// Characters that are kept of a path or a User-Agent.
const LENGTH: usize = 120;

/// Who sent a request, as far as it may be kept.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    pub source_id: Option<SourceId>,
    /// The whole key: only its beginning goes further.
    pub key: Option<String>,
}

/// The book.
pub struct Refusals {
    database: Database,
    clock: Clock,
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
struct Book {
    entries: HashMap<Uuid, Entry>,
    written: Option<Instant>,
    /// Somebody is about to write it down.
    waiting: bool,
}

impl Refusals {
    /// An empty one.
    #[must_use]
    pub fn new(database: Database, clock: Clock) -> Self {
        Self { database, clock, book: Arc::default() }
    }

    /// Notes a refused request, unless only waiting would help its sender. Written down at once, or with
    /// the others of the same second. Has to be called on a thread of the server.
    pub fn note(
        &self,
        method: &str,
        path: &str,
        sender: Option<&str>,
        caller: &Caller,
        refusal: &Refusal,
    ) {
        if !refusal.is_the_senders() {
            return;
        }
        let (problem, now) = (refusal.problem(), self.clock.now());
        let entry = Entry {
            source_id: caller.source_id,
            code: problem.code.to_owned(),
            message: problem.message,
            method: short(method),
            path: without_secrets(path),
            key_start: caller.key.as_deref().map(key_start),
            sender: sender.map(short).filter(|sender| !sender.is_empty()),
            requests: 1,
            first_at: now,
            last_at: now,
        };
        if let Some(wait) = self.enter(entry) {
            let (database, book) = (self.database.clone(), Arc::clone(&self.book));
            actix_web::rt::spawn(async move {
                tokio::time::sleep(wait).await;
                // Failing to note it concerns nobody but the page that shows it.
                let written = actix_web::web::block(move || write(&database, &book)).await;
                if let Ok(Err(error)) = written {
                    tracing::warn!(%error, "refused requests could not be noted");
                }
            });
        }
    }

    /// Enters it; tells in how long the book should be written down, if nobody is about to.
    fn enter(&self, entry: Entry) -> Option<Duration> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, full) = (entry.id(), book.entries.len() >= KINDS);
        if let Some(known) = book.entries.get_mut(&id) {
            known.requests += 1;
            known.last_at = entry.last_at;
        } else if !full {
            book.entries.insert(id, entry);
        }
        if std::mem::replace(&mut book.waiting, true) {
            return None;
        }
        let since = book.written.map_or(PERIOD, |written| written.elapsed());
        Some(PERIOD.saturating_sub(since))
    }
}

fn write(database: &Database, book: &Mutex<Book>) -> crate::error::Result<()> {
    let entries = {
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        book.waiting = false;
        book.written = Some(Instant::now());
        std::mem::take(&mut book.entries)
    };
    let mut entries: Vec<Entry> = entries.into_values().collect();
    // One order for all servers: two that write the same kinds don't lock each other out.
    entries.sort_by_key(Entry::id);
    database.tx(Pool::Ingest, |conn| store_refusals::add(conn, &entries))
}

/// As much of a write key as helps to find the wrong one: what the page of keys shows of ours, four
/// characters of anything else, all of the placeholder in our own samples.
#[must_use]
pub fn key_start(key: &str) -> String {
    let ours = key::begins_like_ours(key);
    let keep = if key == "YOUR_WRITE_KEY" {
        key.len()
    } else if ours && key.len() >= MOSTLY_HIDDEN {
        11
    } else {
        4
    };
    key.chars().take(keep).collect()
}

/// A path without what may be a key: segments that are long and no words of ours.
fn without_secrets(path: &str) -> String {
    let hidden = path.split('/').map(|part| if part.len() > 24 { "…" } else { part });
    short(&hidden.collect::<Vec<_>>().join("/"))
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_whole_key_is_kept() {
        let ours = "wk_0123456789abcdef0123456789abcdef01234567";
        assert_eq!(key_start(ours), "wk_01234567");
        assert_eq!(key_start(&ours.replace("wk_", "sk_")), "sk_01234567");
        assert_eq!(key_start("AbCdEfGhIjKlMnOp"), "AbCd");
        assert_eq!(key_start("wk_short"), "wk_s");
        assert_eq!(key_start("wk_01234567…"), "wk_0");
        assert_eq!(key_start(&ours[..20]), "wk_01234567");
        assert_eq!(key_start("YOUR_WRITE_KEY"), "YOUR_WRITE_KEY");
        let path = format!("/v1/projects/{ours}/settings");
        assert_eq!(without_secrets(&path), "/v1/projects/…/settings");
        assert_eq!(short("a\u{0}b\r\n"), "ab");
        assert_eq!(short(&"x".repeat(500)).len(), LENGTH);
    }
}
