//! Reading a request's body: under a cap, while it keeps coming, within a budget for all requests.
//!
//! actix-web has no deadline for bodies of its own, and its limits are per request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_web::web;
use futures_util::StreamExt;

use super::gzip::BODY_LIMIT;

/// A body of which nothing arrives for so long is cut.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// Bytes a second below which a body is cut although it keeps coming, [`DEADLINE`] after it began: the
/// slowest lines send more, and a connection cannot be held by a byte now and then.
const SLOWEST: usize = 16 * 1024;
/// All bodies in memory together; a sender of slow bodies can hold no more than this.
const BUDGET: usize = 96 * 1024 * 1024;
/// What of it those may take together of whom no key is known yet.
const BUDGET_OF_STRANGERS: usize = BUDGET / 4;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// More bytes than a body may have.
    TooLarge,
    /// Too slow.
    TooSlow,
    /// All bodies together are too many.
    NoRoom,
    /// The client hung up.
    Broken,
}

/// How many bytes of bodies are in memory; clones count together.
#[derive(Clone, Default)]
pub struct Budget {
    all: Arc<AtomicUsize>,
    of_strangers: Arc<AtomicUsize>,
    strange: bool,
}

impl Budget {
    /// The same, for a body whose sender is not known before it is read.
    #[must_use]
    pub fn of_strangers(&self) -> Self {
        Self { strange: true, ..self.clone() }
    }

    /// Counts bytes in; whether there was room for them.
    fn take(&self, bytes: usize) -> bool {
        let before = self.all.fetch_add(bytes, Ordering::Relaxed);
        let strange =
            if self.strange { self.of_strangers.fetch_add(bytes, Ordering::Relaxed) } else { 0 };
        before <= BUDGET && strange <= BUDGET_OF_STRANGERS
    }

    fn give_back(&self, bytes: usize) {
        self.all.fetch_sub(bytes, Ordering::Relaxed);
        if self.strange {
            self.of_strangers.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

/// A body in memory; its bytes count against the budget until it is dropped.
pub struct Body {
    bytes: Vec<u8>,
    budget: Budget,
}

impl Body {
    /// What arrived.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn push(&mut self, chunk: &[u8], most: usize) -> Result<(), Unread> {
        let room = self.budget.take(chunk.len());
        self.bytes.extend_from_slice(chunk);
        if self.bytes.len() > most {
            Err(Unread::TooLarge)
        } else if room {
            Ok(())
        } else {
            Err(Unread::NoRoom)
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes.len());
    }
}

/// Reads a body to its end: as long as more of it comes within `deadline`, and it is not slower than
/// 16 KB a second on the whole.
///
/// # Errors
/// [`Unread`]; what has arrived by then is thrown away.
pub async fn read(
    payload: web::Payload,
    budget: &Budget,
    deadline: Duration,
) -> Result<Body, Unread> {
    read_at_most(BODY_LIMIT, payload, budget, deadline).await
}

/// Reads a body of at most so many bytes to its end.
///
/// # Errors
/// As [`read`]; what is larger is cut as soon as that is seen.
pub async fn read_at_most(
    most: usize,
    mut payload: web::Payload,
    budget: &Budget,
    deadline: Duration,
) -> Result<Body, Unread> {
    let mut body = Body { bytes: Vec::new(), budget: budget.clone() };
    let began = Instant::now();
    loop {
        let patience = patience(deadline, body.bytes.len(), began.elapsed());
        match tokio::time::timeout(patience, payload.next()).await {
            Ok(Some(chunk)) => body.push(&chunk.map_err(|_| Unread::Broken)?, most)?,
            Ok(None) => return Ok(body),
            Err(_) => return Err(Unread::TooSlow),
        }
    }
}

/// How long the next piece is waited for, when so many bytes came in so long a time.
fn patience(deadline: Duration, bytes: usize, elapsed: Duration) -> Duration {
    let earned = u64::try_from(bytes / SLOWEST).unwrap_or(u64::MAX);
    deadline.saturating_add(Duration::from_secs(earned)).saturating_sub(elapsed).min(deadline)
}

#[cfg(test)]
mod tests {
    use actix_web::FromRequest;
    use actix_web::dev::Payload;
    use actix_web::error::PayloadError;
    use actix_web::test::TestRequest;
    use futures_util::stream;

    use super::*;

    #[test]
    fn a_body_may_take_its_time_while_it_keeps_coming() {
        let (deadline, second) = (Duration::from_secs(30), Duration::from_secs(1));
        assert_eq!(patience(deadline, 0, Duration::ZERO), deadline);
        assert_eq!(patience(deadline, 100, 29 * second), second, "a byte now and then");
        assert_eq!(patience(deadline, 100, 31 * second), Duration::ZERO);
        // 1 Mbit a second: 5 MB take 42 s.
        assert_eq!(patience(deadline, 125_000 * 40, 40 * second), deadline);
    }

    #[test]
    fn strangers_leave_room_for_those_with_a_key() {
        let budget = Budget::default();
        let stranger = || Body { bytes: Vec::new(), budget: budget.of_strangers() };
        let piece = vec![0; BODY_LIMIT];
        let mut strangers: Vec<Body> = (0..20).map(|_| stranger()).collect();
        let pushed = strangers.iter_mut().map(|body| body.push(&piece, BODY_LIMIT));
        assert_eq!(pushed.filter(Result::is_err).count(), 15, "a quarter and no more");
        let mut known = Body { bytes: Vec::new(), budget: budget.clone() };
        strangers.truncate(6);
        assert_eq!(known.push(&piece, BODY_LIMIT), Ok(()));
        assert_eq!(stranger().push(&piece, BODY_LIMIT), Err(Unread::NoRoom));
        drop(strangers);
        assert_eq!(stranger().push(&piece, BODY_LIMIT), Ok(()));
    }

    #[actix_web::test]
    async fn what_is_too_large_is_cut_as_soon_as_that_is_seen() {
        let pulled = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&pulled);
        let endless = stream::repeat_with(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Ok::<_, PayloadError>(web::Bytes::from_static(&[b'x'; 1000]))
        });
        let mut raw: Payload = Payload::Stream { payload: Box::pin(endless) };
        let request = TestRequest::default().to_http_request();
        let payload = web::Payload::from_request(&request, &mut raw).await.unwrap();
        let budget = Budget::default();
        let read = read_at_most(4500, payload, &budget, DEADLINE).await;
        assert_eq!(read.err(), Some(Unread::TooLarge));
        assert_eq!(pulled.load(Ordering::SeqCst), 5);
        assert_eq!(budget.all.load(Ordering::SeqCst), 0, "what was read is given back");
    }
}
