//! The audit log: who changed what, written in the transaction of the change. Inserts only.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use serde_json::{Value, json};

use super::member::Member;
use super::{store_audit, store_door};
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

/// Failed sign-ins of one account that are written within an hour.
const FAILURES_OF_MEMBER: usize = 10;
/// Failed sign-ins of all unknown accounts together that are written within an hour.
const FAILURES_OF_STRANGERS: usize = 20;

/// Writes an entry about a sign-in that failed, with the address it came from and nothing that was
/// typed: what stands in the field for the e-mail may be a password. Anybody can fail, so only the first
/// ones within an hour are written; the last of them says that no more follow.
///
/// # Errors
/// The database's.
pub fn record_failed_sign_in(
    conn: &mut PgConnection,
    member: Option<&Member>,
    address: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    const ACTION: &str = "member.sign_in_failed";
    let (kind, id, most) = match member {
        Some(member) => ("member", member.id.to_string(), FAILURES_OF_MEMBER),
        None => ("sign_in", "unknown account".to_owned(), FAILURES_OF_STRANGERS),
    };
    store_audit::lock_counted(conn)?;
    let subject = (kind, id.as_str());
    let written = store_audit::count_since(conn, ACTION, subject, now - TimeDelta::hours(1), most)?;
    if written >= most {
        return Ok(());
    }
    let mut detail = json!({ "address": address });
    if written.saturating_add(1) == most
        && let Some(fields) = detail.as_object_mut()
    {
        fields.insert("more_within_the_hour".to_owned(), json!("not written"));
    }
    let nobody = Actor { id: None, name: "somebody signed out".to_owned() };
    record(conn, &nobody, ACTION, subject, &detail, now)
}
