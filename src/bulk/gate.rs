//! One request with records is parsed and written at a time; the others wait a moment, and no longer.
//!
//! Parsed records take many times the memory of their body, and writing takes the drainer's lock, so more
//! at once would only hold memory and connections that ingestion needs.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{Error, Result};
use crate::web::body::Budget;

static TURN: Semaphore = Semaphore::const_new(1);
static BUDGET: LazyLock<Budget> = LazyLock::new(Budget::default);
const PATIENCE: Duration = Duration::from_secs(20);

/// All bodies with records of this server together.
#[must_use]
pub fn budget() -> &'static Budget {
    &BUDGET
}

/// The turn to parse and write, until it is dropped.
///
/// # Errors
/// [`Error::TooMany`] when it did not come.
pub async fn turn() -> Result<SemaphorePermit<'static>> {
    match tokio::time::timeout(PATIENCE, TURN.acquire()).await {
        Ok(Ok(turn)) => Ok(turn),
        _ => Err(Error::TooMany(5)),
    }
}
