//! The use cases of invites, one transaction each.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use serde_json::json;

use super::audit::{self, Actor};
use super::member::{Function, Role};
use super::ops::{Arrival, audit_member, hold_right, sign_in};
use super::store::{self, NewMember};
use super::store_door::{self as door, Invite};
use crate::error::{Error, Result};
use crate::ids::MemberId;
use crate::web::role::May;
use crate::web::token;

/// How long an invite's link works.
pub const INVITE_LASTS: TimeDelta = TimeDelta::days(7);

/// Whom to invite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvite {
    /// Lower case.
    pub email: String,
    /// How colleagues call them.
    pub name: String,
    /// Their role to be.
    pub role: Role,
    /// Their function to be.
    pub function: Option<Function>,
}

/// Invites somebody and answers with the link's token, which exists only here. An earlier open
/// invite of the same address stops working.
///
/// # Errors
/// Invalid at `email` when they are in the team already, or the database's.
pub fn invite(
    conn: &mut PgConnection,
    actor: &Actor,
    new: &NewInvite,
    now: DateTime<Utc>,
) -> Result<String> {
    if store::by_email(conn, &new.email)?.is_some() {
        return Err(Error::invalid(
            "email",
            "Somebody with this address is in the team already. If they left, reactivate them.",
        ));
    }
    let inviter = actor.id.ok_or_else(|| Error::internal("an invite needs a member"))?;
    hold_right(conn, actor, May::ManageTeam)?;
    let link = token::random();
    let invite = Invite {
        token_hash: token::hash(&link),
        email: new.email.clone(),
        name: new.name.clone(),
        role: new.role,
        function: new.function,
        expires_at: now + INVITE_LASTS,
        invited_by: inviter,
    };
    door::insert_invite(conn, &invite, now)?;
    let detail = json!({"role": new.role.key(), "function": new.function.map(Function::key)});
    audit::record(conn, actor, "invite.sent", ("invite", &new.email), &detail, now)?;
    Ok(link)
}

/// Ends the open invites that somebody sent, and says how many there were.
pub(super) fn end_invites_of(
    conn: &mut PgConnection,
    actor: &Actor,
    inviter: MemberId,
    because: &str,
    now: DateTime<Utc>,
) -> Result<usize> {
    let ended = door::revoke_invites_of(conn, inviter, now)?;
    for email in &ended {
        let detail = json!({"because": because, "invited_by": inviter});
        audit::record(conn, actor, "invite.revoked", ("invite", email), &detail, now)?;
    }
    Ok(ended.len())
}

/// Takes an open invite back.
///
/// # Errors
/// Not found, or the database's.
pub fn revoke_invite(
    conn: &mut PgConnection,
    actor: &Actor,
    token_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<()> {
    let email = door::revoke_invite(conn, token_hash, now)?;
    audit::record(conn, actor, "invite.revoked", ("invite", &email), &json!({}), now)
}

/// Makes a member of an invite and signs them in.
///
/// # Errors
/// Not found when the link does not work, invalid at `email`, or the database's.
pub fn accept_invite(
    conn: &mut PgConnection,
    link: &str,
    name: &str,
    time_zone: &str,
    password_hash: &str,
    arrival: &Arrival,
    now: DateTime<Utc>,
) -> Result<(String, Role)> {
    let invite = door::find_invite(conn, &token::hash(link), true, now)?;
    let new = NewMember {
        email: invite.email,
        name: name.to_owned(),
        role: invite.role,
        function: invite.function,
        password_hash: password_hash.to_owned(),
        time_zone: time_zone.to_owned(),
    };
    let id = store::insert(conn, &new, now)?;
    door::accept_invite(conn, &invite.token_hash, now)?;
    let actor = Actor::member(id, name);
    audit_member(conn, &actor, "member.joined", id, &json!({"role": new.role.key()}), now)?;
    Ok((sign_in(conn, id, name, arrival, now)?, new.role))
}
