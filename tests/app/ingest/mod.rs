//! Ingestion from the socket to the journal.

mod answers;
mod captures;
mod files;
mod letters;
mod measured;
mod overload;
mod pages;
mod server;
