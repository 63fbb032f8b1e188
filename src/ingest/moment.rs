//! Which of two statements about one thing is the newer one.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// Microseconds from 1970 to 2000: sequence numbers count from there, so that they fit into 64 bits.
const BASE: i64 = 946_684_800_000_000;
/// Items of one request that have numbers of their own; more than a batch may hold.
const ITEMS: i64 = 4_096;

/// When something was said. Of two statements about one thing the one of the greater moment is the newer:
/// the later event, of equal times the later receipt, and within one request the later item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// The time of the event.
    pub at: DateTime<Utc>,
    /// Its place among events of the same time ([`seq`]); 0 in rows that are older than these numbers.
    pub seq: i64,
}

impl Moment {
    /// A statement of an event at `at` with this sequence number.
    #[must_use]
    pub const fn new(at: DateTime<Utc>, seq: i64) -> Self {
        Self { at, seq }
    }

    /// As it is kept beside a trait: microseconds since 1970, and the sequence number unless it is 0.
    #[must_use]
    pub fn to_json(self) -> Value {
        let at = self.at.timestamp_micros();
        if self.seq == 0 { json!(at) } else { json!([at, self.seq]) }
    }

    /// Reads back what [`Moment::to_json`] wrote; none for anything else.
    #[must_use]
    pub fn from_json(kept: &Value) -> Option<Self> {
        let (at, seq) = match kept {
            Value::Array(both) => match both.as_slice() {
                [at, seq] => (at.as_i64()?, seq.as_i64()?),
                _ => return None,
            },
            one => (one.as_i64()?, 0),
        };
        Some(Self { at: DateTime::from_timestamp_micros(at)?, seq })
    }
}

impl From<DateTime<Utc>> for Moment {
    /// A statement whose receipt is not known: older than every other one of its time.
    fn from(at: DateTime<Utc>) -> Self {
        Self { at, seq: 0 }
    }
}

/// The sequence number of an item: greater for a later receipt, and within one request for a later item.
/// Never 0 for a receipt of today.
#[must_use]
pub fn seq(received_at: DateTime<Utc>, item: usize) -> i64 {
    let since = received_at.timestamp_micros().saturating_sub(BASE).max(0);
    let item = i64::try_from(item).unwrap_or(i64::MAX).min(ITEMS - 1);
    since.saturating_mul(ITEMS).saturating_add(item)
}

/// The sequence number of line `line` of a file or a body of records, which may have millions: each line
/// counts as received a microsecond after the one before.
#[must_use]
pub fn seq_of_line(received_at: DateTime<Utc>, line: u64) -> i64 {
    let later = TimeDelta::microseconds(i64::try_from(line).unwrap_or(i64::MAX));
    seq(received_at.checked_add_signed(later).unwrap_or(received_at), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_later_event_then_the_later_receipt_then_the_later_item_is_newer() {
        let (one, other) = (at("2026-11-20T10:00:00Z"), at("2026-11-20T10:00:00.000001Z"));
        let moment = |event, receipt, item| Moment::new(event, seq(receipt, item));
        assert!(moment(other, one, 0) > moment(one, other, 2_499));
        assert!(moment(one, other, 0) > moment(one, one, 2_499));
        assert!(moment(one, one, 1) > moment(one, one, 0));
        assert!(moment(one, one, 0) > Moment::from(one));
        assert!(seq_of_line(one, 5_000_000) > seq_of_line(one, 4_999_999));
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let first = at("2026-11-20T10:00:00.123456Z");
        for moment in [Moment::from(first), Moment::new(first, seq(first, 7))] {
            assert_eq!(Moment::from_json(&moment.to_json()), Some(moment));
        }
        for other in [json!("x"), json!([1]), json!([1, "x"]), json!(null)] {
            assert_eq!(Moment::from_json(&other), None);
        }
    }

    #[test]
    fn numbers_fit_for_decades_and_never_panic() {
        assert!(seq(at("2070-01-01T00:00:00Z"), usize::MAX) > seq(at("2069-12-31T00:00:00Z"), 0));
        assert_eq!(seq(DateTime::<Utc>::MIN_UTC, 0), 0);
        assert_eq!(seq(DateTime::<Utc>::MAX_UTC, usize::MAX), i64::MAX);
        assert!(seq_of_line(DateTime::<Utc>::MAX_UTC, u64::MAX) > 0);
    }
}
