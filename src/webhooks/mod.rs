//! Signed deliveries: Stripe's events, and anybody's by Standard Webhooks.
//!
//! [`receive`] takes them over HTTP, [`ops`] checks and passes them on in one transaction, so that 2xx
//! means committed; [`meaning`] (pure) says what an event of Standard Webhooks means to Ripen.
//! Endpoints, secrets and the list of deliveries are `sources`'.
//!
//! Invariants: no body is read before its endpoint is known, and nothing is read out of one whose
//! signature is not right; the same delivery twice is one, by Stripe's id of the event, the journal's
//! `messageId` or the `webhook-id`; a secret is in no log and no answer.

pub mod meaning;
pub mod ops;
pub mod receive;
