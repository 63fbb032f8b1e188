//! Companies: the accounts that workspaces and contacts belong to.
//!
//! [`domain`] (pure): what an e-mail address says about a company.

pub mod domain;
