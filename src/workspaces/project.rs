//! Events become workspaces and memberships, and tell where people are.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::PgConnection;
use serde_json::{Map, Value};

use super::membership::{Membership, MembershipDay, Word, persona_named, role_named};
use super::store_memberships::{self, Kept, Pair};
use super::store_places::{self, Call};
use super::workspace::{self, Workspace};
use super::{places, store, store_membership_days, store_visitors};
use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};
use crate::ingest::chunk::{Chunk, ChunkEvent, Manner, Retold};
use crate::ingest::message::{Json, Kind};
use crate::ingest::moment::Moment;
use crate::ingest::store_trait_days;
use crate::ingest::trait_days::TraitDays;
use crate::ingest::trait_names::{self, Subject};
use crate::ingest::traits::text_of;
use crate::plans;

/// The projection of workspaces. Group calls count before anything is placed, so that an event finds
/// the group call that came in the same chunk.
///
/// # Errors
/// When the database fails.
pub fn project(conn: &mut PgConnection, chunk: &mut Chunk<'_>) -> Result<()> {
    let mut heard = Heard::default();
    for event in &chunk.events {
        if let Some(workspace) = event.workspace {
            heard.event(event, workspace);
        }
    }
    write_workspaces(conn, chunk, &heard)?;
    let mut moves = places::Moves::default();
    let users = write_memberships(conn, chunk, Kept::OfUsers, &heard.words, &mut moves)?;
    let visitors = write_memberships(conn, chunk, Kept::OfVisitors, &heard.visits, &mut moves)?;
    follow_visitors(conn, chunk, &users, visitors)?;
    store_places::add_calls(conn, &heard.calls)?;
    store_places::add_changes(conn, &heard.changes)?;
    for ((user, at, _), _) in &heard.calls {
        moves.called(chunk.canonical(*user), *at);
    }
    for ((user, at, _), _) in heard.changes.keys() {
        moves.changed(chunk.canonical(*user), *at);
    }
    tell_workspaces_of_people(conn, chunk)?;
    places::find(conn, chunk, &moves)
}

/// What changed about people may change the scores of their workspaces, and whose those are.
fn tell_workspaces_of_people(conn: &mut PgConnection, chunk: &mut Chunk<'_>) -> Result<()> {
    let people: Vec<UserId> = chunk.changed_people.keys().copied().collect();
    if people.is_empty() {
        return Ok(());
    }
    let today = chunk.now.date_naive();
    for (person, workspace) in store_memberships::workspaces_of(conn, &people)? {
        let since = chunk.changed_people.get(&person).copied().unwrap_or(today);
        chunk.touch(workspace, since);
        chunk.relink.insert(workspace);
    }
    Ok(())
}

fn write_workspaces(conn: &mut PgConnection, chunk: &mut Chunk<'_>, heard: &Heard) -> Result<()> {
    // Most are named and no more: those are not read whole.
    let named: Vec<WorkspaceId> = heard.workspaces.keys().copied().collect();
    let first_seen = store::first_seen(conn, &named)?;
    let told: Vec<(&WorkspaceId, &Said)> = heard
        .workspaces
        .iter()
        .filter(|(id, said)| {
            !said.traits.is_empty()
                || first_seen.get(id).is_none_or(|first_at| said.first_at < *first_at)
        })
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    let plans = plans::ops::load(conn)?;
    let ids: Vec<WorkspaceId> = told.iter().map(|(id, _)| **id).collect();
    let mut known = store::load(conn, &ids)?;
    let mut changed = Vec::new();
    let mut days = TraitDays::new(Subject::Workspace);
    for (id, said) in told {
        let fresh = !known.contains_key(id);
        if fresh {
            chunk.appeared.insert(said.external_id.clone());
        }
        let workspace = known
            .entry(*id)
            .or_insert_with(|| Workspace::new(*id, &said.external_id, said.first_at));
        let facts = (!fresh).then(|| workspace.facts(&plans));
        let before = (!said.traits.is_empty()).then(|| workspace.traits.clone());
        let mut differs = fresh || said.first_at < workspace.first_seen_at;
        workspace.first_seen_at = workspace.first_seen_at.min(said.first_at);
        for (at, traits) in &said.traits {
            for domain in workspace::named_domains(traits, at.at) {
                let first = chunk.named.entry(domain).or_insert(at.at);
                *first = at.at.min(*first);
            }
            if let Some(day) = days.say(id.0, &workspace.traits, traits, *at) {
                chunk.touch(*id, day);
            }
            differs |= workspace.traits.say_all(traits, *at);
        }
        if !differs {
            continue;
        }
        if facts.is_none_or(|facts| facts != workspace.facts(&plans)) {
            chunk.touch(*id, said.first_at.date_naive());
        }
        if let Some(before) = before.filter(|before| *before != workspace.traits) {
            chunk.retold.push(Retold {
                workspace: *id,
                external_id: workspace.external_id.clone(),
                before,
                now: workspace.traits.clone(),
                since: said.first_at.date_naive(),
            });
        }
        chunk.relink.insert(*id);
        changed.push(workspace.clone());
    }
    store_trait_days::add(conn, &days)?;
    store::upsert(conn, &changed, &plans)
}

