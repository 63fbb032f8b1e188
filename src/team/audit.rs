//! The audit log: who changed what, written in the transaction of the change. Inserts only.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::Value;

use super::store_door;
use crate::error::Result;
use crate::ids::MemberId;
use crate::web::permit::Viewer;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The member; none for Ripen itself, a script or a command.
    pub id: Option<MemberId>,
    /// The name at this time.
    pub name: String,
}

impl Actor {
    /// A member of the team.
    #[must_use]
    pub fn member(id: MemberId, name: impl Into<String>) -> Self {
        Self { id: Some(id), name: name.into() }
    }

    /// Ripen itself: schedules, set-up, commands typed by the operator.
    #[must_use]
    pub fn system() -> Self {
        Self { id: None, name: "system".to_owned() }
    }

    /// A script by the name of its API key.
    #[must_use]
    pub fn api_key(name: &str) -> Self {
        Self { id: None, name: format!("API key {name}") }
    }
}

impl From<&Viewer> for Actor {
    fn from(viewer: &Viewer) -> Self {
        Self { id: Some(viewer.member), name: viewer.name.clone() }
    }
}

/// Writes one entry. `action` is a past participle with its noun (`member.invited`), `subject` the
/// kind and id of what was changed, `detail` what it was before and after; never a secret.
///
/// # Errors
/// The database's.
pub fn record(
    conn: &mut PgConnection,
    actor: &Actor,
    action: &str,
    subject: (&str, &str),
    detail: &Value,
    now: DateTime<Utc>,
) -> Result<()> {
    store_door::insert_audit(conn, actor, action, subject, detail, now)
}
