//! The SQL of the list of workspaces and of one: the serving copy of the score with what stands
//! beside it. Reads only; lists never read events or usage.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde_json::Value;

use super::query::Query;
use super::store_list;
use crate::error::Result;
use crate::ids::WorkspaceId;

/// A workspace with its score, account and owner; without a score, those fields are missing.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of the same names")]
pub struct Row {
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
    #[diesel(sql_type = Nullable<Date>)]
    pub as_of: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub model_version: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub score: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub score_1d: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub score_7d: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    pub stage: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub stage_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Array<Text>>)]
    pub flags: Option<Vec<String>>,
    #[diesel(sql_type = Nullable<Array<Text>>)]
    pub reasons: Option<Vec<String>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub next_best_action: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub signals: Option<Value>,
    #[diesel(sql_type = Nullable<Text>)]
    pub plan_tier: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub paid_status: Option<String>,
    #[diesel(sql_type = Nullable<Date>)]
    pub trial_end_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Text>)]
    pub icp_fit_tier: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub wau: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub member_count: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub seats: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub high_intent_14d: Option<i32>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_active_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub account_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub account_domain: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub territory: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub owner_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub owner_email: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub assigned_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Bool)]
    pub is_accepted: bool,
    /// The value that the list is sorted by, as text.
    #[diesel(sql_type = Nullable<Text>)]
    pub sort_value: Option<String>,
}

const SELECTED: &str = "w.id, w.external_id, w.name, w.type as kind, w.status, w.created_at,
    s.as_of, s.model_version, s.score, s.score_1d, s.score_7d, s.stage, s.stage_since, s.flags,
    s.reasons, s.next_best_action, s.signals,
    case when s.workspace_id is null then w.plan_tier else s.plan_tier end as plan_tier,
    s.paid_status, s.trial_end_on, s.icp_fit_tier, s.wau, s.member_count, s.seats,
    s.high_intent_14d, s.last_active_at, a.name as account_name,
    a.primary_domain as account_domain, a.territory, t.name as owner_name, t.email as owner_email,
    g.assigned_at, (g.accepted_at is not null) as is_accepted";

const BESIDE: &str = "left join account_links l on l.workspace_id = w.id
    left join accounts a on a.id = l.account_id
    left join assignments g on g.workspace_id = w.id and g.ended_at is null
    left join team_members t on t.id = g.member_id";

/// A page of workspaces that have a score, one row more than asked for when there are more.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut PgConnection, query: &Query) -> Result<Vec<Row>> {
    let (by, _) = query.by.order();
    let from = format!(
        "select {SELECTED}, ({by})::text as sort_value
         from workspace_scores s join workspaces w on w.id = s.workspace_id {BESIDE}
         where w.status <> 'deleted'"
    );
    Ok(store_list::page(from, query).load(conn)?)
}

/// Whose a workspace is and what is being done about it.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "fields of the signal dictionary")]
pub struct Ownership {
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    #[diesel(sql_type = Nullable<Text>)]
    pub owner: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub owner_team: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub account_owner: Option<String>,
    #[diesel(sql_type = Bool)]
    pub is_unowned: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub routing_destination: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_routed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub open_tasks: i64,
}

/// The ownership of these workspaces as it stands now.
///
/// # Errors
/// When the database fails.
pub fn ownership(conn: &mut PgConnection, ids: &[WorkspaceId]) -> Result<Vec<Ownership>> {
    Ok(diesel::sql_query(
        "select w.id as workspace_id, t.name as owner, t.team as owner_team, om.name as account_owner,
                g.id is null as is_unowned, d.destination as routing_destination,
                d.decided_at as last_routed_at,
                (select count(*) from tasks x where x.workspace_id = w.id and x.completed_at is null)
                    as open_tasks
         from workspaces w
         left join assignments g on g.workspace_id = w.id and g.ended_at is null
         left join team_members t on t.id = g.member_id
         left join account_links l on l.workspace_id = w.id and (l.confidence >= 80 or l.pinned_by is not null)
         left join account_owners o on o.account_id = l.account_id
         left join team_members om on om.id = o.member_id
         left join lateral (select r.destination, r.decided_at from routing_decisions r
             where r.workspace_id = w.id order by r.decided_at desc, r.id desc limit 1) d on true
         where w.id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?)
}

/// One workspace by the product's id, with or without a score.
///
/// # Errors
/// `NotFound` when there is none.
pub fn find(conn: &mut PgConnection, external_id: &str) -> Result<Row> {
    let sql = format!(
        "select {SELECTED}, null::text as sort_value
         from workspaces w left join workspace_scores s on s.workspace_id = w.id {BESIDE}
         where w.external_id = $1"
    );
    Ok(diesel::sql_query(sql).bind::<Text, _>(external_id).get_result(conn)?)
}

/// The internal id of a workspace by the product's.
///
/// # Errors
/// `NotFound` when there is none.
pub fn id_of(conn: &mut PgConnection, external_id: &str) -> Result<WorkspaceId> {
    use crate::schema::workspaces as w;
    Ok(w::table.filter(w::external_id.eq(external_id)).select(w::id).first(conn)?)
}

/// The stored card of a workspace, if it was scored on or for this day.
///
/// # Errors
/// When the database fails.
pub fn card(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    day: NaiveDate,
) -> Result<Option<Value>> {
    use crate::schema::workspace_scores as s;
    Ok(s::table
        .filter(s::workspace_id.eq(workspace))
        .filter(s::as_of.eq(day))
        .select(s::card)
        .first(conn)
        .optional()?)
}
