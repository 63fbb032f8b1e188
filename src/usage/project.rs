//! Events become usage days and key events, in the workspace that they name or that is inferred.

use std::collections::{BTreeSet, HashSet};

use chrono::NaiveDate;
use diesel::PgConnection;
use uuid::Uuid;

use super::count::Counts;
use super::store_inferred::{self, InferredRow};
use super::store_key_events::{self, KeyEvent, Waiting};
use super::store_usage;
use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};
use crate::ingest::attribution::Inferred;
use crate::ingest::chunk::{Chunk, ChunkEvent, Refusal};
use crate::ingest::meaning::Meaning;
use crate::ingest::message::Kind;
use crate::workspaces::store_activity;
use crate::workspaces::store_memberships::{self, Pair};

/// The projection of usage.
///
/// # Errors
/// When the database fails.
pub fn project(conn: &mut PgConnection, chunk: &mut Chunk<'_>) -> Result<()> {
    let mut changes = Changes::default();
    // They waited, so they count nowhere yet.
    store_inferred::remove(conn, &chunk.restated)?;
    place_old(conn, chunk, &mut changes)?;
    place_new(chunk, &mut changes);
    write(conn, chunk, &mut changes)
}

/// All that this chunk changes about usage.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) counts: Counts,
    key_events: Vec<KeyEvent>,
    placed: Vec<InferredRow>,
    moved: Vec<InferredRow>,
    /// Key events (workspace, time, id) and how their workspace was found.
    labels: Vec<(WorkspaceId, chrono::DateTime<chrono::Utc>, Uuid, Inferred)>,
    /// Where anonymous visitors have usage, since when.
    visits: Vec<(UserId, WorkspaceId, NaiveDate)>,
    /// Memberships whose activity has to be told anew.
    active: BTreeSet<Pair>,
    /// Memberships whose role or invitation key events may have changed.
    roles: BTreeSet<Pair>,
}

impl Changes {
    fn count(
        &mut self,
        chunk: &mut Chunk<'_>,
        workspace: WorkspaceId,
        row: &InferredRow,
        is_key: bool,
        known: bool,
    ) {
        let day = row.occurred_at.date_naive();
        self.counts.add(row.day_key(workspace), row.occurred_at, is_key, row.value.as_deref());
        chunk.touch(workspace, day);
        if !known {
            self.visits.push((row.user_id, workspace, day));
        }
        self.note(chunk, workspace, row);
    }

    pub(super) fn note(
        &mut self,
        chunk: &mut Chunk<'_>,
        workspace: WorkspaceId,
        row: &InferredRow,
    ) {
        let pair = (workspace, row.user_id);
        self.active.insert(pair);
        if matches!(row.event_key.as_str(), "workspace_created" | "invite_accepted") {
            self.roles.insert(pair);
            chunk.relink.insert(workspace);
        }
    }
}

/// Events of this chunk.
pub(super) fn place_new(chunk: &mut Chunk<'_>, changes: &mut Changes) {
    let events = std::mem::take(&mut chunk.events);
    for event in &events {
        let Some(meaning) = &event.meaning else { continue };
        let mut row = InferredRow {
            user_id: event.person,
            occurred_at: event.message.at,
            seq: event.message.seq,
            id: event.id,
            event_key: meaning.key.clone(),
            feature: meaning.feature.clone(),
            value: meaning.value.clone(),
            workspace_id: event.workspace,
            payload: None,
        };
        if let Some(workspace) = event.workspace {
            let pair = (workspace, event.person);
            let settled = !changes.active.contains(&pair);
            changes.count(chunk, workspace, &row, meaning.is_key, event.known);
            if settled {
                // The membership knows the newest event that named its workspace already.
                changes.active.remove(&pair);
            }
            if meaning.is_key {
                changes.key_events.push(key_event(event, meaning, workspace, None));
            }
            continue;
        }
        let trail = chunk.trails.get(&chunk.canonical(event.person));
        if let Some((workspace, inferred)) =
            trail.and_then(|trail| trail.workspace_at(event.message.moment()))
        {
            row.workspace_id = Some(workspace);
            changes.count(chunk, workspace, &row, meaning.is_key, event.known);
            if meaning.is_key {
                changes.key_events.push(key_event(event, meaning, workspace, Some(inferred)));
            }
        } else {
            row.payload = meaning.is_key.then(|| payload(event));
            if event.message.kind == Kind::Track {
                chunk.refused.push(missing_workspace(event));
            }
        }
        changes.placed.push(row);
    }
    chunk.events = events;
}

fn missing_workspace(event: &ChunkEvent<'_>) -> Refusal {
    let text = "Nothing says in which workspace this happened. Send groupId or context.groupId with the event, or \
                call group() for this person: the event then counts by itself.";
    let (id, at) = (event.id, event.received_at);
    let mut letter = Refusal::of(id, event.source, at, &event.message, "missing_workspace", text);
    letter.person = Some(event.person);
    letter
}

fn properties<'a>(event: &'a ChunkEvent<'_>) -> &'a str {
    event.message.properties.as_ref().map_or("{}", |json| json.as_str())
}

fn payload(event: &ChunkEvent<'_>) -> String {
    let name = event.message.event.as_deref().unwrap_or_default();
    Waiting::text(name, event.source, properties(event))
}

