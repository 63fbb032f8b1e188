//! The SQL of coming in: one-time links and the audit log.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;

use super::audit::Actor;
use super::member::{Function, Role};
use crate::error::{Error, Result};
use crate::ids::MemberId;
use crate::schema::{audit_entries, invites, setup_links};

/// An invite that nobody accepted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// SHA-256 of its token.
    pub token_hash: Vec<u8>,
    /// Whom it invites, lower case.
    pub email: String,
    /// Their name, as the inviter wrote it.
    pub name: String,
    /// Their role to be.
    pub role: Role,
    /// Their function to be.
    pub function: Option<Function>,
    /// When its link stops working.
    pub expires_at: DateTime<Utc>,
    /// Who sent it.
    pub invited_by: MemberId,
}

type InviteRow = (Vec<u8>, String, String, String, Option<String>, DateTime<Utc>, MemberId);

fn invite(row: InviteRow) -> Result<Invite> {
    let (token_hash, email, name, role, function, expires_at, invited_by) = row;
    Ok(Invite {
        token_hash,
        email,
        name,
        role: role.parse().map_err(Error::internal)?,
        function: function.map(|key| key.parse()).transpose().map_err(Error::internal)?,
        expires_at,
        invited_by,
    })
}

const INVITE: (
    invites::token_hash,
    invites::email,
    invites::name,
    invites::role,
    invites::function,
    invites::expires_at,
    invites::invited_by,
) = (
    invites::token_hash,
    invites::email,
    invites::name,
    invites::role,
    invites::function,
    invites::expires_at,
    invites::invited_by,
);

/// The invites that wait to be accepted, expired ones too, newest first.
///
/// # Errors
/// The database's.
pub fn open_invites(conn: &mut PgConnection) -> Result<Vec<Invite>> {
    invites::table
        .filter(invites::accepted_at.is_null())
        .filter(invites::revoked_at.is_null())
        .order((invites::created_at.desc(), invites::token_hash))
        .select(INVITE)
        .load::<InviteRow>(conn)?
        .into_iter()
        .map(invite)
        .collect()
}

/// The invite of a token's hash, if it can be accepted now. Locked until the transaction ends when
/// `locked`.
///
/// # Errors
/// Not found, or the database's.
pub fn find_invite(
    conn: &mut PgConnection,
    token_hash: &[u8],
    locked: bool,
    now: DateTime<Utc>,
) -> Result<Invite> {
    let query = invites::table
        .filter(invites::token_hash.eq(token_hash))
        .filter(invites::accepted_at.is_null())
        .filter(invites::revoked_at.is_null())
        .filter(invites::expires_at.gt(now))
        .select(INVITE);
    invite(if locked { query.for_update().first(conn)? } else { query.first(conn)? })
}

/// Writes an invite down; an open one of the same address is revoked by it. Invites of one address
/// wait for each other: of two at once the later one holds.
///
/// # Errors
/// The database's.
pub fn insert_invite(conn: &mut PgConnection, new: &Invite, now: DateTime<Utc>) -> Result<()> {
    diesel::sql_query("select pg_advisory_xact_lock(hashtextextended('invite:' || $1, 0))")
        .bind::<Text, _>(&new.email)
        .execute(conn)?;
    diesel::update(
        invites::table
            .filter(invites::email.eq(&new.email))
            .filter(invites::accepted_at.is_null())
            .filter(invites::revoked_at.is_null()),
    )
    .set(invites::revoked_at.eq(now))
    .execute(conn)?;
    diesel::insert_into(invites::table)
        .values((
            invites::token_hash.eq(&new.token_hash),
            invites::email.eq(&new.email),
            invites::name.eq(&new.name),
            invites::role.eq(new.role.key()),
            invites::function.eq(new.function.map(Function::key)),
            invites::invited_by.eq(new.invited_by),
            invites::created_at.eq(now),
            invites::expires_at.eq(new.expires_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes that an invite was accepted.
///
/// # Errors
/// The database's.
pub fn accept_invite(conn: &mut PgConnection, token_hash: &[u8], now: DateTime<Utc>) -> Result<()> {
    diesel::update(invites::table.find(token_hash))
        .set(invites::accepted_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Revokes an open invite and says whose it was.
///
/// # Errors
/// Not found, or the database's.
pub fn revoke_invite(
    conn: &mut PgConnection,
    token_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<String> {
    Ok(diesel::update(
        invites::table
            .filter(invites::token_hash.eq(token_hash))
            .filter(invites::accepted_at.is_null())
            .filter(invites::revoked_at.is_null()),
    )
    .set(invites::revoked_at.eq(now))
    .returning(invites::email)
    .get_result(conn)?)
}

/// Revokes the open invites that somebody sent, and says whose they were.
///
/// # Errors
/// The database's.
pub fn revoke_invites_of(
    conn: &mut PgConnection,
    inviter: MemberId,
    now: DateTime<Utc>,
) -> Result<Vec<String>> {
    Ok(diesel::update(
        invites::table
            .filter(invites::invited_by.eq(inviter))
            .filter(invites::accepted_at.is_null())
            .filter(invites::revoked_at.is_null()),
    )
    .set(invites::revoked_at.eq(now))
    .returning(invites::email)
    .get_results(conn)?)
}

/// Writes a set-up link down.
///
/// # Errors
/// The database's.
pub fn insert_setup_link(
    conn: &mut PgConnection,
    token_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::insert_into(setup_links::table)
        .values((setup_links::token_hash.eq(token_hash), setup_links::created_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Whether a set-up link was made after `since` and not used yet.
///
/// # Errors
/// The database's.
pub fn has_setup_link(
    conn: &mut PgConnection,
    token_hash: &[u8],
    since: DateTime<Utc>,
) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(
        setup_links::table
            .filter(setup_links::token_hash.eq(token_hash))
            .filter(setup_links::used_at.is_null())
            .filter(setup_links::created_at.gt(since)),
    ))
    .get_result(conn)?)
}

/// Marks every set-up link as used; the table stays locked until the transaction ends, so that of
/// two people with a link only one becomes the first admin.
///
/// # Errors
/// The database's.
pub fn use_setup_links(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    diesel::update(setup_links::table.filter(setup_links::used_at.is_null()))
        .set(setup_links::used_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Writes one audit entry.
///
/// # Errors
/// The database's.
pub fn insert_audit(
    conn: &mut PgConnection,
    actor: &Actor,
    action: &str,
    (subject_kind, subject_id): (&str, &str),
    detail: &Value,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::insert_into(audit_entries::table)
        .values((
            audit_entries::at.eq(now),
            audit_entries::actor_id.eq(actor.id),
            audit_entries::actor.eq(&actor.name),
            audit_entries::action.eq(action),
            audit_entries::subject_kind.eq(subject_kind),
            audit_entries::subject_id.eq(subject_id),
            audit_entries::detail.eq(detail),
        ))
        .execute(conn)?;
    Ok(())
}
