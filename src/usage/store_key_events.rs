//! The SQL of key events, as the drainer writes them.
//!
//! Statements say between which moments the events lie, so that PostgreSQL opens no other days: to open
//! all of a year takes 30 ms and a thousand locks.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Double, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::store_days;
use super::store_inferred::InferredRow;
use crate::error::Result;
use crate::ids::{SourceId, UserId, WorkspaceId};
use crate::ingest::attribution::Inferred;

/// A key event, stored whole.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
#[allow(missing_docs, reason = "the columns of key_events")]
pub struct KeyEvent {
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    #[diesel(sql_type = Timestamptz)]
    pub occurred_at: DateTime<Utc>,
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    #[diesel(sql_type = Text)]
    pub event_key: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub feature: String,
    #[diesel(sql_type = Nullable<Double>)]
    pub value: Option<f64>,
    /// JSON text.
    #[diesel(sql_type = Text)]
    pub properties: String,
    #[diesel(sql_type = SqlUuid)]
    pub source_id: SourceId,
    #[diesel(sql_type = Nullable<Text>)]
    pub inferred: Option<String>,
}

impl KeyEvent {
    /// What is kept of it while its workspace is not known.
    #[must_use]
    pub fn as_payload(&self) -> String {
        Waiting::text(&self.name, self.source_id, &self.properties)
    }
}

/// A key event whose workspace is not known, as JSON. Its properties go through as text: a float
/// would change a digit here and there.
#[derive(Deserialize, Serialize)]
pub struct Waiting<'a> {
    /// The event's name as sent.
    pub name: String,
    /// Who sent it.
    pub source_id: SourceId,
    /// As sent.
    #[serde(borrow)]
    pub properties: &'a RawValue,
}

impl Waiting<'_> {
    /// As it is kept.
    #[must_use]
    pub fn text(name: &str, source_id: SourceId, properties: &str) -> String {
        let properties = serde_json::from_str(properties).unwrap_or(RawValue::NULL);
        serde_json::to_string(&Waiting { name: name.to_owned(), source_id, properties })
            .unwrap_or_default()
    }
}

