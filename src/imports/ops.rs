//! Use cases of imports, one transaction each.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;
use uuid::Uuid;

use super::errors;
use super::mapping::{self, Mapping};
use super::record::{Cells, LARGEST_ROW, MOST_CELLS};
use super::repeats::Repeats;
use super::store::{self, Import, Reading, Tally};
use super::store_parts::{self, Refused};
use crate::bulk::call::{NO_SOURCE, Sender};
use crate::bulk::kind::Kind;
use crate::bulk::known::{Known, Status};
use crate::bulk::ops::{self, Entry, Outcome};
use crate::bulk::row::Fault;
use crate::error::{Error, Result};
use crate::ingest::drain::Projection;
use crate::queue;
use crate::team::audit::{self, Actor};

/// The kind of the job that checks or imports a file.
pub const JOB: &str = "import";

/// A file that was uploaded, without its content, which is stored in parts.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    /// The import.
    pub id: Uuid,
    /// As the browser named it.
    pub file_name: &'a str,
    /// In bytes.
    pub size: i64,
    /// Cells that look different in each encoding.
    pub encoding_sample: &'a [u8],
}

/// Keeps an uploaded file, read as was guessed, and suggests a mapping: that of the last file with
/// the same columns, else by their names.
///
/// # Errors
/// When the database fails.
pub fn receive(
    conn: &mut PgConnection,
    upload: Upload<'_>,
    mut reading: Reading,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<()> {
    let Upload { id, file_name, size, encoding_sample } = upload;
    reading.mapping = suggest(conn, &reading.kind, &reading.header)?;
    store::read_as(conn, id, size, &reading)?;
    store::keep_sample(conn, id, encoding_sample)?;
    let detail = json!({ "kind": reading.kind, "file": file_name, "bytes": size });
    audit::record(conn, actor, "import.uploaded", ("import", &id.to_string()), &detail, now)
}

/// The mapping that a kind and a header suggest. A file of errors that comes back is mapped as the file
/// whose errors it holds.
///
/// # Errors
/// When the database fails.
pub fn suggest(conn: &mut PgConnection, kind: &str, header: &[String]) -> Result<Mapping> {
    let Some(known) = Kind::named(kind) else { return Ok(vec![String::new(); header.len()]) };
    let mut remembered = store::remembered(conn, kind, header)?;
    if let (None, Some(before)) = (&remembered, errors::sent_back(header)) {
        remembered = store::remembered(conn, kind, before)?
            .map(|mapping| [vec![String::new()], mapping].concat());
    }
    Ok(remembered
        .filter(|mapping| mapping.len() == header.len())
        .unwrap_or_else(|| mapping::suggested(known, header)))
}

fn in_hand(import: &Import) -> Result<()> {
    if matches!(import.status.as_str(), "checking" | "importing") {
        return Err(Error::Conflict("This file is being worked on. Cancel that first.".to_owned()));
    }
    if import.status == "done" {
        return Err(Error::Conflict(
            "This file was imported. Upload it again to import it otherwise.".to_owned(),
        ));
    }
    Ok(())
}

/// Files are kept for a while only; what they came to is kept for good.
///
/// # Errors
/// `Conflict` when the file is gone.
pub fn kept(import: &Import) -> Result<()> {
    if import.is_kept {
        return Ok(());
    }
    let text = "The file was deleted 30 days after its upload. Upload it again to import it.";
    Err(Error::Conflict(text.to_owned()))
}

/// Keeps how a file is to be read, without starting anything.
///
/// # Errors
/// `Conflict` when the file is worked on, done or gone; the database's.
pub fn read_as(conn: &mut PgConnection, id: Uuid, reading: &Reading) -> Result<()> {
    let import = store::lock(conn, id)?;
    in_hand(&import)?;
    kept(&import)?;
    store::read_as(conn, id, import.size_bytes, reading)
}

/// Keeps a mapping, remembers it for the next file like it, and has the file checked.
///
/// # Errors
/// `Invalid` at the columns; `Conflict` as [`read_as`]; the database's.
pub fn check(
    conn: &mut PgConnection,
    id: Uuid,
    reading: &Reading,
    now: DateTime<Utc>,
) -> Result<()> {
    let kind = Kind::named(&reading.kind)
        .ok_or_else(|| Error::invalid("kind", "Choose what the rows of the file are."))?;
    let faults = mapping::faults(kind, &reading.header, &reading.mapping);
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let import = store::lock(conn, id)?;
    if import.status == "checking" && import.is_running() && import.reading() == *reading {
        // The form was sent twice: this is what the first one came to.
        return Ok(());
    }
    read_as(conn, id, reading)?;
    store::remember(conn, &reading.kind, &reading.header, &reading.mapping, now)?;
    store_parts::forget_refused(conn, id)?;
    store::stand(conn, id, "checking", true, None)?;
    put_to_work(conn, id, now)
}

fn put_to_work(conn: &mut PgConnection, id: Uuid, as_of: DateTime<Utc>) -> Result<()> {
    // No dedupe key: the job before may be about to end without having seen this. If both go on, each
    // chunk belongs to the one that comes first.
    let job = queue::store::enqueue(conn, JOB, &json!({ "import": id }), None, as_of)?;
    store::put_to_work(conn, id, as_of, job)
}

/// Has a checked file imported; one that was cancelled half-way goes on where it stopped.
///
/// # Errors
/// `Conflict` unless it was checked, cancelled or stuck, and when the file is gone; the database's.
pub fn start(conn: &mut PgConnection, id: Uuid, actor: &Actor, now: DateTime<Utc>) -> Result<()> {
    let import = store::lock(conn, id)?;
    if import.status == "importing" && import.is_running() {
        // The form was sent twice: this is what the first one came to.
        return Ok(());
    }
    let is_at_work = matches!(import.status.as_str(), "checking" | "importing");
    let from_zero = match import.status.as_str() {
        "checked" => true,
        "cancelled" => false,
        _ if is_at_work && import.is_stuck => false,
        _ => {
            return Err(Error::Conflict(
                "This file is not ready: check its mapping first.".to_owned(),
            ));
        }
    };
    kept(&import)?;
    if is_at_work {
        return put_to_work(conn, id, import.as_of.unwrap_or(now));
    }
    if from_zero {
        store_parts::forget_refused(conn, id)?;
    }
    store::stand(conn, id, "importing", from_zero, None)?;
    let detail =
        json!({ "kind": import.kind, "file": import.file_name, "rows": import.total_rows });
    audit::record(conn, actor, "import.started", ("import", &id.to_string()), &detail, now)?;
    put_to_work(conn, id, import.as_of.unwrap_or(now))
}

/// Stops the work on a file. A check leads back to its mapping; of an import, what was committed
/// stays.
///
/// # Errors
/// `Conflict` when nobody works on it; the database's.
pub fn cancel(conn: &mut PgConnection, id: Uuid, actor: &Actor, now: DateTime<Utc>) -> Result<()> {
    let import = store::lock(conn, id)?;
    let status = match import.status.as_str() {
        "checking" => "mapping",
        "importing" => "cancelled",
        _ => {
            return Err(Error::Conflict(
                "Nothing is running any more: look at what it came to.".to_owned(),
            ));
        }
    };
    store::stand(conn, id, status, false, (status == "cancelled").then_some(now))?;
    let detail = json!({ "file": import.file_name, "rows": import.done_rows });
    audit::record(conn, actor, "import.cancelled", ("import", &id.to_string()), &detail, now)
}

/// A row of a file as an entry. Its time is the import's, a microsecond more with each line.
#[must_use]
pub fn entry(kind: Kind, import: &Import, row: &Cells) -> Entry {
    let as_of = import.as_of.unwrap_or(import.created_at);
    let line = usize::try_from(row.line).unwrap_or_default();
    if row.is_too_long {
        let text = format!(
            "The row has more than {} MB or {MOST_CELLS} cells. Perhaps a quote in it is never closed.",
            LARGEST_ROW / (1024 * 1024)
        );
        let fault = Fault::whole("record_too_large", text);
        return Entry { line, ids: Vec::new(), read: Err(vec![fault]) };
    }
    match mapping::members(kind, &import.header, &import.mapping, import.clears_blanks, &row.cells)
    {
        Ok(members) => ops::entry(kind, line, &members, as_of),
        Err(fault) => Entry { line, ids: Vec::new(), read: Err(vec![fault]) },
    }
}

/// What one chunk of a file is, and where it stands in it.
pub struct Chunk<'a> {
    /// The import, as it was when the job began.
    pub import: &'a Import,
    /// Rows before this chunk.
    pub before: i64,
    /// Its rows, with their cells.
    pub rows: &'a [(Entry, Vec<String>)],
}

