//! The drainer: journal rows become everything else.
//!
//! One transaction a chunk: take the oldest pending rows off the list, read their messages, leave out
//! those that were seen before, run the projections in their order, write dead letters and counts,
//! commit. Killed anywhere it starts again from the last commit, with the same result: nothing outside
//! that transaction remembers anything.
//!
//! A chunk has two halves. Reading and telling new messages from known ones depends on no other chunk
//! and is done beside the chunk before, whose rows are locked and skipped; the projections read what
//! that one wrote, so they wait for its commit (an advisory lock). Two chunks are under way in each
//! server, whatever the number of servers, and none does a row of another.
//!
//! A chunk that fails is taken apart: row by row, and a failing row by halves, until the event that
//! cannot be projected stands alone. It becomes a dead letter with code `internal`; the others go on.
//! Unless nothing can be projected ([`super::apart`]): that is no event's fault, changes nothing and is
//! tried again.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use uuid::Uuid;

use super::apart::Apart;
use super::chunk::{Chunk, Refusal};
use super::meaning::{self, UnknownNames};
use super::measure::{Measure, Measures, minute};
use super::message::Message;
use super::restate::Again;
use super::store_drain::{self, Counts, JournalRow};
use super::{journal, names, payload, restate, store_measures, store_names};
use crate::catalog;
use crate::catalog::matching::Catalog;
use crate::clock::Clock;
use crate::db::{Database, Pool};
use crate::error::{Error, Result, caught};
use crate::ids::SourceId;

/// One feature's part: reads the chunk's events, writes its own tables, and leaves in the chunk what
/// later features need.
pub type Projection = fn(&mut PgConnection, &mut Chunk<'_>) -> Result<()>;

/// How much one transaction takes on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Journal rows, at least 1.
    pub rows: i64,
    /// Events; a single row may hold more.
    pub events: i64,
}

impl Default for Limits {
    /// Some hundred milliseconds of work: the more events of a person or a day meet in a chunk, the
    /// fewer rows are written for them.
    fn default() -> Self {
        Self { rows: 1_000, events: 20_000 }
    }
}

impl Limits {
    /// Whether there may be as much again behind what was done.
    #[must_use]
    pub fn reached_by(&self, done: Step) -> bool {
        let reached = |done: usize, limit: i64| {
            i64::try_from(done).is_ok_and(|done| done.saturating_mul(2) >= limit)
        };
        reached(done.rows, self.rows) || reached(done.events, self.events)
    }
}

/// What became of one attempt to drain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Journal rows done with.
    pub rows: usize,
    /// Events read from them, duplicates included.
    pub events: usize,
}

/// Projects the next chunk; nothing when nothing is pending that nobody else has taken.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Contended`] when the database cannot be talked to now; any other
/// when nothing at all can be projected. Nothing is changed then. Events that cannot be projected are
/// no error: they become dead letters.
pub fn step(
    db: &Database,
    clock: &Clock,
    projections: &[Projection],
    limits: Limits,
) -> Result<Step> {
    db.check_room()?;
    match db.tx(Pool::Work, |conn| whole(conn, clock, projections, limits)) {
        Err(error) if error.passes() => Err(error),
        Err(error) => {
            tracing::error!(%error, "a chunk could not be projected; going through it row by row");
            db.tx(Pool::Work, |conn| by_rows(conn, clock, projections, limits))
        }
        done => done,
    }
}

/// Drains until nothing is pending; tells what was done.
///
/// # Errors
/// As [`step`].
pub fn until_empty(
    db: &Database,
    clock: &Clock,
    projections: &[Projection],
    limits: Limits,
) -> Result<Step> {
    let mut total = Step::default();
    loop {
        let done = step(db, clock, projections, limits)?;
        if done.rows == 0 {
            return Ok(total);
        }
        total.rows = total.rows.saturating_add(done.rows);
        total.events = total.events.saturating_add(done.events);
    }
}

fn whole(
    conn: &mut PgConnection,
    clock: &Clock,
    projections: &[Projection],
    limits: Limits,
) -> Result<Step> {
    let now = clock.now();
    store_drain::begin(conn)?;
    let rows = store_drain::claim(conn, limits.rows, limits.events)?;
    if rows.is_empty() {
        return Ok(Step::default());
    }
    let inflated =
        rows.iter().map(|row| payload::inflate(&row.payload)).collect::<Result<Vec<_>>>()?;
    let (mut arrivals, mut waited) = (Vec::new(), Vec::new());
    for (row, lines) in rows.iter().zip(&inflated) {
        let read = arrivals_of(row, lines)?;
        waited.push((row.source_id, row.received_at, read.len()));
        arrivals.extend(read);
    }
    let step = Step { rows: rows.len(), events: arrivals.len() };
    let fresh = remember(conn, now, &arrivals)?;
    store_drain::wait_for_turn(conn)?;
    let catalog = catalog::ops::load(conn)?;
    let version = catalog.version;
    let left = caught(|| project(conn, now, projections, catalog, arrivals, fresh))?;
    store_drain::log_chunk(conn, version, &rows, &left)?;
    store_measures::add(conn, &lag(&waited, clock.now()))?;
    Ok(step)
}

