//! What the door asks the database: sessions (this folder owns the table) and, for reading, the
//! members behind them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::session::{ABSOLUTE, IDLE};
use crate::error::{Error, Result};
use crate::ids::MemberId;
use crate::schema::{sessions, team_members};

/// A live session with the member behind it.
#[derive(Clone, Debug, Queryable)]
pub struct Visit {
    /// Whose it is.
    pub member: MemberId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their role's key.
    pub role: String,
    /// IANA name of their time zone.
    pub time_zone: String,
    /// Their theme's key.
    pub theme: String,
    /// Whether single-key shortcuts are on.
    pub shortcuts: bool,
    /// Last use, as far as written down.
    pub last_seen_at: DateTime<Utc>,
}

/// One browser in the list of somebody's sessions.
#[derive(Clone, Debug, Queryable)]
pub struct SessionRow {
    /// SHA-256 of its token.
    pub token_hash: Vec<u8>,
    /// When it signed in.
    pub created_at: DateTime<Utc>,
    /// Last use, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// What the browser calls itself.
    pub user_agent: String,
    /// Where it signed in from.
    pub address: String,
}

/// Writes a new session down; it ends 7 days after `now` at the latest.
///
/// # Errors
/// The database's.
pub fn open_session(
    conn: &mut PgConnection,
    token_hash: &[u8],
    member: MemberId,
    user_agent: &str,
    address: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::token_hash.eq(token_hash),
            sessions::member_id.eq(member),
            sessions::state.eq(serde_json::json!({})),
            sessions::created_at.eq(now),
            sessions::last_seen_at.eq(now),
            sessions::expires_at.eq(now + ABSOLUTE),
            sessions::user_agent.eq(user_agent),
            sessions::address.eq(address),
        ))
        .execute(conn)?;
    Ok(())
}

/// The session of a token's hash, if it lives: not idle, not expired, its member active.
///
/// # Errors
/// The database's.
pub fn find_session(
    conn: &mut PgConnection,
    token_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<Visit>> {
    Ok(sessions::table
        .inner_join(team_members::table)
        .filter(sessions::token_hash.eq(token_hash))
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::last_seen_at.gt(now - IDLE))
        .filter(team_members::deactivated_at.is_null())
        .select((
            team_members::id,
            team_members::name,
            team_members::email,
            team_members::role,
            team_members::time_zone,
            team_members::theme,
            team_members::shortcuts,
            sessions::last_seen_at,
        ))
        .first(conn)
        .optional()?)
}

/// Notes that a session was used.
///
/// # Errors
/// The database's.
pub fn touch_session(conn: &mut PgConnection, token_hash: &[u8], now: DateTime<Utc>) -> Result<()> {
    diesel::update(sessions::table.filter(sessions::token_hash.eq(token_hash)))
        .set(sessions::last_seen_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// The live sessions of a member, the latest used first.
///
/// # Errors
/// The database's.
pub fn sessions_of(
    conn: &mut PgConnection,
    member: MemberId,
    now: DateTime<Utc>,
) -> Result<Vec<SessionRow>> {
    Ok(sessions::table
        .filter(sessions::member_id.eq(member))
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::last_seen_at.gt(now - IDLE))
        .order((sessions::last_seen_at.desc(), sessions::token_hash))
        .select((
            sessions::token_hash,
            sessions::created_at,
            sessions::last_seen_at,
            sessions::user_agent,
            sessions::address,
        ))
        .load(conn)?)
}

/// Ends one session of a member. Not found when it is nobody's or somebody else's.
///
/// # Errors
/// Not found, or the database's.
pub fn end_session(conn: &mut PgConnection, member: MemberId, token_hash: &[u8]) -> Result<()> {
    let ended = diesel::delete(
        sessions::table
            .filter(sessions::token_hash.eq(token_hash))
            .filter(sessions::member_id.eq(member)),
    )
    .execute(conn)?;
    if ended == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Ends the session of a token, whoever's it is: the browser that held it has another one now.
///
/// # Errors
/// The database's.
pub fn end_replaced_session(conn: &mut PgConnection, token_hash: &[u8]) -> Result<()> {
    diesel::delete(sessions::table.filter(sessions::token_hash.eq(token_hash))).execute(conn)?;
    Ok(())
}

/// Ends all sessions of a member, and says how many.
///
/// # Errors
/// The database's.
pub fn end_sessions_of(conn: &mut PgConnection, member: MemberId) -> Result<usize> {
    Ok(diesel::delete(sessions::table.filter(sessions::member_id.eq(member))).execute(conn)?)
}

/// Deletes the sessions that ended by themselves, and says how many.
///
/// # Errors
/// The database's.
pub fn sweep_sessions(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<usize> {
    Ok(diesel::delete(
        sessions::table
            .filter(sessions::expires_at.le(now).or(sessions::last_seen_at.le(now - IDLE))),
    )
    .execute(conn)?)
}
