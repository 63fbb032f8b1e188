//! What comes in, how far behind the projections are, what was refused, and what was not as usual.

pub mod alert;
pub mod health;
pub mod letter;
pub mod letters;
pub mod replay;
pub mod source;

use crate::ids::SourceId;
use crate::sources::store::Source;

/// A source's name for people.
fn name_of(sources: &[Source], id: SourceId) -> String {
    let source = sources.iter().find(|source| source.id == id);
    source.map_or_else(|| "a source that is gone".to_owned(), |source| source.name.clone())
}

/// Milliseconds in words; a dash for nothing measured.
fn millis(value: Option<i64>) -> String {
    value.map_or_else(
        || "–".to_owned(),
        |millis| super::alert::span(chrono::TimeDelta::milliseconds(millis)),
    )
}
