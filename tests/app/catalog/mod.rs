//! The catalog: its editor, its versions, counting again by another one.

mod api;
mod editing;
mod names;
