//! All SQL of the catalog.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Int4, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde_json::Value;

use super::event::{Category, Definition};
use crate::error::{Error, Result};
use crate::ids::SourceId;
use crate::team::audit::Actor;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    label: String,
    #[diesel(sql_type = Text)]
    category: String,
    #[diesel(sql_type = Bool)]
    is_key: bool,
    #[diesel(sql_type = Array<Text>)]
    names: Vec<String>,
    #[diesel(sql_type = Nullable<Text>)]
    value_property: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    feature_property: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    milestone: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    muted_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Jsonb)]
    conditions: Value,
}

#[derive(QueryableByName)]
struct Current {
    #[diesel(sql_type = Integer)]
    version: i32,
    #[diesel(sql_type = Jsonb)]
    document: Value,
    #[diesel(sql_type = Bool)]
    undefined_apart: bool,
}

/// A document, and by which rule its version counts.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its number; 0, as `event_definitions` has it, when no document was ever written.
    pub version: i32,
    /// Its definitions.
    pub definitions: Vec<Definition>,
    /// Whether undefined names count beside the definitions; not so in the first versions.
    pub undefined_apart: bool,
}

impl Document {
    fn of(row: Current) -> Result<Self> {
        let Current { version, document, undefined_apart } = row;
        Ok(Self { version, definitions: read(document)?, undefined_apart })
    }
}

/// The catalog in force: its version and definitions, read in one statement. Version 0, as
/// `event_definitions` has it, when no document was ever written.
///
/// # Errors
/// When the database fails.
pub fn current(conn: &mut PgConnection) -> Result<(i32, Vec<Definition>)> {
    let newest = newest(conn)?;
    Ok((newest.version, newest.definitions))
}

/// As [`current`], with the rule by which it counts.
///
/// # Errors
/// When the database fails.
pub fn newest(conn: &mut PgConnection) -> Result<Document> {
    let newest: Option<Current> = diesel::sql_query(
        "select version, document, undefined_apart from catalog_versions order by version desc limit 1",
    )
    .get_result(conn)
    .optional()?;
    match newest {
        Some(newest) => Document::of(newest),
        None => Ok(Document { version: 0, definitions: definitions(conn)?, undefined_apart: true }),
    }
}

/// The definitions of a version.
///
/// # Errors
/// [`Error::NotFound`] when there is no such version.
pub fn version(conn: &mut PgConnection, version: i32) -> Result<Vec<Definition>> {
    Ok(document(conn, version)?.definitions)
}

/// A version, with the rule by which it counted.
///
/// # Errors
/// [`Error::NotFound`] when there is no such version.
pub fn document(conn: &mut PgConnection, version: i32) -> Result<Document> {
    let found: Current = diesel::sql_query(
        "select version, document, undefined_apart from catalog_versions where version = $1",
    )
    .bind::<Integer, _>(version)
    .get_result(conn)?;
    Document::of(found)
}

fn read(document: Value) -> Result<Vec<Definition>> {
    serde_json::from_value(document).map_err(Error::internal)
}

