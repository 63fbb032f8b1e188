//! What a workspace pays, and since when: from traits, the API, files and Stripe.
//!
//! Owns `subscriptions` (how each stands), `subscription_changes` (how each stood, as dated rows),
//! `subscription_words` (what records said), and `stripe_events`, `stripe_subscriptions`,
//! `stripe_customers` (what Stripe told, whose it is).
//! [`terms`] is the noun, [`input`] reads what scripts and files say of it, [`told`] the traits of a
//! workspace, [`stripe`] events of Stripe's; [`agreement`] says how it stands after all that;
//! [`ops`] and [`ops_stripe`] write it, [`project`] is the drainer's part, [`jobs`] what is done when the
//! lists of plan names change, [`timeline`] what the dated
//! rows tell, [`money`] what holds for several currencies.
//!
//! Invariants: how a subscription stands and stood is a function of the set of Stripe's events and of
//! records about it, in any order: the newer word about a field holds; a
//! subscription with origin `traits` is a function of the workspace's traits and counts only while
//! no billing system speaks for the workspace; whatever changes touches the workspace from the
//! first day on which its score may differ.

pub mod actions;
pub mod agreement;
pub mod input;
pub mod jobs;
pub mod money;
pub mod ops;
pub mod ops_stripe;
pub mod pages;
pub mod project;
pub mod store;
pub mod store_stripe;
pub mod store_stripe_words;
pub mod store_unmapped;
pub mod store_words;
pub mod stripe;
pub mod terms;
pub mod timeline;
pub mod told;
