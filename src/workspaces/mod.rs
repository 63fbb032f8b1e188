//! Workspaces: tenants of the product, where usage happens, and the pages on which people see them.
//!
//! Owns the tables `workspaces`, `memberships`, `subscriptions`.
//!
//! `filter` (what a list shows, from and to a query string), `store_list` (rows by keyset, counts),
//! `store_page` (one workspace), `store_timeline` (its events), `pages` (list and detail).
//!
//! Pages address a workspace by its uuid, a hash of the product's own id: that id may hold slashes,
//! dots and any script, which browsers and proxies rewrite in paths. `/workspaces/<external id>`
//! leads there too.

pub mod filter;
pub mod pages;
pub mod store_list;
pub mod store_page;
pub mod store_timeline;
