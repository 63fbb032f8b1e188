//! Ripen: the CRM for product-led growth. It knows which workspaces are ripe.
//!
//! A product sends its telemetry; Ripen rolls users up into workspaces and accounts, scores each
//! workspace as a product-qualified lead, routes it and makes sure that somebody owns it.
//!
//! This page is the map of the house. Features stand in the order in which data flows through
//! them: *calls go up the list, facts go down it*. Routing stands last: it decides and, in the same
//! transaction, calls ownership, which calls tasks. Inside a feature the same file names mean the
//! same things: `mod.rs` (what it is, the tables it owns), a noun (pure types and rules), `store.rs`
//! (all its SQL), `ops.rs` (use cases, one transaction each), `pages.rs` (GET), `actions.rs`
//! (forms), `api.rs` (JSON), `jobs.rs` (background work).

#![deny(clippy::print_stderr)]

// The platform: knows no feature.
pub mod clock;
pub mod config;
pub mod db;
pub mod error;
pub mod health;
pub mod ids;
pub mod listener;
pub mod logging;
pub mod queue;
pub mod schema;
pub mod shutdown;
pub mod threads;
pub mod values;
pub mod web;

// Features, in the order of the data.
pub mod team;
pub mod sources;
pub mod catalog;
pub mod plans;
pub mod retention;
pub mod ingest;
pub mod identity;
pub mod accounts;
pub mod workspaces;
pub mod contacts;
pub mod subscriptions;
pub mod webhooks;
pub mod usage;
pub mod bulk;
pub mod imports;
pub mod scoring;
pub mod tasks;
pub mod ownership;
pub mod routing;

// Other faces of the same use cases.
pub mod api;
pub mod demo;

// The tables of contents.
pub mod app;
pub mod cli;
pub mod jobs;
pub mod routes;
pub mod workers;
