//! Changing for how long something is kept.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;

use super::policy::Policy;
use super::store;
use crate::error::{Error, Result};
use crate::team::audit::{self, Actor};

/// Sets for how many days what is kept; `seen` is what the form showed. The job that forgets obeys
/// from its next turn on. Nothing is written when nothing changes.
///
/// # Errors
/// [`Error::Conflict`] when somebody else changed it since; when the database fails.
pub fn save(
    conn: &mut PgConnection,
    by: &Actor,
    seen: Policy,
    policy: Policy,
    now: DateTime<Utc>,
) -> Result<()> {
    let kept = store::lock(conn)?;
    if kept.policy != seen {
        return Err(Error::Conflict(
            "Somebody else changed this since the page was opened.".to_owned(),
        ));
    }
    if policy == seen {
        return Ok(());
    }
    // Kept longer: what arrives late is kept at once. Kept shorter: the job lets go of it.
    let from = kept.key_events_from.min(policy.key_events_from(now.date_naive()));
    store::save(conn, policy, from)?;
    let days = |of: Policy| json!({ "journal_days": of.journal_days, "key_event_days": of.key_event_days });
    let detail = json!({ "before": days(seen), "after": days(policy) });
    audit::record(conn, by, "retention.changed", ("retention", "data"), &detail, now)
}
