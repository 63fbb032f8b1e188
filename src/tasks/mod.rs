//! Tasks: what a rep has to do, whom to call and why.
//!
//! Owns the tables `tasks`, `notifications`.
//!
//! The pure half: `business_hours` (when something is due), `handoff` (what a task tells the rep),
//! `opener` (the first lines of a mail).
//!
//! Invariants: one open PQL task a workspace; a task is closed with an outcome, never deleted.

pub mod actions;
pub mod actions_notifications;
pub mod business_hours;
pub mod handoff;
pub mod opener;
pub mod ops;
pub mod outcome;
pub mod pages;
pub mod pages_notifications;
pub mod store;
pub mod store_handoff;
pub mod store_inbox;
pub mod store_notifications;
