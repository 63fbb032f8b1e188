//! The SQL of what belongs to one workspace: usage days, key events, members, the decision. Reads
//! only; people are named by the product's id of whoever they are today.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{
    BigInt, Date, Double, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};
use crate::usage::day::EVENT_LOOP;
use crate::usage::{hours, store_loops};
use crate::workspaces::store_days::{self, Span};

/// A usage day.
#[derive(Clone, Debug, Serialize, QueryableByName)]
#[allow(missing_docs, reason = "documented in static/openapi.json")]
pub struct UsageDay {
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    #[diesel(sql_type = Text)]
    pub user_id: String,
    #[serde(skip)]
    #[diesel(sql_type = SqlUuid)]
    pub person: UserId,
    #[diesel(sql_type = Text)]
    pub event: String,
    #[diesel(sql_type = Text)]
    pub feature: String,
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    #[diesel(sql_type = Double)]
    pub value: f64,
}

/// Usage days from one day to another, both included, newest first, with the loops among them; at most
/// `limit` rows besides those.
///
/// # Errors
/// When the database fails.
pub fn usage(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    (from, to): (NaiveDate, NaiveDate),
    limit: i64,
) -> Result<Vec<UsageDay>> {
    let mut rows: Vec<UsageDay> = diesel::sql_query(
        "select u.day, coalesce(c.external_id, p.external_id, u.user_id::text) as user_id,
                u.event_key as event, u.feature, coalesce(p.canonical_id, u.user_id) as person,
                sum(u.events)::bigint as count, sum(u.value)::float8 as value
         from usage_days u
         left join product_users p on p.id = u.user_id
         left join product_users c on c.id = p.canonical_id
         where u.workspace_id = $1 and u.day between $2 and $3
         group by 1, 2, 3, 4, 5 order by u.day desc, user_id, event, u.feature limit $4",
    )
    .bind::<SqlUuid, _>(workspace)
    .bind::<Date, _>(from)
    .bind::<Date, _>(to)
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    let counted = rows.iter().filter(|row| row.event != EVENT_LOOP);
    let suspects = hours::suspects(
        counted.map(|row| ((workspace, row.day, row.person), row.event.as_str(), row.count)),
    );
    let mut loops = store_loops::loops(conn, &suspects)?;
    for row in rows.iter_mut().filter(|row| row.event == EVENT_LOOP) {
        if let Some(found) = loops.remove(&(workspace, row.day, row.person)) {
            row.count = row.count.max(found);
        }
    }
    let names: BTreeMap<UserId, String> =
        rows.iter().map(|row| (row.person, row.user_id.clone())).collect();
    rows.extend(loops.into_iter().map(|((_, day, person), count)| UsageDay {
        day,
        user_id: names.get(&person).cloned().unwrap_or_default(),
        person,
        event: EVENT_LOOP.to_owned(),
        feature: String::new(),
        count,
        value: 0.0,
    }));
    rows.sort_by(|a, b| {
        let key = |row: &UsageDay| (Reverse(row.day), row.user_id.clone(), row.event.clone());
        key(a).cmp(&key(b)).then_with(|| a.feature.cmp(&b.feature))
    });
    Ok(rows)
}

/// A key event.
#[derive(Clone, Debug, Serialize, QueryableByName)]
#[allow(missing_docs, reason = "documented in static/openapi.json")]
pub struct KeyEvent {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub occurred_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub event: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub user_id: String,
    #[diesel(sql_type = Text)]
    pub feature: String,
    #[diesel(sql_type = Nullable<Double>)]
    pub value: Option<f64>,
    #[diesel(sql_type = Jsonb)]
    pub properties: Value,
    #[diesel(sql_type = Nullable<Text>)]
    pub inferred: Option<String>,
}

/// Key events, newest first, from before the place that a cursor names.
///
/// # Errors
/// When the database fails.
pub fn events(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    before: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<KeyEvent>> {
    store_days::newest(
        conn,
        workspace,
        before.map(|before| before.0),
        limit,
        |conn, span, limit| events_of(conn, workspace, before, span, limit),
    )
}

fn events_of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    before: Option<(DateTime<Utc>, Uuid)>,
    span: Span,
    limit: i64,
) -> Result<Vec<KeyEvent>> {
    let (at, id) = before.unwrap_or((DateTime::<Utc>::MAX_UTC, Uuid::max()));
    // PostgreSQL's years end before chrono's.
    let at = at.min(DateTime::from_timestamp(253_402_300_799, 0).unwrap_or(at));
    Ok(diesel::sql_query(
        "select e.id, e.occurred_at, e.event_key as event, e.name, e.feature, e.value,
                e.properties, e.inferred,
                coalesce(c.external_id, p.external_id, e.user_id::text) as user_id
         from (select * from key_events
               where workspace_id = $1 and (occurred_at, id) < ($2, $3)
                 and occurred_at >= $5 and occurred_at < $6
               order by occurred_at desc, id desc limit $4) e
         left join product_users p on p.id = e.user_id
         left join product_users c on c.id = p.canonical_id
         order by e.occurred_at desc, e.id desc",
    )
    .bind::<SqlUuid, _>(workspace)
    .bind::<Timestamptz, _>(at)
    .bind::<SqlUuid, _>(id)
    .bind::<BigInt, _>(limit)
    .bind::<Timestamptz, _>(span.from)
    .bind::<Timestamptz, _>(span.to)
    .load(conn)?)
}

