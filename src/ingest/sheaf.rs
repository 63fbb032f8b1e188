//! Requests that are written down together, bound into rows of the journal. Pure.
//!
//! A row holds the events of one source that were received within one minute, in the order in which
//! they came, and counts as received when the first of them was. What an event means does not depend
//! on it: its own time was settled by its own receipt when it was parsed. The row's receipt says in
//! which minute a duplicate is counted and what a dead letter of the drainer is dated.

use chrono::{DateTime, Utc};

use super::measure::minute;
use super::writer::Submission;
use crate::ids::SourceId;

/// A row is closed once it holds so many events, or so many bytes before compression: the drainer
/// takes rows whole.
const EVENTS: usize = 2_500;
const BYTES: usize = 1024 * 1024;

/// One row of the journal, not yet compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheaf {
    /// Who sent all of it.
    pub source_id: SourceId,
    /// When the first of it was received.
    pub received_at: DateTime<Utc>,
    /// How many messages `lines` holds, at least 1.
    pub events: usize,
    /// The messages, as [`super::journal`] writes them.
    pub lines: Vec<u8>,
}

/// Binds the events of these requests; those without any are left out.
#[must_use]
pub fn bind(group: &[&Submission]) -> Vec<Sheaf> {
    let mut sheaves: Vec<Sheaf> = Vec::new();
    for request in group.iter().filter(|request| request.events > 0) {
        // Few sources send at the same instant; the newest of their rows is the open one.
        let open = sheaves.iter_mut().rev().find(|sheaf| sheaf.source_id == request.source_id);
        let open = open.filter(|sheaf| {
            minute(sheaf.received_at) == minute(request.stored_at)
                && sheaf.events.saturating_add(request.events) <= EVENTS
                && sheaf.lines.len().saturating_add(request.lines.len()) <= BYTES
        });
        match open {
            Some(sheaf) => {
                sheaf.received_at = sheaf.received_at.min(request.stored_at);
                sheaf.events = sheaf.events.saturating_add(request.events);
                sheaf.lines.extend_from_slice(&request.lines);
            }
            None => sheaves.push(Sheaf {
                source_id: request.source_id,
                received_at: request.stored_at,
                events: request.events,
                lines: request.lines.clone(),
            }),
        }
    }
    sheaves
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(source: u128, second: i64, events: usize) -> Submission {
        Submission {
            source_id: SourceId(uuid::Uuid::from_u128(source)),
            stored_at: DateTime::from_timestamp(second, 0).unwrap(),
            events,
            lines: format!("{source} {second}\n").repeat(events).into_bytes(),
            refused: Vec::new(),
        }
    }

    fn bound(requests: &[Submission]) -> Vec<(u128, i64, usize)> {
        bind(&requests.iter().collect::<Vec<_>>())
            .iter()
            .map(|sheaf| {
                let lines = sheaf.lines.split(|byte| *byte == b'\n').count() - 1;
                assert_eq!(lines, sheaf.events);
                (sheaf.source_id.0.as_u128(), sheaf.received_at.timestamp(), sheaf.events)
            })
            .collect()
    }

    #[test]
    fn requests_of_a_source_and_a_minute_share_a_row_that_has_the_first_receipt() {
        let requests = [request(1, 61, 2), request(2, 61, 1), request(1, 60, 3), request(1, 62, 0)];
        assert_eq!(bound(&requests), [(1, 60, 5), (2, 61, 1)]);
        assert_eq!(bound(&[request(1, 59, 1), request(1, 60, 1)]), [(1, 59, 1), (1, 60, 1)]);
        assert!(bound(&[request(1, 60, 0)]).is_empty());
    }

    #[test]
    fn a_row_is_closed_when_it_is_full() {
        let requests: Vec<_> = (0..51).map(|_| request(1, 60, 50)).collect();
        assert_eq!(bound(&requests), [(1, 60, 2_500), (1, 60, 50)]);
        let long = request(1, 60, 300_000);
        assert_eq!(bound(&[request(1, 60, 1), long]), [(1, 60, 1), (1, 60, 300_000)]);
    }
}
