//! Wire formats in, events out: every Segment and RudderStack SDK works by changing only its host.
//!
//! The pure part: [`gzip`] (a body off the wire, under a hard cap), [`endpoint`] (paths and write
//! keys), [`parse`] (bytes to accepted and rejected events), [`message`] (what one call says),
//! [`journal`] (messages as stored lines), [`failure`] (codes, dead letters, whole-body errors),
//! [`answer`] (what the SDK reads).
//!
//! Invariants: one bad event never harms its neighbours; whatever is accepted is text and JSON that
//! PostgreSQL takes (no U+0000, no lone surrogate, no number beyond a double); duplicates are
//! accepted here and counted by the drainer; the clock is an argument.

pub mod answer;
pub mod endpoint;
pub mod failure;
pub mod gzip;
pub mod journal;
pub mod message;
pub mod parse;
