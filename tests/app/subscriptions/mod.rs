//! What workspaces pay: every way in, and what follows from it.

mod upserts;
