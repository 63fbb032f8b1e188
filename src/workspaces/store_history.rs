//! The SQL of a workspace's record: why it belongs to its account, and who changed it.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;

use crate::error::Result;
use crate::ids::{AccountId, WorkspaceId};
use crate::schema::audit_entries;

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
