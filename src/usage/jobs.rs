//! Counting the journal again by the catalog in force, as a job.

use std::time::Duration;

use super::{rebuild, reproject, store_days};
use crate::db::Pool;
use crate::error::Result;
use crate::ingest::store_rules::{self, RULES};
use crate::ingest::{store_chunks, store_drain, store_retention, store_status};
use crate::queue::engine::Running;
use crate::{catalog, queue, retention};

/// The kind of the job.
pub const REBUILD: &str = "rebuild";
/// Messages of one transaction: the drainer waits for it.
const EVENTS: i64 = 10_000;
/// The drainer's turn, when something waits for it.
const PAUSE: Duration = Duration::from_millis(50);

/// The payload of the rebuild that follows an update: the version of the rules that it brings.
pub const BRINGS_RULES: &str = "rules";

/// Projects the journal by the rules of this release, when the job is the one of an update, and counts
/// everything in it by the catalog in force. Cut off, it goes on where it was; ended
/// by a person, what it has counted stays. A catalog that changes meanwhile is taken in at once.
///
/// # Errors
/// When the database fails, or the job's lease was lost.
pub fn rebuild(running: &Running<'_>) -> Result<()> {
    let mut done = 0;
    if running.job.payload.get(BRINGS_RULES).is_some() {
        done = bring_rules(running)?;
    }
    loop {
        let now = running.clock.now();
        let step = running.db.tx(Pool::Work, |conn| rebuild::step(conn, now, EVENTS))?;
        if step.chunks == 0 {
            return running.progress(done, Some(done));
        }
        done += step.chunks;
        let (left, pending) = running.db.read(Pool::Work, |conn| {
            let version = catalog::store::current(conn)?.0;
            Ok((store_chunks::waiting(conn, version)?.chunks, store_status::pending(conn)?))
        })?;
        running.progress(done, Some(done + left))?;
        if pending > 0 {
            std::thread::sleep(PAUSE);
        }
    }
}

/// Both passes of [`reproject`]; how many steps were done.
fn bring_rules(running: &Running<'_>) -> Result<i64> {
    let mut done = 0;
    loop {
        let now = running.clock.now();
        let step = running.db.tx(Pool::Work, |conn| reproject::hear(conn, now, EVENTS))?;
        if step.chunks == 0 {
            break;
        }
        done += step.chunks;
        let left = running.db.read(Pool::Work, |conn| store_rules::waiting(conn, RULES))?;
        running.progress(done, Some(done + left))?;
        let_the_drainer(running)?;
    }
    let mut last = None;
    loop {
        let now = running.clock.now();
        last = running.db.tx(Pool::Work, |conn| reproject::place(conn, now, last))?;
        if last.is_none() {
            return Ok(done);
        }
        done += 1;
        running.progress(done, None)?;
        let_the_drainer(running)?;
    }
}

/// The drainer's turn, when something waits for it.
fn let_the_drainer(running: &Running<'_>) -> Result<()> {
    if running.db.read(Pool::Work, store_status::pending)? > 0 {
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// Rows of the default partition that one transaction forgets.
const BATCH: i64 = 20_000;

/// Makes room for the key events of the days to come, and drops the days that are kept no longer.
///
/// # Errors
/// When the database fails, or the job's lease was lost; what was dropped stays so.
pub fn forget(running: &Running<'_>) -> Result<()> {
    let today = running.clock.now().date_naive();
    let from = running.db.tx(Pool::Work, |conn| {
        store_days::make_ahead(conn, today)?;
        retention::store::let_go(conn, today)
    })?;
    for name in running.db.read(Pool::Work, |conn| store_days::old_partitions(conn, from))? {
        running.db.tx(Pool::Work, |conn| store_retention::drop_partition(conn, &name))?;
        running.progress(0, None)?;
    }
    while running.db.tx(Pool::Work, |conn| store_days::forget_default(conn, from, BATCH))? > 0 {
        running.progress(0, None)?;
    }
    for day in running.db.read(Pool::Work, |conn| store_days::unsettled(conn, from))? {
        running.db.tx(Pool::Work, |conn| {
            store_drain::lock(conn)?;
            store_days::settle(conn, day)
        })?;
        running.progress(0, None)?;
    }
    Ok(())
}

/// The rebuild that is under way or waits for its turn.
///
/// # Errors
/// When the database fails.
pub fn under_way(conn: &mut diesel::PgConnection) -> Result<Option<queue::store::Progress>> {
    queue::store::running(conn, REBUILD)
}
