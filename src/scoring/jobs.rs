//! Re-scoring everything: nightly, and after a model was published.

use super::ops::{self, AfterScoring};
use super::store_scores;
use crate::db::Pool;
use crate::error::Result;
use crate::queue::engine::Running;

/// The kind of the job that scores every workspace again.
pub const RESCORE: &str = "rescore";
const BATCH: i64 = 250;

/// Scores every workspace as of today, in the order of ids, with progress. Run again after it was
/// cut off, it starts over: every batch is a transaction of its own and gives the same scores.
///
/// # Errors
/// When the database fails, or the job's lease was lost.
pub fn rescore(running: &Running<'_>, after: AfterScoring) -> Result<()> {
    let total = running.db.read(Pool::Work, store_scores::workspace_count)?;
    let (mut done, mut last) = (0, None);
    loop {
        let ids = running
            .db
            .read(Pool::Work, |conn| store_scores::workspaces_after(conn, last, BATCH))?;
        let Some(newest) = ids.last() else { break };
        let now = running.clock.now();
        running.db.tx(Pool::Work, |conn| ops::rescore(conn, &ids, now, after))?;
        done += i64::try_from(ids.len()).unwrap_or(0);
        last = Some(*newest);
        running.progress(done, Some(total.max(done)))?;
    }
    running.db.tx(Pool::Work, ops::forget_deserted_accounts)?;
    running.progress(done, Some(total.max(done)))
}
