//! A chunk: some thousand events on their way from the journal into the projections.
//!
//! The drainer makes it; each feature's projection reads the events and leaves behind what the
//! features after it need to know. Everything here is in memory and belongs to one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::attribution::{Inferred, Trail};
use super::meaning::Meaning;
use super::message::{Message, is_junk_id};
use super::moment::Moment;
use super::traits::Traits;
use crate::catalog::matching::Catalog;
use crate::ids::{SourceId, UserId, WorkspaceId};

/// How something was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// By a call of the product, as it happened.
    Call,
    /// By a record (reverse ETL, a file, a script): it tells how things are, not what somebody did
    /// just now, so no event follows it to a workspace.
    Record,
    /// By a record that says outright that the person is in the workspace.
    Presence,
}

/// One event that was not seen before.
#[derive(Clone, Debug)]
pub struct ChunkEvent<'a> {
    /// Made of source and messageId: the same event always has the same id.
    pub id: Uuid,
    /// Who sent it.
    pub source: SourceId,
    /// When its request was received.
    pub received_at: DateTime<Utc>,
    /// What it says.
    pub message: Message<'a>,
    /// Whose it is: the user when known, else the anonymous visitor.
    pub person: UserId,
    /// Whether `person` is a user rather than an anonymous visitor.
    pub known: bool,
    /// The workspace that the call itself names.
    pub workspace: Option<WorkspaceId>,
    /// How it was said.
    pub manner: Manner,
    /// Where an event without a named workspace was found to belong; set by the usage projection.
    pub inferred: Option<(WorkspaceId, Inferred)>,
    /// What it counts as; none for calls that count nowhere and for muted events.
    pub meaning: Option<Meaning>,
}

impl ChunkEvent<'_> {
    /// The UTC day on which it counts.
    #[must_use]
    pub fn day(&self) -> NaiveDate {
        self.message.at.date_naive()
    }
}

/// An event that the drainer refused or cannot place yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The event's id: a retry of the same event is the same dead letter.
    pub id: Uuid,
    /// Who sent it.
    pub source: SourceId,
    /// When its request was received.
    pub received_at: DateTime<Utc>,
    /// `missing_workspace`, `blocked_identity` or `internal`.
    pub code: &'static str,
    /// What is wrong and how to mend it.
    pub message: String,
    /// The client's id.
    pub message_id: Option<String>,
    /// The event's name.
    pub event_name: Option<String>,
    /// Whose workspace is missing.
    pub person: Option<UserId>,
    /// The event as a body that can be posted again.
    pub raw: String,
}

impl Refusal {
    /// A refusal of this event.
    #[must_use]
    pub fn of(
        id: Uuid,
        source: SourceId,
        received_at: DateTime<Utc>,
        event: &Message<'_>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            id,
            source,
            received_at,
            code,
            message: message.into(),
            message_id: Some(event.message_id.clone().into_owned()),
            event_name: event.event.as_ref().map(|name| name.clone().into_owned()),
            person: None,
            raw: event.as_body(),
        }
    }
}

/// Some thousand events on their way, and what has become of them so far.
#[derive(Debug)]
pub struct Chunk<'a> {
    /// The time of this chunk.
    pub now: DateTime<Utc>,
    /// What event names mean.
    pub catalog: Catalog,
    /// New events, in the order of the journal.
    pub events: Vec<ChunkEvent<'a>>,
    /// What became a dead letter.
    pub refused: Vec<Refusal>,
    /// Dead letters that found their workspace.
    pub healed: Vec<Uuid>,
    /// Dead letters that were looked at again and wait on.
    pub waiting: Vec<Uuid>,
    /// Events that waited for their workspace and name it now that they were sent again: who, when
    /// and which, as they wait. They are among `events` as if they were new.
    pub restated: Vec<(UserId, DateTime<Utc>, Uuid)>,
    /// Workspaces whose score may have changed, with the earliest day of it.
    pub touched: BTreeMap<WorkspaceId, NaiveDate>,
    /// Anonymous persons that now are somebody else than before.
    pub stitched: BTreeSet<UserId>,
    /// Who these persons are today; everybody of this chunk is in it once identity has run.
    pub canonical: HashMap<UserId, UserId>,
    /// People whose e-mail, title or another fact changed that scores or matching read, and the first
    /// day of which something else is known.
    pub changed_people: BTreeMap<UserId, NaiveDate>,
    /// Persons whose waiting events have to be looked at again.
    pub recheck: BTreeSet<UserId>,
    /// Where people are, by canonical id: for all that have events to place.
    pub trails: HashMap<UserId, Trail>,
    /// Canonical persons whose trail changed, and from when on; `None`: since ever.
    pub replace: BTreeMap<UserId, Option<DateTime<Utc>>>,
    /// Memberships that are new.
    pub joined: BTreeSet<(WorkspaceId, UserId)>,
    /// Workspaces whose evidence for an account may have changed.
    pub relink: BTreeSet<WorkspaceId>,
    /// What users said of their company before anything told their e-mail: its domain, when, the traits.
    pub company_traits: Vec<(String, Moment, Map<String, Value>)>,
    /// Domains that workspaces named as their billing or sign-on domain, and those of user ids that are
    /// addresses, and when first.
    pub named: BTreeMap<String, DateTime<Utc>>,
    /// Workspaces that nobody had heard of before this chunk, by the product's ids.
    pub appeared: BTreeSet<String>,
    /// Workspaces about which something else is said than before.
    pub retold: Vec<Retold>,
}

