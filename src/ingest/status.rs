//! How ingestion is doing, in the words of the API.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::store_status::Totals;

/// `GET /api/v1/ingest/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Events acknowledged since the beginning, duplicates included.
    pub accepted: i64,
    /// Of these, events that were known already.
    pub duplicates: i64,
    /// Events refused.
    pub rejected: i64,
    /// Events acknowledged and not yet projected.
    pub pending: i64,
    /// Age of the oldest pending event; 0 without one.
    pub lag_ms: i64,
    /// Everything received up to here is projected; null before the first event.
    pub last_processed_at: Option<DateTime<Utc>>,
    /// Dead letters that wait for a person.
    pub dead_letters: i64,
    /// Alerts that stand: a silent source, too many refusals, lag.
    pub alerts: i64,
    /// Everything acknowledged is projected.
    pub drained: bool,
    /// Everything acknowledged is projected and every workspace it touched has its score.
    pub settled: bool,
}

impl Status {
    /// As of `now`.
    #[must_use]
    pub fn of(totals: &Totals, now: DateTime<Utc>) -> Self {
        let lag =
            totals.oldest_pending_at.map_or(0, |oldest| (now - oldest).num_milliseconds().max(0));
        let drained = totals.pending == 0 && totals.oldest_pending_at.is_none();
        Self {
            accepted: totals.accepted,
            duplicates: totals.duplicates,
            rejected: totals.rejected,
            pending: totals.pending,
            lag_ms: lag,
            last_processed_at: totals.processed_to,
            dead_letters: totals.dead_letters,
            alerts: totals.alerts,
            drained,
            settled: drained && !totals.scoring,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settled_means_projected_and_scored() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let mut totals = Totals {
            accepted: 10,
            duplicates: 1,
            rejected: 2,
            pending: 3,
            oldest_pending_at: Some(now - chrono::TimeDelta::milliseconds(1500)),
            processed_to: None,
            dead_letters: 2,
            alerts: 0,
            scoring: true,
        };
        let status = Status::of(&totals, now);
        assert_eq!((status.lag_ms, status.drained, status.settled), (1500, false, false));
        (totals.pending, totals.oldest_pending_at) = (0, None);
        let status = Status::of(&totals, now);
        assert_eq!((status.lag_ms, status.drained, status.settled), (0, true, false));
        totals.scoring = false;
        assert!(Status::of(&totals, now).settled);
    }
}
