//! Routing: where a scored workspace goes, and the record of why.
//!
//! Owns the tables `routing_rule_sets`, `routing_decisions`.
//!
//! The pure half: `rule` (the document), `defaults` (the rule set of a new installation), `engine`
//! (rules and fields to a decision with its trace), `plan` (a decision against how things
//! stand: what is recorded, who gets it, what is withdrawn).
//!
//! Invariants: a published rule set never changes; a decision is recorded only when destination or
//! owner differs from the last; "why this rep, why not me" is answered from the record alone;
//! running the job again changes nothing.

pub mod defaults;
pub mod engine;
pub mod explained;
pub mod ops;
pub mod pages;
pub mod plan;
pub mod record;
pub mod rule;
pub mod store;