/// Checks or imports a chunk and notes it, all in the caller's transaction. A check tells how the chunk
/// would leave its subjects. None: the work was cancelled, or somebody else went on with it.
///
/// # Errors
/// When the database cannot be talked to now.
pub fn take(
    conn: &mut PgConnection,
    chunk: &Chunk<'_>,
    repeats: &Repeats,
    projections: &[Projection],
) -> Result<Option<Known>> {
    let id = chunk.import.id;
    let now = store::lock(conn, id)?;
    if now.status != chunk.import.status
        || now.done_rows != chunk.before
        || now.as_of != chunk.import.as_of
    {
        return Ok(None);
    }
    let entries: Vec<Entry> = chunk.rows.iter().map(|(entry, _)| entry.clone()).collect();
    let (outcomes, known) = if now.status == "importing" {
        let sender = Sender { source: NO_SOURCE, received_at: now.as_of.unwrap_or(now.created_at) };
        (ops::apply(conn, sender, projections, &entries)?, Known::default())
    } else {
        ops::preview(conn, &entries, repeats.known(), |subject| repeats.came(subject))?
    };
    store_parts::refuse(conn, id, &refused(&outcomes, chunk.rows))?;
    let count = |status| {
        let found = outcomes.iter().filter(|outcome| outcome.status == status).count();
        i64::try_from(found).unwrap_or(i64::MAX)
    };
    let tally = Tally {
        rows: i64::try_from(chunk.rows.len()).unwrap_or(i64::MAX),
        created: count(Status::Created),
        updated: count(Status::Updated),
        unchanged: count(Status::Unchanged),
        rejected: count(Status::Rejected),
    };
    store::add(conn, id, tally)?;
    Ok(Some(known))
}

