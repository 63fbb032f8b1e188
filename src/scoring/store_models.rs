//! The SQL of scoring models: published versions, and at most one draft.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use serde_json::Value;

use super::model::Model;
use crate::error::{Error, Result};
use crate::schema::scoring_models as models;

/// A version of the scoring model.
#[derive(Clone, Debug)]
pub struct Version {
    /// From 1; a draft has the number that it will be published under.
    pub version: i32,
    /// The document.
    pub model: Model,
    /// The published version that a draft started from.
    pub base_version: Option<i32>,
    /// How often a draft was saved: names the state that an editor saw.
    pub edits: i32,
    pub created_by: String,
    pub published_by: Option<String>,
    /// `None` for the draft.
    pub published_at: Option<DateTime<Utc>>,
    /// Why it was published.
    pub reason: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = models)]
struct Row {
    version: i32,
    document: Value,
    base_version: Option<i32>,
    edits: i32,
    created_by: String,
    published_by: Option<String>,
    published_at: Option<DateTime<Utc>>,
    reason: Option<String>,
}

impl TryFrom<Row> for Version {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let model = serde_json::from_value(row.document)
            .map_err(|e| Error::internal(format!("scoring model {}: {e}", row.version)))?;
        Ok(Self {
            version: row.version,
            model,
            base_version: row.base_version,
            edits: row.edits,
            created_by: row.created_by,
            published_by: row.published_by,
            published_at: row.published_at,
            reason: row.reason,
        })
    }
}

/// All published versions, the oldest first. Never empty once [`super::ops::ensure_model`] ran.
///
/// # Errors
/// When the database fails or a stored document is not a model.
pub fn published(conn: &mut PgConnection) -> Result<Vec<Version>> {
    models::table
        .filter(models::published_at.is_not_null())
        .order(models::version)
        .select(Row::as_select())
        .load(conn)?
        .into_iter()
        .map(Version::try_from)
        .collect()
}

/// The version in force: the newest published one.
///
/// # Errors
/// `NotFound` before the first one was made.
pub fn current(conn: &mut PgConnection) -> Result<Version> {
    models::table
        .filter(models::published_at.is_not_null())
        .order(models::version.desc())
        .select(Row::as_select())
        .first(conn)?
        .try_into()
}

/// One published version.
///
/// # Errors
/// `NotFound` when there is none of this number.
pub fn version(conn: &mut PgConnection, number: i32) -> Result<Version> {
    models::table
        .find(number)
        .filter(models::published_at.is_not_null())
        .select(Row::as_select())
        .first(conn)?
        .try_into()
}

/// The draft, if somebody is editing.
///
/// # Errors
/// When the database fails.
pub fn draft(conn: &mut PgConnection) -> Result<Option<Version>> {
    models::table
        .filter(models::published_at.is_null())
        .select(Row::as_select())
        .first(conn)
        .optional()?
        .map(Version::try_from)
        .transpose()
}

/// Adds a version; `published_at` makes it a published one. False: somebody made it meanwhile.
pub(super) fn insert(
    conn: &mut PgConnection,
    version: i32,
    model: &Model,
    base: Option<i32>,
    by: &str,
    now: DateTime<Utc>,
    published: bool,
) -> Result<bool> {
    let rows = diesel::insert_into(models::table)
        .values((
            models::version.eq(version),
            models::name.eq(&model.name),
            models::document.eq(document(model)?),
            models::base_version.eq(base),
            models::created_by.eq(by),
            models::created_at.eq(now),
            models::published_by.eq(published.then_some(by)),
            models::published_at.eq(published.then_some(now)),
        ))
        .on_conflict_do_nothing()
        .execute(conn)?;
    Ok(rows == 1)
}

/// Replaces the draft's document if it still is at `edits`. False: it changed or is gone.
pub(super) fn update_draft(conn: &mut PgConnection, edits: i32, model: &Model) -> Result<bool> {
    let rows = diesel::update(models::table)
        .filter(models::published_at.is_null())
        .filter(models::edits.eq(edits))
        .set((
            models::name.eq(&model.name),
            models::document.eq(document(model)?),
            models::edits.eq(models::edits + 1),
        ))
        .execute(conn)?;
    Ok(rows == 1)
}

/// Publishes the draft if it still is at `edits`. False: it changed or is gone.
pub(super) fn publish_draft(
    conn: &mut PgConnection,
    edits: i32,
    by: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let rows = diesel::update(models::table)
        .filter(models::published_at.is_null())
        .filter(models::edits.eq(edits))
        .set((models::published_by.eq(by), models::published_at.eq(now), models::reason.eq(reason)))
        .execute(conn)?;
    Ok(rows == 1)
}

/// Throws the draft away if it still is at `edits`. False: it changed or is gone.
pub(super) fn delete_draft(conn: &mut PgConnection, edits: i32) -> Result<bool> {
    let rows = diesel::delete(models::table)
        .filter(models::published_at.is_null())
        .filter(models::edits.eq(edits))
        .execute(conn)?;
    Ok(rows == 1)
}

fn document(model: &Model) -> Result<Value> {
    serde_json::to_value(model).map_err(Error::internal)
}
