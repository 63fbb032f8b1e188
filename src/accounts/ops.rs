//! What people decide about accounts.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;

use super::{store_links, store_pins};
use crate::error::{Error, Result};
use crate::ids::{AccountId, WorkspaceId};
use crate::team::audit::{self, Actor};

/// Links a workspace to an account, or to none, as a person says; evidence never changes it again.
/// Answers with the workspaces whose account has another score now.
///
/// # Errors
/// `NotFound` when there is no such workspace; invalid when there is no such account; the database's.
pub fn pin(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    account: Option<AccountId>,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Vec<WorkspaceId>> {
    let before = store_pins::lock_link(conn, workspace)?;
    if let Some(account) = account
        && !store_pins::exists(conn, account)?
    {
        return Err(Error::invalid("account", "This account is gone. Choose another one."));
    }
    let pinned_by =
        actor.id.ok_or_else(|| Error::Forbidden("Only a person links by hand.".to_owned()))?;
    store_pins::pin(conn, workspace, account, pinned_by, now)?;
    let detail = json!({ "from": before, "to": account });
    let subject = workspace.to_string();
    audit::record(conn, actor, "workspace.linked", ("workspace", &subject), &detail, now)?;
    let mut touched = BTreeSet::from([workspace]);
    if before != account {
        // How many workspaces an account has is a signal of each of them.
        let both = before.into_iter().chain(account).collect();
        touched.extend(store_links::linked(conn, &both)?);
    }
    Ok(touched.into_iter().collect())
}
