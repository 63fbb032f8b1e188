//! Ownership: who has which workspace, who could, and how it is handed over.
//!
//! Owns the tables `pools`, `pool_members`, `account_owners`, `assignments`.
//!
//! The pure half: `eligibility` (who can be given a PQL, else why not), `round_robin` (whose turn it
//! is), `strategy` (the ways to an owner in the order of a rule).
//!
//! Invariants: a workspace has at most one open assignment; an assignment, its task, its
//! notification and its audit row commit together; nobody deactivated owns anything; whoever writes
//! assignments locks members (by id), then workspaces (by id), then turns in pools, in that order.

pub mod actions;
pub mod eligibility;
pub mod ops;
pub mod pages;
pub mod round_robin;
pub mod store;
pub mod store_board;
pub mod store_pools;
pub mod strategy;
