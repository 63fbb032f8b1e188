//! Tenants of the product, who is in them, and the pages on which people see them.
//!
//! Owns `workspaces`, `memberships`, `visitor_memberships`, `membership_changes`, `membership_days` and `group_calls`. [`workspace`] and [`membership`]
//! are the nouns, [`project`] is the drainer's part, [`places`] finds the workspace of events that do
//! not name it.
//!
//! `filter` (what a list shows, from and to a query string), `store_list` with `store_query`
//! (rows by keyset, counts),
//! `store_page` (one workspace), `store_timeline` (its events), `store_days` (how their days are read), `store_history` (its record),
//! `pages` (list and detail).
//!
//! Pages address a workspace by its uuid, a hash of the product's own id: that id may hold slashes,
//! dots and any script, which browsers and proxies rewrite in paths. `/workspaces/<external id>`
//! leads there too.
//!
//! Invariants: known users are members, and visitors as long as they are stitched to one; leaving ends a membership and never deletes it; every
//! field comes out the same whatever the order, batching and duplication of events.

pub mod filter;
pub mod membership;
pub mod pages;
pub mod places;
pub mod project;
pub mod reread;
pub mod sort;
pub mod store;
pub mod store_activity;
pub mod store_days;
pub mod store_history;
pub mod store_list;
pub mod store_membership_days;
pub mod store_memberships;
pub mod store_page;
mod store_places;
mod store_query;
pub mod store_timeline;
mod store_visitors;
pub mod workspace;
