//! What is known of the things that records are about, and what a record changes of it.

use std::collections::{BTreeMap, HashMap};

use diesel::PgConnection;

use super::row::{Membership as SaidOfMembership, Row, Said};
use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};
use crate::ingest::moment::Moment;
use crate::ingest::trait_names;
use crate::ingest::traits::{Traits, snake_case};
use crate::subscriptions;
use crate::subscriptions::agreement::{Agreement, Written};
use crate::workspaces::membership::{Membership, Word};
use crate::workspaces::store_memberships::{self, Kept};
use crate::{accounts, identity, workspaces};

/// What a record did, or would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Nobody had heard of it.
    Created,
    /// A field has another value now.
    Updated,
    /// Every field had that value already, or a newer one.
    Unchanged,
    /// The record was refused.
    Rejected,
}

impl Status {
    /// The word in answers.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Rejected => "rejected",
        }
    }
}

impl From<Written> for Status {
    fn from(written: Written) -> Self {
        match written {
            Written::New => Self::Created,
            Written::Changed => Self::Updated,
            Written::Same | Written::Older => Self::Unchanged,
        }
    }
}

/// What a record is about, to tell records about the same thing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the kinds of records")]
pub enum Subject {
    Workspace(WorkspaceId),
    User(UserId),
    Account(String),
    Membership(WorkspaceId, UserId),
    Subscription(String),
}

impl Subject {
    /// The subject of a record; none for an account whose domain is not known.
    #[must_use]
    pub fn of(row: &Row) -> Option<Self> {
        Some(match &row.said {
            Said::Workspace { id, .. } => Self::Workspace(WorkspaceId::of(id)),
            Said::User { id, .. } => Self::User(UserId::known(id)),
            Said::Account { domain, .. } => Self::Account(domain.clone()?),
            Said::Membership(said) => {
                Self::Membership(WorkspaceId::of(&said.workspace), UserId::known(&said.user))
            }
            Said::Subscription(said) => Self::Subscription(said.id.clone()),
        })
    }
}

#[derive(Clone, Debug)]
enum State {
    Traits(Traits),
    Membership(Membership),
    Subscription(Agreement),
}

/// The subjects of some records as they stand, moved on by each record that is heard.
#[derive(Clone, Debug, Default)]
pub struct Known(HashMap<Subject, State>);

