//! When an event happened, by the server's clock. All numbers here are microseconds since 1970.

use crate::values::time::FLOOR;

/// `sentAt` and the receipt may differ by that much before the sender's clock is taken for wrong: below,
/// it is the network that is slow, or a request that was sent again.
const SKEW: i64 = 5 * 60 * 1_000_000;
/// An event may lie ahead of its receipt by that much.
const AHEAD_LIMIT: i64 = SKEW;

/// When an event happened, and what had to be decided about that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Corrected {
    /// The event's time by the server's clock.
    pub at: i64,
    /// It lay ahead of the receipt, which was taken instead.
    pub is_ahead: bool,
    /// It lay before 2000; the receipt was taken instead.
    pub is_unset: bool,
}

/// The event's time by the server's clock: `received - (sent - original)` when `sent` and `received`
/// differ by more than 5 minutes, else the sender's own time, so that events of one sender keep their
/// order whichever request carries them. Without `original` it is the receipt. A time before 2000 or
/// more than 5 minutes ahead of the receipt is the receipt, and noted.
#[must_use]
pub fn corrected(original: Option<i64>, sent: Option<i64>, received: i64) -> Corrected {
    let is_wrong = |sent: &i64| received.abs_diff(*sent) > SKEW.unsigned_abs();
    let at = match (original, sent.filter(is_wrong)) {
        (None, _) => received,
        (Some(original), None) => original,
        (Some(original), Some(sent)) => received.saturating_sub(sent.saturating_sub(original)),
    };
    let is_unset = at < FLOOR;
    let is_ahead = at > received.saturating_add(AHEAD_LIMIT);
    Corrected { at: if is_unset || is_ahead { received } else { at }, is_ahead, is_unset }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn strict(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
    }

    const SECOND: i64 = 1_000_000;
    const DAY: i64 = 24 * 60 * 60 * SECOND;

    fn exact(at: i64) -> Corrected {
        Corrected { at, ..Corrected::default() }
    }

    #[test]
    fn a_wrong_clock_is_corrected_by_the_time_of_sending() {
        let now = strict("2026-11-20T10:00:00Z");
        assert_eq!(corrected(None, Some(5), now), exact(now));
        // The client's clock is 10 days fast or slow: 3 s before sending stays 3 s before the receipt.
        for sent in [now + 10 * DAY, now - 10 * DAY, now + SKEW + 1, now - SKEW - 1, 0] {
            assert_eq!(corrected(Some(sent - 3), Some(sent), now), exact(now - 3));
        }
        let history = now - 400 * DAY;
        assert_eq!(corrected(Some(history), Some(now), now), exact(history));
        assert_eq!(corrected(Some(history), None, now), exact(history));
    }

    #[test]
    fn a_slow_network_and_a_retry_move_no_event() {
        let now = strict("2026-11-20T10:00:00Z");
        for late in [0, 1, 40_000, 30 * SECOND, SKEW] {
            for sent in [now - late, now + late] {
                assert_eq!(corrected(Some(now - 3), Some(sent), now), exact(now - 3));
            }
        }
        // Two events a millisecond apart, in requests that took 0.8 s and no time at all.
        let first = corrected(Some(now), Some(now), now + 800_000).at;
        let second = corrected(Some(now + 1_000), Some(now + 1_000), now + 1_000).at;
        assert_eq!(second - first, 1_000);
    }

    #[test]
    fn a_time_that_cannot_be_is_the_receipt() {
        let now = strict("2026-11-20T10:00:00Z");
        let ahead = Corrected { at: now, is_ahead: true, is_unset: false };
        let unset = Corrected { at: now, is_ahead: false, is_unset: true };
        assert_eq!(corrected(Some(now + SKEW), None, now), exact(now + SKEW));
        assert_eq!(corrected(Some(now + SKEW + 1), None, now), ahead);
        for early in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1999-12-31T23:59:59.999999Z"]
        {
            assert_eq!(corrected(Some(strict(early)), None, now), unset, "{early}");
        }
        assert_eq!(corrected(Some(FLOOR), None, now), exact(FLOOR));
        assert_eq!(corrected(Some(i64::MIN), Some(i64::MAX), now), unset);
        assert_eq!(corrected(Some(i64::MAX), Some(i64::MIN), now), ahead);
    }
}