/// What was said about a workspace before this chunk, and what is said now.
#[derive(Clone, Debug)]
pub struct Retold {
    /// Which.
    pub workspace: WorkspaceId,
    /// The product's id.
    pub external_id: String,
    /// Its traits before.
    pub before: Traits,
    /// Its traits now.
    pub now: Traits,
    /// The first day on which this chunk says anything about it.
    pub since: NaiveDate,
}

impl<'a> Chunk<'a> {
    /// An empty chunk.
    #[must_use]
    pub fn new(now: DateTime<Utc>, catalog: Catalog) -> Self {
        Self {
            now,
            catalog,
            events: Vec::new(),
            refused: Vec::new(),
            healed: Vec::new(),
            waiting: Vec::new(),
            restated: Vec::new(),
            touched: BTreeMap::new(),
            stitched: BTreeSet::new(),
            canonical: HashMap::new(),
            changed_people: BTreeMap::new(),
            recheck: BTreeSet::new(),
            trails: HashMap::new(),
            replace: BTreeMap::new(),
            joined: BTreeSet::new(),
            relink: BTreeSet::new(),
            company_traits: Vec::new(),
            named: BTreeMap::new(),
            appeared: BTreeSet::new(),
            retold: Vec::new(),
        }
    }

    /// Notes that the workspace's score may have changed from `day` on.
    pub fn touch(&mut self, workspace: WorkspaceId, day: NaiveDate) {
        self.touched.entry(workspace).and_modify(|since| *since = day.min(*since)).or_insert(day);
    }

    /// Notes that something else is known of a person from `day` on.
    pub fn person_changed(&mut self, person: UserId, day: NaiveDate) {
        self.changed_people
            .entry(person)
            .and_modify(|since| *since = day.min(*since))
            .or_insert(day);
    }

    /// Who this person is today, as far as this chunk knows.
    #[must_use]
    pub fn canonical(&self, person: UserId) -> UserId {
        self.canonical.get(&person).copied().unwrap_or(person)
    }

    /// Takes an event in, or refuses it when nobody can be told by its ids.
    pub fn admit(
        &mut self,
        id: Uuid,
        source: SourceId,
        received_at: DateTime<Utc>,
        mut message: Message<'a>,
    ) {
        message.clean_ids();
        let Some((person, known)) = person_of(&message) else {
            self.refused.push(Refusal::of(
                id,
                source,
                received_at,
                &message,
                "blocked_identity",
                "The only id of this event is one that broken clients send for nobody (null, undefined, 0 and the \
                 like). Send the user's own userId, or the device's anonymousId.",
            ));
            return;
        };
        let workspace = message.workspace().filter(|id| !is_junk_id(id)).map(WorkspaceId::of);
        self.events.push(ChunkEvent {
            id,
            source,
            received_at,
            message,
            person,
            known,
            workspace,
            manner: Manner::Call,
            inferred: None,
            meaning: None,
        });
    }
}

/// Whose event it is: the user's when the call names one, else the anonymous visitor's.
fn person_of(message: &Message<'_>) -> Option<(UserId, bool)> {
    let usable = |id: &Option<std::borrow::Cow<'_, str>>| {
        id.as_deref().filter(|id| !is_junk_id(id)).map(str::to_owned)
    };
    usable(&message.user_id)
        .map(|id| (UserId::known(&id), true))
        .or_else(|| usable(&message.anonymous_id).map(|id| (UserId::anonymous(&id), false)))
}
