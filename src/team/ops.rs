//! The use cases of the team, one transaction each. Passwords come in hashed: hashing takes long
//! and happens outside of any transaction (`hashing`).

use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use serde_json::json;

use super::audit::{self, Actor};
use super::member::{Function, Member, Role};
use super::ops_invites::end_invites_of;
use super::store::{self, NewMember};
use super::store_attempts as attempts;
use super::store_door as door;
use crate::error::{Error, Result};
use crate::ids::MemberId;
use crate::web::role::May;
use crate::web::{store as sessions, token};

pub use super::ops_invites::{INVITE_LASTS, NewInvite, accept_invite, invite, revoke_invite};

/// How long a set-up link works.
pub const SETUP_LASTS: TimeDelta = TimeDelta::hours(24);

/// A browser that wants in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its address.
    pub address: String,
    /// What it calls itself.
    pub user_agent: String,
    /// SHA-256 of its device token, which a sign-in makes known.
    pub device: Vec<u8>,
    /// SHA-256 of the session token that it holds, if any; that session ends when a new one begins.
    pub session: Option<Vec<u8>>,
}

pub(super) fn sign_in(
    conn: &mut PgConnection,
    id: MemberId,
    name: &str,
    arrival: &Arrival,
    now: DateTime<Utc>,
) -> Result<String> {
    if let Some(before) = &arrival.session {
        sessions::end_replaced_session(conn, before)?;
    }
    let session = token::random();
    sessions::open_session(
        conn,
        &token::hash(&session),
        id,
        &arrival.user_agent,
        &arrival.address,
        now,
    )?;
    attempts::remember_device(conn, id, &arrival.device, now)?;
    let actor = Actor::member(id, name);
    let detail = json!({"address": arrival.address});
    audit_member(conn, &actor, "member.signed_in", id, &detail, now)?;
    Ok(session)
}

pub(super) fn audit_member(
    conn: &mut PgConnection,
    actor: &Actor,
    action: &str,
    id: MemberId,
    detail: &serde_json::Value,
    now: DateTime<Utc>,
) -> Result<()> {
    audit::record(conn, actor, action, ("member", &id.to_string()), detail, now)
}

