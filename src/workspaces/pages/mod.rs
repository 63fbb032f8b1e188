//! The pages of workspaces: the list, and one workspace with its tabs, each at an address of its own.
//!
//! `list` · `record` (what every tab begins with) · `score` · `people` ·
//! `timeline` · `billing` · `tabs` (tasks, history).

pub mod billing;
pub mod list;
pub mod people;
pub mod record;
pub mod score;
pub mod tabs;
pub mod timeline;
