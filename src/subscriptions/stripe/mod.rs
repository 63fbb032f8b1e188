//! What Stripe says, read without Stripe's library: two layouts of one API (`wire.md`, section 6).
//!
//! [`event`] reads an event, [`snapshot`] a subscription in it, [`price`] turns prices into MRR,
//! [`order`] says which of the events of one second came last. All pure.

pub mod event;
pub mod order;
pub mod price;
pub mod snapshot;