/// Makes a set-up link when there is no active admin, and answers with its token: it goes into the
/// log, once. Links of earlier starts keep working for their 24 hours.
///
/// # Errors
/// The database's.
pub fn ensure_setup_link(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Option<String>> {
    if store::has_admin(conn)? {
        return Ok(None);
    }
    let link = token::random();
    door::insert_setup_link(conn, &token::hash(&link), now)?;
    Ok(Some(link))
}

/// Whether a set-up link opens anything: unused, of the last 24 hours, and there is no admin.
///
/// # Errors
/// Not found, or the database's.
pub fn check_setup_link(conn: &mut PgConnection, link: &str, now: DateTime<Utc>) -> Result<()> {
    let works = door::has_setup_link(conn, &token::hash(link), now - SETUP_LASTS)?
        && !store::has_admin(conn)?;
    if works { Ok(()) } else { Err(Error::NotFound) }
}

/// Makes the first admin and signs them in. Every set-up link is dead afterwards.
///
/// # Errors
/// Not found when the link opens nothing, invalid at `email`, or the database's.
pub fn set_up(
    conn: &mut PgConnection,
    link: &str,
    new: &NewMember,
    arrival: &Arrival,
    now: DateTime<Utc>,
) -> Result<String> {
    check_setup_link(conn, link, now)?;
    door::use_setup_links(conn, now)?;
    // Somebody with another link may have been first while this waited for the rows.
    if store::has_admin(conn)? {
        return Err(Error::NotFound);
    }
    let id = store::insert(conn, new, now)?;
    audit_member(
        conn,
        &Actor::system(),
        "member.set_up",
        id,
        &json!({"role": new.role.key()}),
        now,
    )?;
    sign_in(conn, id, &new.name, arrival, now)
}

/// Adds a member at the command line, where the operator stands.
///
/// # Errors
/// Invalid at `email`, or the database's.
pub fn create(conn: &mut PgConnection, new: &NewMember, now: DateTime<Utc>) -> Result<MemberId> {
    let id = store::insert(conn, new, now)?;
    audit_member(
        conn,
        &Actor::system(),
        "member.created",
        id,
        &json!({"role": new.role.key()}),
        now,
    )?;
    Ok(id)
}

/// Refuses somebody who lost the right a moment ago, and keeps them from losing it until the
/// transaction ends: what they make by it is seen by whoever takes the right from them. Commands,
/// which are nobody in the team, keep theirs.
///
/// # Errors
/// Signed out when the right is gone, or the database's.
pub fn hold_right(conn: &mut PgConnection, actor: &Actor, right: May) -> Result<()> {
    let Some(id) = actor.id else { return Ok(()) };
    match store::hold_role(conn, id)? {
        Some(role) if role.may(right) => Ok(()),
        _ => Err(Error::SignedOut),
    }
}

/// A member as they are after a change, and what it took from them.
#[derive(Clone, Debug)]
pub struct Changed {
    /// As they are now.
    pub member: Member,
    /// Whether their role is a lesser one now, or they are newly deactivated.
    pub lost_rights: bool,
    /// Open invites that they had sent and that ended.
    pub invites: usize,
}

/// Gives a member another role and ends their sessions: rights begin with a new session. Invites
/// that they sent end when they may send none any more; their keys are a later feature, so the
/// caller looks after these in the same transaction.
///
/// # Errors
/// Not found; conflict when this is the last admin; the database's.
pub fn change_role(
    conn: &mut PgConnection,
    actor: &Actor,
    id: MemberId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<Changed> {
    let admins = store::lock_admins(conn)?;
    let member = store::member(conn, id)?;
    if member.role == role {
        return Ok(Changed { member, lost_rights: false, invites: 0 });
    }
    if admins == [id] {
        return Err(Error::Conflict(format!(
            "{} is the last admin. Make somebody else an admin first.",
            member.name
        )));
    }
    store::set_role(conn, id, role)?;
    sessions::end_sessions_of(conn, id)?;
    let detail = json!({"before": member.role.key(), "after": role.key()});
    audit_member(conn, actor, "member.role_changed", id, &detail, now)?;
    let invites = if role.may(May::ManageTeam) {
        0
    } else {
        end_invites_of(conn, actor, id, "the inviter has another role", now)?
    };
    let lost_rights = role < member.role;
    Ok(Changed { member: Member { role, ..member }, lost_rights, invites })
}

/// Changes what routing looks at.
///
/// # Errors
/// Not found, or the database's.
pub fn change_work(
    conn: &mut PgConnection,
    actor: &Actor,
    id: MemberId,
    function: Option<Function>,
    capacity: i32,
    territories: &[String],
    now: DateTime<Utc>,
) -> Result<Member> {
    let before = store::member(conn, id)?;
    store::set_work(conn, id, function, capacity, territories)?;
    let detail = json!({
        "before": {"function": before.function.map(Function::key), "capacity": before.capacity,
                   "territories": before.territories},
        "after": {"function": function.map(Function::key), "capacity": capacity,
                  "territories": territories},
    });
    audit_member(conn, actor, "member.work_changed", id, &detail, now)?;
    store::member(conn, id)
}

/// Shuts a member out: sessions and open invites that they sent end, sign-in and routing pass them by.
/// What they own and the keys that they made are later features: the caller looks after these in the
/// same transaction.
///
/// # Errors
/// Not found; conflict when this is the last admin; the database's.
pub fn deactivate(
    conn: &mut PgConnection,
    actor: &Actor,
    id: MemberId,
    now: DateTime<Utc>,
) -> Result<Changed> {
    let admins = store::lock_admins(conn)?;
    let member = store::member(conn, id)?;
    if member.deactivated_at.is_some() {
        return Ok(Changed { member, lost_rights: false, invites: 0 });
    }
    if admins == [id] {
        return Err(Error::Conflict(format!(
            "{} is the last admin. Make somebody else an admin first.",
            member.name
        )));
    }
    store::set_deactivated(conn, id, Some(now))?;
    sessions::end_sessions_of(conn, id)?;
    attempts::forget_devices(conn, id)?;
    audit_member(conn, actor, "member.deactivated", id, &json!({}), now)?;
    let invites = end_invites_of(conn, actor, id, "the inviter was deactivated", now)?;
    let member = Member { deactivated_at: Some(now), ..member };
    Ok(Changed { member, lost_rights: true, invites })
}

/// Lets a member in again, with the role and password from before.
///
/// # Errors
/// Not found, or the database's.
pub fn reactivate(
    conn: &mut PgConnection,
    actor: &Actor,
    id: MemberId,
    now: DateTime<Utc>,
) -> Result<Member> {
    let member = store::member(conn, id)?;
    if member.deactivated_at.is_none() {
        return Ok(member);
    }
    store::set_deactivated(conn, id, None)?;
    audit_member(conn, actor, "member.reactivated", id, &json!({}), now)?;
    Ok(Member { deactivated_at: None, ..member })
}
