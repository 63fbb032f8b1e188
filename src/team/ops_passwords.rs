//! The use cases of passwords, one transaction each; they come in hashed, as in `ops`.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;

use super::audit::Actor;
use super::member::Member;
use super::ops::{Arrival, audit_member, sign_in};
use super::ops_sign_in::Claim;
use super::store;
use super::store_attempts as attempts;
use crate::error::{Error, Result};
use crate::web::store as sessions;

/// Sets a new password, ends every session and opens one for this browser.
///
/// # Errors
/// The database's.
pub fn change_password(
    conn: &mut PgConnection,
    member: &Member,
    claim: &Claim,
    password_hash: &str,
    arrival: &Arrival,
    now: DateTime<Utc>,
) -> Result<String> {
    store::set_password(conn, member.id, password_hash)?;
    sessions::end_sessions_of(conn, member.id)?;
    attempts::forget_attempts(conn, &claim.subjects, now)?;
    attempts::forget_devices(conn, member.id)?;
    let actor = Actor::member(member.id, &member.name);
    audit_member(conn, &actor, "member.password_changed", member.id, &json!({}), now)?;
    sign_in(conn, member.id, &member.name, arrival, now)
}

/// Sets a new password for somebody who lost theirs: every session ends, and they sign in anew.
///
/// # Errors
/// `NotFound` when nobody has the address; the database's.
pub fn reset_password(
    conn: &mut PgConnection,
    actor: &Actor,
    email: &str,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<Member> {
    let (member, _) = store::by_email(conn, email)?.ok_or(Error::NotFound)?;
    store::set_password(conn, member.id, password_hash)?;
    sessions::end_sessions_of(conn, member.id)?;
    attempts::forget_devices(conn, member.id)?;
    audit_member(conn, actor, "member.password_reset", member.id, &json!({}), now)?;
    Ok(member)
}
