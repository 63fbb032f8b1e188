//! What every page stands on: the door (roles, permits, sessions, CSRF, headers), forms and answers,
//! errors as pages, the page shell, numbers and times as text, static files.
//!
//! Owns `sessions`; `store` joins `team_members` for reading. Knows no feature, save that `api_key`
//! asks `sources` whose key it is.
//! How a page is written: [`permit`], [`answer`], [`form`], [`shell`], in this order.

pub mod address;
pub mod answer;
pub mod api_key;
pub mod assets;
pub mod body;
pub mod charts;
pub mod client_address;
pub mod closing;
pub mod csrf;
pub mod errors;
pub mod flash;
pub mod form;
pub mod format;
pub mod headers;
pub mod permit;
pub mod role;
pub mod session;
pub mod shell;
pub mod store;
pub mod token;

#[cfg(test)]
mod gallery;
