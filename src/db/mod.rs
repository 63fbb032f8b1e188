//! The ground the house stands on: connections, transactions, migrations, and a PostgreSQL of our
//! own when nobody gives us one.
//!
//! - [`pool`]: the [`Database`] handle with a pool for pages, one for ingestion, one for background
//!   work, so that none of them can starve another; `read` and `tx` are the only ways in.
//! - [`migrate`]: the migrations, compiled in, applied at start by one process at a time.
//! - [`local`]: the private PostgreSQL: found, created, started, kept alive and stopped by us.
//!
//! Knows no table and no feature.

pub mod local;
pub mod migrate;
pub mod pool;

pub use pool::{Database, Pool, Room};
