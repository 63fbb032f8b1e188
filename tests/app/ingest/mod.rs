//! Ingestion from the socket to the journal.

mod answers;
mod captures;
mod overload;
mod server;
