//! Counting again by another catalog: what is in the journal ends as if that catalog had been in
//! force from the start.
//!
//! The drainer wrote down which messages it counted by which version (`journal_chunks`). A step takes
//! some of these chunks, asks what each message meant then and what it means now, and where the two
//! differ takes the one away and adds the other, in one transaction with the note that the chunk
//! counts by the new version. So it is exact however often the catalog changed in between, it may end
//! anywhere and go on later, and a chunk drained meanwhile is right already.
//!
//! What memberships and workspaces learned from events that no longer mean it (who left, which role
//! an invitation gave) stays learned; what they learn from new meanings is added. When somebody was
//! last active by an event that counts nowhere any more is known to the day.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use uuid::Uuid;

use super::project::{self, Changes};
use super::store_inferred::{self, InferredRow};
use super::store_key_events;
use crate::catalog::matching::Catalog;
use crate::error::Result;
use crate::ids::{SourceId, UserId, WorkspaceId};
use crate::ingest::chunk::{Chunk, ChunkEvent};
use crate::ingest::drain::Place;
use crate::ingest::meaning::{self, Meaning, UnknownNames};
use crate::ingest::message::Message;
use crate::ingest::store_chunks::{self, LoggedChunk};
use crate::ingest::store_drain::{self, Counts, JournalRow};
use crate::ingest::{journal, payload, store_dead_letters};
use crate::workspaces::store_activity;
use crate::{accounts, catalog, identity, subscriptions, workspaces};

/// Chunks looked at by one step, at most.
const CHUNKS: i64 = 200;

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Chunks that count by the catalog in force now.
    pub chunks: i64,
    /// Messages read.
    pub events: i64,
    /// Messages that are counted otherwise than before.
    pub changed: i64,
}

/// Counts some chunks again, the oldest first: about `events` messages, one chunk at least. Waits for
/// the chunk that is being drained, and the drainer for it. Nothing done: nothing is left to do.
///
/// # Errors
/// When the database fails; nothing is changed then.
pub fn step(conn: &mut PgConnection, now: DateTime<Utc>, events: i64) -> Result<Step> {
    store_drain::lock(conn)?;
    let catalog = catalog::ops::load(conn)?;
    let version = catalog.version;
    let mut chunks = store_chunks::outdated(conn, version, CHUNKS)?;
    cut(conn, &mut chunks, events)?;
    if chunks.is_empty() {
        return Ok(Step::default());
    }
    let ids: Vec<i64> = chunks.iter().map(|chunk| chunk.id).collect();
    let mut step = recount(conn, now, catalog, &chunks)?;
    store_chunks::counted_by(conn, &ids, version)?;
    step.chunks = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    Ok(step)
}

/// Leaves of these chunks those of about so many messages, one at least.
pub(super) fn cut(
    conn: &mut PgConnection,
    chunks: &mut Vec<LoggedChunk>,
    events: i64,
) -> Result<()> {
    let mut room = events;
    let sizes = store_chunks::sizes(conn, chunks)?;
    let fitting = sizes.iter().take_while(|size| {
        let fits = room > 0;
        room = room.saturating_sub(**size);
        fits
    });
    chunks.truncate(fitting.count().max(1));
    Ok(())
}

fn recount(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    catalog: Catalog,
    chunks: &[LoggedChunk],
) -> Result<Step> {
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
    let mut recounting = Recounting {
        was: old_catalogs(conn, chunks)?,
        is: catalog.clone(),
        unknown: UnknownNames::new(catalog::store::unknown_names(conn, &sources)?),
        before: Vec::new(),
        read: 0,
    };
    let mut chunk = Chunk::new(now, catalog);
    for (row, lines) in &inflated {
        let Some(version) = counted_by.get(&row.id) else { continue };
        let messages = journal::read_row(lines, row.received_at).unwrap_or_default();
        for (message, place) in messages.into_iter().zip(0..) {
            if !left_out.contains(&(row.id, place)) {
                recounting.hear(&mut chunk, row, *version, message);
            }
        }
    }
    let Recounting { unknown, before, read, .. } = recounting;
    let changed = i64::try_from(chunk.events.len()).unwrap_or(i64::MAX);
    if changed > 0 {
        project(conn, &mut chunk, &before)?;
        catalog::store::count_unknown(conn, &unknown.counted())?;
        store_drain::conclude(conn, &chunk, &Counts::new())?;
    }
    Ok(Step { chunks: 0, events: read, changed })
}

pub(super) fn old_catalogs(
    conn: &mut PgConnection,
    chunks: &[LoggedChunk],
) -> Result<HashMap<i32, Catalog>> {
    let versions: BTreeSet<i32> = chunks.iter().map(|chunk| chunk.catalog).collect();
    versions
        .into_iter()
        .map(|version| Ok((version, catalog::ops::load_version(conn, version)?)))
        .collect()
}

