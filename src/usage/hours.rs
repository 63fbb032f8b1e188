//! The events of a usage day by UTC hour, and the loops among them. Pure.
//!
//! They are kept as one decimal number: eight digits an hour, those of hour 0 last. Such numbers are added
//! and taken away like any number, exactly and in any order, so the hours of a day are kept up to date by
//! the statement that counts its events, and the hours of several rows are their sum.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Timelike, Utc};

use crate::ids::{UserId, WorkspaceId};

/// So many events of one person and one event key in one clock hour are a loop.
pub const LOOP: i64 = 100;
/// Digits an hour; a person who sends more of one event in an hour than fit has other problems.
const DIGITS: usize = 8;
const BASE: i64 = 100_000_000;

/// Events by hour; negative where more are taken away than added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hours([i64; 24]);

impl Hours {
    /// Adds `events` to the hour of `at`.
    pub fn add(&mut self, at: DateTime<Utc>, events: i64) {
        let hour = usize::try_from(at.hour()).ok().and_then(|hour| self.0.get_mut(hour));
        if let Some(hour) = hour {
            *hour = hour.saturating_add(events);
        }
    }

    /// The decimal number, in a form without the zeros at its end: `1e184`.
    #[must_use]
    pub fn to_decimal(self) -> String {
        let Some(sign) = self.0.iter().rev().find(|events| **events != 0).map(|one| one.signum())
        else {
            return "0".to_owned();
        };
        let (mut digits, mut carry) = (Vec::with_capacity(24), 0);
        for events in self.0 {
            let events = events.saturating_mul(sign).saturating_add(carry);
            digits.push(events.rem_euclid(BASE));
            carry = events.div_euclid(BASE);
        }
        let empty = digits.iter().take_while(|events| **events == 0).count();
        let text: String = digits
            .iter()
            .skip(empty)
            .rev()
            .map(|events| format!("{events:0width$}", width = DIGITS))
            .collect();
        let text = text.trim_start_matches('0');
        let minus = if sign < 0 { "-" } else { "" };
        if empty == 0 {
            format!("{minus}{text}")
        } else {
            format!("{minus}{text}e{}", empty * DIGITS)
        }
    }

    /// Reads plain digits, as the database writes them; nothing when they are none.
    #[must_use]
    pub fn from_decimal(text: &str) -> Option<Self> {
        let mut hours = Self::default();
        let mut end = text.len();
        for events in &mut hours.0 {
            let start = end.saturating_sub(DIGITS);
            let digits = text.get(start..end)?;
            if digits.is_empty() {
                break;
            }
            if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
                return None;
            }
            *events = digits.parse().ok()?;
            end = start;
        }
        Some(hours)
    }

    /// In how many hours there was a loop.
    #[must_use]
    pub fn loops(&self) -> i64 {
        let loops = self.0.iter().filter(|events| **events >= LOOP).count();
        i64::try_from(loops).unwrap_or(i64::MAX)
    }

    /// All events of the day.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.0.iter().fold(0, |sum, events| sum.saturating_add(*events))
    }
}

/// A day of a person in a workspace; the person is who that is today.
pub type PersonDay = (WorkspaceId, NaiveDate, UserId);

/// The day of an event in a workspace.
pub type EventDay = (WorkspaceId, NaiveDate, String);

/// Which days of which events may hold a loop: those of which one person has a hundred, whatever the
/// features. Each item is a person's day, an event key and its events.
#[must_use]
pub fn suspects<'a>(rows: impl Iterator<Item = (PersonDay, &'a str, i64)>) -> Vec<EventDay> {
    let mut sums: BTreeMap<(PersonDay, &str), i64> = BTreeMap::new();
    for (day, event, events) in rows {
        let sum = sums.entry((day, event)).or_default();
        *sum = sum.saturating_add(events);
    }
    let mut days: Vec<EventDay> = sums
        .into_iter()
        .filter(|(_, events)| *events >= LOOP)
        .map(|(((workspace, day, _), event), _)| (workspace, day, event.to_owned()))
        .collect();
    days.sort();
    days.dedup();
    days
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(hour: u32) -> DateTime<Utc> {
        format!("2026-11-19T{hour:02}:59:59Z").parse().unwrap()
    }

    #[test]
    fn hours_as_a_number() {
        let mut hours = Hours::default();
        assert_eq!(hours.to_decimal(), "0");
        hours.add(at(0), 7);
        assert_eq!(hours.to_decimal(), "7");
        hours.add(at(1), 100);
        assert_eq!(hours.to_decimal(), "10000000007");
        hours.add(at(0), -7);
        assert_eq!(hours.to_decimal(), "100e8");
        hours.add(at(1), -101);
        assert_eq!(hours.to_decimal(), "-1e8");
        hours.add(at(2), 1);
        assert_eq!(
            hours.to_decimal(),
            "99999999e8",
            "one hour more, an event of the hour before less"
        );
    }

    #[test]
    fn what_is_no_number_of_hours_is_none() {
        for text in ["-5", "1.5", "x", "1e8"] {
            assert_eq!(Hours::from_decimal(text), None, "{text}");
        }
        assert_eq!(Hours::from_decimal("0"), Some(Hours::default()));
    }

    #[test]
    fn ninety_nine_are_none_and_two_hours_are_two_loops() {
        let mut hours = Hours::default();
        hours.add(at(8), 99);
        hours.add(at(23), 250);
        assert_eq!((hours.loops(), hours.total()), (1, 349));
        hours.add(at(8), 1);
        assert_eq!(hours.loops(), 2);
    }

    proptest! {
        #[test]
        fn any_number_is_read_as_it_was_written(events in proptest::collection::vec(0..BASE, 24)) {
            let hours = Hours(events.try_into().unwrap());
            let text = hours.to_decimal();
            let plain = match text.split_once('e') {
                Some((digits, zeros)) => format!("{digits}{}", "0".repeat(zeros.parse().unwrap())),
                None => text,
            };
            prop_assert_eq!(Hours::from_decimal(&plain), Some(hours));
        }
    }
}
