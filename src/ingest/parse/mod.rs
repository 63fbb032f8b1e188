//! From a body's bytes to accepted and rejected events, without a tree in between.
//!
//! [`text`] makes the bytes text, [`body()`] walks it once: `scan` checks the JSON and remembers where
//! the fields of an event stand, `event` judges them, `time` corrects the clock, `clean` rewrites
//! the rare value that PostgreSQL would refuse.
//!
//! Limits (`spec/ingest.md`): 32 KB an event, 2,500 events a batch, 16 levels (the event's own
//! braces are the first), 255 keys in any one object.
//!
//! Decided here, where the spec leaves a choice: what can be cleaned is cleaned and noted
//! ([`super::message::Notes`]) rather than refused. `NaN`, `Infinity` and numbers beyond a double
//! become null, U+0000 and lone surrogates become U+FFFD, bytes that are no UTF-8 become U+FFFD. What is
//! no JSON within an event's own braces is refused alone; when the braces or quotes themselves do
//! not match, nobody can say where the neighbours begin, and the whole body is refused with 400.

mod body;
mod clean;
mod event;
mod scan;
mod time;

#[cfg(test)]
mod captures;
#[cfg(test)]
mod hostile;

pub use body::{BATCH_LIMIT, EVENT_LIMIT, Parsed, body, text};
pub use time::corrected;

pub use crate::values::time::instant;
