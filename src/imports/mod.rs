//! CSV files of records, brought in through the browser: upload, mapping, check, import, errors.
//!
//! Owns `imports`, `import_parts`, `import_faults` and `import_mappings`. The pure part:
//! [`encoding`] (what a file's bytes are), [`sheet`] (how its text is laid out), [`record`] (text to rows of cells), [`mapping`] (columns to fields, cells to a
//! record), [`errors`] (the file of refused rows), [`escape`] (cells that a spreadsheet would run).
//! [`file`] reads a stored file row by row, [`jobs`] checks and imports it in chunks, [`repeats`] is what
//! a check remembers from chunk to chunk.
//!
//! Invariants: a file is kept as it came and read anew each time, so nothing is lost by a wrong guess;
//! the check and the import run the same rows through the same rules (`bulk`); a chunk and how far
//! the import is are one transaction, so a job that was killed goes on after the last committed chunk
//! and ends the same; what is in memory does not grow with the file, and no row can grow beyond its limit.

pub mod actions;
pub mod encoding;
pub mod errors;
pub mod escape;
pub mod file;
pub mod jobs;
pub mod known_names;
pub mod mapping;
pub mod ops;
pub mod pages;
pub mod record;
pub mod repeats;
pub mod sheet;
pub mod store;
pub mod store_parts;
