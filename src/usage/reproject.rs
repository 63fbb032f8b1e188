//! Projecting the journal again by newer rules, after an update that changed them.
//!
//! Two passes, both under the drainer's lock, step by step, each step a transaction; cut off anywhere
//! they go on. The first hears what older rules projected once more: identity, memberships, group calls,
//! traits. All of these are functions of the set of what was said, so hearing it twice changes nothing
//! but what the newer rules read otherwise. What counts is not counted again. The second places the
//! events that name no workspace anew, person by person, and takes usage days and key events along.
//!
//! What it cannot bring up: events whose messages the journal no longer holds, and the time of an event,
//! which was settled when it was received.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use uuid::Uuid;

use super::project::{self, Changes};
use super::rebuild::{self, Step};
use super::store_inferred;
use crate::catalog::matching::Catalog;
use crate::error::Result;
use crate::ids::{SourceId, UserId};
use crate::ingest::chunk::Chunk;
use crate::ingest::drain::Place;
use crate::ingest::meaning::{self, UnknownNames};
use crate::ingest::store_chunks::{self, LoggedChunk};
use crate::ingest::store_drain::{self, Counts, JournalRow};
use crate::ingest::store_rules::{self, RULES};
use crate::ingest::{aside, journal, payload};
use crate::{accounts, catalog, contacts, identity, subscriptions, workspaces};

/// Chunks looked at by one step, at most.
const CHUNKS: i64 = 200;
/// People of one step of the second pass.
const PEOPLE: i64 = 200;

/// Hears some chunks again that older rules projected, the oldest first: about `events` messages, one
/// chunk at least. Nothing done: nothing is left to do.
///
/// # Errors
/// When the database fails; nothing is changed then.
pub fn hear(conn: &mut PgConnection, now: DateTime<Utc>, events: i64) -> Result<Step> {
    store_drain::lock(conn)?;
    let mut chunks = store_rules::superseded(conn, RULES, CHUNKS)?;
    rebuild::cut(conn, &mut chunks, events)?;
    if chunks.is_empty() {
        return Ok(Step::default());
    }
    let ids: Vec<i64> = chunks.iter().map(|chunk| chunk.id).collect();
    let read = hear_chunks(conn, now, &chunks)?;
    store_rules::projected_by(conn, &ids, RULES)?;
    let chunks = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    Ok(Step { chunks, events: read, changed: 0 })
}

fn hear_chunks(conn: &mut PgConnection, now: DateTime<Utc>, chunks: &[LoggedChunk]) -> Result<i64> {
    let days: BTreeSet<_> = chunks.iter().flat_map(|chunk| chunk.days.iter().copied()).collect();
    let ids: Vec<i64> = chunks.iter().flat_map(|chunk| chunk.journal_ids.clone()).collect();
    let rows = store_chunks::rows(conn, &days.into_iter().collect::<Vec<_>>(), &ids)?;
    let inflated: Vec<(&JournalRow, Vec<u8>)> = rows
        .iter()
        // The drainer could not read damaged bytes either.
        .filter_map(|row| Some((row, payload::inflate(&row.payload).ok()?)))
        .collect();
    let counted_by: HashMap<i64, i32> = chunks
        .iter()
        .flat_map(|chunk| chunk.journal_ids.iter().map(|id| (*id, chunk.catalog)))
        .collect();
    let left_out: HashSet<Place> = chunks.iter().flat_map(LoggedChunk::left_out).collect();
    let sources: BTreeSet<SourceId> = rows.iter().map(|row| row.source_id).collect();
    let sources: Vec<SourceId> = sources.into_iter().collect();
    let unknown = UnknownNames::new(catalog::store::unknown_names(conn, &sources)?);
    let mut catalogs: HashMap<i32, Catalog> = rebuild::old_catalogs(conn, chunks)?;
    let mut chunk = Chunk::new(now, catalog::ops::load(conn)?);
    let mut read = 0_i64;
    for (row, lines) in &inflated {
        let Some(catalog) = counted_by.get(&row.id).and_then(|id| catalogs.get_mut(id)) else {
            continue;
        };
        let messages = journal::read_row(lines, row.received_at).unwrap_or_default();
        for (message, place) in messages.into_iter().zip(0..) {
            if left_out.contains(&(row.id, place)) {
                continue;
            }
            read = read.saturating_add(1);
            let source = row.source_id;
            let is = meaning::meaning(catalog, &message, |key| unknown.counted_as(source, key));
            let id = Uuid::new_v5(&source.0, message.message_id.as_bytes());
            let events = chunk.events.len();
            chunk.admit(id, source, row.received_at, message);
            if let Some(event) = chunk.events.get_mut(events) {
                event.meaning = is;
            }
        }
    }
    // Whose only id is junk was refused, and still is.
    chunk.refused.clear();
    identity::project::project(conn, &mut chunk)?;
    workspaces::project::project(conn, &mut chunk)?;
    contacts::project::project(conn, &mut chunk)?;
    subscriptions::project::project(conn, &mut chunk)?;
    // Everything is placed anew by the second pass.
    chunk.replace.clear();
    project::write(conn, &mut chunk, &mut Changes::default())?;
    accounts::project::project(conn, &mut chunk)?;
    store_drain::conclude(conn, &chunk, &Counts::new())?;
    Ok(read)
}

/// Places the events of some people anew, those after this one by their ids. Answers with the last of
/// them; none: nobody is left.
///
/// # Errors
/// When the database fails; nothing is changed then.
pub fn place(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    after: Option<UserId>,
) -> Result<Option<UserId>> {
    let people = store_inferred::people_after(conn, after, PEOPLE)?;
    let Some(last) = people.last().copied() else { return Ok(None) };
    let projections = [workspaces::project::project, project::project, accounts::project::project];
    aside::settle(conn, now, &projections, |_, chunk| {
        for person in people {
            chunk.canonical.insert(person, person);
            chunk.replace.insert(person, None);
        }
        Ok(())
    })?;
    Ok(Some(last))
}
