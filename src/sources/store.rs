//! All SQL of sources and their keys.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::key::{KeyHash, NewKey, Scope};
use crate::error::Result;
use crate::ids::{MemberId, SourceId};
use crate::schema::{api_keys, sources, write_keys};

/// A product in one environment.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = sources)]
pub struct Source {
    pub id: SourceId,
    pub name: String,
    pub environment: String,
    pub created_at: DateTime<Utc>,
}

/// A write key as it is listed: never the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = write_keys)]
pub struct WriteKey {
    pub id: Uuid,
    pub source_id: SourceId,
    pub prefix: String,
    pub created_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    /// To about ten seconds; none before the first event.
    pub last_used_at: Option<DateTime<Utc>>,
    /// From then on it opens nothing: another key took its place.
    pub expires_at: Option<DateTime<Utc>>,
    /// It takes records too, and is kept on servers.
    pub for_servers: bool,
    /// Who made it, as far as that is known.
    pub created_by: Option<MemberId>,
    /// Since when somebody has to decide whether it is kept.
    pub review_since: Option<DateTime<Utc>>,
}

/// An API key as it is listed: never the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub struct ApiKey {
    pub id: Uuid,
    pub name: String,
    pub prefix: String,
    pub scopes: Vec<Option<String>>,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
    /// Who made it, as far as that is known.
    pub created_by: Option<MemberId>,
    /// Since when somebody has to decide whether it is kept.
    pub review_since: Option<DateTime<Utc>>,
}

/// A write key that opens: what the key ring holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenKey {
    pub key_id: Uuid,
    pub source_id: SourceId,
}

/// Every source, by name.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut PgConnection) -> Result<Vec<Source>> {
    Ok(sources::table.order(sources::name).select(Source::as_select()).load(conn)?)
}

/// The source with this name.
///
/// # Errors
/// When the database fails.
pub fn by_name(conn: &mut PgConnection, name: &str) -> Result<Option<Source>> {
    Ok(sources::table
        .filter(sources::name.eq(name))
        .select(Source::as_select())
        .first(conn)
        .optional()?)
}

/// One source.
///
/// # Errors
/// [`crate::error::Error::NotFound`] when there is none.
pub fn find(conn: &mut PgConnection, id: SourceId) -> Result<Source> {
    Ok(sources::table.find(id).select(Source::as_select()).first(conn)?)
}

/// Adds a source unless its name is taken; tells whether it did.
///
/// # Errors
/// When the database fails.
pub fn insert(
    conn: &mut PgConnection,
    id: SourceId,
    name: &str,
    environment: &str,
    at: DateTime<Utc>,
) -> Result<bool> {
    let added = diesel::insert_into(sources::table)
        .values((
            sources::id.eq(id),
            sources::name.eq(name),
            sources::environment.eq(environment),
            sources::created_at.eq(at),
        ))
        .on_conflict(sources::name)
        .do_nothing()
        .execute(conn)?;
    Ok(added == 1)
}

/// Every write key, newest first.
///
/// # Errors
/// When the database fails.
pub fn list_write_keys(conn: &mut PgConnection) -> Result<Vec<WriteKey>> {
    Ok(write_keys::table
        .order((write_keys::created_at.desc(), write_keys::id))
        .select(WriteKey::as_select())
        .load(conn)?)
}

/// One write key.
///
/// # Errors
/// [`crate::error::Error::NotFound`] when there is none.
pub fn find_write_key(conn: &mut PgConnection, id: Uuid) -> Result<WriteKey> {
    Ok(write_keys::table.find(id).select(WriteKey::as_select()).first(conn)?)
}

/// Keeps the hash and the prefix of a new write key.
///
/// # Errors
/// When the database fails.
pub fn insert_write_key(
    conn: &mut PgConnection,
    id: Uuid,
    source_id: SourceId,
    key: &NewKey,
    for_servers: bool,
    created_by: Option<MemberId>,
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::insert_into(write_keys::table)
        .values((
            write_keys::id.eq(id),
            write_keys::source_id.eq(source_id),
            write_keys::prefix.eq(key.prefix()),
            write_keys::key_hash.eq(key.hash().0.as_slice()),
            write_keys::created_at.eq(at),
            write_keys::for_servers.eq(for_servers),
            write_keys::created_by.eq(created_by),
        ))
        .execute(conn)?;
    Ok(())
}

/// Closes a write key; tells whether it was open.
///
/// # Errors
/// When the database fails.
pub fn revoke_write_key(conn: &mut PgConnection, id: Uuid, at: DateTime<Utc>) -> Result<bool> {
    let open =
        write_keys::table.filter(write_keys::id.eq(id)).filter(write_keys::revoked_at.is_null());
    Ok(diesel::update(open).set(write_keys::revoked_at.eq(at)).execute(conn)? == 1)
}

