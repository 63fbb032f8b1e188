//! Points in time. Numbers of this module are microseconds since 1970 unless they say otherwise.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::Value;

use super::text::{trimmed, without_formula};

/// 2000-01-01: no product sent anything before, it is an unset clock, an empty field or a misread one.
pub const FLOOR: i64 = 946_684_800_000_000;
/// The last microsecond of the year 9999, beyond which databases and languages disagree.
const CEILING: i64 = 253_402_300_799_999_999;
/// Days between 1899-12-30, from which spreadsheets count, and 1970-01-01.
const SPREADSHEET: i64 = 25_569;
const DAY: i64 = 86_400_000_000;

/// Why a value is no point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing that reads as a time.
    NoTime,
    /// A time before [`FLOOR`].
    TooEarly,
    /// A year or a month without a day.
    NoDay,
}

impl Fault {
    /// What is wrong and how to write it, as the end of a sentence that begins with the value.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::NoTime => "is no time. Write it as 2026-11-20 or 2026-11-20T10:00:00Z.",
            Self::TooEarly => {
                "is a time before 2000-01-01: an unset clock, an empty field or another unit. Write it as 2026-11-20 or 2026-11-20T10:00:00Z."
            }
            Self::NoDay => "names no day. Write it as 2026-11-20 or 2026-11-20T10:00:00Z.",
        }
    }
}

/// A point in time from 2000 to 9999, to the microsecond: ISO 8601 as [`instant`] reads it, `20261120`,
/// `20261120103000`, seconds, milliseconds, microseconds or nanoseconds since 1970 by their size, or a
/// spreadsheet's count of days. Numbers and texts mean the same.
///
/// # Errors
/// Why it is none.
pub fn time(value: &Value) -> Result<DateTime<Utc>, Fault> {
    let micros = match value {
        Value::String(text) => of_text(text)?,
        Value::Number(number) => of_number(&number.to_string())?,
        _ => return Err(Fault::NoTime),
    };
    DateTime::from_timestamp_micros(micros).ok_or(Fault::NoTime)
}

/// As [`time`], for a text or the text of a number.
///
/// # Errors
/// As [`time`].
pub fn of_text(text: &str) -> Result<i64, Fault> {
    let text = without_formula(trimmed(text));
    let text = text.strip_prefix('\'').unwrap_or(text);
    match instant(text) {
        Some(micros) => bounded(micros),
        None if is_month(text) => Err(Fault::NoDay),
        None => of_number(text),
    }
}

/// What a client's clock says, of any year, so that a wrong one can be corrected; a number before
/// [`FLOOR`] is 1970. None for what is no time.
#[must_use]
pub fn of_clock(text: &str) -> Option<i64> {
    instant(text).or_else(|| match of_text(text) {
        Ok(micros) => Some(micros),
        Err(Fault::TooEarly) => Some(0),
        Err(Fault::NoTime | Fault::NoDay) => None,
    })
}

fn bounded(micros: i64) -> Result<i64, Fault> {
    match micros {
        ..FLOOR => Err(Fault::TooEarly),
        FLOOR..=CEILING => Ok(micros),
        _ => Err(Fault::NoTime),
    }
}

/// `2026-11`.
fn is_month(text: &str) -> bool {
    let Some((year, month)) = text.split_once(['-', '/']) else { return false };
    let is =
        |part: &str, many: usize| part.len() == many && part.bytes().all(|b| b.is_ascii_digit());
    is(year, 4) && is(month, 2)
}

/// What a bare number says by its size.
fn of_number(text: &str) -> Result<i64, Fault> {
    let is_exponent = text.contains(['e', 'E']);
    let written;
    let text = if is_exponent {
        // `1.7e12`, as JSON of large doubles may have it.
        let double: f64 = text.parse().map_err(|_| Fault::NoTime)?;
        written = format!("{double}");
        written.as_str()
    } else {
        text
    };
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !are_digits(whole) || !are_digits(fraction) {
        return Err(Fault::NoTime);
    }
    let number: i64 = whole.parse().map_err(|_| Fault::NoTime)?;
    if is_negative {
        return Err(Fault::TooEarly);
    }
    if fraction.bytes().all(|byte| byte == b'0')
        && let Some(micros) = digits_of_a_day(whole)
    {
        return bounded(micros);
    }
    match number {
        1900..=2199 => Err(Fault::NoDay),
        // Days: 2000-01-01 to 2099-12-31. Seconds of that size are hours after 1970.
        36_526..=73_050 => {
            let micros = number.saturating_sub(SPREADSHEET).saturating_mul(DAY);
            bounded(to_the_second(micros.saturating_add(part(fraction, DAY))))
        }
        ..946_684_800 => Err(Fault::TooEarly),
        946_684_800..=253_402_300_799 => {
            bounded(number.saturating_mul(1_000_000).saturating_add(part(fraction, 1_000_000)))
        }
        946_684_800_000..=253_402_300_799_999 => {
            bounded(number.saturating_mul(1000).saturating_add(part(fraction, 1000)))
        }
        946_684_800_000_000..=253_402_300_799_999_999 => bounded(number),
        946_684_800_000_000_000.. => bounded(number / 1000),
        _ => Err(Fault::TooEarly),
    }
}

