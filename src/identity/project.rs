//! Events become people: who was seen, what was said about them, who is who.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::PgConnection;

use super::person::{Claim, Person};
use super::store::{self, Candidate, Identifier};
use crate::error::Result;
use crate::identity::domain::{Email, EmailKind};
use crate::ids::{SourceId, UserId};
use crate::ingest::chunk::{Chunk, ChunkEvent};
use crate::ingest::message::{Kind, is_junk_id};
use crate::ingest::traits::text_of;

/// The projection of identity.
///
/// # Errors
/// When the database fails.
pub fn project(conn: &mut PgConnection, chunk: &mut Chunk<'_>) -> Result<()> {
    let mut seen = Seen::default();
    for event in &chunk.events {
        seen.event(event);
    }
    let recheck: Vec<UserId> = chunk.recheck.iter().copied().collect();
    let mut people = store::load(conn, seen.people.keys().chain(&recheck))?;
    let fresh: Vec<UserId> =
        seen.people.keys().filter(|id| !people.contains_key(id)).copied().collect();

    let (mut changed, mut widened) = (Vec::new(), Vec::new());
    for (id, said) in &seen.people {
        let before = people.get(id).map(|person| (person.canonical(), person.facts()));
        let person = people
            .entry(*id)
            .or_insert_with(|| Person::new(*id, said.known, &said.external_id, said.first_at));
        let moved = apply(person, said);
        match &before {
            Some((canonical, facts)) => {
                if *canonical != person.canonical() {
                    chunk.stitched.insert(*id);
                    // The events that were somebody else's until now have to be placed anew, too.
                    chunk.replace.insert(*canonical, None);
                }
                if moved.rewritten && *facts != person.facts() {
                    chunk.changed_people.insert(*id);
                }
            }
            None => {
                chunk.changed_people.insert(*id);
                if person.canonical() != *id {
                    chunk.stitched.insert(*id);
                }
            }
        }
        if before.is_none() || moved.rewritten {
            changed.push(person.clone());
        } else if moved.widened {
            widened.push(person.clone());
        }
    }
    // A stitch may name a user who has sent nothing yet: that user exists from then on.
    store::upsert(conn, &changed)?;
    store::widen(conn, &widened)?;
    for person in people.values() {
        chunk.canonical.insert(person.id, person.canonical());
    }
    store::add_identifiers(conn, &seen.identifiers)?;
    note_candidates(conn, chunk, &seen, &fresh)
}

fn note_candidates(
    conn: &mut PgConnection,
    chunk: &Chunk<'_>,
    seen: &Seen,
    fresh: &[UserId],
) -> Result<()> {
    let mut candidates: BTreeSet<Candidate> = BTreeSet::new();
    // Alias from one known user to another, whichever of the two was heard of first.
    let aliased: Vec<(UserId, UserId)> = seen.aliases.iter().copied().collect();
    candidates.extend(store::known_aliases(conn, &aliased)?);
    candidates.extend(store::late_aliases(conn, fresh)?);
    let emails: Vec<String> = seen.emails.iter().cloned().collect();
    candidates.extend(store::same_email(conn, &emails)?);
    store::add_candidates(conn, &candidates, chunk.now)
}

struct Moved {
    rewritten: bool,
    widened: bool,
}

fn apply(person: &mut Person, said: &Said) -> Moved {
    let mut widened = person.seen(said.first_at);
    widened |= person.seen(said.last_at);
    let mut rewritten = false;
    for claim in &said.claims {
        rewritten |= person.claim(claim);
    }
    for (at, traits) in &said.traits {
        rewritten |= person.traits.say_all(traits, *at);
    }
    Moved { rewritten, widened }
}

/// What a chunk says about one person.
struct Said {
    known: bool,
    external_id: String,
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
    claims: Vec<Claim>,
    traits: Vec<(DateTime<Utc>, serde_json::Map<String, serde_json::Value>)>,
}

/// What a chunk says about people.
#[derive(Default)]
struct Seen {
    people: BTreeMap<UserId, Said>,
    /// Kind, value and person, with the earliest time and its source.
    identifiers: HashMap<Identifier, (DateTime<Utc>, SourceId)>,
    /// Known user by the previous id, known user by the new one.
    aliases: BTreeSet<(UserId, UserId)>,
    /// E-mails of known users that could be one person's.
    emails: BTreeSet<String>,
}

impl Seen {
    fn event(&mut self, event: &ChunkEvent<'_>) {
        let message = &event.message;
        let external = if event.known { &message.user_id } else { &message.anonymous_id };
        let Some(external) = external.as_deref() else { return };
        self.person(event, event.person, event.known, external);
        match message.kind {
            Kind::Identify => {
                if let Some(traits) = &message.traits {
                    let traits = traits.members();
                    self.email(event, traits.get("email"));
                    if let Some(said) = self.people.get_mut(&event.person) {
                        said.traits.push((message.at, traits));
                    }
                }
                if let (true, Some(anonymous)) = (event.known, message.anonymous_id.as_deref()) {
                    self.claim(event, anonymous, "identify");
                }
            }
            Kind::Alias if event.known => {
                if let Some(previous) = message.previous_id.as_deref().filter(|id| *id != external)
                {
                    self.claim(event, previous, "alias");
                    if !is_junk_id(previous) {
                        self.aliases.insert((UserId::known(previous), event.person));
                    }
                }
            }
            _ => {}
        }
    }

    fn person(&mut self, event: &ChunkEvent<'_>, id: UserId, known: bool, external_id: &str) {
        let at = event.message.at;
        let said = self.people.entry(id).or_insert_with(|| Said {
            known,
            external_id: external_id.to_owned(),
            first_at: at,
            last_at: at,
            claims: Vec::new(),
            traits: Vec::new(),
        });
        said.first_at = said.first_at.min(at);
        said.last_at = said.last_at.max(at);
        let kind = if known { "user_id" } else { "anonymous_id" };
        self.identifier(event, kind, external_id, id);
    }

    fn identifier(
        &mut self,
        event: &ChunkEvent<'_>,
        kind: &'static str,
        value: &str,
        person: UserId,
    ) {
        let heard = (event.message.at, event.source);
        let identifier = Identifier { kind, value: value.to_owned(), person };
        let first = self.identifiers.entry(identifier).or_insert(heard);
        *first = heard.min(*first);
    }

    fn claim(&mut self, event: &ChunkEvent<'_>, anonymous: &str, by: &str) {
        if is_junk_id(anonymous) {
            return;
        }
        let visitor = UserId::anonymous(anonymous);
        self.person(event, visitor, false, anonymous);
        let claim = Claim { at: event.message.at, known: event.person, by: by.to_owned() };
        if let Some(said) = self.people.get_mut(&visitor) {
            said.claims.push(claim);
        }
    }

    fn email(&mut self, event: &ChunkEvent<'_>, said: Option<&serde_json::Value>) {
        let Some(email) = said.and_then(text_of).and_then(|text| Email::parse(&text)) else {
            return;
        };
        self.identifier(event, "email", &email.address, event.person);
        if event.known && matches!(email.kind, EmailKind::Corporate | EmailKind::Personal) {
            self.emails.insert(email.address);
        }
    }
}
