//! Companies: the accounts that workspaces and contacts belong to.
//!
//! Owns `accounts`, `account_domains` and `account_links`. [`company`] is the noun, [`icp`] says how well a
//! company fits, [`matching`] weighs the evidence for a link, [`project`] is the drainer's part.
//!
//! Invariants: a workspace is linked from 80 percent on and has no account below that; a link made by a
//! person stays; free-mail and throw-away domains are nobody's; what an account is follows from what
//! was said about it and its workspaces, whatever the order.

pub mod company;
pub mod icp;
pub mod matching;
pub mod project;
pub mod store;
pub mod store_links;
