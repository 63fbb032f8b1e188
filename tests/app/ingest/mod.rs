//! Ingestion from the socket to the journal.

mod answers;
mod captures;
mod killed;
mod overload;
mod server;
