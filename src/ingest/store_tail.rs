//! The SQL of the newest events of a source, as they lie in the journal.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Bytea, Date, Int4, Text, Timestamptz, Uuid as SqlUuid,
};
use uuid::Uuid;

use crate::error::Result;
use crate::ids::{SourceId, UserId, WorkspaceId};

/// Requests of all sources that are looked through: a source that sends little beside one that sends
/// much may not be among them.
pub const NEWEST: i64 = 2_000;

/// A request in the journal.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Request {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Date)]
    pub received_on: NaiveDate,
    #[diesel(sql_type = Timestamptz)]
    pub received_at: DateTime<Utc>,
    #[diesel(sql_type = Int4)]
    pub events: i32,
    /// Whether it waits for its projection.
    #[diesel(sql_type = Bool)]
    pub waits: bool,
}

/// The newest requests of a source, newest first, among the newest of all since `since`.
///
/// # Errors
/// When the database fails.
pub fn requests(
    conn: &mut PgConnection,
    source: SourceId,
    since: NaiveDate,
    limit: i64,
) -> Result<Vec<Request>> {
    Ok(diesel::sql_query(
        "select j.id, j.received_on, j.received_at, j.events,
                exists (select from journal_pending p where p.id = j.id) as waits
         from (select id, received_on, received_at, events, source_id from journal
               where received_on >= $2 order by received_on desc, id desc limit $3) j
         where j.source_id = $1 order by j.received_on desc, j.id desc limit $4",
    )
    .bind::<SqlUuid, _>(source)
    .bind::<Date, _>(since)
    .bind::<BigInt, _>(NEWEST)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// What a request holds.
///
/// # Errors
/// [`crate::error::Error::NotFound`] when it was forgotten meanwhile.
pub fn payload(conn: &mut PgConnection, request: &Request) -> Result<Vec<u8>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bytea)]
        payload: Vec<u8>,
    }
    let row: Row =
        diesel::sql_query("select payload from journal where received_on = $1 and id = $2")
            .bind::<Date, _>(request.received_on)
            .bind::<BigInt, _>(request.id)
            .get_result(conn)?;
    Ok(row.payload)
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = SqlUuid)]
    id: WorkspaceId,
    #[diesel(sql_type = Text)]
    name: String,
}

/// The names of those of these workspaces that there are.
///
/// # Errors
/// When the database fails.
pub fn workspaces(
    conn: &mut PgConnection,
    ids: &[WorkspaceId],
) -> Result<Vec<(WorkspaceId, String)>> {
    let names: Vec<Name> = diesel::sql_query("select id, name from workspaces where id = any($1)")
        .bind::<Array<SqlUuid>, _>(ids)
        .load(conn)?;
    Ok(names.into_iter().map(|row| (row.id, row.name)).collect())
}

#[derive(QueryableByName)]
struct Placed {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
}

/// Where those of these events count that did not name their workspace.
///
/// # Errors
/// When the database fails.
pub fn placed(
    conn: &mut PgConnection,
    people: &[UserId],
    events: &[Uuid],
) -> Result<Vec<(Uuid, WorkspaceId)>> {
    let placed: Vec<Placed> = diesel::sql_query(
        "select id, workspace_id from inferred_events
         where user_id = any($1) and id = any($2) and workspace_id is not null",
    )
    .bind::<Array<SqlUuid>, _>(people)
    .bind::<Array<SqlUuid>, _>(events)
    .load(conn)?;
    Ok(placed.into_iter().map(|row| (row.id, row.workspace_id)).collect())
}
