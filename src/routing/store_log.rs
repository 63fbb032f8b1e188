//! The SQL of recorded decisions, as pages read them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use crate::error::Result;
use crate::ids::{DecisionId, MemberId, WorkspaceId};

/// A recorded decision.
#[derive(Clone, Debug, QueryableByName)]
pub struct Decided {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: DecisionId,
    /// About which workspace.
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    /// The workspace's name now.
    #[diesel(sql_type = Text)]
    pub workspace: String,
    /// Of the rules.
    #[diesel(sql_type = Integer)]
    pub rule_set_version: i32,
    /// Hundredths, then.
    #[diesel(sql_type = Integer)]
    pub score: i32,
    /// The rule that matched.
    #[diesel(sql_type = Text)]
    pub rule_name: String,
    /// Its destination's key.
    #[diesel(sql_type = Text)]
    pub destination: String,
    /// Who owned it from then on.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub owner_id: Option<MemberId>,
    /// The owner's name.
    #[diesel(sql_type = Nullable<Text>)]
    pub owner: Option<String>,
    /// Why nobody did.
    #[diesel(sql_type = Nullable<Text>)]
    pub unowned_reason: Option<String>,
    /// The record as stored.
    #[diesel(sql_type = Jsonb)]
    pub trace: serde_json::Value,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub decided_at: DateTime<Utc>,
}

const DECIDED: &str = "\
select d.id, d.workspace_id, w.name as workspace, d.rule_set_version, d.score, d.rule_name, \
  d.destination, d.owner_id, m.name as owner, d.unowned_reason, d.trace, d.decided_at \
from routing_decisions d join workspaces w on w.id = d.workspace_id \
left join team_members m on m.id = d.owner_id";

/// The decisions about a workspace, the newest first.
///
/// # Errors
/// The database's.
pub fn decisions_of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    limit: i64,
) -> Result<Vec<Decided>> {
    Ok(sql_query(format!(
        "{DECIDED} where d.workspace_id = $1 order by d.decided_at desc, d.id desc limit $2"
    ))
    .bind::<SqlUuid, _>(workspace)
    .bind::<diesel::sql_types::BigInt, _>(limit)
    .load(conn)?)
}

/// Decisions about anything, the newest first; `after` is the last one already seen.
///
/// # Errors
/// The database's.
pub fn log(conn: &mut PgConnection, after: Option<DecisionId>, limit: i64) -> Result<Vec<Decided>> {
    Ok(sql_query(format!(
        "{DECIDED} where $1 is null or (d.decided_at, d.id) < \
           (select x.decided_at, x.id from routing_decisions x where x.id = $1) \
         order by d.decided_at desc, d.id desc limit $2"
    ))
    .bind::<Nullable<SqlUuid>, _>(after)
    .bind::<diesel::sql_types::BigInt, _>(limit)
    .load(conn)?)
}
