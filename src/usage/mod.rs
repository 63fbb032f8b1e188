//! Usage: what happened per member and day, and the dictionary of signals made of it.
//!
//! The pure half: `signal` (values and the map of fields), `condition` (`field op value`, total, with
//! the null rules of the signal dictionary), `dictionary` (every field with its type, level and
//! definition), `day` (usage days with interned names), `facts` (what else is known about a
//! workspace), `taxonomy` (what the catalog says about events), `compute` with `aggregate` (fields out
//! of all of these).
//!
//! The drainer's half: `project` (events to usage days and key events), `count` (what is added and
//! taken away), `hours` with `store_loops` (the hours of a day, and one event repeated again and again
//! within one of them), `store_days` (the partitions of key events), `rebuild` (counting the journal again by another
//! catalog, as one of the `jobs`). Owns `usage_days`, `key_events`, `membership_events`, `inferred_events`
//! and `visits`.
//!
//! Invariants: a field has one key, one type and one definition everywhere; "last N days" means the
//! N UTC days that end with `as_of`, that day included; a day after `as_of` does not exist; a key event's
//! day is a usage day, so that whoever looks for key events finds their days there.

mod aggregate;
pub mod compute;
pub mod condition;
pub mod count;
pub mod day;
pub mod dictionary;
pub mod facts;
pub mod hours;
pub mod jobs;
pub mod project;
pub mod rebuild;
pub mod reproject;
pub mod signal;
pub mod store_days;
pub mod store_inferred;
pub mod store_key_events;
pub mod store_loops;
pub mod store_usage;
pub mod taxonomy;
