//! The SQL that keeps entries about strangers bounded.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::error::Result;
use crate::schema::audit_entries;

/// Makes those who are about to count entries wait for each other until the transaction ends.
///
/// # Errors
/// The database's.
pub fn lock_counted(conn: &mut PgConnection) -> Result<()> {
    diesel::sql_query("select pg_advisory_xact_lock(hashtextextended('audit counted', 0))")
        .execute(conn)?;
    Ok(())
}

/// How many entries of this action about this subject there are since then, counted up to `most`.
///
/// # Errors
/// The database's.
pub fn count_since(
    conn: &mut PgConnection,
    action: &str,
    (kind, id): (&str, &str),
    since: DateTime<Utc>,
    most: usize,
) -> Result<usize> {
    let found: Vec<DateTime<Utc>> = audit_entries::table
        .filter(audit_entries::subject_kind.eq(kind))
        .filter(audit_entries::subject_id.eq(id))
        .filter(audit_entries::action.eq(action))
        .filter(audit_entries::at.gt(since))
        .order(audit_entries::id.desc())
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .select(audit_entries::at)
        .load(conn)?;
    Ok(found.len())
}
