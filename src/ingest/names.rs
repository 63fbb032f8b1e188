//! Which event names a source sends, how often, and whether one of them fell silent. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use super::chunk::ChunkEvent;
use crate::ids::SourceId;

/// How much of one name a source sent on one day of receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameDay {
    pub source: SourceId,
    /// The key under which it counts.
    pub name: String,
    /// UTC.
    pub day: NaiveDate,
    pub first_received_at: DateTime<Utc>,
    pub last_received_at: DateTime<Utc>,
    pub events: i64,
}

/// The names of these events by day of receipt, in the order of their keys; calls that count nowhere
/// have none.
#[must_use]
pub fn count(events: &[ChunkEvent<'_>]) -> Vec<NameDay> {
    let mut days: BTreeMap<(SourceId, &str, NaiveDate), NameDay> = BTreeMap::new();
    for event in events {
        let Some(meaning) = &event.meaning else { continue };
        let (at, day) = (event.received_at, event.received_at.date_naive());
        let counted = days.entry((event.source, &meaning.key, day)).or_insert_with(|| NameDay {
            source: event.source,
            name: meaning.key.clone(),
            day,
            first_received_at: at,
            last_received_at: at,
            events: 0,
        });
        counted.first_received_at = counted.first_received_at.min(at);
        counted.last_received_at = counted.last_received_at.max(at);
        counted.events = counted.events.saturating_add(1);
    }
    days.into_values().collect()
}

/// The history that the rule looks at, in days.
pub const HISTORY: Days = Days::new(35);
/// Days on which a name must have come, and events, before its silence says anything.
const LEAST_DAYS: usize = 5;
const LEAST_EVENTS: i64 = 20;
/// Nothing is silent before.
const LEAST_SILENCE: TimeDelta = TimeDelta::hours(24);

/// For how long a name has been silent, if that is longer than what is usual for it.
///
/// `days` is its history, oldest first. What is usual is its second longest pause between two days:
/// it knows weekends and weekly names, and one outage does not teach it that outages are usual. It is
/// silent after half as long again, and never before a day has passed. A name that came on fewer than
/// five days, or fewer than twenty times, has no rhythm yet.
#[must_use]
pub fn silence(days: &[NameDay], now: DateTime<Utc>) -> Option<TimeDelta> {
    let events: i64 = days.iter().map(|day| day.events).sum();
    if days.len() < LEAST_DAYS || events < LEAST_EVENTS {
        return None;
    }
    let mut pauses: Vec<TimeDelta> = days
        .iter()
        .zip(days.iter().skip(1))
        .map(|(day, next)| next.first_received_at - day.last_received_at)
        .collect();
    pauses.sort_unstable();
    let usual = *pauses.iter().rev().nth(1)?;
    let silent = now - days.last()?.last_received_at;
    (silent > (usual + usual / 2).max(LEAST_SILENCE)).then_some(silent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// From 9 to 17 on these days of November 2026.
    fn office(days: impl IntoIterator<Item = u32>) -> Vec<NameDay> {
        days.into_iter()
            .map(|day| NameDay {
                source: SourceId(uuid::Uuid::nil()),
                name: "invite_sent".into(),
                day: NaiveDate::from_ymd_opt(2026, 11, day).unwrap(),
                first_received_at: at(&format!("2026-11-{day:02}T09:00:00Z")),
                last_received_at: at(&format!("2026-11-{day:02}T17:00:00Z")),
                events: 40,
            })
            .collect()
    }

    #[test]
    fn a_daily_name_is_silent_after_a_day() {
        let days = office(2..=19);
        assert_eq!(silence(&days, at("2026-11-20T17:00:00Z")), None);
        assert_eq!(silence(&days, at("2026-11-20T19:00:00Z")), Some(TimeDelta::hours(26)));
    }

    #[test]
    fn weekends_are_usual() {
        let weekdays = office([2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20]);
        assert_eq!(silence(&weekdays, at("2026-11-23T12:00:00Z")), None);
        assert!(silence(&weekdays, at("2026-11-25T12:00:00Z")).is_some());
    }

    #[test]
    fn one_outage_does_not_teach_that_outages_are_usual() {
        let mut days = office(2..=8);
        days.extend(office(14..=19));
        assert!(silence(&days, at("2026-11-20T19:00:00Z")).is_some());
    }

    #[test]
    fn what_hardly_ever_came_has_no_rhythm() {
        assert_eq!(silence(&[], at("2026-11-20T19:00:00Z")), None);
        assert_eq!(silence(&office(2..=5), at("2026-11-20T19:00:00Z")), None);
        let mut rare = office(2..=10);
        rare.iter_mut().for_each(|day| day.events = 1);
        assert_eq!(silence(&rare, at("2026-11-20T19:00:00Z")), None);
    }

    proptest! {
        #[test]
        fn silence_begins_no_sooner_than_a_day_and_then_lasts(
            days in prop::collection::btree_set(1_u32..=20, 5..20), hours in 0_i64..600,
        ) {
            let history = office(days);
            let last = history.last().unwrap().last_received_at;
            let found = silence(&history, last + TimeDelta::hours(hours));
            if let Some(silent) = found {
                prop_assert!(silent > TimeDelta::hours(24));
                prop_assert_eq!(silent, TimeDelta::hours(hours));
                prop_assert!(silence(&history, last + TimeDelta::hours(hours + 1)).is_some());
            }
        }

        #[test]
        fn no_pause_that_came_twice_is_silence(
            days in prop::collection::btree_set(1_u32..=20, 6..20),
        ) {
            let history = office(days);
            let mut pauses: Vec<_> = history.windows(2)
                .map(|two| two[1].first_received_at - two[0].last_received_at).collect();
            pauses.sort_unstable();
            let twice = pauses[pauses.len() - 2];
            let last = history.last().unwrap().last_received_at;
            prop_assert_eq!(silence(&history, last + twice), None);
        }
    }
}
