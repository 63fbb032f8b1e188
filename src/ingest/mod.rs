//! Wire formats in, events out: every Segment and RudderStack SDK works by changing only its host.
//!
//! The pure part: [`gzip`] (a body off the wire, under a hard cap), [`endpoint`] (paths and write
//! keys), [`parse`] (bytes to accepted and rejected events), [`message`] (what one call says),
//! [`journal`] (messages as stored lines), many requests of them in a [`sheaf`] and its [`payload`], [`failure`] (codes, dead letters,
//! whole-body errors), [`answer`] (what the SDK reads), [`intake`] (all of these in a row).
//!
//! The way in: [`receive`] (the SDKs' paths, with [`body`], [`cors`], [`pixel`] and [`setup`], what browser
//! SDKs fetch before they start; what it refuses is
//! a [`refusal`], counted in [`refusals`] for people) hands each request to the
//! [`writer`], which commits whatever piled up as one group and only then lets it be answered.
//!
//! [`arrivals`] tell whoever connects a product what is not yet right about its first events.
//!
//! Other ways in: [`import`] and [`load`] (files of events), [`ops`] (dead letters, replayed).
//!
//! The way on: the [`drainer`] takes what was acknowledged out of the journal ([`drain`]), in a
//! [`chunk`] that every feature's projection reads; [`meaning`] asks the catalog, [`attribution`] finds the workspace of events that
//! do not name one, [`traits`] keeps the newest word of each, under the name that [`trait_names`] give it; [`aside`] runs the projections over what people decide. [`jobs`] forget what is too old.
//!
//! What goes on: [`measure`] (histograms that the [`recorder`] and the drainer write), [`names`] (event
//! names and their silence), [`minutes`] (columns of charts), [`status`], [`tail`] (the newest events).
//! The [`watch`] opens and closes an [`alert`] by the [`rhythm`] of each source. Dead letters have a
//! [`hint`], a [`fault`] that is marked, and a sample under a [`mask`].
//!
//! Owns `journal`, `journal_pending`, `journal_chunks`, `seen_messages`, `dead_letters`,
//! `ingest_minutes`, `ingest_measures`, `event_names`, `event_name_days`, `ingest_replays`, `dead_letter_attempts`,
//! `ingest_alerts`, `refused_requests`.
//!
//! Invariants: 200 means committed; one bad event never harms its neighbours; whatever is accepted
//! is text and JSON that PostgreSQL takes (no U+0000, no lone surrogate, no number beyond a
//! double); duplicates are accepted here and counted by the drainer; the clock is an argument.

pub mod actions;
pub mod alert;
pub mod answer;
mod apart;
pub mod aside;
pub mod api;
pub mod arrivals;
pub mod attribution;
pub mod chunk;
pub mod cors;
pub mod drain;
pub mod drainer;
pub mod endpoint;
pub mod failure;
pub mod fault;
pub mod gzip;
pub mod hint;
pub mod import;
pub mod intake;
pub mod jobs;
pub mod journal;
pub mod load;
pub mod mask;
pub mod meaning;
pub mod measure;
pub mod merge;
pub mod message;
pub mod minutes;
pub mod moment;
pub mod names;
pub mod ops;
pub mod ops_notes;
pub mod pages;
pub mod parse;
pub mod payload;
pub mod pixel;
pub mod receive;
pub mod recorder;
pub mod refusal;
pub mod refusals;
mod restate;
pub mod rhythm;
pub mod setup;
pub mod sheaf;
pub mod status;
pub mod store_alerts;
pub mod store_chunks;
pub mod store_dead_letters;
pub mod store_drain;
mod store_group;
pub mod store_journal;
pub mod store_lost;
pub mod store_measures;
pub mod store_names;
pub mod store_refusals;
pub mod store_replays;
pub mod store_restate;
pub mod store_retention;
pub mod store_rules;
pub mod store_status;
pub mod store_tail;
pub mod store_trait_days;
pub mod tail;
pub mod trait_days;
pub mod trait_names;
pub mod traits;
pub mod watch;
pub mod writer;
