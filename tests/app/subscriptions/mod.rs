//! What workspaces pay: every way in, and what follows from it.

mod order;
mod signals;
mod signed;
pub mod stripe;
mod together;
mod upserts;

use chrono::{DateTime, Utc};
use ripen::subscriptions::input;
use ripen::subscriptions::terms::Row;
use serde_json::Value;

/// What a record says, read as a script's is.
pub fn record(said: &Value, now: DateTime<Utc>) -> Row {
    input::read(said.as_object().unwrap(), now).unwrap()
}
