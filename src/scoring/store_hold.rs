//! Holding the scorer back while a history is loaded: half a history makes half a score, and nobody
//! should be called because of that.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::store_scores::SCORER_LOCK;
use crate::config::DatabaseUrl;
use crate::error::{Error, Result};

/// While this lives no server scores anything; what is touched meanwhile waits. Dropped, or with its
/// process killed, it lets go: it is a lock of a connection of its own.
pub struct Hold(
    #[allow(dead_code, reason = "the lock lives as long as its connection")] PgConnection,
);

impl Hold {
    /// Waits for the batch that is being scored, then holds.
    ///
    /// # Errors
    /// When the database fails.
    pub fn take(url: &DatabaseUrl) -> Result<Self> {
        let unreachable = |error| Error::Unavailable(5, format!("no connection: {error}"));
        let mut conn = PgConnection::establish(url.expose()).map_err(unreachable)?;
        diesel::sql_query("select pg_advisory_lock($1)")
            .bind::<BigInt, _>(SCORER_LOCK)
            .execute(&mut conn)?;
        Ok(Self(conn))
    }
}
