//! Products that send: sources and the keys that machines sign in with.
//!
//! A source is one product in one environment. SDKs sign in with a *write key* of a source, scripts
//! with an *API key* that has scopes. Both are shown once; only their SHA-256 and a prefix are kept.
//!
//! Owns `sources`, `write_keys`, `api_keys`.
//!
//! Invariants: a key's text is in no table and in no log; a key that was revoked, or whose source
//! is switched off, stops working within seconds ([`keyring`]) on every server; every change writes
//! an audit row in its transaction.

pub mod actions;
pub mod key;
pub mod keyring;
pub mod ops;
pub mod pages;

pub mod store;