struct Recounting {
    was: HashMap<i32, Catalog>,
    is: Catalog,
    unknown: UnknownNames,
    /// What the events of the chunk meant before, one for each.
    before: Vec<Option<Meaning>>,
    read: i64,
}

impl Recounting {
    /// Takes the message into the chunk when it counts otherwise now.
    fn hear<'a>(
        &mut self,
        chunk: &mut Chunk<'a>,
        row: &JournalRow,
        version: i32,
        message: Message<'a>,
    ) {
        self.read = self.read.saturating_add(1);
        let (source, received_at) = (row.source_id, row.received_at);
        let mut undefined = None;
        let unknown = &self.unknown;
        let old = self.was.get_mut(&version).and_then(|catalog| {
            meaning::meaning(catalog, &message, |key| {
                undefined = Some(key.to_owned());
                unknown.counted_as(source, key)
            })
        });
        let unknown = &mut self.unknown;
        let new = meaning::meaning(&mut self.is, &message, |key| {
            // Undefined then and now: it counts under the key that it had.
            if undefined.as_deref() == Some(key) {
                unknown.counted_as(source, key)
            } else {
                unknown.admit(source, key, received_at)
            }
        });
        if old == new {
            return;
        }
        let id = Uuid::new_v5(&source.0, message.message_id.as_bytes());
        let (events, refused) = (chunk.events.len(), chunk.refused.len());
        chunk.admit(id, source, received_at, message);
        // Whose only id is junk was refused, and still is.
        chunk.refused.truncate(refused);
        if let Some(event) = chunk.events.get_mut(events) {
            event.meaning = new;
            self.before.push(old);
        }
    }
}

/// The projections for events that were counted before as something else.
fn project(
    conn: &mut PgConnection,
    chunk: &mut Chunk<'_>,
    before: &[Option<Meaning>],
) -> Result<()> {
    let people: BTreeSet<UserId> = chunk.events.iter().map(|event| event.person).collect();
    for (id, person) in identity::store::load(conn, people.iter())? {
        chunk.canonical.insert(id, person.canonical);
    }
    workspaces::project::project(conn, chunk)?;
    subscriptions::project::project(conn, chunk)?;
    let mut changes = Changes::default();
    take_back(conn, chunk, before, &mut changes)?;
    project::place_old(conn, chunk, &mut changes)?;
    project::place_new(chunk, &mut changes);
    project::write(conn, chunk, &mut changes)?;
    let silent: Vec<(WorkspaceId, UserId)> = chunk
        .events
        .iter()
        .filter(|event| event.meaning.is_none() && event.known)
        .filter_map(|event| Some((event.workspace?, event.person)))
        .collect();
    store_activity::forget_activity(conn, &silent)?;
    accounts::project::project(conn, chunk)
}

/// Takes away what the events of the chunk counted as.
fn take_back(
    conn: &mut PgConnection,
    chunk: &mut Chunk<'_>,
    before: &[Option<Meaning>],
    changes: &mut Changes,
) -> Result<()> {
    let events = std::mem::take(&mut chunk.events);
    let counted =
        || events.iter().zip(before).filter_map(|(event, was)| Some((event, was.as_ref()?)));
    let mut rows: Vec<InferredRow> = Vec::new();
    for (event, was) in counted().filter(|(event, _)| event.workspace.is_some()) {
        rows.push(row(event, was));
    }
    let homeless: Vec<_> = counted()
        .filter(|(event, _)| event.workspace.is_none())
        .map(|(event, _)| (event.person, event.message.at, event.id))
        .collect();
    let placed = store_inferred::remove(conn, &homeless)?;
    let silent: HashSet<Uuid> =
        events.iter().filter(|event| event.meaning.is_none()).map(|event| event.id).collect();
    let settled: Vec<Uuid> =
        placed.iter().map(|row| row.id).filter(|id| silent.contains(id)).collect();
    store_dead_letters::withdraw(conn, &settled)?;
    rows.extend(placed);
    store_key_events::take_key_events(conn, &rows)?;
    for row in &rows {
        let Some(workspace) = row.workspace_id else { continue };
        changes.counts.take(row.day_key(workspace), row.occurred_at, row.value.as_deref());
        chunk.touch(workspace, row.occurred_at.date_naive());
        changes.note(chunk, workspace, row);
    }
    chunk.events = events;
    Ok(())
}

fn row(event: &ChunkEvent<'_>, was: &Meaning) -> InferredRow {
    InferredRow {
        user_id: event.person,
        occurred_at: event.message.at,
        seq: event.message.seq,
        id: event.id,
        event_key: was.key.clone(),
        feature: was.feature.clone(),
        value: was.value.clone(),
        workspace_id: event.workspace,
        payload: None,
    }
}
