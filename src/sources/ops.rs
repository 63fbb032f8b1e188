//! Use cases of sources and keys, one transaction each.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;
use uuid::Uuid;

use super::key::{Kind, NewKey, Scope};
use super::store::{self, Source};
use crate::error::{Error, Result};
use crate::ids::SourceId;
use crate::team::audit::{self, Actor};
use crate::team::ops as team;
use crate::web::role::May;

/// Adds a source.
///
/// # Errors
/// [`Error::Invalid`] at `name` when it is empty, too long or taken.
pub fn create_source(
    conn: &mut PgConnection,
    by: &Actor,
    name: &str,
    environment: &str,
    at: DateTime<Utc>,
) -> Result<Source> {
    let (name, environment) = (name.trim(), environment.trim());
    let length = name.chars().count();
    if length == 0 || length > 200 || name.chars().any(char::is_control) {
        return Err(Error::invalid(
            "name",
            "Give the source a name of up to 200 letters, such as “Web app”.",
        ));
    }
    let environment = if environment.is_empty() { "production" } else { environment };
    if environment.chars().count() > 40 || environment.chars().any(char::is_control) {
        return Err(Error::invalid("environment", "Name the environment in up to 40 letters."));
    }
    let id = SourceId::new();
    if !store::insert(conn, id, name, environment, at)? {
        return Err(Error::invalid(
            "name",
            "There is a source of that name already: choose another.",
        ));
    }
    audit::record(
        conn,
        by,
        "source.created",
        ("source", &id.to_string()),
        &json!({ "name": name, "environment": environment }),
        at,
    )?;
    store::find(conn, id)
}

/// The source of that name, made when there is none.
///
/// # Errors
/// As [`create_source`].
pub fn ensure_source(
    conn: &mut PgConnection,
    by: &Actor,
    name: &str,
    at: DateTime<Utc>,
) -> Result<Source> {
    match store::by_name(conn, name.trim())? {
        Some(source) => Ok(source),
        None => create_source(conn, by, name, "production", at),
    }
}

/// Makes a write key for a source. The answer holds its text for the only time.
///
/// # Errors
/// [`Error::NotFound`] when there is no such source.
pub fn create_write_key(
    conn: &mut PgConnection,
    by: &Actor,
    source: SourceId,
    at: DateTime<Utc>,
) -> Result<NewKey> {
    make_write_key(conn, by, source, Kind::Write, at)
}

/// Makes a key with which a server of this source sends events and records. Whoever holds it changes
/// facts about every workspace, account and user, so it must never reach a browser.
///
/// # Errors
/// [`Error::NotFound`] when there is no such source.
pub fn create_server_key(
    conn: &mut PgConnection,
    by: &Actor,
    source: SourceId,
    at: DateTime<Utc>,
) -> Result<NewKey> {
    make_write_key(conn, by, source, Kind::Server, at)
}

fn make_write_key(
    conn: &mut PgConnection,
    by: &Actor,
    source: SourceId,
    kind: Kind,
    at: DateTime<Utc>,
) -> Result<NewKey> {
    team::hold_right(conn, by, May::ManageKeys)?;
    let source = store::find(conn, source)?;
    let key = NewKey::random(kind);
    let id = Uuid::now_v7();
    let for_servers = kind == Kind::Server;
    store::insert_write_key(conn, id, source.id, &key, for_servers, by.id, at)?;
    let detail =
        json!({ "prefix": key.prefix(), "source": source.name, "for_servers": for_servers });
    audit::record(conn, by, "write_key.created", ("write_key", &id.to_string()), &detail, at)?;
    Ok(key)
}

/// Closes a write key for good. Servers refuse it within two seconds.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when it was revoked before.
pub fn revoke_write_key(
    conn: &mut PgConnection,
    by: &Actor,
    id: Uuid,
    at: DateTime<Utc>,
) -> Result<()> {
    let key = store::find_write_key(conn, id)?;
    if !store::revoke_write_key(conn, id, at)? {
        return Err(Error::Conflict(format!("The key {}… was revoked before.", key.prefix)));
    }
    let detail = json!({ "prefix": key.prefix });
    audit::record(conn, by, "write_key.revoked", ("write_key", &id.to_string()), &detail, at)
}

/// Makes another write key for the source of this one, which goes on working until `until`.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when it was revoked before; [`Error::Invalid`] at `until`.
pub fn rotate_write_key(
    conn: &mut PgConnection,
    by: &Actor,
    id: Uuid,
    until: DateTime<Utc>,
    at: DateTime<Utc>,
) -> Result<NewKey> {
    let key = store::find_write_key(conn, id)?;
    if key.revoked_at.is_some() || key.expires_at.is_some_and(|end| end <= at) {
        return Err(Error::Conflict(format!("The key {}… works no more.", key.prefix)));
    }
    super::ops_webhooks::check_until(until, at)?;
    store::end_write_key(conn, id, until)?;
    let detail = json!({ "prefix": key.prefix, "until": until });
    audit::record(conn, by, "write_key.ending", ("write_key", &id.to_string()), &detail, at)?;
    let kind = if key.for_servers { Kind::Server } else { Kind::Write };
    make_write_key(conn, by, key.source_id, kind, at)
}

/// Makes an API key. The answer holds its text for the only time.
///
/// # Errors
/// [`Error::Invalid`] at `name` or `scopes`.
pub fn create_api_key(
    conn: &mut PgConnection,
    by: &Actor,
    name: &str,
    scopes: &[Scope],
    at: DateTime<Utc>,
) -> Result<NewKey> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > 200 || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", "Say in up to 200 letters what uses the key."));
    }
    if scopes.is_empty() {
        return Err(Error::invalid("scopes", "Choose what the key may do."));
    }
    team::hold_right(conn, by, May::ManageKeys)?;
    let key = NewKey::random(Kind::Api);
    let id = Uuid::now_v7();
    store::insert_api_key(conn, id, name, &key, scopes, by.id, at)?;
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    let detail = json!({ "name": name, "prefix": key.prefix(), "scopes": scopes });
    audit::record(conn, by, "api_key.created", ("api_key", &id.to_string()), &detail, at)?;
    Ok(key)
}

/// Closes an API key for good, at once.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when it was revoked before.
pub fn revoke_api_key(
    conn: &mut PgConnection,
    by: &Actor,
    id: Uuid,
    at: DateTime<Utc>,
) -> Result<()> {
    let key = store::find_api_key(conn, id)?;
    if !store::revoke_api_key(conn, id, at)? {
        return Err(Error::Conflict(format!("The key {}… was revoked before.", key.prefix)));
    }
    let detail = json!({ "name": key.name, "prefix": key.prefix });
    audit::record(conn, by, "api_key.revoked", ("api_key", &id.to_string()), &detail, at)
}