impl Known {
    /// What is stored about the subjects of these records; locked until the transaction ends.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load(conn: &mut PgConnection, rows: &[&Row]) -> Result<Self> {
        let subjects = || rows.iter().filter_map(|row| Subject::of(row));
        let mut known = HashMap::new();
        let ids: Vec<WorkspaceId> = subjects()
            .filter_map(|subject| match subject {
                Subject::Workspace(id) => Some(id),
                _ => None,
            })
            .collect();
        if !ids.is_empty() {
            let found = workspaces::store::load(conn, &ids)?;
            known.extend(
                found
                    .into_iter()
                    .map(|(id, one)| (Subject::Workspace(id), State::Traits(one.traits))),
            );
        }
        let ids: Vec<UserId> = subjects()
            .filter_map(|subject| match subject {
                Subject::User(id) => Some(id),
                _ => None,
            })
            .collect();
        if !ids.is_empty() {
            let found = identity::store::load(conn, ids.iter())?;
            known.extend(
                found.into_iter().map(|(id, one)| (Subject::User(id), State::Traits(one.traits))),
            );
        }
        let domains: Vec<String> = subjects()
            .filter_map(|subject| match subject {
                Subject::Account(domain) => Some(domain),
                _ => None,
            })
            .collect();
        if !domains.is_empty() {
            let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
            let found: BTreeMap<_, _> = accounts::store::load_by_domain(conn, &domains)?;
            known.extend(
                found
                    .into_iter()
                    .map(|(domain, one)| (Subject::Account(domain), State::Traits(one.traits))),
            );
        }
        let pairs: Vec<(WorkspaceId, UserId)> = subjects()
            .filter_map(|subject| match subject {
                Subject::Membership(workspace, user) => Some((workspace, user)),
                _ => None,
            })
            .collect();
        if !pairs.is_empty() {
            let found = store_memberships::load(conn, Kept::OfUsers, &pairs)?;
            known.extend(found.into_iter().map(|((workspace, user), one)| {
                (Subject::Membership(workspace, user), State::Membership(one))
            }));
        }
        let ids: Vec<String> = subjects()
            .filter_map(|subject| match subject {
                Subject::Subscription(id) => Some(id),
                _ => None,
            })
            .collect();
        if !ids.is_empty() {
            let found = subscriptions::ops::known(conn, &ids)?;
            known.extend(
                found
                    .into_iter()
                    .map(|(id, one)| (Subject::Subscription(id), State::Subscription(one))),
            );
        }
        Ok(Self(known))
    }

    /// Takes over how an earlier part of the same file left the subjects of these records.
    pub fn overlay(&mut self, earlier: &Self, rows: &[&Row]) {
        for subject in rows.iter().filter_map(|row| Subject::of(row)) {
            if let Some(state) = earlier.0.get(&subject) {
                self.0.insert(subject, state.clone());
            }
        }
    }

    /// Takes over how a later part left its subjects, as far as they are wanted, and no more than `most` of
    /// them; forgets the others of that part.
    pub fn follow(&mut self, later: Self, most: usize, is_wanted: impl Fn(&Subject) -> bool) {
        for (subject, state) in later.0 {
            if !is_wanted(&subject) {
                self.0.remove(&subject);
            } else if self.0.len() < most || self.0.contains_key(&subject) {
                self.0.insert(subject, state);
            }
        }
    }

    /// Of how many subjects something is known.
    #[must_use]
    pub fn subjects(&self) -> usize {
        self.0.len()
    }

    /// Hears a record: the same rules as the projections', so that the answer is what they do.
    pub fn hear(&mut self, row: &Row) -> Status {
        let Some(subject) = Subject::of(row) else { return Status::Rejected };
        let is_new = !self.0.contains_key(&subject);
        let changed = match &row.said {
            Said::Workspace { traits, .. }
            | Said::User { traits, .. }
            | Said::Account { traits, .. } => {
                let of = match &row.said {
                    Said::Workspace { .. } => trait_names::Subject::Workspace,
                    Said::User { .. } => trait_names::Subject::User,
                    _ => trait_names::Subject::Company,
                };
                let state =
                    self.0.entry(subject).or_insert_with(|| State::Traits(Traits::default()));
                let State::Traits(known) = state else { return Status::Rejected };
                let mut changed = false;
                for (name, value) in &trait_names::read(of, traits.clone()) {
                    let kept = snake_case(name);
                    let before = known.values.get(&kept).cloned();
                    changed |= known.say(name, value, row.moment())
                        && before.as_ref() != known.values.get(&kept);
                }
                changed
            }
            Said::Membership(said) => {
                let (workspace, user) =
                    (WorkspaceId::of(&said.workspace), UserId::known(&said.user));
                let state = self.0.entry(subject).or_insert_with(|| {
                    State::Membership(Membership::new(
                        workspace,
                        user,
                        said.joined_at.unwrap_or(row.at),
                    ))
                });
                let State::Membership(known) = state else { return Status::Rejected };
                hear_membership(known, said, row)
            }
            Said::Subscription(said) => {
                let state = self
                    .0
                    .entry(subject)
                    .or_insert_with(|| State::Subscription(Agreement::default()));
                let State::Subscription(known) = state else { return Status::Rejected };
                return known.hear(said).into();
            }
        };
        match (is_new, changed) {
            (true, _) => Status::Created,
            (false, true) => Status::Updated,
            (false, false) => Status::Unchanged,
        }
    }
}

fn hear_membership(known: &mut Membership, said: &SaidOfMembership, row: &Row) -> bool {
    let shown =
        |one: &Membership| (one.role.clone(), one.persona.clone(), one.joined_at, one.left_at);
    let before = shown(known);
    if let Some(joined) = said.joined_at {
        known.hear(&Word::Seen, Moment::new(joined, row.seq));
    }
    let leaves = said.role == Some(None);
    let word = match (leaves, said.left) {
        (true, _) => Word::Left,
        (false, Some(None)) => Word::Grouped,
        _ => Word::Seen,
    };
    known.hear(&word, row.moment());
    if let Some(Some(role)) = said.role {
        known.hear(&Word::Role(role), row.moment());
    }
    if let Some(persona) = said.persona {
        known.hear(&Word::Persona(persona), row.moment());
    }
    if let Some(Some(left)) = said.left {
        known.hear(&Word::Left, Moment::new(left, row.seq));
    }
    before != shown(known)
}
