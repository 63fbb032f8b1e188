//! The audit log: who changed what. Every change of configuration, ownership, merge, export and
//! sign-in writes a row in its own transaction; the table accepts inserts only.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;

use crate::error::Result;
use crate::ids::MemberId;
use crate::schema::audit_entries;

/// Who acts: a member of the team, a script, or Ripen itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The member, if it is one.
    pub id: Option<MemberId>,
    /// Their name at this time.
    pub name: String,
}

impl Actor {
    /// A member of the team.
    #[must_use]
    pub fn member(id: MemberId, name: impl Into<String>) -> Self {
        Self { id: Some(id), name: name.into() }
    }

    /// Ripen itself, or whoever types its commands.
    #[must_use]
    pub fn system() -> Self {
        Self { id: None, name: "system".to_owned() }
    }
}

/// Writes down that `by` did `action` (as `write_key.revoked`) to `subject` (its kind and its id).
/// `detail` holds what changed, never a secret.
///
/// # Errors
/// When the database fails.
pub fn record(
    conn: &mut PgConnection,
    by: &Actor,
    action: &str,
    subject: (&str, &str),
    detail: &Value,
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::insert_into(audit_entries::table)
        .values((
            audit_entries::at.eq(at),
            audit_entries::actor_id.eq(by.id),
            audit_entries::actor.eq(&by.name),
            audit_entries::action.eq(action),
            audit_entries::subject_kind.eq(subject.0),
            audit_entries::subject_id.eq(subject.1),
            audit_entries::detail.eq(detail),
        ))
        .execute(conn)?;
    Ok(())
}
