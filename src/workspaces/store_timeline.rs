//! The SQL of a workspace's timeline: key events by keyset, and what happened to its score and
//! ownership between them.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{
    BigInt, Double, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde_json::Value;
use uuid::Uuid;

use super::store_days::{self, Span};
use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};

/// Which key events, and from where on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// An event key.
    pub kind: Option<String>,
    /// A person, after stitching.
    pub person: Option<UserId>,
    /// Only what is older than this event, the last of the page before.
    pub before: Option<(DateTime<Utc>, Uuid)>,
    /// Only what is older than this moment.
    pub until: Option<DateTime<Utc>>,
}

/// A key event with the names that people read.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of key_events")]
pub struct KeyEvent {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub key: String,
    /// The catalog's label, or the name as sent.
    #[diesel(sql_type = Text)]
    pub label: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub category: String,
    #[diesel(sql_type = Text)]
    pub feature: String,
    #[diesel(sql_type = Nullable<Double>)]
    pub value: Option<f64>,
    #[diesel(sql_type = Jsonb)]
    pub properties: Value,
    /// How the workspace was found when the call did not name it.
    #[diesel(sql_type = Nullable<Text>)]
    pub inferred: Option<String>,
    /// After stitching.
    #[diesel(sql_type = SqlUuid)]
    pub person_id: UserId,
    #[diesel(sql_type = Text)]
    pub person: String,
}

/// Key events, the newest first.
///
/// # Errors
/// When the database fails.
pub fn events(
    conn: &mut PgConnection,
    id: WorkspaceId,
    wanted: &Wanted,
    limit: i64,
) -> Result<Vec<KeyEvent>> {
    let until = wanted.until.into_iter().chain(wanted.before.map(|before| before.0)).min();
    store_days::newest(conn, id, until, limit, |conn, span, limit| {
        events_of(conn, id, wanted, span, limit)
    })
}

fn events_of(
    conn: &mut PgConnection,
    id: WorkspaceId,
    wanted: &Wanted,
    span: Span,
    limit: i64,
) -> Result<Vec<KeyEvent>> {
    let (before_at, before_id) = wanted.before.unzip();
    Ok(diesel::sql_query(
        "select e.id, e.occurred_at as at, e.event_key as key, coalesce(d.label, e.name) as label,
                e.name, coalesce(d.category, 'none') as category, e.feature, e.value, e.properties,
                e.inferred, coalesce(u.canonical_id, e.user_id) as person_id,
                coalesce(nullif(p.name, ''), p.email, p.external_id, 'someone unknown') as person
         from key_events e
         left join event_definitions d on d.key = e.event_key
         left join product_users u on u.id = e.user_id
         left join product_users p on p.id = u.canonical_id
         where e.workspace_id = $1
           and ($2::text is null or e.event_key = $2)
           and ($3::uuid is null or u.canonical_id = $3)
           and ($4::timestamptz is null or e.occurred_at <= $4)
           and ($4::timestamptz is null or e.occurred_at < $4 or e.id < $5)
           and ($6::timestamptz is null or e.occurred_at < $6)
           and e.occurred_at >= $8 and e.occurred_at < $9
         order by e.occurred_at desc, e.id desc limit $7",
    )
    .into_boxed::<diesel::pg::Pg>()
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<Text>, _>(wanted.kind.clone())
    .bind::<Nullable<SqlUuid>, _>(wanted.person)
    .bind::<Nullable<Timestamptz>, _>(before_at)
    .bind::<Nullable<SqlUuid>, _>(before_id)
    .bind::<Nullable<Timestamptz>, _>(wanted.until)
    .bind::<BigInt, _>(limit)
    .bind::<Timestamptz, _>(span.from)
    .bind::<Timestamptz, _>(span.to)
    .load(conn)?)
}

/// An event key that the workspace has sent, with its label.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of event_definitions")]
pub struct Kind {
    #[diesel(sql_type = Text)]
    pub key: String,
    #[diesel(sql_type = Text)]
    pub label: String,
}

/// The kinds of key events that a workspace has, by label. Its usage days tell: every key event has one,
/// and they need not be looked for in a partition a day.
///
/// # Errors
/// When the database fails.
pub fn kinds(conn: &mut PgConnection, id: WorkspaceId) -> Result<Vec<Kind>> {
    Ok(diesel::sql_query(
        "select d.key, d.label from event_definitions d
         where d.is_key and d.key in (select u.event_key from usage_days u, retention r
                                      where u.workspace_id = $1 and u.day >= r.key_events_from)
         order by d.label, d.key",
    )
    .bind::<SqlUuid, _>(id)
    .load(conn)?)
}

/// What happened to a workspace inside Ripen.
#[derive(Clone, Debug, QueryableByName)]
pub struct Step {
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// `stage`, `assigned`, `accepted`, `ended`, `task` or `done`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// The stage after the change, the owner, or the task's title.
    #[diesel(sql_type = Text)]
    pub what: String,
    /// The stage before, who assigned (empty for routing), the reason of an end, or the outcome.
    #[diesel(sql_type = Text)]
    pub detail: String,
    /// Hundredths after a change of stage, else 0.
    #[diesel(sql_type = Integer)]
    pub score: i32,
}

/// Changes of stage, owner and task in a span of time, the newest first, at most 200.
///
/// # Errors
/// When the database fails.
pub fn steps(
    conn: &mut PgConnection,
    id: WorkspaceId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<Step>> {
    Ok(diesel::sql_query(
        "select at, kind, what, detail, score from (
             select changed_at as at, 'stage' as kind, to_stage as what, from_stage as detail, score
             from stage_changes where workspace_id = $1
             union all
             select o.assigned_at, 'assigned', m.name, coalesce(b.name, ''), 0
             from assignments o join team_members m on m.id = o.member_id
             left join team_members b on b.id = o.assigned_by where o.workspace_id = $1
             union all
             select o.accepted_at, 'accepted', m.name, '', 0
             from assignments o join team_members m on m.id = o.member_id
             where o.workspace_id = $1 and o.accepted_at is not null
             union all
             select o.ended_at, 'ended', m.name, coalesce(o.end_reason, ''), 0
             from assignments o join team_members m on m.id = o.member_id
             where o.workspace_id = $1 and o.ended_at is not null
             union all
             select t.created_at, 'task', t.title, m.name, 0
             from tasks t join team_members m on m.id = t.assignee_id where t.workspace_id = $1
             union all
             select t.completed_at, 'done', t.title, coalesce(t.outcome, ''), 0
             from tasks t where t.workspace_id = $1 and t.completed_at is not null) steps
         where at >= $2 and at <= $3
         order by at desc, kind, what limit 200",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .load(conn)?)
}
