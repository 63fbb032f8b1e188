//! What a person lives through, in a real browser.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that panics is a test that fails"
)]

mod billing;
mod catalog;
mod chromium;
mod first_event;
#[allow(dead_code, reason = "shared with tests/sdk, which use more of it")]
mod house;
mod imports;
mod leaving;
mod letters;
mod merging;
mod notified;
mod pictures;
mod story;
#[path = "../support/test_db.rs"]
mod test_db;
mod without_script;
