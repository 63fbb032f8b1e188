//! Records sent outright: workspaces, accounts, users, memberships and subscriptions by their own ids, many at a
//! time. Reverse ETL, scripts and imported files all come through here.
//!
//! The pure part: [`kind`] (what can be sent), [`field`] (the one schema that parsing, the mapping page,
//! the OpenAPI document and the reference read: [`schema`]), [`value`] (a value of a field), [`row`] (a record),
//! [`lines`] (a body to its records), [`known`] (what a record changes).
//!
//! A record says what a call of the product would say, so [`call`] makes it one, and [`ops`] runs the
//! drainer's own projections over it, under the drainer's own lock: SDK calls and records end equal in
//! any order, because they are the same thing. What differs: a record about a membership is no
//! `group()` call, so no event follows it to its workspace.
//!
//! [`answer`] is what senders read; `endpoint` (`POST /v1/workspaces` and its like, by server key) and `api` (by API key) are the ways in;
//! [`gate`] lets one request at a time write.
//!
//! Owns no table. Invariants: the newest word of each field wins, by the record's own `updated_at`; a
//! record that is refused harms no neighbour; what is answered as stored is committed.

pub mod answer;
pub mod api;
pub mod call;
pub mod endpoint;
pub mod field;
pub mod gate;
pub mod kind;
pub mod known;
pub mod lines;
pub mod ops;
pub mod row;
pub mod schema;
pub mod store;
pub mod value;
