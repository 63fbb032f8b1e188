//! The pages of contacts: the list, and one of them.

pub mod detail;
pub mod list;
