//! What a workspace pays, and since when: from traits, the API, files and Stripe.
//!
//! Owns `subscriptions` (how each stands) and `subscription_changes` (how each stood, as dated rows).
//! [`terms`] is the noun, [`input`] reads it from what scripts and files say, [`told`] from the traits
//! of a workspace, [`ops`] writes it, [`project`] is the drainer's part.
//!
//! Invariants: of two words about one subscription the newer one holds, whichever came first; a
//! subscription with origin `traits` is a function of the workspace's traits and counts only while
//! no billing system speaks for the workspace; whatever changes touches the workspace from the
//! first day on which its score may differ.

pub mod input;
pub mod ops;
pub mod project;
pub mod store;
pub mod terms;
pub mod told;
