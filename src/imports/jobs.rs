//! The job that checks or imports a file, chunk by chunk.

use chrono::TimeDelta;
use uuid::Uuid;

use super::file::Rows;
use super::ops::{self, Chunk};
use super::repeats::{self, Repeats};
use super::store::{self, Import};
use crate::bulk::kind::Kind;
use crate::bulk::known::Subject;
use crate::bulk::ops::{CHUNK, Entry};
use crate::db::Pool;
use crate::error::{Error, Result};
use crate::ingest::drain::Projection;
use crate::queue::engine::Running;

/// Bytes of the rows of one chunk, in memory; the last one may pass it.
const HEAVY: usize = 4 * 1024 * 1024;
/// Rows whose subjects a check compares, at eight bytes each: more than the largest file of whole records
/// has.
const SURVEYED: usize = 5_000_000;
/// Files are kept so long, and broken uploads.
const KEEP: (TimeDelta, TimeDelta) = (TimeDelta::days(30), TimeDelta::days(1));

/// Checks or imports the file that the job names, from the first row that is not done yet. Killed at
/// any moment, it goes on after the last committed chunk.
///
/// # Errors
/// When the database fails, or the job's lease was lost.
pub fn run(running: &Running<'_>, projections: &[Projection]) -> Result<()> {
    let id: Uuid = running
        .job
        .payload
        .get("import")
        .and_then(|id| id.as_str()?.parse().ok())
        .ok_or_else(|| Error::internal("an import job without an import"))?;
    let import = match running.db.read(Pool::Work, |conn| store::find(conn, id)) {
        Ok(import) => import,
        Err(Error::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    let is_at_work = matches!(import.status.as_str(), "checking" | "importing");
    let Some(kind) = Kind::named(&import.kind).filter(|_| is_at_work) else { return Ok(()) };
    let is_check = import.status == "checking";
    let mut import = import;
    let mut repeats = Repeats::default();
    if is_check {
        // Counts from zero: what the rows before would do is not remembered.
        running.db.tx(Pool::Work, |conn| {
            store::lock(conn, id)?;
            store::stand(conn, id, "checking", true, None)
        })?;
        import.done_rows = 0;
        let total;
        (total, repeats) = survey(running, kind, &import)?;
        running.db.tx(Pool::Work, |conn| store::count(conn, id, total))?;
        import.total_rows = Some(total);
    }
    let mut rows = Rows::of(running.db, &import)?;
    for _ in 0..import.done_rows {
        rows.next_row()?;
    }
    let mut done = import.done_rows;
    loop {
        let chunk = next_chunk(&mut rows, kind, &import)?;
        if chunk.is_empty() {
            break;
        }
        running.db.check_room()?;
        let taken = running.db.tx(Pool::Work, |conn| {
            let chunk = Chunk { import: &import, before: done, rows: &chunk };
            ops::take(conn, &chunk, &repeats, projections)
        })?;
        let Some(known) = taken else { return Ok(()) };
        repeats.go_on(chunk.iter().filter_map(|(entry, _)| subject(entry)), known);
        done = done.saturating_add(i64::try_from(chunk.len()).unwrap_or(i64::MAX));
        running.progress(done, import.total_rows)?;
    }
    let now = running.clock.now();
    running.db.tx(Pool::Work, |conn| ops::conclude(conn, &import, now))
}

/// The next rows, as many as one transaction takes; fewer where they are long.
fn next_chunk(rows: &mut Rows, kind: Kind, import: &Import) -> Result<Vec<(Entry, Vec<String>)>> {
    let (mut chunk, mut weight) = (Vec::new(), 0_usize);
    while chunk.len() < CHUNK && weight < HEAVY {
        let Some(row) = rows.next_row()? else { break };
        weight = weight.saturating_add(row.weight());
        chunk.push((ops::entry(kind, import, &row), row.cells));
    }
    Ok(chunk)
}

fn subject(entry: &Entry) -> Option<Subject> {
    entry.read.as_ref().ok().and_then(Subject::of)
}

/// How many rows there are, and which subjects come more than once: only these have to be remembered
/// from chunk to chunk.
fn survey(running: &Running<'_>, kind: Kind, import: &Import) -> Result<(i64, Repeats)> {
    let (mut total, mut subjects) = (0_i64, Vec::new());
    let mut rows = Rows::of(running.db, import)?;
    while let Some(row) = rows.next_row()? {
        total = total.saturating_add(1);
        let found = subject(&ops::entry(kind, import, &row));
        subjects.extend(found.filter(|_| subjects.len() < SURVEYED).as_ref().map(repeats::hash));
        if total % 20_000 == 0 {
            running.progress(0, None)?;
        }
    }
    Ok((total, Repeats::of(subjects)))
}

/// Forgets old files.
///
/// # Errors
/// When the database fails.
pub fn forget(running: &Running<'_>) -> Result<()> {
    let now = running.clock.now();
    running.db.tx(Pool::Work, |conn| store::forget(conn, now - KEEP.0, now - KEEP.1))
}
