//! Changing the lists of plan names.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;

use super::plan::PlanList;
use super::store;
use crate::error::{Error, Result};
use crate::queue;
use crate::team::audit::{self, Actor};

/// The kind of the job that makes stored tiers again.
pub const APPLY: &str = "plan_names";

/// The lists in force.
///
/// # Errors
/// When the database fails.
pub fn load(conn: &mut PgConnection) -> Result<PlanList> {
    Ok(store::load(conn)?.list)
}

/// Changes the lists, `None` for those that Ripen comes with, and has the stored tiers made again by them.
/// `seen` is the version that the form showed. Nothing is written when nothing changes.
///
/// # Errors
/// [`Error::Conflict`] when somebody else changed them since; when the database fails.
pub fn save(
    conn: &mut PgConnection,
    by: &Actor,
    seen: i32,
    list: Option<&PlanList>,
    now: DateTime<Utc>,
) -> Result<()> {
    let kept = store::lock(conn)?;
    if kept.version != seen {
        return Err(Error::Conflict(
            "Somebody else changed the plans since the page was opened.".to_owned(),
        ));
    }
    let default = PlanList::default();
    let after = list.unwrap_or(&default);
    if kept.list == *after && kept.is_default == list.is_none() {
        return Ok(());
    }
    store::save(conn, list, now)?;
    let detail = json!({ "before": kept.list, "after": after });
    audit::record(conn, by, "plans.changed", ("plans", "names"), &detail, now)?;
    queue::store::enqueue(conn, APPLY, &json!({}), Some(APPLY), now)?;
    Ok(())
}

/// Has the stored tiers made again where they were made by older lists, as after an update of Ripen.
///
/// # Errors
/// When the database fails.
pub fn catch_up(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    let kept = store::load(conn)?;
    if kept.applied_version < kept.version {
        queue::store::enqueue(conn, APPLY, &json!({}), Some(APPLY), now)?;
    }
    Ok(())
}