/// Lets a write key end at this time, unless it ends before.
///
/// # Errors
/// When the database fails.
pub fn end_write_key(conn: &mut PgConnection, id: Uuid, until: DateTime<Utc>) -> Result<()> {
    let longer = write_keys::expires_at.is_null().or(write_keys::expires_at.gt(until));
    diesel::update(write_keys::table.find(id).filter(longer))
        .set(write_keys::expires_at.eq(until))
        .execute(conn)?;
    Ok(())
}

/// The write keys that open at `now`, by hash.
///
/// # Errors
/// When the database fails.
pub fn open_write_keys(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Vec<(KeyHash, OpenKey)>> {
    let rows: Vec<(Vec<u8>, Uuid, SourceId)> = write_keys::table
        .filter(write_keys::revoked_at.is_null())
        .filter(write_keys::expires_at.is_null().or(write_keys::expires_at.gt(now)))
        .select((write_keys::key_hash, write_keys::id, write_keys::source_id))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(hash, key_id, source_id)| {
            let hash = <[u8; 32]>::try_from(hash).ok()?;
            Some((KeyHash(hash), OpenKey { key_id, source_id }))
        })
        .collect())
}

/// The write key with this hash, if it opens, and notes its use (to a minute).
///
/// # Errors
/// When the database fails.
pub fn use_write_key(
    conn: &mut PgConnection,
    hash: &KeyHash,
    at: DateTime<Utc>,
) -> Result<Option<WriteKey>> {
    let key = write_keys::table
        .filter(write_keys::key_hash.eq(hash.0.as_slice()))
        .filter(write_keys::revoked_at.is_null())
        .filter(write_keys::expires_at.is_null().or(write_keys::expires_at.gt(at)))
        .select(WriteKey::as_select())
        .first(conn)
        .optional()?;
    let Some(key) = key else { return Ok(None) };
    if key.last_used_at.is_none_or(|used| at - used >= chrono::TimeDelta::minutes(1)) {
        touch_write_keys(conn, &[key.id], at)?;
    }
    Ok(Some(key))
}

/// Notes that these write keys were used.
///
/// # Errors
/// When the database fails.
pub fn touch_write_keys(conn: &mut PgConnection, ids: &[Uuid], at: DateTime<Utc>) -> Result<()> {
    diesel::update(write_keys::table.filter(write_keys::id.eq_any(ids)))
        .set(write_keys::last_used_at.eq(at))
        .execute(conn)?;
    Ok(())
}

/// Every API key, newest first.
///
/// # Errors
/// When the database fails.
pub fn list_api_keys(conn: &mut PgConnection) -> Result<Vec<ApiKey>> {
    Ok(api_keys::table
        .order((api_keys::created_at.desc(), api_keys::id))
        .select(ApiKey::as_select())
        .load(conn)?)
}

/// One API key.
///
/// # Errors
/// [`crate::error::Error::NotFound`] when there is none.
pub fn find_api_key(conn: &mut PgConnection, id: Uuid) -> Result<ApiKey> {
    Ok(api_keys::table.find(id).select(ApiKey::as_select()).first(conn)?)
}

/// Keeps the hash and the prefix of a new API key.
///
/// # Errors
/// When the database fails.
pub fn insert_api_key(
    conn: &mut PgConnection,
    id: Uuid,
    name: &str,
    key: &NewKey,
    scopes: &[Scope],
    created_by: Option<MemberId>,
    at: DateTime<Utc>,
) -> Result<()> {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    diesel::insert_into(api_keys::table)
        .values((
            api_keys::id.eq(id),
            api_keys::name.eq(name),
            api_keys::prefix.eq(key.prefix()),
            api_keys::key_hash.eq(key.hash().0.as_slice()),
            api_keys::scopes.eq(scopes),
            api_keys::created_at.eq(at),
            api_keys::created_by.eq(created_by),
        ))
        .execute(conn)?;
    Ok(())
}

/// Closes an API key; tells whether it was open.
///
/// # Errors
/// When the database fails.
pub fn revoke_api_key(conn: &mut PgConnection, id: Uuid, at: DateTime<Utc>) -> Result<bool> {
    let open = api_keys::table.filter(api_keys::id.eq(id)).filter(api_keys::revoked_at.is_null());
    Ok(diesel::update(open).set(api_keys::revoked_at.eq(at)).execute(conn)? == 1)
}

/// The API key with this hash, if it is open at `at`, and notes its use (to a minute).
///
/// # Errors
/// When the database fails.
pub fn use_api_key(
    conn: &mut PgConnection,
    hash: &KeyHash,
    at: DateTime<Utc>,
) -> Result<Option<ApiKey>> {
    let key = api_keys::table
        .filter(api_keys::key_hash.eq(hash.0.as_slice()))
        .filter(api_keys::revoked_at.is_null())
        .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.gt(at)))
        .select(ApiKey::as_select())
        .first(conn)
        .optional()?;
    let Some(key) = key else { return Ok(None) };
    let noted = key.last_used_at.is_some_and(|used| at - used < chrono::TimeDelta::minutes(1));
    if !noted {
        diesel::update(api_keys::table.find(key.id))
            .set(api_keys::last_used_at.eq(at))
            .execute(conn)?;
    }
    Ok(Some(key))
}
