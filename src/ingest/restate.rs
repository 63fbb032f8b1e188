//! Known events once more: retries, and dead letters that a person replays.
//!
//! The first write wins, so a retry changes nothing. A letter of an event that waits for its workspace
//! is another matter: the person who replays it may have written the workspace into its text. What
//! waited is then taken out and the new text comes in as if the event were new; the first copy in the
//! journal is noted as left out, so that a rebuild counts the event once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use uuid::Uuid;

use super::chunk::{Chunk, ChunkEvent};
use super::drain::Place;
use super::message::{Kind, Message};
use super::store_restate::{self, Waiting};
use super::{journal, payload};
use crate::error::Result;
use crate::ids::SourceId;

/// A known event once more.
#[derive(Debug)]
pub(super) struct Again<'a> {
    pub(super) place: Place,
    pub(super) source: SourceId,
    pub(super) received_at: DateTime<Utc>,
    id: Uuid,
    kind: Kind,
    /// As it would come in; none when nobody can be told by its ids.
    event: Option<ChunkEvent<'a>>,
}

impl<'a> Again<'a> {
    /// The event as this chunk would take it.
    pub(super) fn of(
        chunk: &mut Chunk<'a>,
        id: Uuid,
        place: Place,
        source: SourceId,
        received_at: DateTime<Utc>,
        message: Message<'a>,
    ) -> Self {
        let kind = message.kind;
        let (events, refused) = (chunk.events.len(), chunk.refused.len());
        chunk.admit(id, source, received_at, message);
        // A copy of a refused event is no second refusal.
        chunk.refused.truncate(refused);
        let event = chunk.events.drain(events..).next();
        Self { place, source, received_at, id, kind, event }
    }
}

/// Takes those in that were replayed to say in which workspace they happened; has the events of the
/// others' people looked at again, if they still wait. Answers with what stays a duplicate.
///
/// # Errors
/// When the database fails.
pub(super) fn take<'a>(
    conn: &mut PgConnection,
    chunk: &mut Chunk<'a>,
    known: Vec<Again<'a>>,
) -> Result<Vec<Again<'a>>> {
    // Only of track calls there are letters without a workspace.
    let ids: Vec<Uuid> =
        known.iter().filter(|again| again.kind == Kind::Track).map(|again| again.id).collect();
    let mut waiting: HashMap<Uuid, Waiting> =
        store_restate::waiting(conn, &ids)?.into_iter().map(|row| (row.id, row)).collect();
    let mut duplicates = Vec::new();
    for mut again in known {
        if again.kind != Kind::Track {
            duplicates.push(again);
            continue;
        }
        let places = again.event.as_ref().is_some_and(|event| event.workspace.is_some());
        if places && let Some(first) = waiting.remove(&again.id) {
            leave_out(conn, &first)?;
            chunk.restated.push((first.user_id, first.occurred_at, first.id));
            chunk.healed.push(first.id);
            chunk.events.extend(again.event.take());
            continue;
        }
        // Whose it was when it came first, and whose it is by its text.
        chunk.recheck.extend(waiting.get(&again.id).map(|first| first.user_id));
        if !places {
            chunk.recheck.extend(again.event.as_ref().map(|event| event.person));
        }
        duplicates.push(again);
    }
    Ok(duplicates)
}

/// Notes that the first copies of this event do not count.
fn leave_out(conn: &mut PgConnection, first: &Waiting) -> Result<()> {
    for row in store_restate::received(conn, first.source_id, first.received_at)? {
        // Damaged bytes were no event then either.
        let Ok(lines) = payload::inflate(&row.payload) else { continue };
        for (message, place) in journal::read(&lines).unwrap_or_default().into_iter().zip(0..) {
            if Uuid::new_v5(&first.source_id.0, message.message_id.as_bytes()) == first.id {
                store_restate::leave_out(conn, row.received_on, (row.id, place))?;
            }
        }
    }
    Ok(())
}
