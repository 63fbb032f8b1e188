//! When an event happened, by the server's clock. All numbers here are microseconds since 1970.

use chrono::NaiveDate;

/// A clock may be ahead by that much before it is not believed.
const AHEAD_LIMIT: i64 = 24 * 60 * 60 * 1_000_000;

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

/// `received - (sent - original)`: the event's time by the server's clock, and whether it lay more
/// than 24 h ahead of the receipt and was set to the receipt. Without `sent` the original counts as
/// it is, without `original` the receipt. None when the result lies before 1970: no product sent
/// events then, it is an unset clock or an empty field (`0001-01-01`).
pub fn corrected(original: Option<i64>, sent: Option<i64>, received: i64) -> Option<(i64, bool)> {
    let at = match (original, sent) {
        (None, _) => received,
        (Some(original), None) => original,
        (Some(original), Some(sent)) => received.saturating_sub(sent.saturating_sub(original)),
    };
    if at < 0 {
        None
    } else if at > received.saturating_add(AHEAD_LIMIT) {
        Some((received, true))
    } else {
        Some((at, false))
    }
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

    #[test]
    fn the_clock_is_corrected_by_the_time_of_sending() {
        let day = AHEAD_LIMIT;
        let now = strict("2026-11-20T10:00:00Z");
        assert_eq!(corrected(None, Some(5), now), Some((now, false)));
        assert_eq!(corrected(Some(5), None, now), Some((5, false)));
        // The client's clock is 10 days fast: 3 s before sending stays 3 s before the receipt.
        let sent = now + 10 * day;
        assert_eq!(corrected(Some(sent - 3), Some(sent), now), Some((now - 3, false)));
        assert_eq!(
            corrected(Some(now - 400 * day), Some(now), now),
            Some((now - 400 * day, false))
        );
        assert_eq!(corrected(Some(now + day), None, now), Some((now + day, false)));
        assert_eq!(corrected(Some(now + day + 1), None, now), Some((now, true)));
        assert_eq!(corrected(Some(strict("0001-01-01T00:00:00Z")), None, now), None);
        assert_eq!(corrected(Some(i64::MIN), Some(i64::MAX), now), None);
        assert_eq!(corrected(Some(i64::MAX), Some(i64::MIN), now), Some((now, true)));
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
