//! The inbox and its tasks over HTTP.

mod inbox;
mod notifications;
