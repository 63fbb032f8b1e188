//! The SQL of the pages about people: who they are after stitching, by canonical id.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};

/// Somebody, with all who are this person today.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of product_users, and of the whole group")]
pub struct Face {
    #[diesel(sql_type = SqlUuid)]
    pub id: UserId,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub external_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    #[diesel(sql_type = Text)]
    pub email_kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub job_title: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub first_seen_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub last_seen_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    pub visitors: i64,
    #[diesel(sql_type = BigInt)]
    pub users: i64,
}

impl Face {
    /// What to call them: name, else e-mail, else the product's id.
    #[must_use]
    pub fn title(&self) -> &str {
        let named = self.name.as_deref().filter(|name| !name.is_empty());
        named.or(self.email.as_deref()).unwrap_or(&self.external_id)
    }
}

/// These people, by canonical id.
///
/// # Errors
/// When the database fails.
pub fn faces(conn: &mut PgConnection, ids: &[UserId]) -> Result<Vec<Face>> {
    Ok(diesel::sql_query(
        "select p.id, p.kind, p.external_id, p.name, p.email, p.email_kind, p.job_title, g.*
         from product_users p join (
             select canonical_id, min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at,
                    count(*) filter (where kind = 'anonymous') as visitors,
                    count(*) filter (where kind = 'known') as users
             from product_users where canonical_id = any($1) group by canonical_id) g on g.canonical_id = p.id
         where p.id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?)
}

/// A name under which somebody was seen, and where it came from.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of identifiers")]
pub struct Named {
    #[diesel(sql_type = SqlUuid)]
    pub canonical_id: UserId,
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub value: String,
    #[diesel(sql_type = Timestamptz)]
    pub first_seen_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    pub said_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub source: Option<String>,
}

/// All names of these people in rank order, the oldest first; at most `limit`.
///
/// # Errors
/// When the database fails.
pub fn names(conn: &mut PgConnection, ids: &[UserId], limit: i64) -> Result<Vec<Named>> {
    Ok(diesel::sql_query(
        "select u.canonical_id, i.user_id, i.kind, i.value, i.first_seen_at, i.said_by, s.name as source
         from product_users u join identifiers i on i.user_id = u.id left join sources s on s.id = i.source_id
         where u.canonical_id = any($1)
         order by array_position(array['user_id', 'sso', 'email', 'anonymous_id'], i.kind), i.first_seen_at, i.value
         limit $2",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// Somebody in a workspace: what several memberships of one person say is brought together.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of memberships")]
pub struct Seat {
    #[diesel(sql_type = SqlUuid)]
    pub canonical_id: UserId,
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    #[diesel(sql_type = Text)]
    pub workspace: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub stage: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub role: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub persona: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub joined_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub left_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_active_at: Option<DateTime<Utc>>,
}

/// Where these people are, the current and the most active first; at most `limit`.
///
/// # Errors
/// When the database fails.
pub fn seats(conn: &mut PgConnection, ids: &[UserId], limit: i64) -> Result<Vec<Seat>> {
    Ok(diesel::sql_query(
        "select j.*, w.name as workspace, s.stage
         from (
             select u.canonical_id, ms.workspace_id,
                 (array_agg(ms.role order by ms.left_at desc nulls first, case ms.role
                      when 'admin' then 1 when 'member' then 2 when 'viewer' then 3 else 4 end))[1] as role,
                 (array_agg(ms.persona order by ms.left_at desc nulls first, array_position(
                      array['champion', 'economic_buyer', 'evaluator', 'builder'], ms.persona)))[1]
                     as persona,
                 min(ms.joined_at) as joined_at,
                 case when bool_or(ms.left_at is null) then null else max(ms.left_at) end as left_at,
                 max(ms.last_active_at) as last_active_at
             from product_users u join memberships ms on ms.user_id = u.id
             where u.canonical_id = any($1) group by u.canonical_id, ms.workspace_id) j
         join workspaces w on w.id = j.workspace_id
         left join workspace_scores s on s.workspace_id = w.id
         order by j.left_at is not null, j.last_active_at desc nulls last, w.id limit $2",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// What somebody did on a day, in all workspaces.
#[derive(Clone, Copy, Debug, QueryableByName)]
#[allow(missing_docs, reason = "of usage_days")]
pub struct Active {
    #[diesel(sql_type = SqlUuid)]
    pub canonical_id: UserId,
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    #[diesel(sql_type = BigInt)]
    pub events: i64,
}

/// Events a day of each of these people in the `days` days that end with `last`.
///
/// # Errors
/// When the database fails.
pub fn activity(
    conn: &mut PgConnection,
    ids: &[UserId],
    last: NaiveDate,
    days: i32,
) -> Result<Vec<Active>> {
    Ok(diesel::sql_query(
        "with people as (select id, canonical_id from product_users where canonical_id = any($1)),
         places as (
             select workspace_id from memberships where user_id in (select id from people)
             union select workspace_id from visits where user_id in (select id from people)
         )
         select p.canonical_id, d.day, sum(d.events)::bigint as events
         from usage_days d join people p on p.id = d.user_id
         where d.workspace_id in (select workspace_id from places) and d.day > $2 - $3 and d.day <= $2
         group by p.canonical_id, d.day order by d.day",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Date, _>(last)
    .bind::<diesel::sql_types::Integer, _>(days)
    .load(conn)?)
}

/// That a call says a visitor is a user, and what became of it.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of identity_claims and identity_changes")]
pub struct Stitch {
    #[diesel(sql_type = SqlUuid)]
    pub visitor_id: UserId,
    #[diesel(sql_type = Text)]
    pub visitor: String,
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    #[diesel(sql_type = Text)]
    pub user: String,
    #[diesel(sql_type = Text)]
    pub said_by: String,
    #[diesel(sql_type = Timestamptz)]
    pub said_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    pub source: Option<String>,
    /// Whom the visitor's standing claim names.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub linked_id: Option<UserId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub linked_by: Option<String>,
    /// The decision that overrules the call.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub split_id: Option<uuid::Uuid>,
    /// Workspaces in which the visitor has usage.
    #[diesel(sql_type = BigInt)]
    pub workspaces: i64,
    /// The first day of that usage.
    #[diesel(sql_type = Nullable<Date>)]
    pub since: Option<NaiveDate>,
}

/// What calls said about this person, or about those whom they became; the newest first.
///
/// # Errors
/// When the database fails.
pub fn stitches(conn: &mut PgConnection, id: UserId, limit: i64) -> Result<Vec<Stitch>> {
    Ok(diesel::sql_query(
        "with people as (select id from product_users where canonical_id = $1)
         select c.visitor_id, v.external_id as visitor, c.user_id, k.external_id as user, c.said_by, c.said_at,
                s.name as source, v.linked_id, v.linked_by, x.id as split_id, p.workspaces, p.since
         from identity_claims c
         join product_users v on v.id = c.visitor_id
         join product_users k on k.id = c.user_id
         left join sources s on s.id = c.source_id
         left join identity_changes x on x.kind = 'split' and x.undone_at is null
          and x.person_id = c.visitor_id and x.other_id = c.user_id
         cross join lateral (select count(*) as workspaces, min(first_on) as since from visits
                             where user_id = c.visitor_id) p
         where c.user_id in (select id from people) or c.visitor_id in (select id from people)
         order by c.said_at desc, c.visitor_id, c.user_id, c.said_by limit $2",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// What somebody decided about a person.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of identity_changes")]
pub struct Decided {
    #[diesel(sql_type = SqlUuid)]
    pub id: uuid::Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = SqlUuid)]
    pub person_id: UserId,
    #[diesel(sql_type = Text)]
    pub person: String,
    #[diesel(sql_type = SqlUuid)]
    pub other_id: UserId,
    #[diesel(sql_type = Text)]
    pub other: String,
    #[diesel(sql_type = Text)]
    pub reason: String,
    #[diesel(sql_type = diesel::sql_types::Jsonb)]
    pub moved: serde_json::Value,
    #[diesel(sql_type = Nullable<Text>)]
    pub decided_by: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub decided_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    pub undone_by: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub undone_at: Option<DateTime<Utc>>,
}

/// What people decided about somebody, the newest first.
///
/// # Errors
/// When the database fails.
pub fn decisions(conn: &mut PgConnection, id: UserId, limit: i64) -> Result<Vec<Decided>> {
    Ok(diesel::sql_query(
        "with people as (select id from product_users where canonical_id = $1)
         select c.id, c.kind, c.person_id, a.external_id as person, c.other_id, b.external_id as other,
                c.reason, c.moved, d.name as decided_by, c.decided_at, u.name as undone_by, c.undone_at
         from identity_changes c
         join product_users a on a.id = c.person_id join product_users b on b.id = c.other_id
         left join team_members d on d.id = c.decided_by left join team_members u on u.id = c.undone_by
         where c.person_id in (select id from people) or c.other_id in (select id from people)
         order by c.decided_at desc, c.id limit $2",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// A key event of a person.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of key_events")]
pub struct Event {
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    #[diesel(sql_type = Text)]
    pub workspace: String,
    #[diesel(sql_type = Timestamptz)]
    pub occurred_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub label: String,
    #[diesel(sql_type = Text)]
    pub feature: String,
}

/// Somebody's newest key events since a moment.
///
/// # Errors
/// When the database fails.
pub fn key_events(
    conn: &mut PgConnection,
    id: UserId,
    since: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Event>> {
    Ok(diesel::sql_query(
        "with people as (select id from product_users where canonical_id = $1),
         places as (
             select workspace_id from memberships where user_id in (select id from people)
             union select workspace_id from visits where user_id in (select id from people)
         )
         select k.workspace_id, w.name as workspace, k.occurred_at, coalesce(d.label, k.name) as label, k.feature
         from key_events k join workspaces w on w.id = k.workspace_id
         left join event_definitions d on d.key = k.event_key
         where k.workspace_id in (select workspace_id from places)
           and k.user_id in (select id from people) and k.occurred_at >= $2
         order by k.occurred_at desc, k.id limit $3",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(since)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// Who somebody is today, and what was said about the row itself.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of product_users")]
pub struct Told {
    #[diesel(sql_type = SqlUuid)]
    pub canonical_id: UserId,
    #[diesel(sql_type = diesel::sql_types::Jsonb)]
    pub traits: serde_json::Value,
    #[diesel(sql_type = diesel::sql_types::Jsonb)]
    pub trait_times: serde_json::Value,
}

/// One row of `product_users`.
///
/// # Errors
/// `NotFound` when there is none; when the database fails.
pub fn told(conn: &mut PgConnection, id: UserId) -> Result<Told> {
    Ok(diesel::sql_query(
        "select canonical_id, traits, trait_times from product_users where id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .get_result(conn)?)
}
