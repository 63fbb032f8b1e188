//! Reading a request's body: under a cap, while it keeps coming, within a budget for all requests.
//!
//! actix-web has no deadline for bodies of its own, and its limits are per request. Whatever reads a
//! body does so here.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use actix_web::error::PayloadError;
use actix_web::web;
use futures_util::{Stream, StreamExt, stream};

/// Most bytes of a body of events or records, decompressed: 5 MB.
pub const BODY_LIMIT: usize = 5 * 1024 * 1024;
/// A body of which nothing arrives for so long is cut.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// Bytes a second below which a body is cut although it keeps coming, [`DEADLINE`] after it began: the
/// slowest lines send more, and a connection cannot be held by a byte now and then.
const SLOWEST: usize = 16 * 1024;
/// All bodies of events in memory together; a sender of slow bodies can hold no more than this.
const BUDGET: usize = 96 * 1024 * 1024;

/// All forms of people and bodies of the API in memory together.
static FORMS: LazyLock<Budget> = LazyLock::new(|| Budget::of(64 * 1024 * 1024));

/// The budget that forms and bodies of the API share.
#[must_use]
pub fn forms() -> &'static Budget {
    &FORMS
}

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
#[derive(Clone)]
pub struct Budget {
    most: usize,
    all: Arc<AtomicUsize>,
    of_strangers: Arc<AtomicUsize>,
    strange: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self::of(BUDGET)
    }
}

impl Budget {
    /// So many bytes; a quarter of them for those of whom nobody knows yet who they are.
    #[must_use]
    pub fn of(most: usize) -> Self {
        Self { most, all: Arc::default(), of_strangers: Arc::default(), strange: false }
    }

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
        before <= self.most && strange <= self.most / 4
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
    held: Held,
}

/// So many bytes of a budget, until it is dropped.
pub struct Held {
    bytes: usize,
    budget: Budget,
}

impl Body {
    /// What arrived.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What arrived, apart from what it takes of the budget.
    #[must_use]
    pub fn into_parts(self) -> (web::Bytes, Held) {
        (self.bytes.into(), self.held)
    }

    fn new(budget: Budget) -> Self {
        Self { bytes: Vec::new(), held: Held { bytes: 0, budget } }
    }

    fn push(&mut self, chunk: &[u8]) -> Result<(), Unread> {
        let room = self.held.budget.take(chunk.len());
        self.held.bytes += chunk.len();
        self.bytes.extend_from_slice(chunk);
        if room { Ok(()) } else { Err(Unread::NoRoom) }
    }
}

impl Held {
    /// Counts them from now on as those of somebody who is known.
    fn is_known(&mut self) {
        let known = Budget { strange: false, ..self.budget.clone() };
        known.take(self.bytes);
        self.budget.give_back(self.bytes);
        self.budget = known;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
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
    payload: web::Payload,
    budget: &Budget,
    deadline: Duration,
) -> Result<Body, Unread> {
    let mut reader = Reader::new(payload, budget.clone(), deadline);
    if reader.read_to(most).await? { Ok(reader.body) } else { Err(Unread::TooLarge) }
}

/// A body that is being read: so far, then further once it is known whose it is.
pub struct Reader {
    payload: web::Payload,
    body: Body,
    deadline: Duration,
    began: Instant,
}

impl Reader {
    /// Starts the clock; reads nothing yet.
    #[must_use]
    pub fn new(payload: web::Payload, budget: Budget, deadline: Duration) -> Self {
        let body = Body::new(budget);
        Self { payload, body, deadline, began: Instant::now() }
    }

    /// Reads on; whether the body ended with at most so many bytes. Otherwise there is more of it.
    ///
    /// # Errors
    /// [`Unread`], but never [`Unread::TooLarge`].
    pub async fn read_to(&mut self, most: usize) -> Result<bool, Unread> {
        while self.body.bytes.len() <= most {
            let patience = patience(self.deadline, self.body.bytes.len(), self.began.elapsed());
            match tokio::time::timeout(patience, self.payload.next()).await {
                Ok(Some(chunk)) => self.body.push(&chunk.map_err(|_| Unread::Broken)?)?,
                Ok(None) => return Ok(true),
                Err(_) => return Err(Unread::TooSlow),
            }
        }
        Ok(false)
    }

