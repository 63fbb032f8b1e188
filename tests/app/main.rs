//! Tests against the whole application: real HTTP stack, real queue, a database for each test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that panics is a test that fails"
)]

#[path = "../support/api_client.rs"]
mod api_client;
mod bulk;
mod catalog;
mod commands;
mod database;
mod drain;
#[path = "../support/dump.rs"]
#[allow(dead_code, reason = "the chaos tests use the rest")]
mod dump;
#[path = "../support/house.rs"]
mod house;
mod identity;
mod ingest;
mod jobs;
#[path = "../support/leads.rs"]
mod leads;
mod ownership;
mod private_postgres;
mod plans;
mod retention;
mod routing;
#[path = "../support/scored.rs"]
mod scored;
mod scoring;
mod steer;
mod subscriptions;
mod tasks;
mod team;
#[path = "../support/test_db.rs"]
mod test_db;
mod workspaces;
#[path = "../support/world.rs"]
mod world;
