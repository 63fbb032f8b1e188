//! Use case of a schedule: making one of the drainer's small notes.

use chrono::NaiveDate;
use diesel::PgConnection;

use super::merge::{self, Small};
use super::{store_chunks, store_drain};
use crate::error::Result;

/// Merges small notes after this one, of rows of a day before `today`; at most `at_most` are looked at.
/// The number of the last one, or none when there were none. Waits for the chunk that is being drained,
/// and the drainer for it.
///
/// # Errors
/// When the database fails; nothing is changed then.
pub fn merge(
    conn: &mut PgConnection,
    after: i64,
    today: NaiveDate,
    at_most: i64,
) -> Result<Option<i64>> {
    store_drain::lock(conn)?;
    let chunks = store_chunks::small(conn, after, today, at_most)?;
    let sizes = store_chunks::sizes(conn, &chunks)?;
    let notes: Vec<Small> = chunks
        .iter()
        .zip(sizes)
        .map(|(chunk, events)| Small {
            catalog: chunk.catalog,
            rules: chunk.rules,
            day: chunk.days.first().copied().unwrap_or(today),
            rows: chunk.journal_ids.len(),
            events,
        })
        .collect();
    for (start, length) in merge::runs(&notes) {
        let run: Vec<_> = chunks.iter().skip(start).take(length).cloned().collect();
        store_chunks::merge(conn, &run)?;
    }
    Ok(chunks.last().map(|chunk| chunk.id))
}