    /// Counts what was read as the body of somebody who is known.
    pub fn is_known(&mut self) {
        self.body.held.is_known();
    }

    /// What was read.
    #[must_use]
    pub fn into_body(self) -> Body {
        self.body
    }
}

/// The pieces of a body that its reader never holds as a whole: they fail once one does not come in time,
/// the whole is too slow, or more than `most` bytes came.
pub fn paced(
    payload: web::Payload,
    most: usize,
    deadline: Duration,
) -> impl Stream<Item = Result<web::Bytes, PayloadError>> + 'static {
    let began = Instant::now();
    stream::unfold(Some((payload, 0_usize)), move |state| async move {
        let (mut payload, seen) = state?;
        let patience = patience(deadline, seen, began.elapsed());
        match tokio::time::timeout(patience, payload.next()).await {
            Ok(None) => None,
            Ok(Some(Err(error))) => Some((Err(error), None)),
            Ok(Some(Ok(piece))) => {
                let seen = seen.saturating_add(piece.len());
                if seen > most {
                    Some((Err(PayloadError::Overflow), None))
                } else {
                    Some((Ok(piece), Some((payload, seen))))
                }
            }
            Err(_) => Some((Err(PayloadError::Incomplete(None)), None)),
        }
    })
    // Readers of forms ask once more after the end.
    .fuse()
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
    use actix_web::test::TestRequest;

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
        let stranger = || Body::new(budget.of_strangers());
        let piece = vec![0; BODY_LIMIT];
        let mut strangers: Vec<Body> = (0..20).map(|_| stranger()).collect();
        let pushed = strangers.iter_mut().map(|body| body.push(&piece));
        assert_eq!(pushed.filter(Result::is_err).count(), 15, "a quarter and no more");
        let mut known = Body::new(budget.clone());
        strangers.truncate(6);
        assert_eq!(known.push(&piece), Ok(()));
        assert_eq!(stranger().push(&piece), Err(Unread::NoRoom));
        drop(strangers);
        assert_eq!(stranger().push(&piece), Ok(()));
    }

    #[test]
    fn what_turns_out_to_be_somebodys_makes_room_for_strangers() {
        let budget = Budget::of(4000);
        let mut body = Body::new(budget.of_strangers());
        body.push(&[0; 1000]).unwrap();
        assert_eq!(budget.of_strangers.load(Ordering::SeqCst), 1000);
        body.held.is_known();
        assert_eq!(budget.of_strangers.load(Ordering::SeqCst), 0);
        assert_eq!(budget.all.load(Ordering::SeqCst), 1000);
        drop(body);
        assert_eq!(budget.all.load(Ordering::SeqCst), 0);
    }

    #[actix_web::test]
    async fn a_paced_body_ends_where_it_is_too_large_or_does_not_come() {
        let payload = async |pieces: Vec<Result<web::Bytes, PayloadError>>, then_waits: bool| {
            let pieces = stream::iter(pieces);
            let mut raw: Payload = if then_waits {
                Payload::Stream { payload: Box::pin(pieces.chain(stream::pending())) }
            } else {
                Payload::Stream { payload: Box::pin(pieces) }
            };
            let request = TestRequest::default().to_http_request();
            web::Payload::from_request(&request, &mut raw).await.unwrap()
        };
        let piece = || Ok(web::Bytes::from_static(&[b'x'; 10]));
        let read = async |payload, deadline| {
            let pieces: Vec<_> = paced(payload, 25, deadline).collect().await;
            (pieces.len(), pieces.iter().filter(|piece| piece.is_err()).count())
        };
        let whole = payload(vec![piece(), piece()], false).await;
        assert_eq!(read(whole, DEADLINE).await, (2, 0));
        let large = payload(vec![piece(), piece(), piece(), piece()], false).await;
        assert_eq!(read(large, DEADLINE).await, (3, 1));
        let slow = payload(vec![piece()], true).await;
        assert_eq!(read(slow, Duration::from_millis(20)).await, (2, 1));
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
