//! The SQL of one workspace's page: its head, people and record of changes.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde_json::Value;

use crate::error::Result;
use crate::ids::{AccountId, MemberId, UserId, WorkspaceId};
use crate::schema::workspaces;

/// People beyond this many are counted, not listed.
pub const PEOPLE: i64 = 500;

/// What every tab of a workspace begins with. Scores in hundredths; `None` before the first score.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of workspaces, workspace_scores and assignments")]
pub struct Head {
    #[diesel(sql_type = SqlUuid)]
    pub id: WorkspaceId,
    #[diesel(sql_type = Text)]
    pub external_id: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub first_seen_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub account_id: Option<AccountId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub account_name: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub owner_id: Option<MemberId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub owner_name: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub owned_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub accepted_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub plan_tier: Option<String>,
    #[diesel(sql_type = Nullable<Date>)]
    pub as_of: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub model_version: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub score: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub score_7d: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    pub stage: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub stage_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub next_best_action: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub card: Option<Value>,
    #[diesel(sql_type = Nullable<Date>)]
    pub trial_end_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Text>)]
    pub icp_fit_tier: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub wau: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub seats: Option<i32>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_active_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub scored_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub members: i64,
    #[diesel(sql_type = BigInt)]
    pub open_tasks: i64,
}

/// The head of a workspace.
///
/// # Errors
/// `NotFound` where there is none; when the database fails.
pub fn head(conn: &mut PgConnection, id: WorkspaceId) -> Result<Head> {
    Ok(diesel::sql_query(
        "select w.id, w.external_id, w.name, w.type as kind, w.status, w.created_at,
                w.first_seen_at, a.id as account_id, a.name as account_name,
                o.member_id as owner_id, m.name as owner_name, o.assigned_at as owned_since,
                o.accepted_at, coalesce(s.plan_tier, w.plan_tier) as plan_tier, s.as_of,
                s.model_version, s.score, s.score_7d, s.stage, s.stage_since, s.next_best_action,
                s.card, s.trial_end_on, coalesce(s.icp_fit_tier, a.icp_fit_tier) as icp_fit_tier,
                s.wau, s.seats, s.last_active_at, s.scored_at,
                (select count(distinct u.canonical_id) from memberships ms
                 join product_users u on u.id = ms.user_id
                 where ms.workspace_id = w.id and ms.left_at is null) as members,
                (select count(*) from tasks t
                 where t.workspace_id = w.id and t.completed_at is null) as open_tasks
         from workspaces w
         left join workspace_scores s on s.workspace_id = w.id
         left join account_links al on al.workspace_id = w.id
         left join accounts a on a.id = al.account_id
         left join assignments o on o.workspace_id = w.id and o.ended_at is null
         left join team_members m on m.id = o.member_id
         where w.id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .get_result(conn)?)
}

/// The workspace with the product's own id.
///
/// # Errors
/// `NotFound` where there is none; when the database fails.
pub fn by_external_id(conn: &mut PgConnection, external_id: &str) -> Result<WorkspaceId> {
    // PostgreSQL refuses NUL in a text, and no workspace can have one.
    if external_id.contains('\0') {
        return Err(crate::error::Error::NotFound);
    }
    Ok(workspaces::table
        .filter(workspaces::external_id.eq(external_id))
        .select(workspaces::id)
        .first(conn)?)
}

/// A person in the workspace, after stitching: what several memberships of one person say is
/// brought together, and the strongest role counts.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of product_users and memberships")]
pub struct Person {
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
    #[diesel(sql_type = Nullable<Text>)]
    pub seniority: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub department: Option<String>,
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
    #[diesel(sql_type = Nullable<Text>)]
    pub invitation_source: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub invited_by: Option<String>,
}

/// People of a workspace: those still there first, admins first, then by last activity.
///
/// # Errors
/// When the database fails.
pub fn people(conn: &mut PgConnection, id: WorkspaceId) -> Result<Vec<Person>> {
    Ok(diesel::sql_query(
        "select p.id, p.kind, p.external_id, p.name, p.email, p.email_kind, p.job_title,
                p.seniority, p.department, j.*
         from (
             select u.canonical_id,
                 (array_agg(ms.role order by ms.left_at desc nulls first, case ms.role
                      when 'admin' then 1 when 'member' then 2 when 'viewer' then 3 else 4 end))[1]
                     as role,
                 (array_agg(ms.persona order by ms.left_at desc nulls first, array_position(
                      array['champion', 'economic_buyer', 'evaluator', 'builder'], ms.persona)))[1]
                     as persona,
                 min(ms.joined_at) as joined_at,
                 case when bool_or(ms.left_at is null) then null else max(ms.left_at) end as left_at,
                 max(ms.last_active_at) as last_active_at,
                 min(ms.invitation_source) as invitation_source,
                 min(coalesce(inviter.name, inviter.email, ms.invited_by)) as invited_by
             from memberships ms join product_users u on u.id = ms.user_id
             left join product_users inviter
                 on inviter.kind = 'known' and inviter.external_id = ms.invited_by
             where ms.workspace_id = $1
             group by u.canonical_id) j
         join product_users p on p.id = j.canonical_id
         order by j.left_at is not null, j.role is distinct from 'admin',
                  j.persona is distinct from 'champion', j.last_active_at desc nulls last, p.id
         limit $2",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<BigInt, _>(PEOPLE)
    .load(conn)?)
}

#[derive(QueryableByName)]
struct ActiveDay {
    #[diesel(sql_type = SqlUuid)]
    person: UserId,
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = BigInt)]
    events: i64,
}

