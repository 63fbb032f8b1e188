//! Hashing passwords off the web threads, a few at a time: each takes 46 MiB.
//!
//! The queue is bounded: beyond that a request is answered at once that it may come again. Browsers
//! that are not known have one of the two turns, so that a flood of sign-ins leaves the other to people
//! who signed in here before.

use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::web;
use tokio::sync::Semaphore;

use super::password;
use crate::error::{Error, Result};

/// Hashes at once.
const TURNS: usize = 2;
/// How many may wait in each lane: some two seconds' worth.
const MOST_WAITING: usize = 32;
/// When a request that was not let in may come again, in seconds.
const RETRY: u32 = 2;

static QUEUE: Queue = Queue::new();

/// Who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Somebody who is signed in, was invited, or uses a known browser.
    Known,
    /// Anybody.
    Stranger,
}

struct Queue {
    turns: Semaphore,
    strangers: Semaphore,
    waiting: [AtomicUsize; 2],
}

/// A place in the queue, until it is dropped.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Queue {
    const fn new() -> Self {
        Self {
            turns: Semaphore::const_new(TURNS),
            strangers: Semaphore::const_new(TURNS - 1),
            waiting: [const { AtomicUsize::new(0) }; 2],
        }
    }

    fn waiting(&self, lane: Lane) -> &AtomicUsize {
        let [known, strangers] = &self.waiting;
        match lane {
            Lane::Known => known,
            Lane::Stranger => strangers,
        }
    }

    fn place(&self, lane: Lane) -> Result<Place<'_>> {
        let waiting = self.waiting(lane);
        let place = Place(waiting);
        if waiting.fetch_add(1, Ordering::SeqCst) >= MOST_WAITING {
            return Err(full());
        }
        Ok(place)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let _place = self.place(lane)?;
        let _stranger = match lane {
            Lane::Known => None,
            Lane::Stranger => Some(self.strangers.acquire().await.map_err(Error::internal)?),
        };
        let _turn = self.turns.acquire().await.map_err(Error::internal)?;
        web::block(work).await.map_err(Error::internal)?
    }
}

fn full() -> Error {
    Error::Unavailable(RETRY, "too many passwords wait to be checked".to_owned())
}

/// Whether a stranger's password would be taken into the queue now; to be asked before an attempt is
/// counted.
///
/// # Errors
/// `Unavailable` when the queue is full.
pub fn has_room() -> Result<()> {
    let waiting = QUEUE.waiting(Lane::Stranger).load(Ordering::SeqCst);
    if waiting < MOST_WAITING { Ok(()) } else { Err(full()) }
}

/// A PHC string for a new password.
///
/// # Errors
/// `Unavailable` when too many wait; internal, if the hasher fails.
pub async fn hash(password: String) -> Result<String> {
    QUEUE.in_turn(Lane::Known, move || password::hash(&password)).await
}

/// Whether `password` is the one behind `phc`.
///
/// # Errors
/// `Unavailable` when too many wait; internal, if the hasher fails.
pub async fn matches(password: String, phc: String, lane: Lane) -> Result<bool> {
    QUEUE.in_turn(lane, move || password::matches(&password, &phc)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[actix_web::test]
    async fn a_flood_of_strangers_is_bounded_and_leaves_a_turn_to_known_browsers() {
        static FLOODED: Queue = Queue::new();
        let (release, held) = mpsc::channel::<()>();
        let held = std::sync::Arc::new(std::sync::Mutex::new(held));
        let mut waiting = Vec::new();
        for _ in 0..MOST_WAITING {
            let held = std::sync::Arc::clone(&held);
            let work = move || {
                let _ = held.lock().map(|held| held.recv());
                Ok(())
            };
            waiting.push(tokio::task::spawn_local(FLOODED.in_turn(Lane::Stranger, work)));
        }
        while FLOODED.waiting(Lane::Stranger).load(Ordering::SeqCst) < MOST_WAITING {
            tokio::task::yield_now().await;
        }
        let refused = FLOODED.in_turn(Lane::Stranger, || Ok(())).await;
        assert!(matches!(refused, Err(Error::Unavailable(RETRY, _))));
        FLOODED.in_turn(Lane::Known, || Ok(())).await.unwrap();
        drop(release);
        for waiter in waiting {
            waiter.await.unwrap().unwrap();
        }
        FLOODED.in_turn(Lane::Stranger, || Ok(())).await.unwrap();
    }
}