/// A fraction's digits of so many microseconds.
fn part(fraction: &str, unit: i64) -> i64 {
    let digits = fraction.get(..fraction.len().min(9)).unwrap_or_default();
    let (mut micros, mut of) = (0_i64, 1_i64);
    for digit in digits.bytes() {
        micros = micros.saturating_mul(10).saturating_add(i64::from(digit.saturating_sub(b'0')));
        of = of.saturating_mul(10);
    }
    i64::try_from(i128::from(micros).saturating_mul(i128::from(unit)) / i128::from(of)).unwrap_or(0)
}

/// A spreadsheet's fraction of a day is a double: to the nearest second.
const fn to_the_second(micros: i64) -> i64 {
    const SECOND: i64 = 1_000_000;
    micros.saturating_add(SECOND / 2).div_euclid(SECOND).saturating_mul(SECOND)
}

/// `20261120`, `202611201030` and `20261120103000`.
fn digits_of_a_day(text: &str) -> Option<i64> {
    let at = match text.len() {
        8 => NaiveDate::parse_from_str(text, "%Y%m%d").ok()?.and_hms_opt(0, 0, 0)?,
        12 => NaiveDateTime::parse_from_str(&format!("{text}00"), "%Y%m%d%H%M%S").ok()?,
        14 => NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S").ok()?,
        _ => return None,
    };
    // As seconds or milliseconds such a number lies thousands of years ahead.
    let is_near = (1900..2200).contains(&chrono::Datelike::year(&at.date()));
    is_near.then(|| at.and_utc().timestamp_micros())
}

/// An instant in ISO 8601, as SDKs and people write it: one or two digits for month, day and hour
/// (`2015-2-02T…` stands in the SDKs' own documentation), `-` or `/` between them or `20261120T103000`,
/// `T` or a space, seconds optional, any number of fraction digits (cut to microseconds), `Z`, `UTC`,
/// `GMT` or an offset with or without minutes; UTC without one; midnight without a time. Of any year.
/// None for anything else.
#[must_use]
pub fn instant(text: &str) -> Option<i64> {
    let mut read = Read(trimmed(text).as_bytes());
    let year = read.number(4, 4)?;
    let mark = read.one_of(b"-/");
    let (least, most) = if mark.is_some() { (1, 2) } else { (2, 2) };
    let month = read.number(least, most)?;
    if let Some(mark) = mark {
        read.one_of(&[mark])?;
    }
    let day = read.number(least, most)?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    if mark.is_none() && read.0.is_empty() {
        // `20261120` is a number that says so by its size.
        return None;
    }
    let (mut hour, mut minute, mut second, mut micros, mut offset) = (0, 0, 0, 0, 0);
    if read.one_of(b"Tt ").is_some() {
        while read.one_of(b" ").is_some() {}
        hour = read.number(1, 2)?;
        let colon = read.one_of(b":");
        if colon.is_none() && mark.is_some() {
            return None;
        }
        minute = read.number(2, 2)?;
        let has_seconds = match colon {
            Some(_) => read.one_of(b":").is_some(),
            None => read.0.first().is_some_and(u8::is_ascii_digit),
        };
        if has_seconds {
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
        while self.one_of(b" ").is_some() {}
        for name in [&b"UTC"[..], b"GMT", b"utc", b"gmt"] {
            if let Some(rest) = self.0.strip_prefix(name) {
                self.0 = rest;
                break;
            }
        }
        let sign = match self.one_of(b"Zz+-") {
            None | Some(b'Z' | b'z') => return Some(0),
            Some(b'-') => -1,
            Some(_) => 1,
        };
        let hours = self.number(2, 2).filter(|hours| *hours < 24)?;
        self.one_of(b":");
        let minutes = if self.0.is_empty() { 0 } else { self.number(2, 2).filter(|m| *m < 60)? };
        let minutes = i64::from(hours).saturating_mul(60).saturating_add(i64::from(minutes));
        Some(minutes.saturating_mul(sign * 60_000_000))
    }
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
