//! Records as the calls that say the same, for the drainer's projections.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::row::{Membership, Row, Said};
use crate::ids::{SourceId, UserId, WorkspaceId};
use crate::ingest::chunk::{ChunkEvent, Manner};
use crate::ingest::message::{Json, Kind, Message, Notes};
use crate::ingest::moment::Moment;

/// Scripts and files have no source.
pub const NO_SOURCE: SourceId = SourceId(Uuid::nil());

/// Who sent records, and when they came.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// The source of the key, or [`NO_SOURCE`].
    pub source: SourceId,
    /// When they were received.
    pub received_at: DateTime<Utc>,
}

impl Sender {
    /// The calls of these records, in their order. An account without a domain says nothing: who
    /// resolves ids has refused it.
    #[must_use]
    pub fn calls(&self, rows: &[&Row]) -> Vec<ChunkEvent<'static>> {
        rows.iter().flat_map(|row| self.of(row)).collect()
    }

    fn of(&self, row: &Row) -> Vec<ChunkEvent<'static>> {
        let one = |call: Call| vec![self.event(call)];
        match &row.said {
            Said::User { id, traits } => one(Call {
                user: Some(id),
                ..Call::new(Kind::Identify, row.moment(), traits.clone())
            }),
            Said::Workspace { id, traits } => one(Call {
                workspace: Some(id),
                ..Call::new(Kind::Group, row.moment(), traits.clone())
            }),
            // The same words as those of somebody who signs up from there.
            Said::Account { domain: Some(domain), traits, .. } => {
                let said = Map::from_iter([
                    ("email_domain".to_owned(), json!(domain)),
                    ("company".to_owned(), Value::Object(traits.clone())),
                ]);
                one(Call::new(Kind::Identify, row.moment(), said))
            }
            // Subscriptions are no matter of calls: their own feature writes them.
            Said::Account { domain: None, .. } | Said::Subscription(_) => Vec::new(),
            Said::Membership(said) => {
                let calls = membership(said, row.moment());
                calls.into_iter().map(|call| self.event(call)).collect()
            }
        }
    }

    fn event(&self, call: Call<'_>) -> ChunkEvent<'static> {
        let own = |text: Option<&str>| text.map(|text| Cow::Owned(text.to_owned()));
        ChunkEvent {
            id: Uuid::nil(),
            source: self.source,
            received_at: self.received_at,
            person: call.user.map_or(UserId(Uuid::nil()), UserId::known),
            known: call.user.is_some(),
            workspace: call.workspace.map(WorkspaceId::of),
            manner: call.manner,
            inferred: None,
            meaning: None,
            message: Message {
                kind: call.kind,
                message_id: Cow::Borrowed("record"),
                user_id: own(call.user),
                anonymous_id: None,
                previous_id: None,
                group_id: own(call.workspace),
                workspace_hint: None,
                event: None,
                at: call.said.at,
                seq: call.said.seq,
                notes: Notes::default(),
                traits: Some(Json::of(&call.traits)),
                properties: None,
                library: None,
                page_path: None,
            },
        }
    }
}

fn membership(said: &Membership, row: Moment) -> Vec<Call<'_>> {
    let call = |said_at, traits, manner| Call {
        user: Some(&said.user),
        workspace: Some(&said.workspace),
        manner,
        ..Call::new(Kind::Group, said_at, traits)
    };
    // What the record dates itself is as new as the record.
    let dated = |at| Moment::new(at, row.seq);
    let mut of_member = Map::new();
    if let Some(role) = said.role {
        of_member.insert("role".to_owned(), json!(role));
    }
    if let Some(persona) = said.persona {
        of_member.insert("persona".to_owned(), json!(persona));
    }
    let manner = if said.left == Some(None) { Manner::Presence } else { Manner::Record };
    let mut calls: Vec<Call<'_>> = said
        .joined_at
        .iter()
        .map(|joined| call(dated(*joined), Map::new(), Manner::Record))
        .collect();
    calls.push(call(row, of_member, manner));
    if let Some(Some(left)) = said.left {
        calls.push(call(
            dated(left),
            Map::from_iter([("role".to_owned(), Value::Null)]),
            Manner::Record,
        ));
    }
    calls
}

struct Call<'a> {
    kind: Kind,
    user: Option<&'a str>,
    workspace: Option<&'a str>,
    said: Moment,
    traits: Map<String, Value>,
    manner: Manner,
}

impl Call<'_> {
    fn new(kind: Kind, said: Moment, traits: Map<String, Value>) -> Self {
        Self { kind, user: None, workspace: None, said, traits, manner: Manner::Record }
    }
}