/// The memberships of stitched visitors are their user's: they stand among the others from the stitch on
/// and as long as it holds.
fn follow_visitors(
    conn: &mut PgConnection,
    chunk: &mut Chunk<'_>,
    users: &[Pair],
    visitors: Vec<Pair>,
) -> Result<()> {
    let mut people: BTreeSet<UserId> = visitors.into_iter().map(|pair| pair.1).collect();
    people.extend(chunk.stitched.iter().copied());
    people.extend(store_visitors::beside(conn, users)?);
    if people.is_empty() {
        return Ok(());
    }
    let people: Vec<UserId> = people.into_iter().collect();
    for (pair, since) in store_visitors::follow(conn, &people)? {
        chunk.joined.insert(pair);
        if let Some(since) = since {
            chunk.relink.insert(pair.0);
            chunk.touch(pair.0, since.date_naive());
        }
    }
    Ok(())
}

/// What is said about memberships, by day.
fn membership_days(
    said: &BTreeMap<Pair, Vec<(Moment, Word)>>,
) -> BTreeMap<(Pair, NaiveDate), MembershipDay> {
    let mut days: BTreeMap<(Pair, NaiveDate), MembershipDay> = BTreeMap::new();
    for (pair, words) in said {
        for (at, word) in words {
            if !matches!(word, Word::Seen | Word::Active) {
                days.entry((*pair, at.at.date_naive())).or_default().hear(word, *at);
            }
        }
    }
    days
}

/// Writes what is said about these memberships; answers with those that are otherwise than before.
fn write_memberships(
    conn: &mut PgConnection,
    chunk: &mut Chunk<'_>,
    kept: Kept,
    said: &BTreeMap<Pair, Vec<(Moment, Word)>>,
    moves: &mut places::Moves,
) -> Result<Vec<Pair>> {
    let pairs: Vec<Pair> = said.keys().copied().collect();
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    store_membership_days::add(conn, &membership_days(said))?;
    let spans = store_memberships::spans(conn, kept, &pairs)?;
    let (mut told, mut active) = (Vec::new(), Vec::new());
    for (pair, words) in said {
        match spans.get(pair).and_then(|span| span.only_active(words)) {
            // Whatever is active counts: the usage projection touches the workspace.
            Some(Some(at)) => active.push((*pair, at)),
            Some(None) => {}
            None => told.push((pair, words)),
        }
    }
    store_memberships::be_active(conn, kept, &active)?;
    let mut differ: Vec<Pair> = match kept {
        Kept::OfUsers => Vec::new(),
        Kept::OfVisitors => active.iter().map(|(pair, _)| *pair).collect(),
    };
    let pairs: Vec<Pair> = told.iter().map(|(pair, _)| **pair).collect();
    let mut known = store_memberships::load(conn, kept, &pairs)?;
    let mut changed = Vec::new();
    for (pair, words) in told {
        let Some((first, _)) = words.first() else { continue };
        let before = known.remove(pair);
        let mut after = before.clone().unwrap_or_else(|| Membership::new(pair.0, pair.1, first.at));
        for (at, word) in words {
            if after.is_news(word, *at) {
                chunk.touch(pair.0, at.at.date_naive());
            }
            after.hear(word, *at);
        }
        if before.as_ref() == Some(&after) {
            continue;
        }
        if before.as_ref().is_none_or(|before| before.left_at != after.left_at) {
            chunk.relink.insert(pair.0);
        }
        if before.as_ref().is_none_or(|before| before.joined_at != after.joined_at) {
            moves.changed(chunk.canonical(pair.1), after.joined_at);
            chunk.relink.insert(pair.0);
        }
        if before.is_none() {
            chunk.joined.insert(*pair);
        }
        if let Some(day) = words.iter().map(|(said, _)| said.at.date_naive()).min() {
            chunk.touch(pair.0, day);
        }
        differ.push(*pair);
        changed.push(after);
    }
    store_memberships::upsert(conn, kept, &changed)?;
    Ok(differ)
}

