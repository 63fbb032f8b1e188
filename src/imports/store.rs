//! The SQL of imports and of remembered mappings.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use uuid::Uuid;

use crate::error::Result;
use crate::ids::MemberId;

/// A file on its way.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of imports, see their comments")]
pub struct Import {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub file_name: String,
    #[diesel(sql_type = Text)]
    pub made_by: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = BigInt)]
    pub size_bytes: i64,
    #[diesel(sql_type = Text)]
    pub encoding: String,
    #[diesel(sql_type = Text)]
    pub delimiter: String,
    #[diesel(sql_type = Integer)]
    pub header_row: i32,
    #[diesel(sql_type = Bytea)]
    pub encoding_sample: Vec<u8>,
    #[diesel(sql_type = Array<Text>)]
    pub header: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    pub mapping: Vec<String>,
    #[diesel(sql_type = Bool)]
    pub clears_blanks: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub as_of: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub total_rows: Option<i64>,
    #[diesel(sql_type = BigInt)]
    pub done_rows: i64,
    #[diesel(sql_type = BigInt)]
    pub created: i64,
    #[diesel(sql_type = BigInt)]
    pub updated: i64,
    #[diesel(sql_type = BigInt)]
    pub unchanged: i64,
    #[diesel(sql_type = BigInt)]
    pub rejected: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub finished_at: Option<DateTime<Utc>>,
    /// Its job failed too often.
    #[diesel(sql_type = Bool)]
    pub is_stuck: bool,
    /// The file itself is still there.
    #[diesel(sql_type = Bool)]
    pub is_kept: bool,
}

impl Import {
    /// How it is read.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading {
            kind: self.kind.clone(),
            encoding: self.encoding.clone(),
            delimiter: self.delimiter.clone(),
            header_row: self.header_row,
            header: self.header.clone(),
            mapping: self.mapping.clone(),
            clears_blanks: self.clears_blanks,
        }
    }

    /// It is being checked or imported.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.status.as_str(), "checking" | "importing") && !self.is_stuck
    }
}

const COLUMNS: &str = "i.id, i.kind, i.file_name, m.name as made_by, i.created_at, i.status, i.size_bytes, i.encoding,
    i.delimiter, i.header_row, i.encoding_sample, i.header, i.mapping, i.clears_blanks, i.as_of, i.total_rows, i.done_rows, i.created, i.updated,
    i.unchanged, i.rejected, i.finished_at, coalesce(j.died_at is not null, false) as is_stuck,
    exists (select from import_parts p where p.import_id = i.id and p.part = 0) as is_kept
    from imports i join team_members m on m.id = i.made_by left join jobs j on j.id = i.job_id";

/// One import that was uploaded whole.
///
/// # Errors
/// [`crate::error::Error::NotFound`]; the database's.
pub fn find(conn: &mut PgConnection, id: Uuid) -> Result<Import> {
    let query = format!("select {COLUMNS} where i.id = $1 and i.status <> 'uploading'");
    Ok(diesel::sql_query(query).bind::<SqlUuid, _>(id).get_result(conn)?)
}

/// As [`find`], locked until the transaction ends.
///
/// # Errors
/// As [`find`].
pub fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Import> {
    let query =
        format!("select {COLUMNS} where i.id = $1 and i.status <> 'uploading' for update of i");
    Ok(diesel::sql_query(query).bind::<SqlUuid, _>(id).get_result(conn)?)
}

/// The newest imports.
///
/// # Errors
/// When the database fails.
pub fn newest(conn: &mut PgConnection, limit: i64) -> Result<Vec<Import>> {
    let query = format!(
        "select {COLUMNS} where i.status <> 'uploading' order by i.created_at desc, i.id limit $1"
    );
    Ok(diesel::sql_query(query).bind::<BigInt, _>(limit).load(conn)?)
}

