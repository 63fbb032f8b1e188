//! The job that checks or imports a file, chunk by chunk.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::TimeDelta;
use uuid::Uuid;

use super::file::Rows;
use super::ops::{self, Chunk};
use super::store::{self, Import};
use crate::bulk::kind::Kind;
use crate::bulk::known::{Known, Subject};
use crate::bulk::ops::{CHUNK, Entry};
use crate::db::Pool;
use crate::error::{Error, Result};
use crate::ingest::drain::Projection;
use crate::queue::engine::Running;

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
    let mut again = HashSet::new();
    if is_check {
        // Counts from zero: what the rows before would do is not remembered.
        running.db.tx(Pool::Work, |conn| {
            store::lock(conn, id)?;
            store::stand(conn, id, "checking", true, None)
        })?;
        import.done_rows = 0;
        let total;
        (total, again) = survey(running, kind, &import)?;
        running.db.tx(Pool::Work, |conn| store::count(conn, id, total))?;
        import.total_rows = Some(total);
    }
    let mut rows = Rows::of(running.db, &import)?;
    for _ in 0..import.done_rows {
        rows.next_row()?;
    }
    let (mut done, mut earlier) = (import.done_rows, Known::default());
    loop {
        let chunk = next_chunk(&mut rows, kind, &import)?;
        if chunk.is_empty() {
            break;
        }
        running.db.check_room()?;
        let taken = running.db.tx(Pool::Work, |conn| {
            let mut known = earlier.clone();
            let chunk = Chunk { import: &import, before: done, rows: &chunk };
            let taken = ops::take(conn, &chunk, &mut known, projections)?;
            Ok((taken, known))
        })?;
        if !taken.0 {
            return Ok(());
        }
        earlier = taken.1;
        earlier.keep(|subject| again.contains(&hash(subject)));
        done = done.saturating_add(i64::try_from(chunk.len()).unwrap_or(i64::MAX));
        running.progress(done, import.total_rows)?;
    }
    let now = running.clock.now();
    running.db.tx(Pool::Work, |conn| ops::conclude(conn, &import, now))
}

fn next_chunk(rows: &mut Rows, kind: Kind, import: &Import) -> Result<Vec<(Entry, Vec<String>)>> {
    let mut chunk = Vec::new();
    while chunk.len() < CHUNK {
        let Some(row) = rows.next_row()? else { break };
        chunk.push((ops::entry(kind, import, row.line, &row.cells), row.cells));
    }
    Ok(chunk)
}

fn hash(subject: &Subject) -> u64 {
    let mut hasher = DefaultHasher::new();
    subject.hash(&mut hasher);
    hasher.finish()
}

/// How many rows there are, and which subjects come more than once: only these have to be remembered
/// from chunk to chunk.
fn survey(running: &Running<'_>, kind: Kind, import: &Import) -> Result<(i64, HashSet<u64>)> {
    let (mut total, mut seen, mut again) = (0_i64, HashSet::new(), HashSet::new());
    let mut rows = Rows::of(running.db, import)?;
    while let Some(row) = rows.next_row()? {
        total = total.saturating_add(1);
        let entry = ops::entry(kind, import, row.line, &row.cells);
        if let Some(subject) = entry.read.ok().as_ref().and_then(Subject::of) {
            let subject = hash(&subject);
            if !seen.insert(subject) {
                again.insert(subject);
            }
        }
        if total % 20_000 == 0 {
            running.progress(0, None)?;
        }
    }
    Ok((total, again))
}

/// Forgets old files.
///
/// # Errors
/// When the database fails.
pub fn forget(running: &Running<'_>) -> Result<()> {
    let now = running.clock.now();
    running.db.tx(Pool::Work, |conn| store::forget(conn, now - KEEP.0, now - KEEP.1))
}
