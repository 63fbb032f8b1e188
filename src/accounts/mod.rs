//! Companies: the accounts that workspaces and contacts belong to.
//!
//! Owns `accounts`, `account_domains` and `account_links`. [`company`] is the noun, [`icp`] says how well a
//! company fits, [`matching`] weighs the evidence for a link, [`project`] is the drainer's part,
//! [`evidence`] reads stored evidence back, [`pages`] and [`actions`] are what people see and decide.
//!
//! Invariants: a workspace is linked from 80 percent on and has no account below that; a link made by a
//! person stays; free-mail and throw-away domains are nobody's; what an account is follows from what
//! was said about it and its workspaces, whatever the order.

pub mod actions;
pub mod company;
pub mod evidence;
pub mod icp;
pub mod matching;
pub mod ops;
pub mod pages;
pub mod project;
pub mod reread;
pub mod store;
pub mod store_links;
pub mod store_pages;
pub mod store_pins;
pub mod store_reread;
