//! The key event taxonomy: which event names mean what.
//!
//! Owns `event_definitions`, `catalog_versions` and `unknown_event_names`. [`event`] is the noun,
//! [`matching`] finds the definition of an event by its name and its [`condition`]s (by the
//! [`operator`]s that all conditions share), [`defaults`] is the catalog Ripen starts with. Invariants: an event leads to one definition, whatever the case,
//! spaces, underscores and dashes of its name; every change is a new version of the whole document,
//! the newest is in force, and none is ever deleted; at most 500 unknown names are collected from one
//! source, the rest counts as `other` (which of them arrived first decides which they are).

pub mod actions;
pub mod api;
pub mod change;
pub mod condition;
pub mod defaults;
pub mod event;
pub mod matching;
pub mod operator;
pub mod ops;
pub mod pages;
mod pages_forecast;
pub mod pages_form;
pub mod pages_rebuild;
mod pages_referrers;
pub mod store;
pub mod store_heard;
