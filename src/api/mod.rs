//! The JSON API: the same facts and use cases for people's scripts, reverse ETL and tests.
//!
//! Owns no table. Errors are `application/problem+json` with `code` (`problem`, and `web::errors`
//! for what the house itself refuses); lists go on by an opaque keyset `cursor` and are asked for
//! by a `query` over the `columns` of the serving table. Objects are addressed by the product's own
//! ids, scores and points are hundredths, times RFC 3339 in UTC.
//!
//! What is where: `workspaces`, `workspace_parts`, `accounts` and `subscriptions` (reading), `people`
//! (users and contacts), `scoring` (the model), `jobs`
//! (progress), `metrics` (for Prometheus), `reference` (the OpenAPI document and its page).
//! Invariant: every route under `/api` is in `static/openapi.json` and every path there is a route;
//! every handler takes an API key with the scope that it needs.

pub mod accounts;
pub mod body;
pub mod columns;
pub mod cursor;
pub mod jobs;
pub mod metrics;
pub mod people;
pub mod problem;
pub mod query;
pub mod reference;
pub mod scoring;
pub mod store_accounts;
pub mod store_list;
pub mod store_metrics;
pub mod store_parts;
pub mod store_people;
pub mod store_subscriptions;
pub mod store_workspaces;
pub mod subscriptions;
pub mod workspace_parts;
pub mod workspaces;
