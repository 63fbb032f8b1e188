//! The projections over a chunk without events: what follows when people decide who is who.

use chrono::{DateTime, Utc};
use diesel::PgConnection;

use super::chunk::Chunk;
use super::drain::Projection;
use super::store_drain::{self, Counts};
use crate::catalog;
use crate::error::Result;

/// Makes `change` in the caller's transaction while nothing is drained, and whatever it left in the
/// chunk goes through the projections as if events had said it: usage is placed anew, workspaces are
/// touched and weighed. Waits for the chunk that is being drained now.
///
/// # Errors
/// Those of `change`; the database's.
pub fn settle<T>(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    projections: &[Projection],
    change: impl FnOnce(&mut PgConnection, &mut Chunk<'_>) -> Result<T>,
) -> Result<T> {
    store_drain::lock(conn)?;
    let mut chunk = Chunk::new(now, catalog::ops::load(conn)?);
    let done = change(conn, &mut chunk)?;
    for projection in projections {
        projection(conn, &mut chunk)?;
    }
    store_drain::conclude(conn, &chunk, &Counts::new())?;
    Ok(done)
}