/// A version, for the list of them.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "the columns of catalog_versions")]
pub struct Version {
    #[diesel(sql_type = Integer)]
    pub version: i32,
    #[diesel(sql_type = Text)]
    pub reason: String,
    #[diesel(sql_type = Text)]
    pub actor: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// The newest versions, newest first.
///
/// # Errors
/// When the database fails.
pub fn versions(conn: &mut PgConnection, at_most: i64) -> Result<Vec<Version>> {
    Ok(diesel::sql_query(
        "select version, reason, actor, created_at from catalog_versions order by version desc limit $1",
    )
    .bind::<BigInt, _>(at_most)
    .load(conn)?)
}

/// One version.
///
/// # Errors
/// [`Error::NotFound`] when there is no such version.
pub fn one_version(conn: &mut PgConnection, version: i32) -> Result<Version> {
    Ok(diesel::sql_query(
        "select version, reason, actor, created_at from catalog_versions where version = $1",
    )
    .bind::<Integer, _>(version)
    .get_result(conn)?)
}

/// Puts a document into force as the next version after `current`, and copies it to
/// `event_definitions`. False when another transaction was faster.
///
/// # Errors
/// When the database fails.
pub fn publish(
    conn: &mut PgConnection,
    current: i32,
    definitions: &[Definition],
    reason: &str,
    by: &Actor,
    at: DateTime<Utc>,
) -> Result<bool> {
    let written = diesel::sql_query(
        "insert into catalog_versions (version, document, reason, actor_id, actor, created_at, undefined_apart)
         select $1 + 1, $2, $3, $4, $5, $6, true
         where $1 = (select coalesce(max(version), 0) from catalog_versions)
         on conflict (version) do nothing",
    )
    .bind::<Integer, _>(current)
    .bind::<Jsonb, _>(serde_json::to_value(definitions).map_err(Error::internal)?)
    .bind::<Text, _>(reason)
    .bind::<Nullable<SqlUuid>, _>(by.id)
    .bind::<Text, _>(&by.name)
    .bind::<Timestamptz, _>(at)
    .execute(conn)?;
    if written == 0 {
        return Ok(false);
    }
    let keys: Vec<&str> = definitions.iter().map(|definition| definition.key.as_str()).collect();
    diesel::sql_query("delete from event_definitions where key <> all($1)")
        .bind::<Array<Text>, _>(keys)
        .execute(conn)?;
    write(conn, definitions)?;
    Ok(true)
}

/// All definitions, in the order of the catalog page.
///
/// # Errors
/// When the database fails.
fn definitions(conn: &mut PgConnection) -> Result<Vec<Definition>> {
    let rows: Vec<Row> = diesel::sql_query(
        "select key, label, category, is_key, names, value_property, feature_property, milestone, muted_at,
                conditions
         from event_definitions order by position, key",
    )
    .load(conn)?;
    rows.into_iter()
        .map(|row| {
            Ok(Definition {
                conditions: serde_json::from_value(row.conditions).map_err(Error::internal)?,
                key: row.key,
                label: row.label,
                category: Category::named(&row.category).unwrap_or(Category::None),
                is_key: row.is_key,
                names: row.names,
                value_property: row.value_property,
                feature_property: row.feature_property,
                milestone: row.milestone,
                muted_at: row.muted_at,
            })
        })
        .collect()
}

/// Puts these definitions in when there are none at all.
///
/// # Errors
/// When the database fails.
pub fn insert_when_empty(conn: &mut PgConnection, definitions: &[Definition]) -> Result<()> {
    let present: i64 = crate::schema::event_definitions::table.count().get_result(conn)?;
    if present == 0 { write(conn, definitions) } else { Ok(()) }
}

fn write(conn: &mut PgConnection, definitions: &[Definition]) -> Result<()> {
    for (position, definition) in definitions.iter().enumerate() {
        let conditions = serde_json::to_value(&definition.conditions).map_err(Error::internal)?;
        diesel::sql_query(
            "insert into event_definitions (key, label, category, is_key, names, value_property,
                 feature_property, milestone, position, muted_at, conditions)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             on conflict (key) do update set
                 label = excluded.label, category = excluded.category, is_key = excluded.is_key,
                 names = excluded.names, value_property = excluded.value_property,
                 feature_property = excluded.feature_property, milestone = excluded.milestone,
                 position = excluded.position, muted_at = excluded.muted_at,
                 conditions = excluded.conditions",
        )
        .bind::<Text, _>(&definition.key)
        .bind::<Text, _>(&definition.label)
        .bind::<Text, _>(definition.category.as_str())
        .bind::<Bool, _>(definition.is_key)
        .bind::<Array<Text>, _>(&definition.names)
        .bind::<Nullable<Text>, _>(&definition.value_property)
        .bind::<Nullable<Text>, _>(&definition.feature_property)
        .bind::<Nullable<Text>, _>(&definition.milestone)
        .bind::<Int4, _>(i32::try_from(position).unwrap_or(i32::MAX))
        .bind::<Nullable<Timestamptz>, _>(definition.muted_at)
        .bind::<Jsonb, _>(conditions)
        .execute(conn)?;
    }
    Ok(())
}

/// Names that nobody has defined, with how often they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// Who sent it.
    pub source: SourceId,
    /// As the drainer counts it: a key, see [`super::event::key_of`].
    pub name: String,
    /// When the oldest of these events was received.
    pub first_seen_at: DateTime<Utc>,
    /// When the newest was received.
    pub last_seen_at: DateTime<Utc>,
    /// How many.
    pub events: i64,
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = SqlUuid)]
    source_id: SourceId,
    #[diesel(sql_type = Text)]
    name: String,
}

/// The unknown names collected so far from these sources.
///
/// # Errors
/// When the database fails.
pub fn unknown_names(
    conn: &mut PgConnection,
    sources: &[SourceId],
) -> Result<Vec<(SourceId, String)>> {
    let rows: Vec<Known> = diesel::sql_query(
        "select source_id, name from unknown_event_names where source_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(sources)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.source_id, row.name)).collect())
}

/// Adds up the volume of unknown names; each (source, name) at most once in `names`.
///
/// # Errors
/// When the database fails.
pub fn count_unknown(conn: &mut PgConnection, names: &[UnknownName]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into unknown_event_names (source_id, name, first_seen_at, last_seen_at, events)
         select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::bigint[])
             as t (source_id, name, first_at, last_at, n) order by source_id, name
         on conflict (source_id, name) do update set
             first_seen_at = least(unknown_event_names.first_seen_at, excluded.first_seen_at),
             last_seen_at = greatest(unknown_event_names.last_seen_at, excluded.last_seen_at),
             events = unknown_event_names.events + excluded.events",
    )
    .bind::<Array<SqlUuid>, _>(names.iter().map(|name| name.source).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(names.iter().map(|name| name.name.as_str()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(names.iter().map(|name| name.first_seen_at).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(names.iter().map(|name| name.last_seen_at).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(names.iter().map(|name| name.events).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}
