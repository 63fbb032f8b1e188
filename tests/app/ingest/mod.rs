//! Ingestion from the socket to the journal.

mod answers;
mod by_source;
mod captures;
mod files;
mod hostile;
mod letters;
mod measured;
mod overload;
mod pages;
mod replays;
mod server;
mod watched;
