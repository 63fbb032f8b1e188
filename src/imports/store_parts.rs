//! The SQL of uploaded files and of the rows that were refused.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Integer, Text, Uuid as SqlUuid};
use uuid::Uuid;

use crate::error::Result;

#[derive(QueryableByName)]
struct Part {
    #[diesel(sql_type = Bytea)]
    content: Vec<u8>,
}

/// Keeps a part of a file.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut PgConnection, import: Uuid, part: i32, content: &[u8]) -> Result<()> {
    diesel::sql_query("insert into import_parts (import_id, part, content) values ($1, $2, $3)")
        .bind::<SqlUuid, _>(import)
        .bind::<Integer, _>(part)
        .bind::<Bytea, _>(content)
        .execute(conn)?;
    Ok(())
}

/// A part of a file, from 0; none after the last.
///
/// # Errors
/// When the database fails.
pub fn part(conn: &mut PgConnection, import: Uuid, part: i32) -> Result<Option<Vec<u8>>> {
    let row: Option<Part> =
        diesel::sql_query("select content from import_parts where import_id = $1 and part = $2")
            .bind::<SqlUuid, _>(import)
            .bind::<Integer, _>(part)
            .get_result(conn)
            .optional()?;
    Ok(row.map(|row| row.content))
}

/// A row that was refused.
#[derive(Clone, Debug, QueryableByName)]
pub struct Refused {
    /// The line of the file on which it begins.
    #[diesel(sql_type = BigInt)]
    pub line: i64,
    /// What is wrong.
    #[diesel(sql_type = Text)]
    pub message: String,
    /// Its cells.
    #[diesel(sql_type = Array<Text>)]
    pub cells: Vec<String>,
}

/// What is wrong with a row that was refused.
#[derive(Clone, Debug, QueryableByName)]
pub struct Told {
    /// The line of the file on which it begins.
    #[diesel(sql_type = BigInt)]
    pub line: i64,
    /// What is wrong.
    #[diesel(sql_type = Text)]
    pub message: String,
}

/// The first refused rows, without their cells.
///
/// # Errors
/// When the database fails.
pub fn told(conn: &mut PgConnection, import: Uuid, limit: i64) -> Result<Vec<Told>> {
    Ok(diesel::sql_query(
        "select line, message from import_faults where import_id = $1 order by line limit $2",
    )
    .bind::<SqlUuid, _>(import)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// Notes refused rows; a row that was noted before is noted anew.
///
/// # Errors
/// When the database fails.
pub fn refuse(conn: &mut PgConnection, import: Uuid, rows: &[Refused]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let cells = rows
        .iter()
        .map(|row| serde_json::to_string(&row.cells).unwrap_or_else(|_| "[]".to_owned()));
    diesel::sql_query(
        "insert into import_faults (import_id, line, message, cells)
         select $1, line, message, array(select jsonb_array_elements_text(cells::jsonb))
         from unnest($2::bigint[], $3::text[], $4::text[]) as t (line, message, cells)
         on conflict (import_id, line) do update set message = excluded.message, cells = excluded.cells",
    )
    .bind::<SqlUuid, _>(import)
    .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.line).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.message.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(cells.collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// Refused rows in the order of the file, after a line.
///
/// # Errors
/// When the database fails.
pub fn refused(
    conn: &mut PgConnection,
    import: Uuid,
    after: i64,
    limit: i64,
) -> Result<Vec<Refused>> {
    Ok(diesel::sql_query(
        "select line, message, cells from import_faults
         where import_id = $1 and line > $2 order by line limit $3",
    )
    .bind::<SqlUuid, _>(import)
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// Forgets the refused rows of an earlier run.
///
/// # Errors
/// When the database fails.
pub fn forget_refused(conn: &mut PgConnection, import: Uuid) -> Result<()> {
    diesel::sql_query("delete from import_faults where import_id = $1")
        .bind::<SqlUuid, _>(import)
        .execute(conn)?;
    Ok(())
}
