//! Routing: where a scored workspace goes, and the record of why.
//!
//! Owns the tables `routing_rule_sets`, `routing_decisions`.
//!
//! The pure half: `rule` (the document), `defaults` (the rule set of a new installation), `engine`
//! (rules and fields to a decision with its trace), `plan` (a decision against how things
//! stand: what is recorded, who gets it, what is withdrawn), `offers` (who is planned first, and how
//! many one sweep gives to one person). docs/routing.md has the exact semantics.
//!
//! Invariants: a published rule set never changes; a decision is recorded only when destination,
//! owner, rule or overlays differ from the last; "why this rep, why not me" is answered from the record
//! alone; running the job again changes nothing; a newcomer is never given to somebody whom a
//! workspace that waits could have had.

pub mod defaults;
pub mod engine;
pub mod explained;
pub mod offers;
pub mod ops;
pub mod pages;
pub mod plan;
pub mod record;
pub mod rule;
pub mod run;
pub mod store;
pub mod store_log;
pub mod store_waiting;
