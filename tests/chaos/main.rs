//! Durability and order: what was acknowledged is stored once, whatever is killed, cut or full
//! meanwhile; the same events in any order make the same rows and the same scores.
//!
//! A few rounds of each in every run; `bin/test chaos` does 50 kills of each kind and 200
//! permutations. Schedules are random but seeded: a failure prints its seed, RIPEN_SEED repeats it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that panics is a test that fails"
)]

mod back;
mod clients;
mod cuts;
mod disk;
#[path = "../support/dump.rs"]
mod dump;
mod healing;
mod holding;
mod imports;
mod kills;
#[allow(dead_code, reason = "the application's tests use the rest")]
#[path = "../support/leads.rs"]
mod leads;
mod ledger;
mod lost_log;
mod order;
mod panics;
#[allow(dead_code, reason = "the application's tests use the rest")]
#[path = "../app/drain/support.rs"]
mod product;
mod proxy;
mod rebuilding;
mod schedule;
mod serve;
mod stopping;
mod story;
#[path = "../support/test_db.rs"]
mod test_db;
