//! Hashing passwords off the web threads, a few at a time: each takes 46 MiB.

use actix_web::web;
use tokio::sync::Semaphore;

use super::password;
use crate::error::{Error, Result};

static TURNS: Semaphore = Semaphore::const_new(2);

async fn in_turn<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let _turn = TURNS.acquire().await.map_err(Error::internal)?;
    web::block(work).await.map_err(Error::internal)?
}

/// A PHC string for a new password.
///
/// # Errors
/// Internal, if the hasher fails.
pub async fn hash(password: String) -> Result<String> {
    in_turn(move || password::hash(&password)).await
}

/// Whether `password` is the one behind `phc`.
///
/// # Errors
/// Internal, if the hasher fails.
pub async fn matches(password: String, phc: String) -> Result<bool> {
    in_turn(move || password::matches(&password, &phc)).await
}
