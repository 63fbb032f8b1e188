//! The SQL of events that are replayed with their workspace.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Int4, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::drain::Place;
use super::store_drain::JournalRow;
use crate::error::Result;
use crate::ids::{SourceId, UserId};

/// An event that waits for its workspace, and whose letter was replayed.
#[derive(Debug, QueryableByName)]
pub struct Waiting {
    /// The event.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Who sent it.
    #[diesel(sql_type = SqlUuid)]
    pub source_id: SourceId,
    /// Whose it was when it came first.
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    /// When it happened, as it came first.
    #[diesel(sql_type = Timestamptz)]
    pub occurred_at: DateTime<Utc>,
    /// When the journal row in which it came first was received.
    #[diesel(sql_type = Timestamptz)]
    pub received_at: DateTime<Utc>,
}

/// Which of these events wait, and are tried again by a replay.
///
/// # Errors
/// When the database fails.
pub fn waiting(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Waiting>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(diesel::sql_query(
        "select d.id, d.source_id, i.user_id, i.occurred_at, d.received_at
         from dead_letters d
         join inferred_events i on i.user_id = d.person_id and i.id = d.id and i.workspace_id is null
         where d.id = any($1) and d.replayed_at is not null and d.discarded_at is null",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?)
}

/// The journal's rows of a source that were received just then.
///
/// # Errors
/// When the database fails.
pub fn received(
    conn: &mut PgConnection,
    source: SourceId,
    at: DateTime<Utc>,
) -> Result<Vec<JournalRow>> {
    Ok(diesel::sql_query(
        "select id, received_at, received_on, source_id, payload from journal
         where received_on = $1 and source_id = $2 and received_at = $3 order by id",
    )
    .bind::<Date, _>(at.date_naive())
    .bind::<SqlUuid, _>(source)
    .bind::<Timestamptz, _>(at)
    .load(conn)?)
}

/// Notes of a message that was counted that it is left out.
///
/// # Errors
/// When the database fails.
pub fn leave_out(conn: &mut PgConnection, day: NaiveDate, place: Place) -> Result<()> {
    diesel::sql_query(
        "update journal_chunks set left_ids = left_ids || $2, left_places = left_places || $3
         where days @> array[$1] and journal_ids @> array[$2]",
    )
    .bind::<Date, _>(day)
    .bind::<BigInt, _>(place.0)
    .bind::<Int4, _>(place.1)
    .execute(conn)?;
    Ok(())
}
