//! The catalog: its editor, its versions, counting again by another one.

mod editing;
mod names;
