//! The SQL of links between workspaces and accounts that a person decides.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::ids::{AccountId, MemberId, WorkspaceId};
use crate::schema::{account_links, accounts, workspaces};

/// Whether there is such an account.
///
/// # Errors
/// When the database fails.
pub fn exists(conn: &mut PgConnection, id: AccountId) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(accounts::table.find(id))).get_result(conn)?)
}

/// The account that a workspace is linked to, its link held until the transaction ends.
///
/// # Errors
/// `NotFound` when there is no such workspace; when the database fails.
pub fn lock_link(conn: &mut PgConnection, id: WorkspaceId) -> Result<Option<AccountId>> {
    let known: i64 = workspaces::table.find(id).count().get_result(conn)?;
    if known == 0 {
        return Err(Error::NotFound);
    }
    let linked: Option<Option<AccountId>> = account_links::table
        .find(id)
        .select(account_links::account_id)
        .for_update()
        .first(conn)
        .optional()?;
    Ok(linked.flatten())
}

/// Writes a link that a person made.
///
/// # Errors
/// When the database fails.
pub fn pin(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    account: Option<AccountId>,
    by: MemberId,
    now: DateTime<Utc>,
) -> Result<()> {
    let decided = (
        account_links::account_id.eq(account),
        account_links::pinned_by.eq(by),
        account_links::decided_at.eq(now),
    );
    diesel::insert_into(account_links::table)
        .values((
            account_links::workspace_id.eq(workspace),
            account_links::confidence.eq(0),
            account_links::evidence.eq(Value::Array(Vec::new())),
            decided,
        ))
        .on_conflict(account_links::workspace_id)
        .do_update()
        .set(decided)
        .execute(conn)?;
    Ok(())
}
