//! From the journal to the projections.

#[allow(dead_code, reason = "the tests of durability use the rest")]
#[path = "../../chaos/story.rs"]
mod calls;
mod attribution;
mod beside;
mod captures;
mod crash;
mod days;
mod healing;
mod loops;
mod order;
mod rebuild;
mod values;
mod speed;
mod story;
pub mod support;

/// By the name that the story knows it.
use support as product;
