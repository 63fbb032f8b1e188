//! The pages of accounts: `list`, `detail` (one account), `links` (workspaces that wait for a person
//! to say whose they are).

pub mod detail;
pub mod links;
pub mod list;