/// Events a day of each person in the fourteen days that end with `last`.
///
/// # Errors
/// When the database fails.
pub fn activity(
    conn: &mut PgConnection,
    id: WorkspaceId,
    last: NaiveDate,
) -> Result<BTreeMap<UserId, Vec<(NaiveDate, i64)>>> {
    let days: Vec<ActiveDay> = diesel::sql_query(
        "select u.canonical_id as person, d.day, sum(d.events)::bigint as events
         from usage_days d join product_users u on u.id = d.user_id
         where d.workspace_id = $1 and d.day > $2 - 14 and d.day <= $2
         group by u.canonical_id, d.day order by d.day",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Date, _>(last)
    .load(conn)?;
    let mut activity = BTreeMap::<UserId, Vec<(NaiveDate, i64)>>::new();
    for day in days {
        activity.entry(day.person).or_default().push((day.day, day.events));
    }
    Ok(activity)
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = SqlUuid)]
    id: UserId,
    #[diesel(sql_type = Text)]
    name: String,
}

/// What to call people: name, else e-mail, else the product's id.
///
/// # Errors
/// When the database fails.
pub fn names(conn: &mut PgConnection, ids: &[UserId]) -> Result<BTreeMap<UserId, String>> {
    let named: Vec<Named> = diesel::sql_query(
        "select u.id, coalesce(nullif(p.name, ''), p.email, p.external_id) as name
         from product_users u join product_users p on p.id = u.canonical_id
         where u.id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?;
    Ok(named.into_iter().map(|one| (one.id, one.name)).collect())
}

/// A task as the workspace's page shows it.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of tasks")]
pub struct Task {
    #[diesel(sql_type = SqlUuid)]
    pub id: uuid::Uuid,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Jsonb)]
    pub payload: Value,
    #[diesel(sql_type = SqlUuid)]
    pub assignee_id: MemberId,
    #[diesel(sql_type = Text)]
    pub assignee: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub due_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub snoozed_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub completed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub outcome: Option<String>,
    #[diesel(sql_type = Text)]
    pub note: String,
}

/// A workspace's tasks, open ones first, then the newest.
///
/// # Errors
/// When the database fails.
pub fn tasks(conn: &mut PgConnection, id: WorkspaceId) -> Result<Vec<Task>> {
    Ok(diesel::sql_query(
        "select t.id, t.title, t.payload, t.assignee_id, m.name as assignee, t.created_at,
                t.due_at, t.snoozed_until, t.completed_at, t.outcome, t.note
         from tasks t join team_members m on m.id = t.assignee_id
         where t.workspace_id = $1
         order by t.completed_at is not null, t.created_at desc, t.id limit 100",
    )
    .bind::<SqlUuid, _>(id)
    .load(conn)?)
}

/// What was sent so far, for a workspace that waits for its first score.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Arrived {
    /// Key events.
    #[diesel(sql_type = BigInt)]
    pub key_events: i64,
    /// Days with usage.
    #[diesel(sql_type = BigInt)]
    pub days: i64,
    /// Whether the scorer has it on its list.
    #[diesel(sql_type = Bool)]
    pub waits: bool,
}

/// What was sent so far; counts stop at 1,000.
///
/// # Errors
/// When the database fails.
pub fn arrived(conn: &mut PgConnection, id: WorkspaceId) -> Result<Arrived> {
    Ok(diesel::sql_query(
        "select (select least(coalesce(sum(u.events), 0), 1000)::bigint from usage_days u
                 where u.workspace_id = $1
                   and u.event_key in (select key from event_definitions where is_key)) as key_events,
                (select count(distinct day) from (select day from usage_days where workspace_id = $1
                    limit 10000) d) as days,
                exists (select 1 from touched_workspaces where workspace_id = $1) as waits",
    )
    .bind::<SqlUuid, _>(id)
    .get_result(conn)?)
}
