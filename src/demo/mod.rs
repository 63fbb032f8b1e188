//! A believable company to look at: sixty accounts, ninety days of events, a team that works on them.
//!
//! [`company`] (who there is), [`story`] (what happens to a workspace, in numbers), [`life`] (what its
//! people did, as Segment calls), [`doubles`] (who signed up twice), [`billing`] (what Stripe says of
//! who pays) and [`trouble`] (what goes wrong on the way) are pure: the same seed and the same end give
//! the same calls to the byte. [`run`] sends them to the server like any SDK would, gzipped batches with
//! a write key, and makes the team; [`post`] delivers Stripe's events, signed. Owns no table.
//!
//! Invariants: nothing is written around the product, everything goes through its use cases, the
//! ingest endpoint and the address of a webhook; every call keeps its messageId, so that a second run changes nothing; passwords
//! are random in each run and said once.

pub mod billing;
pub mod call;
pub mod company;
pub mod dice;
pub mod doubles;
pub mod life;
pub mod names;
pub mod post;
pub mod run;
pub mod send;
pub mod story;
pub mod team;
pub mod trouble;

#[cfg(test)]
mod tests;
