//! What the inbox shows: one member's open tasks, those that wait, and today's done.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{
    Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};

use super::outcome::Outcome;
use crate::error::Result;
use crate::ids::{MemberId, TaskId, WorkspaceId};
use crate::schema::tasks;

/// One task in a list.
#[derive(Clone, Debug, QueryableByName)]
pub struct Entry {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: TaskId,
    /// About which workspace.
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    /// The workspace's name now.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Its account.
    #[diesel(sql_type = Nullable<Text>)]
    pub account: Option<String>,
    /// Hundredths, now.
    #[diesel(sql_type = Integer)]
    pub score: i32,
    /// Hundredths, over 7 days.
    #[diesel(sql_type = Integer)]
    pub change: i32,
    /// The stage's key, now.
    #[diesel(sql_type = Text)]
    pub stage: String,
    /// Reasons of the score, best first.
    #[diesel(sql_type = Array<Text>)]
    pub reasons: Vec<String>,
    /// Hundredths, one a day.
    #[diesel(sql_type = Array<Integer>)]
    pub sparkline: Vec<i32>,
    /// What the product would like to happen next.
    #[diesel(sql_type = Nullable<Text>)]
    pub next_best_action: Option<String>,
    /// The people of the handoff.
    #[diesel(sql_type = Jsonb)]
    pub people: serde_json::Value,
    /// When the first touch is due.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub due_at: Option<DateTime<Utc>>,
    /// Hidden until then.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub snoozed_until: Option<DateTime<Utc>>,
    /// When it was closed.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub completed_at: Option<DateTime<Utc>>,
    /// How; the key.
    #[diesel(sql_type = Nullable<Text>)]
    outcome: Option<String>,
    /// When the owner accepted.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub accepted_at: Option<DateTime<Utc>>,
}

impl Entry {
    /// How it was closed.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome.as_deref().and_then(Outcome::from_key)
    }
}

/// The open tasks of a member, those done since `day_start`, and those whose contact is younger than
/// two weeks and waits for an answer; what is due first stands first.
///
/// # Errors
/// The database's.
pub fn inbox(
    conn: &mut PgConnection,
    member: MemberId,
    day_start: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<Entry>> {
    Ok(sql_query(
        "select t.id, t.workspace_id, w.name, ac.name as account, coalesce(s.score, 0) as score, \
           coalesce(s.score - s.score_7d, 0) as change, coalesce(s.stage, 'not_pql') as stage, \
           coalesce(s.reasons, '{}') as reasons, coalesce(s.sparkline, '{}') as sparkline, \
           s.next_best_action, coalesce(t.payload->'people', '[]') as people, t.due_at, t.snoozed_until, \
           t.completed_at, t.outcome, a.accepted_at \
         from tasks t \
         join workspaces w on w.id = t.workspace_id \
         left join workspace_scores s on s.workspace_id = t.workspace_id \
         left join account_links l on l.workspace_id = t.workspace_id \
           and (l.confidence >= 80 or l.pinned_by is not null) \
         left join accounts ac on ac.id = l.account_id \
         left join assignments a on a.workspace_id = t.workspace_id and a.member_id = t.assignee_id \
           and a.ended_at is null \
         where t.assignee_id = $1 and (t.completed_at is null \
           or (t.completed_at >= $2 and t.outcome not in ('reassigned', 'withdrawn')) \
           or (t.completed_at >= $3 and t.outcome = 'contacted' and a.id is not null \
             and not exists (select 1 from tasks n where n.workspace_id = t.workspace_id \
               and n.created_at > t.created_at))) \
         order by t.priority, t.due_at nulls last, coalesce(s.score, 0) desc, t.id limit 200",
    )
    .bind::<SqlUuid, _>(member)
    .bind::<Timestamptz, _>(day_start)
    .bind::<Timestamptz, _>(now - chrono::TimeDelta::days(14))
    .load(conn)?)
}

/// How many tasks of a member are open and not snoozed.
///
/// # Errors
/// The database's.
pub fn count_now(conn: &mut PgConnection, member: MemberId, now: DateTime<Utc>) -> Result<u32> {
    let count: i64 = tasks::table
        .filter(tasks::assignee_id.eq(member))
        .filter(tasks::completed_at.is_null())
        .filter(tasks::snoozed_until.is_null().or(tasks::snoozed_until.le(now)))
        .count()
        .get_result(conn)?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Somebody whose inbox a manager may open.
#[derive(Clone, Debug, QueryableByName)]
pub struct Colleague {
    /// Who.
    #[diesel(sql_type = SqlUuid)]
    pub id: MemberId,
    /// The name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Open tasks.
    #[diesel(sql_type = BigInt)]
    pub open: i64,
}

/// Everybody active who sells, with their open tasks.
///
/// # Errors
/// The database's.
pub fn colleagues(conn: &mut PgConnection) -> Result<Vec<Colleague>> {
    Ok(sql_query(
        "select m.id, m.name, (select count(*) from tasks t where t.assignee_id = m.id \
           and t.completed_at is null) as open \
         from team_members m where m.deactivated_at is null and m.function is not null \
         order by m.name, m.id",
    )
    .load(conn)?)
}
