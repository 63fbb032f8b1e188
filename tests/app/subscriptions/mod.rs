//! What workspaces pay: every way in, and what follows from it.

mod order;
mod signals;
mod signed;
pub mod stripe;
mod upserts;
