//! The SQL of scoring models: published versions, and at most one draft.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;

use super::model::Model;
use crate::error::{Error, Result};
use crate::ids::MemberId;
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

/// All published versions, the oldest first. Never empty once [`super::ops_models::ensure_model`] ran.
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

/// Adds a version; a `reason` makes it a published one. False: somebody made it meanwhile.
pub(super) fn insert(
    conn: &mut PgConnection,
    version: i32,
    model: &Model,
    base: Option<i32>,
    by: &str,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let rows = diesel::insert_into(models::table)
        .values((
            models::version.eq(version),
            models::name.eq(&model.name),
            models::document.eq(document(model)?),
            models::base_version.eq(base),
            models::created_by.eq(by),
            models::created_at.eq(now),
            models::published_by.eq(reason.map(|_| by)),
            models::published_at.eq(reason.map(|_| now)),
            models::reason.eq(reason),
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

/// A save of a draft, as the audit log has it.
#[derive(Clone, Debug, QueryableByName)]
pub struct Save {
    /// Who, by name.
    #[diesel(sql_type = Text)]
    pub actor: String,
    /// Who, if a member of the team.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub actor_id: Option<MemberId>,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// [`super::difference::Line`]s.
    #[diesel(sql_type = Jsonb)]
    pub changes: Value,
}

/// Who saved the draft of this version after it had `edits`, the oldest first; -1 for all saves.
pub(super) fn saves_since(conn: &mut PgConnection, version: i32, edits: i32) -> Result<Vec<Save>> {
    Ok(diesel::sql_query(
        "select actor, actor_id, at, coalesce(detail -> 'changes', '[]'::jsonb) as changes
         from audit_entries
         where subject_kind = 'scoring_model' and subject_id = $1
           and action = 'scoring_model.draft_saved' and (detail ->> 'edits')::int > $2
           and at >= (select created_at from scoring_models where version = $1::int)
         order by id",
    )
    .bind::<Text, _>(version.to_string())
    .bind::<Integer, _>(edits)
    .load(conn)?)
}

/// The keys of the catalog's events.
pub(super) fn events(conn: &mut PgConnection) -> Result<Vec<String>> {
    use crate::schema::event_definitions as e;
    Ok(e::table.order(e::key).select(e::key).load(conn)?)
}

fn document(model: &Model) -> Result<Value> {
    serde_json::to_value(model).map_err(Error::internal)
}