fn key_event(
    event: &ChunkEvent<'_>,
    meaning: &Meaning,
    workspace: WorkspaceId,
    inferred: Option<Inferred>,
) -> KeyEvent {
    KeyEvent {
        workspace_id: workspace,
        occurred_at: event.message.at,
        id: event.id,
        user_id: event.person,
        event_key: meaning.key.clone(),
        name: event.message.event.as_deref().unwrap_or_default().to_owned(),
        feature: meaning.feature.clone(),
        value: meaning.value.as_deref().and_then(|value| value.parse().ok()),
        properties: properties(event).to_owned(),
        source_id: event.source,
        inferred: inferred.map(|inferred| inferred.as_str().to_owned()),
    }
}

/// Events of earlier chunks whose person is elsewhere, or somebody else, than was known then.
pub(super) fn place_old(
    conn: &mut PgConnection,
    chunk: &mut Chunk<'_>,
    changes: &mut Changes,
) -> Result<()> {
    let people: Vec<(UserId, Option<chrono::DateTime<chrono::Utc>>)> = chunk
        .canonical
        .iter()
        .filter_map(|(person, canonical)| {
            chunk.replace.get(canonical).map(|since| (*person, *since))
        })
        .collect();
    let waiting: Vec<UserId> = chunk.recheck.iter().copied().collect();
    let rows = store_inferred::load(conn, &people, &waiting)?;
    let rechecked: HashSet<UserId> = waiting.into_iter().collect();
    let mut from: Vec<InferredRow> = Vec::new();
    let mut to: Vec<(InferredRow, Option<(WorkspaceId, Inferred)>)> = Vec::new();
    for row in rows {
        let trail = chunk.trails.get(&chunk.canonical(row.user_id));
        let found = trail.and_then(|trail| trail.workspace_at(row.moment()));
        if found.map(|found| found.0) != row.workspace_id {
            from.push(row.clone());
            to.push((row, found));
        } else if let Some((workspace, inferred)) = found {
            changes.labels.push((workspace, row.occurred_at, row.id, inferred));
        } else if rechecked.contains(&row.user_id) {
            chunk.waiting.push(row.id);
        }
    }
    let mut stored = store_key_events::take_key_events(conn, &from)?;
    let known: HashSet<UserId> = store_inferred::known(conn, &from)?;
    for (mut row, found) in to {
        let key_event = stored.remove(&row.id).or_else(|| waiting_key_event(&row));
        if let Some(before) = row.workspace_id {
            changes.counts.take(row.day_key(before), row.occurred_at, row.value.as_deref());
            chunk.touch(before, row.occurred_at.date_naive());
            changes.note(chunk, before, &row);
        } else {
            chunk.healed.push(row.id);
        }
        row.payload = None;
        row.workspace_id = found.map(|found| found.0);
        match found {
            Some((workspace, inferred)) => {
                let is_known = known.contains(&row.user_id);
                changes.count(chunk, workspace, &row, key_event.is_some(), is_known);
                changes.key_events.extend(key_event.map(|event| KeyEvent {
                    workspace_id: workspace,
                    inferred: Some(inferred.as_str().to_owned()),
                    ..event
                }));
            }
            None => {
                chunk.waiting.push(row.id);
                row.payload = key_event.map(|event| event.as_payload());
            }
        }
        changes.moved.push(row);
    }
    Ok(())
}

fn waiting_key_event(row: &InferredRow) -> Option<KeyEvent> {
    let waiting: Waiting<'_> = serde_json::from_str(row.payload.as_deref()?).ok()?;
    Some(KeyEvent {
        workspace_id: WorkspaceId(Uuid::nil()),
        occurred_at: row.occurred_at,
        id: row.id,
        user_id: row.user_id,
        event_key: row.event_key.clone(),
        name: waiting.name,
        feature: row.feature.clone(),
        value: row.value.as_deref().and_then(|value| value.parse().ok()),
        properties: waiting.properties.get().to_owned(),
        source_id: waiting.source_id,
        inferred: None,
    })
}

pub(super) fn write(
    conn: &mut PgConnection,
    chunk: &mut Chunk<'_>,
    changes: &mut Changes,
) -> Result<()> {
    store_inferred::insert(conn, &mut changes.placed)?;
    store_inferred::update(conn, &changes.moved)?;
    store_key_events::add_key_events(conn, &mut changes.key_events)?;
    store_key_events::label_key_events(conn, &changes.labels)?;
    store_usage::apply(conn, &changes.counts)?;
    store_usage::note_key_features(conn, &changes.counts)?;
    store_inferred::visit(conn, &changes.visits)?;
    let stitched: Vec<UserId> = chunk.stitched.iter().copied().collect();
    for (workspace, day) in store_inferred::visited(conn, &stitched)? {
        chunk.touch(workspace, day);
        chunk.relink.insert(workspace);
    }
    changes.active.extend(&chunk.joined);
    changes.roles.extend(&chunk.joined);
    store_activity::settle_activity(conn, &changes.active.iter().copied().collect::<Vec<_>>())?;
    store_memberships::settle_roles(conn, &changes.roles.iter().copied().collect::<Vec<_>>())
}
