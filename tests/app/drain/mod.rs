//! From the journal to the projections.

mod captures;
mod crash;
mod healing;
mod order;
mod speed;
mod story;
pub mod support;