/// Puts key events in, in the order of their keys: those of days that are kept. Of older ones stays
/// what says how somebody became a member.
///
/// # Errors
/// When the database fails.
pub fn add_key_events(conn: &mut PgConnection, events: &mut [KeyEvent]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    events.sort_by_key(|event| (event.workspace_id, event.occurred_at, event.id));
    add_membership_events(conn, events)?;
    let days: BTreeSet<NaiveDate> =
        events.iter().map(|event| event.occurred_at.date_naive()).collect();
    let from = store_days::make_room(conn, &days)?;
    let events: Vec<&KeyEvent> =
        events.iter().filter(|event| event.occurred_at.date_naive() >= from).collect();
    if events.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into key_events (workspace_id, occurred_at, id, user_id, event_key, name, feature, value, properties,
             source_id, inferred)
         select workspace_id, at, id, user_id, event_key, name, feature, value, properties::jsonb, source_id, inferred
         from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[],
                     $8::double precision[], $9::text[], $10::uuid[], $11::text[])
             as t (workspace_id, at, id, user_id, event_key, name, feature, value, properties, source_id, inferred)
         on conflict do nothing",
    )
    .bind::<Array<SqlUuid>, _>(events.iter().map(|event| event.workspace_id).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(events.iter().map(|event| event.occurred_at).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(events.iter().map(|event| event.id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(events.iter().map(|event| event.user_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(events.iter().map(|event| event.event_key.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(events.iter().map(|event| event.name.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(events.iter().map(|event| event.feature.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Double>>, _>(events.iter().map(|event| event.value).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(events.iter().map(|event| event.properties.as_str()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(events.iter().map(|event| event.source_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(events.iter().map(|event| event.inferred.as_deref()).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// The key events that say how somebody became a member of a workspace.
const MEMBERSHIP: [&str; 2] = ["workspace_created", "invite_accepted"];

fn add_membership_events(conn: &mut PgConnection, events: &[KeyEvent]) -> Result<()> {
    let events: Vec<&KeyEvent> =
        events.iter().filter(|event| MEMBERSHIP.contains(&event.event_key.as_str())).collect();
    if events.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into membership_events
             (workspace_id, user_id, event_key, occurred_at, id, invitation_source, invited_by)
         select workspace_id, user_id, event_key, at, id,
             case when event_key = 'invite_accepted'
                 then coalesce(said ->> 'invitation_source', said ->> 'source', 'invite') end,
             case when event_key = 'invite_accepted'
                 then coalesce(said ->> 'invited_by', said ->> 'inviter_id', said ->> 'inviter', said ->> 'invitedBy') end
         from (select workspace_id, user_id, event_key, at, id, properties::jsonb as said
               from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::uuid[], $6::text[])
                   as t (workspace_id, user_id, event_key, at, id, properties)) t
         on conflict do nothing",
    )
    .bind::<Array<SqlUuid>, _>(events.iter().map(|event| event.workspace_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(events.iter().map(|event| event.user_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(events.iter().map(|event| event.event_key.as_str()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(events.iter().map(|event| event.occurred_at).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(events.iter().map(|event| event.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(events.iter().map(|event| event.properties.as_str()).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

fn take_membership_events(
    conn: &mut PgConnection,
    placed: &[(WorkspaceId, &InferredRow)],
) -> Result<()> {
    let placed: Vec<_> =
        placed.iter().filter(|(_, row)| MEMBERSHIP.contains(&row.event_key.as_str())).collect();
    if placed.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "delete from membership_events m
         using unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::uuid[])
             as t (workspace_id, user_id, event_key, at, id)
         where m.workspace_id = t.workspace_id and m.user_id = t.user_id and m.event_key = t.event_key
           and m.occurred_at = t.at and m.id = t.id",
    )
    .bind::<Array<SqlUuid>, _>(placed.iter().map(|(workspace, _)| *workspace).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(placed.iter().map(|(_, row)| row.user_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(placed.iter().map(|(_, row)| row.event_key.as_str()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(placed.iter().map(|(_, row)| row.occurred_at).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(placed.iter().map(|(_, row)| row.id).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// Takes the key events of these rows out of the workspaces in which they count, by event id.
///
/// # Errors
/// When the database fails.
pub fn take_key_events(
    conn: &mut PgConnection,
    rows: &[InferredRow],
) -> Result<HashMap<Uuid, KeyEvent>> {
    let placed: Vec<(WorkspaceId, &InferredRow)> =
        rows.iter().filter_map(|row| Some((row.workspace_id?, row))).collect();
    if placed.is_empty() {
        return Ok(HashMap::new());
    }
    take_membership_events(conn, &placed)?;
    let moments = placed.iter().map(|(_, row)| row.occurred_at);
    let (first, last) = (moments.clone().min(), moments.max());
    let taken: Vec<KeyEvent> = diesel::sql_query(
        "delete from key_events k using unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) as t (workspace_id, at, id)
         where k.workspace_id = t.workspace_id and k.occurred_at = t.at and k.id = t.id
           and k.occurred_at between $4 and $5
         returning k.workspace_id, k.occurred_at, k.id, k.user_id, k.event_key, k.name, k.feature, k.value,
                   k.properties::text as properties, k.source_id, k.inferred",
    )
    .bind::<Array<SqlUuid>, _>(placed.iter().map(|(workspace, _)| *workspace).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(placed.iter().map(|(_, row)| row.occurred_at).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(placed.iter().map(|(_, row)| row.id).collect::<Vec<_>>())
    .bind::<Nullable<Timestamptz>, _>(first)
    .bind::<Nullable<Timestamptz>, _>(last)
    .load(conn)?;
    Ok(taken.into_iter().map(|event| (event.id, event)).collect())
}

/// Writes how the workspaces of these key events were found, where that changed.
///
/// # Errors
/// When the database fails.
pub fn label_key_events(
    conn: &mut PgConnection,
    labels: &[(WorkspaceId, DateTime<Utc>, Uuid, Inferred)],
) -> Result<()> {
    if labels.is_empty() {
        return Ok(());
    }
    let moments = labels.iter().map(|label| label.1);
    let (first, last) = (moments.clone().min(), moments.max());
    diesel::sql_query(
        "update key_events k set inferred = t.inferred
         from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[]) as t (workspace_id, at, id, inferred)
         where k.workspace_id = t.workspace_id and k.occurred_at = t.at and k.id = t.id
           and k.inferred is distinct from t.inferred and k.occurred_at between $5 and $6",
    )
    .bind::<Array<SqlUuid>, _>(labels.iter().map(|label| label.0).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(labels.iter().map(|label| label.1).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(labels.iter().map(|label| label.2).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(labels.iter().map(|label| label.3.as_str()).collect::<Vec<_>>())
    .bind::<Nullable<Timestamptz>, _>(first)
    .bind::<Nullable<Timestamptz>, _>(last)
    .execute(conn)?;
    Ok(())
}
