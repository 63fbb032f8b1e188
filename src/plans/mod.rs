//! Plans: which tier the name of a plan means, by lists of words that an admin can edit.
//!
//! `plan` is pure: the lists, their default, and how a name is read. Owns `plan_names`, one row: the lists
//! when they were edited, their version, and the version by which the stored tiers were last made. What is
//! stored is made again by a job of `subscriptions`, which knows what follows from a tier.

pub mod actions;
pub mod ops;
pub mod pages;
pub mod plan;
pub mod store;