/// How long these events of these sources, received then, waited until now.
fn lag(waited: &[(SourceId, DateTime<Utc>, usize)], now: DateTime<Utc>) -> Measures {
    let mut measures = Measures::default();
    for (source, received_at, events) in waited {
        let millis = (now - *received_at).num_milliseconds().max(0);
        let events = i64::try_from(*events).unwrap_or(i64::MAX);
        measures.note(*source, Measure::Lag, *received_at, millis, events);
    }
    measures
}

/// As [`whole`], each row and, where needed, each event in a savepoint of its own. What is new is told
/// only within the turn, while another chunk may have told the same before it waits for the turn: the
/// two then wait for each other, PostgreSQL gives one of them up, and it is tried again.
fn by_rows(
    conn: &mut PgConnection,
    clock: &Clock,
    projections: &[Projection],
    limits: Limits,
) -> Result<Step> {
    let now = clock.now();
    store_drain::begin(conn)?;
    let rows = store_drain::claim(conn, limits.rows, limits.events)?;
    store_drain::wait_for_turn(conn)?;
    let mut step = Step { rows: rows.len(), events: 0 };
    if rows.is_empty() {
        return Ok(step);
    }
    let catalog = catalog::ops::load(conn)?;
    let (mut left, mut waited) = (Vec::new(), Vec::new());
    let mut apart = Apart::new(now, projections, &catalog);
    for row in &rows {
        let lines = payload::inflate(&row.payload);
        match lines.as_deref().map_err(Error::internal).and_then(|lines| arrivals_of(row, lines)) {
            Ok(arrivals) => {
                step.events = step.events.saturating_add(arrivals.len());
                waited.push((row.source_id, row.received_at, arrivals.len()));
                left.extend(apart.by_halves(conn, &arrivals)?);
            }
            Err(error) => {
                tracing::error!(journal_id = row.id, %error, "a journal row cannot be read");
                store_drain::bury(conn, &[unreadable(row)])?;
            }
        }
    }
    store_drain::log_chunk(conn, catalog.version, &rows, &left)?;
    store_measures::add(conn, &lag(&waited, clock.now()))?;
    Ok(step)
}

fn unreadable(row: &JournalRow) -> Refusal {
    Refusal {
        id: Uuid::new_v5(&row.source_id.0, format!("journal row {}", row.id).as_bytes()),
        source: row.source_id,
        received_at: row.received_at,
        code: "internal",
        message: "The stored bytes of this request are damaged; they are kept in the journal."
            .to_owned(),
        message_id: None,
        event_name: None,
        person: None,
        raw: format!("{{\"journal_id\":{}}}", row.id),
    }
}

/// Where a message stands: the journal's row, and its place in it, from 0.
pub type Place = (i64, i32);

/// A message as it came out of the journal, new or known.
#[derive(Clone, Debug)]
pub(super) struct Arrival<'a> {
    /// 128 bits of source and messageId: what makes a retry the same event.
    pub(super) id: Uuid,
    pub(super) place: Place,
    pub(super) source: SourceId,
    pub(super) received_at: DateTime<Utc>,
    pub(super) message: Message<'a>,
}

fn arrivals_of<'a>(row: &JournalRow, lines: &'a [u8]) -> Result<Vec<Arrival<'a>>> {
    let (source, received_at) = (row.source_id, row.received_at);
    Ok(journal::read_row(lines, received_at)?
        .into_iter()
        .zip(0..)
        .map(|(message, place)| {
            let id = Uuid::new_v5(&source.0, message.message_id.as_bytes());
            Arrival { id, place: (row.id, place), source, received_at, message }
        })
        .collect())
}

/// The ids of those that were not known before; they are from now on.
pub(super) fn remember(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    arrivals: &[Arrival<'_>],
) -> Result<HashSet<Uuid>> {
    let ids = arrivals.iter().map(|arrival| arrival.id).collect();
    store_drain::remember(conn, ids, now.date_naive())
}

/// All that one chunk does once it is its turn, within the caller's transaction; tells which messages
/// were left out.
pub(super) fn project(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    projections: &[Projection],
    catalog: Catalog,
    arrivals: Vec<Arrival<'_>>,
    mut fresh: HashSet<Uuid>,
) -> Result<Vec<Place>> {
    let mut chunk = Chunk::new(now, catalog);
    let mut counts = Counts::new();
    let mut left = Vec::new();
    let mut known = Vec::new();
    for Arrival { id, place, source, received_at, message } in arrivals {
        if fresh.remove(&id) {
            chunk.admit(id, source, received_at, message);
        } else {
            known.push(Again::of(&mut chunk, id, place, source, received_at, message));
        }
    }
    for again in restate::take(conn, &mut chunk, known)? {
        let count = counts.entry((again.source, minute(again.received_at))).or_default();
        count.0 = count.0.saturating_add(1);
        left.push(again.place);
    }
    let mut sources: Vec<SourceId> = chunk.events.iter().map(|event| event.source).collect();
    sources.sort_unstable();
    sources.dedup();
    let mut unknown = UnknownNames::new(catalog::store::unknown_names(conn, &sources)?);
    meaning::give(&mut chunk, &mut unknown);
    let counted = names::count(&chunk.events);
    for projection in projections {
        projection(conn, &mut chunk)?;
    }
    catalog::store::count_unknown(conn, &unknown.counted())?;
    for letter in &chunk.refused {
        let count = counts.entry((letter.source, minute(letter.received_at))).or_default();
        count.1 = count.1.saturating_add(1);
    }
    store_names::count(conn, &counted)?;
    store_drain::conclude(conn, &chunk, &counts)?;
    Ok(left)
}
