//! Routing against a real database: once, whole, and without flapping.

mod flapping;
mod once;
mod pages;
mod recorded;
