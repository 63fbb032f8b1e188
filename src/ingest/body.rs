//! Reading a request's body: under a cap, before a deadline, within a budget for all requests.
//!
//! actix-web has no deadline for bodies of its own, and its limits are per request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::web;
use futures_util::StreamExt;

use super::gzip::BODY_LIMIT;

/// A body that has not arrived by then is cut.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// All bodies in memory together; a sender of slow bodies can hold no more than this.
const BUDGET: usize = 96 * 1024 * 1024;

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

/// How many bytes of bodies are in memory.
#[derive(Clone, Default)]
pub struct Budget(Arc<AtomicUsize>);

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
        let before = self.budget.0.fetch_add(chunk.len(), Ordering::Relaxed);
        self.bytes.extend_from_slice(chunk);
        if self.bytes.len() > most {
            Err(Unread::TooLarge)
        } else if before > BUDGET {
            Err(Unread::NoRoom)
        } else {
            Ok(())
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

/// Reads a body to its end.
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
    let all = async {
        while let Some(chunk) = payload.next().await {
            body.push(&chunk.map_err(|_| Unread::Broken)?, most)?;
        }
        Ok(())
    };
    match tokio::time::timeout(deadline, all).await {
        Ok(Ok(())) => Ok(body),
        Ok(Err(unread)) => Err(unread),
        Err(_) => Err(Unread::TooSlow),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use actix_web::FromRequest;
    use actix_web::dev::Payload;
    use actix_web::error::PayloadError;
    use actix_web::test::TestRequest;
    use futures_util::stream;

    use super::*;

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
        assert_eq!(budget.0.load(Ordering::SeqCst), 0, "what was read is given back");
    }
}
