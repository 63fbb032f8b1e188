//! The key event taxonomy: which event names mean what.
//!
//! Owns `event_definitions` and `unknown_event_names`. [`event`] is the noun, [`defaults`] the
//! catalog Ripen starts with. Invariants: a name leads to one definition, whatever its case, spaces,
//! underscores and dashes; at most 500 unknown names are collected from one source, the rest counts
//! as `other` (which of them arrived first decides which they are).

pub mod defaults;
pub mod event;
pub mod ops;
pub mod store;
