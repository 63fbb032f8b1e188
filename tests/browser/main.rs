//! What a person lives through, in a real browser.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that panics is a test that fails"
)]

mod chromium;
#[allow(dead_code, reason = "shared with tests/sdk, which use more of it")]
mod house;
mod imports;
mod pictures;
mod story;
#[path = "../support/test_db.rs"]
mod test_db;
mod without_script;
