//! Products that send: sources and the keys that machines sign in with.
//!
//! A source is one product in one environment. SDKs sign in with a *write key* of a source, scripts
//! with an *API key* that has scopes. Both are shown once; only their SHA-256 and a prefix are kept.
//!
//! A *webhook endpoint* is an address for deliveries that are signed ([`signature`]) with a secret; a
//! secret is changed with an overlap in which the old one and the new one are taken.
//!
//! Owns `sources`, `write_keys`, `api_keys`, `webhook_endpoints`, `webhook_secrets`,
//! `webhook_deliveries`, `webhook_ids`.
//!
//! Invariants: a key's text is in no table and in no log; a webhook's secret is in one table, because
//! an HMAC cannot be checked by a hash, and in no log; a key that was revoked stops working
//! at once on this server and within seconds on others ([`keyring`]); of whoever is deactivated or
//! demoted no key goes on working that nobody was asked about ([`makers`]); every change writes an audit row in its transaction.

pub mod actions;
pub mod actions_makers;
pub mod actions_webhooks;
pub mod held_line;
pub mod key;
pub mod keyring;
pub mod makers;
pub mod ops;
pub mod ops_makers;
pub mod ops_webhooks;
pub mod pages;
pub mod pages_first_event;
pub mod pages_makers;
pub mod pages_webhooks;
pub mod samples;
pub mod signature;
pub mod store;
pub mod store_makers;
pub mod store_webhooks;
