//! When an event happened, by the server's clock. All numbers here are microseconds since 1970.

use chrono::NaiveDate;

/// `sentAt` and the receipt may differ by that much before the sender's clock is taken for wrong: below,
/// it is the network that is slow, or a request that was sent again.
const SKEW: i64 = 5 * 60 * 1_000_000;
/// An event may lie ahead of its receipt by that much.
const AHEAD_LIMIT: i64 = SKEW;
/// 2000-01-01: before it no product sent events; the clock is unset, or the field empty.
const FLOOR: i64 = 946_684_800_000_000;

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

/// An instant in ISO 8601, as SDKs and people write it: one or two digits for month, day and hour
/// (`2015-2-02T…` stands in the SDKs' own documentation), `T` or a space, seconds optional, any
/// number of fraction digits (cut to microseconds), `Z` or an offset; UTC without one; midnight
/// without a time. None for anything else.
pub fn instant(text: &str) -> Option<i64> {
    let mut read = Read(text.trim().as_bytes());
    let year = read.number(4, 4)?;
    read.one_of(b"-")?;
    let month = read.number(1, 2)?;
    read.one_of(b"-")?;
    let day = read.number(1, 2)?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let (mut hour, mut minute, mut second, mut micros, mut offset) = (0, 0, 0, 0, 0);
    if read.one_of(b"Tt ").is_some() {
        hour = read.number(1, 2)?;
        read.one_of(b":")?;
        minute = read.number(2, 2)?;
        if read.one_of(b":").is_some() {
            // A leap second counts as the second before it.
            second = read.number(2, 2).filter(|second| *second <= 60)?.min(59);
            if read.one_of(b".,").is_some() {
                micros = read.fraction();
            }
        }
        offset = read.offset()?;
    }
    read.0.is_empty().then_some(())?;
    let local = date.and_hms_micro_opt(hour, minute, second, micros)?;
    local.and_utc().timestamp_micros().checked_sub(offset)
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

struct Read<'a>(&'a [u8]);

impl Read<'_> {
    fn one_of(&mut self, wanted: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        wanted.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    fn digit(&mut self) -> Option<u32> {
        let (first, rest) = self.0.split_first()?;
        let digit = char::from(*first).to_digit(10)?;
        self.0 = rest;
        Some(digit)
    }

    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let (mut number, mut count) = (0_u32, 0);
        while count < most
            && let Some(digit) = self.digit()
        {
            number = number.saturating_mul(10).saturating_add(digit);
            count = count.saturating_add(1);
        }
        (count >= least).then_some(number)
    }

    fn fraction(&mut self) -> u32 {
        let (mut micros, mut unit) = (0_u32, 100_000);
        while let Some(digit) = self.digit() {
            micros = micros.saturating_add(digit.saturating_mul(unit));
            unit /= 10;
        }
        micros
    }

    fn offset(&mut self) -> Option<i64> {
        let sign = match self.one_of(b"Zz+-") {
            None | Some(b'Z' | b'z') => return Some(0),
            Some(b'-') => -1,
            Some(_) => 1,
        };
        let hours = self.number(2, 2).filter(|hours| *hours < 24)?;
        self.one_of(b":");
        let minutes = if self.0.is_empty() { 0 } else { self.number(2, 2)? };
        let minutes = i64::from(hours).saturating_mul(60).saturating_add(i64::from(minutes));
        Some(minutes.saturating_mul(sign * 60_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use proptest::prelude::*;

    fn strict(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
    }

    #[test]
    fn every_form_of_the_captures_and_the_documentation_is_read() {
        for (given, same) in [
            ("2026-11-20T10:52:37.378Z", "2026-11-20T10:52:37.378Z"),
            ("2026-11-20T10:52:30.787244+00:00", "2026-11-20T10:52:30.787244Z"),
            ("2026-11-20T10:53:44.804474449Z", "2026-11-20T10:53:44.804474Z"),
            ("2026-11-20T12:53:44+02:00", "2026-11-20T10:53:44Z"),
            ("2026-11-20T05:23:44-0530", "2026-11-20T10:53:44Z"),
            ("2026-11-20T12:53:44+02", "2026-11-20T10:53:44Z"),
            ("2015-2-02T00:30:08.276Z", "2015-02-02T00:30:08.276Z"),
            ("2015-2-2 0:30", "2015-02-02T00:30:00Z"),
            ("2015-02-02", "2015-02-02T00:00:00Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            (" 2015-02-02t10:00:00,5z ", "2015-02-02T10:00:00.5Z"),
        ] {
            assert_eq!(instant(given), Some(strict(same)), "{given}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "yesterday",
            "2026",
            "2026-13-01",
            "2026-02-30T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "1700000000000",
            "2026-01-01T10:00:00+99:00",
            "2026-01-01T10:00:00Zjunk",
            "20-1-1",
            "2026-01-01T",
            "2026-01-01T10",
            "Fri Nov 20 2026 10:00:00 GMT",
            "2026-01-01T10:00:61Z",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
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

    proptest! {
        #[test]
        fn never_panics(text in ".*", near in "[0-9T:.+Z -]{0,40}") {
            instant(&text);
            instant(&near);
        }

        #[test]
        fn agrees_with_chrono(seconds in 0_i64..4_000_000_000, micros in 0_u32..1_000_000) {
            let time = DateTime::from_timestamp(seconds, micros * 1000).unwrap();
            prop_assert_eq!(instant(&time.to_rfc3339()), Some(time.timestamp_micros()));
        }
    }
}