fn refused(outcomes: &[Outcome], rows: &[(Entry, Vec<String>)]) -> Vec<Refused> {
    let refused =
        outcomes.iter().zip(rows).filter(|(outcome, _)| outcome.status == Status::Rejected);
    refused
        .map(|(outcome, (_, cells))| {
            let messages: Vec<&str> =
                outcome.faults.iter().map(|fault| fault.message.as_str()).collect();
            Refused {
                line: i64::try_from(outcome.line).unwrap_or(i64::MAX),
                message: messages.join(" "),
                // PostgreSQL keeps no NUL, and nobody mends a megabyte by hand.
                cells: cells
                    .iter()
                    .map(|cell| cell.replace('\0', "\u{fffd}").chars().take(LONGEST_CELL).collect())
                    .collect(),
            }
        })
        .collect()
}

/// Characters of a cell that the file of errors keeps: more than any cell that would be taken.
const LONGEST_CELL: usize = 40_000;

/// The last chunk is done: the file is checked, or imported.
///
/// # Errors
/// When the database fails.
pub fn conclude(conn: &mut PgConnection, import: &Import, now: DateTime<Utc>) -> Result<()> {
    let standing = store::lock(conn, import.id)?;
    if standing.status != import.status || standing.as_of != import.as_of {
        return Ok(());
    }
    if standing.status == "checking" {
        return store::stand(conn, import.id, "checked", false, None);
    }
    store::stand(conn, import.id, "done", false, Some(now))?;
    let detail = json!({
        "file": standing.file_name, "kind": standing.kind, "rows": standing.done_rows, "created": standing.created,
        "updated": standing.updated, "unchanged": standing.unchanged, "rejected": standing.rejected,
    });
    let subject = import.id.to_string();
    audit::record(conn, &Actor::system(), "import.finished", ("import", &subject), &detail, now)
}

/// An import whose refused rows somebody takes along: they are people's data.
///
/// # Errors
/// `NotFound`; the database's.
pub fn hand_out_errors(
    conn: &mut PgConnection,
    id: Uuid,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Import> {
    let import = store::find(conn, id)?;
    let detail = json!({ "file": import.file_name, "rows": import.rejected });
    audit::record(conn, actor, "import.errors_taken", ("import", &id.to_string()), &detail, now)?;
    Ok(import)
}
