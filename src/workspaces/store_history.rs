//! The SQL of a workspace's record: why it belongs to its account, where it was sent, who changed it.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;

use crate::error::Result;
use crate::ids::{AccountId, WorkspaceId};
use crate::schema::{accounts, audit_entries};

/// An entry of the audit log about a workspace.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = audit_entries)]
#[allow(missing_docs, reason = "columns of audit_entries")]
pub struct AuditEntry {
    pub at: DateTime<Utc>,
    pub actor: String,
    pub action: String,
    pub detail: Value,
}

/// What people changed about a workspace, the newest first.
///
/// # Errors
/// When the database fails.
pub fn audit(conn: &mut PgConnection, id: WorkspaceId) -> Result<Vec<AuditEntry>> {
    Ok(audit_entries::table
        .filter(audit_entries::subject_kind.eq("workspace"))
        .filter(audit_entries::subject_id.eq(id.to_string()))
        .order(audit_entries::id.desc())
        .limit(100)
        .select(AuditEntry::as_select())
        .load(conn)?)
}

/// A routing decision with its stored record.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of routing_decisions")]
pub struct Decision {
    #[diesel(sql_type = Integer)]
    pub rule_set_version: i32,
    #[diesel(sql_type = Integer)]
    pub model_version: i32,
    #[diesel(sql_type = Integer)]
    pub score: i32,
    #[diesel(sql_type = Text)]
    pub rule_name: String,
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
    #[diesel(sql_type = Timestamptz)]
    pub decided_at: DateTime<Utc>,
}

/// Where a workspace was sent, the newest first, at most 20.
///
/// # Errors
/// When the database fails.
pub fn decisions(conn: &mut PgConnection, id: WorkspaceId) -> Result<Vec<Decision>> {
    Ok(diesel::sql_query(
        "select d.rule_set_version, d.model_version, d.score, d.rule_name, d.destination,
                m.name as owner, d.unowned_reason, d.sla_hours, d.trace, d.decided_at
         from routing_decisions d left join team_members m on m.id = d.owner_id
         where d.workspace_id = $1 order by d.decided_at desc, d.id desc limit 20",
    )
    .bind::<SqlUuid, _>(id)
    .load(conn)?)
}

/// Why a workspace belongs to its account, or to none.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of account_links")]
pub struct Link {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub account_id: Option<AccountId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub account: Option<String>,
    #[diesel(sql_type = Integer)]
    pub confidence: i32,
    #[diesel(sql_type = Jsonb)]
    pub evidence: Value,
    #[diesel(sql_type = Nullable<Text>)]
    pub pinned_by: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub decided_at: DateTime<Utc>,
}

/// The link of a workspace, if evidence was ever weighed.
///
/// # Errors
/// When the database fails.
pub fn link(conn: &mut PgConnection, id: WorkspaceId) -> Result<Option<Link>> {
    Ok(diesel::sql_query(
        "select l.account_id, a.name as account, l.confidence, l.evidence, m.name as pinned_by,
                l.decided_at
         from account_links l
         left join accounts a on a.id = l.account_id
         left join team_members m on m.id = l.pinned_by
         where l.workspace_id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .get_result(conn)
    .optional()?)
}

/// Names of accounts, for evidence that names them by id.
///
/// # Errors
/// When the database fails.
pub fn account_names(
    conn: &mut PgConnection,
    ids: &[AccountId],
) -> Result<Vec<(AccountId, String)>> {
    Ok(accounts::table
        .filter(accounts::id.eq_any(ids))
        .order(accounts::id)
        .select((accounts::id, accounts::name))
        .load(conn)?)
}
