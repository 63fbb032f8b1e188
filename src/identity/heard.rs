//! What the events of a chunk say about people. Pure: no order of the events matters.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::domain::{Email, EmailKind};
use super::evidence::Heard as Since;
use super::stitch::By;
use crate::ids::UserId;
use crate::ingest::chunk::ChunkEvent;
use crate::ingest::message::{Kind, is_junk_id};
use crate::ingest::moment::Moment;
use crate::ingest::trait_names::{self, Subject};
use crate::ingest::traits::text_of;

/// Bytes of a name, as of any id on the wire.
const LONGEST: usize = 512;

/// A name under which a person was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identifier {
    /// `user_id`, `sso`, `email` or `anonymous_id`.
    pub kind: &'static str,
    /// The name itself.
    pub value: String,
    /// Whose it is.
    pub person: UserId,
}

/// When and where a name was first heard: time, source, call.
pub type First = (Since, &'static str);

/// What is said about one person.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// A user rather than an anonymous visitor.
    pub known: bool,
    /// The product's id.
    pub external_id: String,
    /// The oldest event.
    pub first_at: DateTime<Utc>,
    /// The newest event.
    pub last_at: DateTime<Utc>,
    /// Traits, with the time of the call.
    pub traits: Vec<(Moment, Map<String, Value>)>,
}

/// What is said about people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    /// Everybody named, by id.
    pub people: BTreeMap<UserId, Said>,
    /// Every name that was used.
    pub identifiers: BTreeMap<Identifier, First>,
    /// Visitor, user and kind of call: who is said to be whom.
    pub claims: BTreeMap<(UserId, UserId, By), Since>,
}

impl Heard {
    /// All of these events.
    pub fn of<'a, 'b: 'a>(events: impl IntoIterator<Item = &'a ChunkEvent<'b>>) -> Self {
        let mut heard = Self::default();
        for event in events {
            heard.hear(event);
        }
        heard
    }

    /// Takes one event in.
    pub fn hear(&mut self, event: &ChunkEvent<'_>) {
        let message = &event.message;
        let external = if event.known { &message.user_id } else { &message.anonymous_id };
        let Some(external) = external.as_deref() else { return };
        self.person(event, event.person, event.known, external);
        match message.kind {
            Kind::Identify => {
                if let Some(traits) = &message.traits {
                    self.traits(event, traits.members());
                }
                if let (true, Some(anonymous)) = (event.known, message.anonymous_id.as_deref()) {
                    self.claim(event, anonymous, By::Identify);
                }
            }
            Kind::Alias if event.known => {
                // The newest browser SDK sends the current id twice: that says nothing.
                let previous = message.previous_id.as_deref().filter(|id| *id != external);
                if let Some(previous) = previous {
                    self.claim(event, previous, By::Alias);
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
            traits: Vec::new(),
        });
        said.first_at = said.first_at.min(at);
        said.last_at = said.last_at.max(at);
        let kind = if known { "user_id" } else { "anonymous_id" };
        self.identifier(event, kind, external_id, id);
        // Products that know people by their address.
        if let Some(email) = Some(external_id).filter(|_| known).and_then(address_of_id) {
            self.identifier(event, "email", &email.address, id);
        }
    }

    fn identifier(
        &mut self,
        event: &ChunkEvent<'_>,
        kind: &'static str,
        value: &str,
        person: UserId,
    ) {
        let heard = ((event.message.at, event.source), event.message.kind.as_str());
        let identifier = Identifier { kind, value: value.to_owned(), person };
        earliest(&mut self.identifiers, identifier, heard);
    }

    fn claim(&mut self, event: &ChunkEvent<'_>, anonymous: &str, by: By) {
        if tells_a_person(anonymous) {
            let visitor = UserId::anonymous(anonymous);
            self.person(event, visitor, false, anonymous);
            let heard = (event.message.at, event.source);
            earliest(&mut self.claims, (visitor, event.person, by), heard);
        }
    }

    fn traits(&mut self, event: &ChunkEvent<'_>, traits: Map<String, Value>) {
        let traits = trait_names::read(Subject::User, traits);
        let said = |name: &str| traits.get(name).and_then(text_of);
        if let Some(email) = said("email").and_then(|text| Email::parse(&text)) {
            self.identifier(event, "email", &email.address, event.person);
        }
        let subject = said("sso_subject");
        // A token is no name, and an index takes no more.
        if let Some(subject) = subject.filter(|id| id.len() <= LONGEST && !is_junk_id(id)) {
            self.identifier(event, "sso", &subject, event.person);
        }
        if let Some(person) = self.people.get_mut(&event.person) {
            person.traits.push((event.message.moment(), traits));
        }
    }
}

/// The address that an id of a user is; none for most.
#[must_use]
pub fn address_of_id(external_id: &str) -> Option<Email> {
    external_id.contains('@').then(|| Email::parse(external_id))?
}

/// Whether one person can be told by this id: no word that broken clients send, no address that
/// many share.
fn tells_a_person(id: &str) -> bool {
    let shared = Email::parse(id)
        .is_some_and(|email| matches!(email.kind, EmailKind::Role | EmailKind::Disposable));
    !shared && !is_junk_id(id)
}

fn earliest<K: Ord, V: Copy + Ord>(map: &mut BTreeMap<K, V>, key: K, value: V) {
    map.entry(key).and_modify(|first| *first = value.min(*first)).or_insert(value);
}
