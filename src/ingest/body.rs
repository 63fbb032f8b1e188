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

    fn push(&mut self, chunk: &[u8]) -> Result<(), Unread> {
        let before = self.budget.0.fetch_add(chunk.len(), Ordering::Relaxed);
        self.bytes.extend_from_slice(chunk);
        if self.bytes.len() > BODY_LIMIT {
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
    mut payload: web::Payload,
    budget: &Budget,
    deadline: Duration,
) -> Result<Body, Unread> {
    let mut body = Body { bytes: Vec::new(), budget: budget.clone() };
    let all = async {
        while let Some(chunk) = payload.next().await {
            body.push(&chunk.map_err(|_| Unread::Broken)?)?;
        }
        Ok(())
    };
    match tokio::time::timeout(deadline, all).await {
        Ok(Ok(())) => Ok(body),
        Ok(Err(unread)) => Err(unread),
        Err(_) => Err(Unread::TooSlow),
    }
}
