//! Ownership against a real database, and its pages.

mod assigning;
mod board;
mod waiting;