/// A membership with its person.
#[derive(Clone, Debug, Serialize, QueryableByName)]
#[allow(missing_docs, reason = "documented in static/openapi.json")]
pub struct Member {
    #[diesel(sql_type = Text)]
    pub user_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub role: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub persona: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub persona_source: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub job_title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub seniority: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub department: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub joined_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub left_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_active_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub active_days_14d: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub invitation_source: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub invited_by: Option<String>,
}

/// The members of a workspace, each person once, those who left last; at most `limit`.
///
/// # Errors
/// When the database fails.
pub fn members(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    today: NaiveDate,
    limit: i64,
) -> Result<Vec<Member>> {
    Ok(diesel::sql_query(
        "with active as (
             select coalesce(p.canonical_id, u.user_id) as user_id, count(distinct u.day) as days
             from usage_days u left join product_users p on p.id = u.user_id
             where u.workspace_id = $1 and u.day > $2 - 14 and u.day <= $2
             group by 1)
         select p.external_id as user_id, p.name, p.email, m.role, m.persona, m.persona_source,
                p.job_title, p.seniority, p.department, m.joined_at, m.left_at, m.last_active_at,
                coalesce(a.days, 0) as active_days_14d, m.invitation_source, m.invited_by
         from (
             select u.canonical_id,
                 (array_agg(ms.role order by ms.left_at desc nulls first,
                      array_position(array['admin', 'member', 'viewer'], ms.role)))[1] as role,
                 (array_agg(ms.persona order by ms.left_at desc nulls first, array_position(
                      array['champion', 'economic_buyer', 'evaluator', 'builder'], ms.persona)))[1]
                     as persona,
                 (array_agg(ms.persona_source order by ms.left_at desc nulls first, array_position(
                      array['champion', 'economic_buyer', 'evaluator', 'builder'], ms.persona)))[1]
                     as persona_source,
                 min(ms.joined_at) as joined_at,
                 case when bool_or(ms.left_at is null) then null else max(ms.left_at) end as left_at,
                 max(ms.last_active_at) as last_active_at,
                 min(ms.invitation_source) as invitation_source, min(ms.invited_by) as invited_by
             from memberships ms join product_users u on u.id = ms.user_id
             where ms.workspace_id = $1 group by u.canonical_id) m
         join product_users p on p.id = m.canonical_id
         left join active a on a.user_id = m.canonical_id
         order by m.left_at is not null, m.last_active_at desc nulls last, p.external_id
         limit $3",
    )
    .bind::<SqlUuid, _>(workspace)
    .bind::<Date, _>(today)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// A routing decision with its whole trace.
#[derive(Clone, Debug, Serialize, QueryableByName)]
#[allow(missing_docs, reason = "documented in static/openapi.json")]
pub struct Decision {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub decided_at: DateTime<Utc>,
    #[diesel(sql_type = Integer)]
    pub rule_set_version: i32,
    #[diesel(sql_type = Integer)]
    pub model_version: i32,
    #[diesel(sql_type = Integer)]
    pub score: i32,
    #[diesel(sql_type = Text)]
    pub rule: String,
    #[diesel(sql_type = Text)]
    pub destination: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub owner: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub unowned_reason: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub sla_hours: Option<i32>,
    #[diesel(sql_type = Jsonb)]
    pub trace: Value,
    #[diesel(sql_type = Jsonb)]
    pub facts: Value,
}

/// The newest decision about a workspace, if routing ever looked at it.
///
/// # Errors
/// When the database fails.
pub fn decision(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Option<Decision>> {
    Ok(diesel::sql_query(
        "select d.id, d.decided_at, d.rule_set_version, d.model_version, d.score,
                d.rule_name as rule, d.destination, t.email as owner, d.unowned_reason,
                d.sla_hours, d.trace, d.facts
         from routing_decisions d left join team_members t on t.id = d.owner_id
         where d.workspace_id = $1 order by d.decided_at desc, d.id desc limit 1",
    )
    .bind::<SqlUuid, _>(workspace)
    .get_result(conn)
    .optional()?)
}

/// The product's ids of people.
///
/// # Errors
/// When the database fails.
pub fn names_of(conn: &mut PgConnection, users: &[UserId]) -> Result<Vec<(UserId, String)>> {
    use crate::schema::product_users as p;
    Ok(p::table.filter(p::id.eq_any(users)).select((p::id, p::external_id)).load(conn)?)
}
