//! A chunk that failed, taken apart until the event at fault stands alone.
//!
//! Before an event is blamed, a plain one of our own is projected and taken back. When that fails, too,
//! no event is at fault but Ripen or its database (a right that is missing after a restore, a bug of an
//! update): to bury one event after another would empty the journal into the dead letters.

use chrono::{DateTime, Utc};
use diesel::{Connection, PgConnection};
use uuid::Uuid;

use super::chunk::Refusal;
use super::drain::{self, Arrival, Place, Projection};
use super::endpoint::Endpoint;
use super::{parse, store_drain};
use crate::catalog::matching::Catalog;
use crate::error::{Error, Result, caught};
use crate::ids::SourceId;

/// The plainest event that goes through every projection.
const PLAIN: &str = r#"{"batch":[{"type":"track","event":"Ripen Probe","userId":"ripen-probe",
    "messageId":"ripen-probe","context":{"groupId":"ripen-probe"}}]}"#;

/// One attempt to do a chunk in pieces.
pub(super) struct Apart<'a> {
    now: DateTime<Utc>,
    projections: &'a [Projection],
    catalog: &'a Catalog,
    /// Whether a plain event can be projected, once that was tried.
    plain_passes: Option<bool>,
}

impl<'a> Apart<'a> {
    /// To be done with these projections.
    pub(super) fn new(
        now: DateTime<Utc>,
        projections: &'a [Projection],
        catalog: &'a Catalog,
    ) -> Self {
        Self { now, projections, catalog, plain_passes: None }
    }

    /// Projects these, halving them around what fails; tells which of them were left out.
    ///
    /// # Errors
    /// When the database cannot be talked to now, or nothing at all can be projected.
    pub(super) fn by_halves(
        &mut self,
        conn: &mut PgConnection,
        arrivals: &[Arrival<'_>],
    ) -> Result<Vec<Place>> {
        match conn.transaction(|conn| self.project(conn, arrivals)) {
            Ok(left) => Ok(left),
            Err(error) if error.passes() => Err(error),
            Err(error) => match arrivals {
                [] => Err(error),
                [alone] => self.blame(conn, alone, error),
                several => {
                    let (first, second) = several.split_at(several.len() / 2);
                    let mut left = self.by_halves(conn, first)?;
                    left.extend(self.by_halves(conn, second)?);
                    Ok(left)
                }
            },
        }
    }

    fn project(&self, conn: &mut PgConnection, arrivals: &[Arrival<'_>]) -> Result<Vec<Place>> {
        let fresh = drain::remember(conn, self.now, arrivals)?;
        let (catalog, arrivals) = (self.catalog.clone(), arrivals.to_vec());
        caught(|| drain::project(conn, self.now, self.projections, catalog, arrivals, fresh))
    }

    /// Makes the event that cannot be projected a dead letter, unless it is not the event's fault.
    fn blame(
        &mut self,
        conn: &mut PgConnection,
        alone: &Arrival<'_>,
        error: Error,
    ) -> Result<Vec<Place>> {
        if !self.plain_passes(conn, alone.source)? {
            tracing::error!(%error, "no event can be projected: all wait until the cause is mended");
            return Err(error);
        }
        tracing::error!(source = %alone.source, %error, "an event cannot be projected: dead letter");
        let text = "Ripen could not process this event; the cause is in the server's log. Its neighbours \
                    were stored. Replay it once the cause is mended.";
        let (id, at) = (alone.id, alone.received_at);
        // That it is known was taken back with the rest of it; if it is known all the same, it was
        // stored before, and stays known, so that a replay does not store it twice.
        let letter = Refusal::of(id, alone.source, at, &alone.message, "internal", text);
        store_drain::bury(conn, &[letter])?;
        Ok(vec![alone.place])
    }

    /// Whether the plainest event passes; asked once.
    fn plain_passes(&mut self, conn: &mut PgConnection, source: SourceId) -> Result<bool> {
        if let Some(passes) = self.plain_passes {
            return Ok(passes);
        }
        let parsed = parse::body(PLAIN, Endpoint::Batch, self.now, Uuid::nil())
            .map_err(|error| Error::internal(format!("{error:?}")))?;
        let arrivals: Vec<Arrival<'_>> = parsed
            .accepted
            .into_iter()
            .map(|message| Arrival {
                id: Uuid::now_v7(),
                place: (0, 0),
                source,
                received_at: self.now,
                message,
            })
            .collect();
        let mut outcome = Ok(Vec::new());
        let taken_back: Result<()> = conn.transaction(|conn| {
            outcome = self.project(conn, &arrivals);
            Err(Error::internal("never to be kept"))
        });
        let passes = match outcome {
            Err(error) if error.passes() => return Err(error),
            outcome => outcome.is_ok(),
        };
        // What took it back is our own word, or the connection is gone.
        if let Err(error) = taken_back
            && error.passes()
        {
            return Err(error);
        }
        self.plain_passes = Some(passes);
        Ok(passes)
    }
}