/// What a chunk says about one workspace.
struct Said {
    external_id: String,
    first_at: DateTime<Utc>,
    traits: Vec<(Moment, Map<String, Value>)>,
}

/// What a chunk says about workspaces.
#[derive(Default)]
struct Heard {
    workspaces: BTreeMap<WorkspaceId, Said>,
    /// About memberships of known users.
    words: BTreeMap<Pair, Vec<(Moment, Word)>>,
    /// About anonymous visitors.
    visits: BTreeMap<Pair, Vec<(Moment, Word)>>,
    /// `group()` calls, each with its place among statements of the same time.
    calls: BTreeSet<(Call, i64)>,
    /// Who left (true), or is there by a record's word.
    changes: BTreeMap<(Call, bool), i64>,
}

impl Heard {
    fn event(&mut self, event: &ChunkEvent<'_>, id: WorkspaceId) {
        let message = &event.message;
        let at = message.at;
        let Some(external_id) = message.workspace() else { return };
        let said = self.workspaces.entry(id).or_insert_with(|| Said {
            external_id: external_id.to_owned(),
            first_at: at,
            traits: Vec::new(),
        });
        said.first_at = said.first_at.min(at);
        let key = event.meaning.as_ref().map(|meaning| meaning.key.as_str());
        let mut words = vec![Word::Seen];
        if key.is_some() {
            words.push(Word::Active);
        }
        match message.kind {
            Kind::Group => {
                let traits = named(message.traits.as_ref());
                let properties = named(message.properties.as_ref());
                let (of_workspace, of_member) = split(traits, properties);
                if !of_workspace.is_empty() {
                    said.traits.push((message.moment(), of_workspace));
                }
                let leaves = of_member.get("role").is_some_and(Value::is_null);
                if leaves {
                    words.push(Word::Left);
                } else if event.manner != Manner::Record {
                    words.push(Word::Grouped);
                }
                words.extend(words_of(&of_member));
                if !leaves && event.manner == Manner::Call {
                    self.calls.insert(((event.person, at, id), message.seq));
                } else if !leaves && event.manner == Manner::Presence {
                    latest(&mut self.changes, ((event.person, at, id), false), message.seq);
                }
            }
            Kind::Track if key == Some("account_removed_user") => words.push(Word::Left),
            Kind::Track if matches!(key, Some("invite_accepted")) => {
                words.extend(words_of(&named(message.properties.as_ref())));
            }
            Kind::Track if key == Some("trial_started") => {
                let mut trial = named(message.properties.as_ref());
                trial.retain(|name, _| name.starts_with("trial_"));
                said.traits.push((message.moment(), trial));
            }
            _ => {}
        }
        // A workspace's own record is nobody's.
        if event.person == UserId(uuid::Uuid::nil()) {
            return;
        }
        if words.contains(&Word::Left) {
            latest(&mut self.changes, ((event.person, at, id), true), message.seq);
        }
        let of = if event.known { &mut self.words } else { &mut self.visits };
        let heard = of.entry((id, event.person)).or_default();
        heard.extend(words.into_iter().map(|word| (message.moment(), word)));
    }
}

/// Traits or properties under the names by which they are read.
fn named(members: Option<&Json<'_>>) -> Map<String, Value> {
    members.map(|json| trait_names::read(Subject::Workspace, json.members())).unwrap_or_default()
}

/// Of equal statements of one time the later one is kept.
fn latest<K: Ord>(map: &mut BTreeMap<K, i64>, key: K, seq: i64) {
    map.entry(key).and_modify(|last| *last = seq.max(*last)).or_insert(seq);
}

/// Traits of the workspace, and what the call says about the member.
fn split(
    traits: Map<String, Value>,
    properties: Map<String, Value>,
) -> (Map<String, Value>, Map<String, Value>) {
    let personal = |name: &str| matches!(name, "role" | "persona");
    let (of_member, of_workspace): (Map<_, _>, Map<_, _>) =
        traits.into_iter().partition(|(name, _)| personal(name));
    let mut all: Map<String, Value> =
        properties.into_iter().filter(|(name, _)| personal(name)).collect();
    all.extend(of_member);
    (of_workspace, all)
}

fn words_of(said: &Map<String, Value>) -> Vec<Word> {
    let text = |name: &str| said.get(name).and_then(text_of);
    let role = text("role").and_then(|text| role_named(&text)).map(Word::Role);
    let persona = text("persona").and_then(|text| persona_named(&text)).map(Word::Persona);
    role.into_iter().chain(persona).collect()
}
