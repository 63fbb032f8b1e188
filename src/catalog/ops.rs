//! What is done with the catalog.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;

use super::change::Change;
use super::matching::Catalog;
use super::store::Document;
use super::{defaults, store};
use crate::error::{Error, Result};
use crate::team::audit::{self, Actor};

/// Puts the default catalog in when there is none, and makes it a version; called at every start,
/// inside a transaction. A catalog in force that counts by an older rule becomes a version that
/// counts by today's: what was counted before is out of date then, and a rebuild counts it again.
///
/// # Errors
/// When the database fails.
pub fn seed(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    store::insert_when_empty(conn, &defaults::definitions())?;
    let Document { version, definitions, undefined_apart } = store::newest(conn)?;
    let reason = if version == 0 {
        "The catalog that Ripen starts with"
    } else if !undefined_apart {
        "An update of Ripen: names that no event claims count under no event's key any more"
    } else {
        return Ok(());
    };
    store::publish(conn, version, &definitions, reason, &Actor::system(), now)?;
    Ok(())
}

/// The catalog as it is now.
///
/// # Errors
/// When the database fails.
pub fn load(conn: &mut PgConnection) -> Result<Catalog> {
    Ok(catalog_of(store::newest(conn)?))
}

/// The catalog as it was in this version, and as it counted then.
///
/// # Errors
/// [`Error::NotFound`] when there is no such version.
pub fn load_version(conn: &mut PgConnection, version: i32) -> Result<Catalog> {
    Ok(catalog_of(store::document(conn, version)?))
}

fn catalog_of(document: Document) -> Catalog {
    let catalog = Catalog::new(document.version, document.definitions);
    if document.undefined_apart { catalog } else { catalog.by_the_first_rule() }
}

/// Puts a change into force: the next version, from the next chunk of events on. `seen` is the
/// version that it was made from. Answers with the new version.
///
/// # Errors
/// [`Error::Invalid`] at the fields of the form; [`Error::Conflict`] when the catalog is at another
/// version by now.
pub fn save(
    conn: &mut PgConnection,
    by: &Actor,
    seen: i32,
    change: &Change,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<i32> {
    let (version, before) = store::current(conn)?;
    still(seen, version)?;
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 500 || reason.chars().any(char::is_control) {
        return Err(Error::invalid("reason", "Say in up to 500 letters why, on one line."));
    }
    let after = change.applied(&before).map_err(Error::Invalid)?;
    if !store::publish(conn, version, &after, reason, by, at)? {
        return Err(faster(version.saturating_add(1)));
    }
    let changed: Vec<_> = before
        .iter()
        .chain(&after)
        .filter(|one| !(before.contains(one) && after.contains(one)))
        .map(|one| one.key.as_str())
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .map(|key| {
            let find =
                |all: &[super::event::Definition]| all.iter().find(|one| one.key == key).cloned();
            json!({ "key": key, "before": find(&before), "after": find(&after) })
        })
        .collect();
    let detail = json!({ "reason": reason, "events": changed });
    let next = version.saturating_add(1);
    audit::record(conn, by, "catalog.changed", ("catalog", &next.to_string()), &detail, at)?;
    Ok(next)
}

/// Whether the version that somebody saw is still in force.
///
/// # Errors
/// [`Error::Conflict`] when it is not.
pub fn still(seen: i32, version: i32) -> Result<()> {
    if seen == version { Ok(()) } else { Err(faster(version)) }
}

fn faster(version: i32) -> Error {
    Error::Conflict(format!(
        "The catalog was changed by somebody else meanwhile: version {version} is in force."
    ))
}

/// Puts the document of an old version into force again, as the next version.
///
/// # Errors
/// [`Error::NotFound`] when there is no such version; else as [`save`].
pub fn roll_back(
    conn: &mut PgConnection,
    by: &Actor,
    seen: i32,
    to: i32,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<i32> {
    let old = store::version(conn, to)?;
    save(conn, by, seen, &Change::Whole(old), reason, at)
}
