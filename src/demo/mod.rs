//! A believable company to look at: sixty accounts, ninety days of events, a team that works on them.
//!
//! [`company`] (who there is), [`story`] (what happens to a workspace, in numbers), [`life`] (what its
//! people did, as Segment calls) and [`trouble`] (what goes wrong on the way) are pure: the same seed
//! and the same end give the same calls to the byte. [`run`] sends them to the server like any SDK
//! would, gzipped batches with a write key, and makes the team. Owns no table.
//!
//! Invariants: nothing is written around the product, everything goes through its use cases and the
//! ingest endpoint; every call keeps its messageId, so that a second run changes nothing; passwords
//! are random in each run and said once.

pub mod call;
pub mod company;
pub mod dice;
pub mod life;
pub mod names;
pub mod run;
pub mod send;
pub mod story;
pub mod team;
pub mod trouble;

#[cfg(test)]
mod tests;
