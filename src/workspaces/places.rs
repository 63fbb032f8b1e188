//! Where people are, and were: for events that do not name their workspace.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::PgConnection;

use super::store_places::{self, Person};
use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};
use crate::ingest::attribution::{Presence, Trail, held};
use crate::ingest::chunk::Chunk;
use crate::ingest::moment::Moment;

/// What a chunk changed about where people are, by canonical person.
#[derive(Debug, Default)]
pub struct Moves {
    /// The earliest time from which a membership holds, or holds no more, otherwise than was known.
    changed: BTreeMap<UserId, DateTime<Utc>>,
    /// The earliest new `group()` call.
    called: BTreeMap<UserId, DateTime<Utc>>,
}

impl Moves {
    /// A membership begins or ends at `at`, which was not known.
    pub fn changed(&mut self, canonical: UserId, at: DateTime<Utc>) {
        earliest(&mut self.changed, canonical, at);
    }

    /// Somebody was said to be somewhere at `at`.
    pub fn called(&mut self, canonical: UserId, at: DateTime<Utc>) {
        earliest(&mut self.called, canonical, at);
    }
}

fn earliest(map: &mut BTreeMap<UserId, DateTime<Utc>>, canonical: UserId, at: DateTime<Utc>) {
    map.entry(canonical).and_modify(|first| *first = at.min(*first)).or_insert(at);
}

/// Loads the trails of all whose events have to be placed, and says whose events of the past have to
/// be placed anew. Who was never anywhere but in one workspace stays there whatever `group()` says, so
/// the common case costs nothing.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut PgConnection, chunk: &mut Chunk<'_>, moves: &Moves) -> Result<()> {
    let mut moved: BTreeSet<UserId> =
        chunk.stitched.iter().map(|person| chunk.canonical(*person)).collect();
    moved.extend(chunk.replace.keys().copied());
    let homeless =
        chunk.events.iter().filter(|event| event.workspace.is_none() && event.meaning.is_some());
    let wanted: BTreeSet<UserId> = homeless
        .map(|event| event.person)
        .chain(chunk.recheck.iter().copied())
        .map(|person| chunk.canonical(person))
        .chain(moved.iter().copied())
        .chain(moves.changed.keys().copied())
        .chain(moves.called.keys().copied())
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let people = store_places::people(conn, &wanted.iter().copied().collect::<Vec<_>>())?;
    let (mut trails, alone) = trails(conn, &wanted, &people)?;
    for (canonical, trail) in &mut trails {
        if moved.contains(canonical) {
            chunk.replace.insert(*canonical, None);
            continue;
        }
        let called = moves.called.get(canonical).filter(|_| !alone.contains(canonical));
        let since = moves.changed.get(canonical).into_iter().chain(called).min();
        if let Some(at) = since {
            let is_earliest = trail.first().is_none_or(|(first, _)| *at <= first.at);
            chunk.replace.insert(*canonical, (!is_earliest).then_some(*at));
        }
    }
    chunk.canonical.extend(people.iter().map(|person| (person.id, person.canonical_id)));
    chunk.trails = trails;
    Ok(())
}

/// The trails of these people, by canonical id, and who of them was never anywhere but in one workspace.
fn trails(
    conn: &mut PgConnection,
    wanted: &BTreeSet<UserId>,
    people: &[Person],
) -> Result<(HashMap<UserId, Trail>, HashSet<UserId>)> {
    let by_id: HashMap<UserId, &Person> = people.iter().map(|person| (person.id, person)).collect();
    let ids: Vec<UserId> = by_id.keys().copied().collect();
    // A visitor's words are those of the user whom the visitor turned out to be: one member's.
    let mut said: BTreeMap<(UserId, UserId, WorkspaceId), Vec<(Moment, Presence)>> =
        BTreeMap::new();
    let mut calls: BTreeMap<UserId, Vec<(Moment, WorkspaceId)>> = BTreeMap::new();
    let mut joinings: BTreeMap<UserId, Vec<(Moment, WorkspaceId)>> = BTreeMap::new();
    let mut workspaces: BTreeMap<UserId, BTreeSet<WorkspaceId>> = BTreeMap::new();
    for joined in store_places::joined(conn, &ids)? {
        let Some(person) = by_id.get(&joined.user_id) else { continue };
        workspaces.entry(person.canonical_id).or_default().insert(joined.workspace_id);
        if person.is_user {
            let moment = Moment::from(joined.at);
            let key = (person.canonical_id, person.member_id, joined.workspace_id);
            said.entry(key).or_default().push((moment, Presence::Present));
            joinings.entry(person.canonical_id).or_default().push((moment, joined.workspace_id));
        }
    }
    let changes = store_places::changes(conn, &ids)?;
    let mut alone: HashSet<UserId> =
        workspaces.iter().filter(|(_, all)| all.len() == 1).map(|(id, _)| *id).collect();
    for change in &changes {
        let Some(person) = by_id.get(&change.user_id) else { continue };
        alone.remove(&person.canonical_id);
        if person.is_user {
            let presence = if change.is_left { Presence::Left } else { Presence::Present };
            let key = (person.canonical_id, person.member_id, change.workspace_id);
            let moment = Moment::new(change.at, change.seq);
            said.entry(key).or_default().push((moment, presence));
        }
    }
    // Of visitors who are nobody else there are only calls.
    alone.retain(|id| by_id.get(id).is_some_and(|person| person.is_user));
    let several: Vec<UserId> = people
        .iter()
        .filter(|person| !alone.contains(&person.canonical_id))
        .map(|person| person.id)
        .collect();
    for call in store_places::calls(conn, &several)? {
        let Some(person) = by_id.get(&call.user_id) else { continue };
        let moment = Moment::new(call.at, call.seq);
        calls.entry(person.canonical_id).or_default().push((moment, call.workspace_id));
        if person.is_user {
            let key = (person.canonical_id, person.member_id, call.workspace_id);
            said.entry(key).or_default().push((moment, Presence::Present));
        }
    }
    let mut trails: HashMap<UserId, Trail> =
        wanted.iter().map(|canonical| (*canonical, Trail::default())).collect();
    for ((canonical, _, workspace), said) in said {
        if let Some(trail) = trails.get_mut(&canonical) {
            trail.held.extend(held(workspace, said));
        }
    }
    for (canonical, calls) in calls {
        if let Some(trail) = trails.get_mut(&canonical) {
            trail.calls = calls;
        }
    }
    for (canonical, joined) in joinings {
        if let Some(trail) = trails.get_mut(&canonical) {
            trail.joined = joined;
        }
    }
    trails.values_mut().for_each(Trail::settle);
    Ok((trails, alone))
}
