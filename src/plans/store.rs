//! The SQL of the lists of plan names.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::plan::PlanList;
use crate::error::{Error, Result};
use crate::schema::plan_names as t;

/// The lists, and what became of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The lists in force.
    pub list: PlanList,
    /// Whether they are those that Ripen comes with.
    pub is_default: bool,
    /// Rises with each change.
    pub version: i32,
    /// The version by which stored tiers were last made.
    pub applied_version: i32,
    /// When they were last changed.
    pub changed_at: Option<DateTime<Utc>>,
}

type Row = (Option<serde_json::Value>, i32, i32, Option<DateTime<Utc>>);

fn kept((list, version, applied_version, changed_at): Row) -> Result<Kept> {
    let is_default = list.is_none();
    let list = match list {
        Some(list) => serde_json::from_value(list).map_err(Error::internal)?,
        None => PlanList::default(),
    };
    Ok(Kept { list, is_default, version, applied_version, changed_at })
}

/// The lists.
///
/// # Errors
/// When the database fails.
pub fn load(conn: &mut PgConnection) -> Result<Kept> {
    kept(t::table.select((t::lists, t::version, t::applied_version, t::changed_at)).first(conn)?)
}

/// The lists, held until the transaction ends.
///
/// # Errors
/// When the database fails.
pub fn lock(conn: &mut PgConnection) -> Result<Kept> {
    let columns = (t::lists, t::version, t::applied_version, t::changed_at);
    kept(t::table.select(columns).for_update().first(conn)?)
}

/// Writes the lists as the next version; `None` for those that Ripen comes with.
///
/// # Errors
/// When the database fails.
pub fn save(conn: &mut PgConnection, list: Option<&PlanList>, now: DateTime<Utc>) -> Result<()> {
    let lists = list.map(serde_json::to_value).transpose().map_err(Error::internal)?;
    diesel::update(t::table)
        .set((t::lists.eq(lists), t::version.eq(t::version + 1), t::changed_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Notes by which version the stored tiers are made.
///
/// # Errors
/// When the database fails.
pub fn applied(conn: &mut PgConnection, version: i32) -> Result<()> {
    diesel::update(t::table).set(t::applied_version.eq(version)).execute(conn)?;
    Ok(())
}
