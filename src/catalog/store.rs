//! All SQL of the catalog.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::event::{Category, Definition};
use crate::error::Result;
use crate::ids::SourceId;

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
}

/// All definitions, in the order of the catalog page.
///
/// # Errors
/// When the database fails.
pub fn definitions(conn: &mut PgConnection) -> Result<Vec<Definition>> {
    let rows: Vec<Row> = diesel::sql_query(
        "select key, label, category, is_key, names, value_property, feature_property, milestone, muted_at
         from event_definitions order by position, key",
    )
    .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| Definition {
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
        .collect())
}

/// Puts these definitions in when there are none at all.
///
/// # Errors
/// When the database fails.
pub fn insert_when_empty(conn: &mut PgConnection, definitions: &[Definition]) -> Result<()> {
    let present: i64 = crate::schema::event_definitions::table.count().get_result(conn)?;
    if present > 0 {
        return Ok(());
    }
    for (position, definition) in definitions.iter().enumerate() {
        diesel::sql_query(
            "insert into event_definitions
                 (key, label, category, is_key, names, value_property, feature_property, milestone, position)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (key) do nothing",
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
