//! How long what was sent is kept, and what follows when that is changed.
//!
//! `policy` holds the rule (pure): what may be set and what is worth a warning. `store` keeps the one
//! row of settings and reads what there is on disk; `ops` saves; `pages` and `actions` are
//! `/settings/data`. Whoever owns a table forgets its rows (`ingest::jobs::forget`,
//! `usage::jobs::forget`), by what stands here.
//!
//! Owns `retention`.
//!
//! Invariants: nothing is dropped by saving, only by the job that forgets; what was dropped never
//! comes back by keeping longer.

pub mod actions;
pub mod ops;
pub mod pages;
pub mod policy;
pub mod store;