/// Begins an upload.
///
/// # Errors
/// When the database fails.
pub fn begin(
    conn: &mut PgConnection,
    id: Uuid,
    kind: &str,
    file_name: &str,
    by: MemberId,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query(
        "insert into imports (id, kind, file_name, made_by, created_at, status) values ($1, $2, $3, $4, $5, 'uploading')",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(kind)
    .bind::<Text, _>(file_name)
    .bind::<SqlUuid, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// Forgets an import with its file.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut PgConnection, id: Uuid) -> Result<()> {
    diesel::sql_query("delete from imports where id = $1").bind::<SqlUuid, _>(id).execute(conn)?;
    Ok(())
}

/// How a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "columns of imports")]
pub struct Reading {
    pub kind: String,
    pub encoding: String,
    pub delimiter: String,
    pub header_row: i32,
    pub header: Vec<String>,
    pub mapping: Vec<String>,
    pub clears_blanks: bool,
}

/// Keeps cells of a file that are not plain ASCII, to be shown in every encoding.
///
/// # Errors
/// When the database fails.
pub fn keep_sample(conn: &mut PgConnection, id: Uuid, sample: &[u8]) -> Result<()> {
    diesel::sql_query("update imports set encoding_sample = $2 where id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Bytea, _>(sample)
        .execute(conn)?;
    Ok(())
}

/// Notes how a file is read, and that it waits for its mapping.
///
/// # Errors
/// When the database fails.
pub fn read_as(conn: &mut PgConnection, id: Uuid, size: i64, reading: &Reading) -> Result<()> {
    diesel::sql_query(
        "update imports set kind = $2, encoding = $3, delimiter = $4, header = $5, mapping = $6, clears_blanks = $7,
             size_bytes = $8, header_row = $9, status = 'mapping', total_rows = null where id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(&reading.kind)
    .bind::<Text, _>(&reading.encoding)
    .bind::<Text, _>(&reading.delimiter)
    .bind::<Array<Text>, _>(&reading.header)
    .bind::<Array<Text>, _>(&reading.mapping)
    .bind::<Bool, _>(reading.clears_blanks)
    .bind::<BigInt, _>(size)
    .bind::<Integer, _>(reading.header_row)
    .execute(conn)?;
    Ok(())
}

/// Sets the status; a run that begins anew begins with zeros.
///
/// # Errors
/// When the database fails.
pub fn stand(
    conn: &mut PgConnection,
    id: Uuid,
    status: &str,
    from_zero: bool,
    finished_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let zeros = if from_zero {
        ", done_rows = 0, created = 0, updated = 0, unchanged = 0, rejected = 0"
    } else {
        ""
    };
    diesel::sql_query(format!(
        "update imports set status = $2, finished_at = $3{zeros} where id = $1"
    ))
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(status)
    .bind::<Nullable<Timestamptz>, _>(finished_at)
    .execute(conn)?;
    Ok(())
}

/// Dates the rows that say no time, and names the job.
///
/// # Errors
/// When the database fails.
pub fn put_to_work(
    conn: &mut PgConnection,
    id: Uuid,
    as_of: DateTime<Utc>,
    job: i64,
) -> Result<()> {
    diesel::sql_query("update imports set as_of = $2, job_id = $3 where id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Timestamptz, _>(as_of)
        .bind::<BigInt, _>(job)
        .execute(conn)?;
    Ok(())
}

/// Notes how many rows there are.
///
/// # Errors
/// When the database fails.
pub fn count(conn: &mut PgConnection, id: Uuid, total: i64) -> Result<()> {
    diesel::sql_query("update imports set total_rows = $2 where id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<BigInt, _>(total)
        .execute(conn)?;
    Ok(())
}

/// What a chunk came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "columns of imports")]
pub struct Tally {
    pub rows: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub rejected: i64,
}

/// Adds a chunk.
///
/// # Errors
/// When the database fails.
pub fn add(conn: &mut PgConnection, id: Uuid, tally: Tally) -> Result<()> {
    diesel::sql_query(
        "update imports set done_rows = done_rows + $2, created = created + $3, updated = updated + $4,
             unchanged = unchanged + $5, rejected = rejected + $6 where id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<BigInt, _>(tally.rows)
    .bind::<BigInt, _>(tally.created)
    .bind::<BigInt, _>(tally.updated)
    .bind::<BigInt, _>(tally.unchanged)
    .bind::<BigInt, _>(tally.rejected)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Remembered {
    #[diesel(sql_type = Array<Text>)]
    mapping: Vec<String>,
}

/// How a file of this kind with this header was mapped the last time.
///
/// # Errors
/// When the database fails.
pub fn remembered(
    conn: &mut PgConnection,
    kind: &str,
    header: &[String],
) -> Result<Option<Vec<String>>> {
    let row: Option<Remembered> =
        diesel::sql_query("select mapping from import_mappings where kind = $1 and header_hash = md5($2::text[]::text)")
            .bind::<Text, _>(kind)
            .bind::<Array<Text>, _>(header)
            .get_result(conn)
            .optional()?;
    Ok(row.map(|row| row.mapping))
}

/// Remembers a mapping for the next file like it.
///
/// # Errors
/// When the database fails.
pub fn remember(
    conn: &mut PgConnection,
    kind: &str,
    header: &[String],
    mapping: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query(
        "insert into import_mappings (kind, header_hash, mapping, used_at) values ($1, md5($2::text[]::text), $3, $4)
         on conflict (kind, header_hash) do update set mapping = excluded.mapping, used_at = excluded.used_at",
    )
    .bind::<Text, _>(kind)
    .bind::<Array<Text>, _>(header)
    .bind::<Array<Text>, _>(mapping)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// Forgets files that were uploaded before `old` unless they are being worked on, and uploads that broke
/// off before `broken`. What an import came to is kept.
///
/// # Errors
/// When the database fails.
pub fn forget(conn: &mut PgConnection, old: DateTime<Utc>, broken: DateTime<Utc>) -> Result<()> {
    diesel::sql_query("delete from imports where status = 'uploading' and created_at < $1")
        .bind::<Timestamptz, _>(broken)
        .execute(conn)?;
    for table in ["import_parts", "import_faults"] {
        diesel::sql_query(format!(
            "delete from {table} where import_id in (
                 select i.id from imports i left join jobs j on j.id = i.job_id
                 where i.created_at < $1
                   and (i.status not in ('checking', 'importing') or j.id is null or j.died_at is not null))"
        ))
        .bind::<Timestamptz, _>(old)
        .execute(conn)?;
    }
    Ok(())
}
