//! The published SDKs themselves, with only the host changed, against the running program: what they
//! said is in the tables, and they do the right thing when something goes wrong.
//!
//! `bin/setup sdk` installs them at the versions of the lock files beside this file; a quick subset runs
//! in every `bin/test`, all of them in `bin/test sdk`.
//!
//! The SDKs for Go, Ruby and Java are not in the registries that `bin/setup` knows: [`written_by_hand`]
//! sends what their source says they send.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that panics is a test that fails"
)]

mod browsers;
#[path = "../browser/chromium.rs"]
#[allow(dead_code, reason = "shared with the browser tests, which use more of it")]
mod chromium;
mod first_event;
#[path = "../browser/house.rs"]
#[allow(dead_code, reason = "shared with the browser tests, which use more of it")]
mod house;
mod packages;
#[path = "../app/ingest/server.rs"]
#[allow(dead_code, reason = "shared with the application tests, which use more of it")]
mod server;
mod servers;
mod story;
#[path = "../support/test_db.rs"]
#[allow(dead_code, reason = "shared with the application tests, which use more of it")]
mod test_db;
mod webhooks;
mod wire;
