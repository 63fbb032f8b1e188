//! Where people are: for events that do not name their workspace.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::PgConnection;

use super::store_memberships;
use crate::error::Result;
use crate::ids::UserId;
use crate::ingest::attribution::Trail;
use crate::ingest::chunk::Chunk;

/// What a chunk changed about where people are, by canonical person.
#[derive(Debug, Default)]
pub struct Moves {
    /// Joined, left, or became somebody else.
    moved: BTreeSet<UserId>,
    /// The earliest new word about where they are.
    called: BTreeMap<UserId, DateTime<Utc>>,
}

impl Moves {
    /// Somebody joined or left a workspace.
    pub fn moved(&mut self, canonical: UserId) {
        self.moved.insert(canonical);
    }

    /// Somebody was said to be somewhere at `at`.
    pub fn called(&mut self, canonical: UserId, at: DateTime<Utc>) {
        self.called.entry(canonical).and_modify(|first| *first = at.min(*first)).or_insert(at);
    }
}

/// Loads the trails of all whose events have to be placed, and says whose events of the past have to
/// be placed anew. Somebody who is, and was before this chunk, in one workspace alone stays there
/// whatever `group()` says, so the common case costs nothing.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut PgConnection, chunk: &mut Chunk<'_>, moves: &Moves) -> Result<()> {
    let mut moved: BTreeSet<UserId> = moves.moved.clone();
    moved.extend(chunk.stitched.iter().map(|person| chunk.canonical(*person)));
    moved.extend(chunk.replace.keys().copied());
    let homeless =
        chunk.events.iter().filter(|event| event.workspace.is_none() && event.meaning.is_some());
    let wanted: BTreeSet<UserId> = homeless
        .map(|event| event.person)
        .chain(chunk.recheck.iter().copied())
        .map(|person| chunk.canonical(person))
        .chain(moved.iter().copied())
        .chain(moves.called.keys().copied())
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let wanted: Vec<UserId> = wanted.into_iter().collect();
    let everybody = store_memberships::everybody(conn, &wanted)?;
    let ids: Vec<UserId> = everybody.keys().copied().collect();
    let mut trails: HashMap<UserId, Trail> =
        wanted.iter().map(|canonical| (*canonical, Trail::default())).collect();
    for place in store_memberships::places(conn, &ids)? {
        let Some(trail) =
            everybody.get(&place.user_id).and_then(|canonical| trails.get_mut(canonical))
        else {
            continue;
        };
        trail.calls.push((place.at, place.workspace_id));
        if place.current {
            trail.current.push(place.workspace_id);
        }
    }
    for trail in trails.values_mut() {
        trail.settle();
    }
    let several: Vec<UserId> = everybody
        .iter()
        .filter(|(_, canonical)| {
            trails.get(canonical).is_some_and(|trail| trail.current.len() != 1)
        })
        .map(|(person, _)| *person)
        .collect();
    for call in store_memberships::calls(conn, &several)? {
        if let Some(trail) =
            everybody.get(&call.user_id).and_then(|canonical| trails.get_mut(canonical))
        {
            trail.calls.push((call.at, call.workspace_id));
        }
    }
    for (canonical, trail) in &mut trails {
        trail.settle();
        if moved.contains(canonical) {
            chunk.replace.insert(*canonical, None);
        } else if let (Some(at), true) = (moves.called.get(canonical), trail.current.len() != 1) {
            let earliest = trail.calls.first().is_none_or(|(first, _)| at <= first);
            chunk.replace.insert(*canonical, (!earliest).then_some(*at));
        }
    }
    chunk.canonical.extend(everybody);
    chunk.trails = trails;
    Ok(())
}
