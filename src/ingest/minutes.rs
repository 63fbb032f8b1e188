//! Counts and measurements over time, as columns of charts. Pure: rows and the time are arguments.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::measure::{Spread, minute};
use super::store_measures::Slot;
use super::store_status::Minute;
use crate::web::charts::Column;

/// What came from a source in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Events stored, duplicates included.
    pub accepted: i64,
    /// Events refused.
    pub rejected: i64,
    /// Events that were known already.
    pub duplicates: i64,
}

impl Sum {
    /// Of these minutes.
    #[must_use]
    pub fn of<'a>(minutes: impl Iterator<Item = &'a Minute>) -> Self {
        minutes.fold(Self::default(), |sum, minute| Self {
            accepted: sum.accepted.saturating_add(minute.accepted),
            rejected: sum.rejected.saturating_add(minute.rejected),
            duplicates: sum.duplicates.saturating_add(minute.duplicates),
        })
    }
}

/// A row of equal slots of time that ends with the one of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The begin of the first.
    pub start: DateTime<Utc>,
    /// In seconds, a multiple of 60.
    pub slot: i64,
    /// How many.
    pub slots: i64,
}

impl Axis {
    /// Sixty minutes.
    #[must_use]
    pub fn hour(now: DateTime<Utc>) -> Self {
        Self::ending(now, 60, 60)
    }

    /// A day in quarters of an hour.
    #[must_use]
    pub fn day(now: DateTime<Utc>) -> Self {
        Self::ending(now, 900, 96)
    }

    /// So many slots of so many seconds, on the clock's own boundaries.
    #[must_use]
    pub fn ending(now: DateTime<Utc>, slot: i64, slots: i64) -> Self {
        let second = minute(now).timestamp();
        let last = second - second.rem_euclid(slot.max(60));
        let start = last - (slots - 1) * slot;
        Self { start: DateTime::from_timestamp(start, 0).unwrap_or(now), slot, slots }
    }

    fn begins(self) -> impl Iterator<Item = DateTime<Utc>> {
        (0..self.slots).map(move |place| self.start + TimeDelta::seconds(place * self.slot))
    }

    /// One empty column a slot, called by its time of day in the viewer's zone.
    #[must_use]
    pub fn columns(self, zone: Tz) -> Vec<Column> {
        let shape = if self.slot * self.slots > 2 * 86_400 { "%-d %b %H:%M" } else { "%H:%M" };
        self.begins()
            .map(|at| Column {
                label: at.with_timezone(&zone).format(shape).to_string(),
                ..Column::default()
            })
            .collect()
    }

    /// The slot of a time.
    #[must_use]
    pub fn place(self, at: DateTime<Utc>) -> Option<usize> {
        let seconds = (at - self.start).num_seconds();
        let within = seconds >= 0 && seconds < self.slot * self.slots;
        usize::try_from(seconds / self.slot.max(1)).ok().filter(|_| within)
    }

    /// Accepted events with refused ones on top.
    #[must_use]
    pub fn events<'a>(self, minutes: impl Iterator<Item = &'a Minute>, zone: Tz) -> Vec<Column> {
        let mut columns = self.columns(zone);
        for minute in minutes {
            if let Some(column) = self.place(minute.minute).and_then(|at| columns.get_mut(at)) {
                column.value = column.value.saturating_add(minute.accepted);
                column.above = column.above.saturating_add(minute.rejected);
            }
        }
        columns
    }

    /// The 95th percentile of a measurement with what the worst needed on top, in milliseconds.
    #[must_use]
    pub fn measured(self, slots: &[Slot], zone: Tz) -> Vec<Column> {
        let mut spreads: Vec<Spread> = self.begins().map(|_| Spread::default()).collect();
        for slot in slots {
            if let Some(sum) = self.place(slot.at).and_then(|at| spreads.get_mut(at)) {
                sum.merge(&slot.spread);
            }
        }
        let mut columns = self.columns(zone);
        for (column, spread) in columns.iter_mut().zip(&spreads) {
            column.value = spread.percentile(95).unwrap_or(0);
            column.above = spread.highest().unwrap_or(0).saturating_sub(column.value);
        }
        columns
    }
}

/// The clocks of a source's senders: one column for each range of how far they are off.
#[must_use]
pub fn clocks(skew: &Spread) -> Vec<Column> {
    const LABELS: [&str; 11] = [
        "over a day ahead",
        "1 to 24 h ahead",
        "5 to 60 min ahead",
        "30 s to 5 min ahead",
        "2 to 30 s ahead",
        "right, to 2 s",
        "2 to 30 s behind",
        "30 s to 5 min behind",
        "5 to 60 min behind",
        "1 to 24 h behind",
        "over a day behind",
    ];
    LABELS
        .iter()
        .zip(0_i16..)
        .map(|(label, bucket)| Column {
            label: (*label).to_owned(),
            value: skew.at(bucket),
            ..Column::default()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::measure::Measure;
    use super::*;
    use crate::ids::SourceId;
    use proptest::prelude::*;

    fn minute(at: &str, accepted: i64, rejected: i64) -> Minute {
        let minute = at.parse().unwrap();
        Minute { source_id: SourceId::new(), minute, accepted, rejected, duplicates: 1 }
    }

    #[test]
    fn the_hour_ends_now_and_earlier_minutes_are_left_out() {
        let now: DateTime<Utc> = "2026-11-20T10:30:40Z".parse().unwrap();
        let minutes = [
            minute("2026-11-20T09:30:00Z", 9, 9),
            minute("2026-11-20T09:31:00Z", 999, 1),
            minute("2026-11-20T10:30:00Z", 1, 0),
        ];
        let columns = Axis::hour(now).events(minutes.iter(), chrono_tz::Europe::Berlin);
        assert_eq!(columns.len(), 60);
        assert_eq!(
            (columns[0].value, columns[0].above, columns[0].label.as_str()),
            (999, 1, "10:31")
        );
        assert_eq!((columns[59].value, columns[59].label.as_str()), (1, "11:30"));
        let sum = Sum::of(minutes.iter());
        assert_eq!((sum.accepted, sum.rejected, sum.duplicates), (1_009, 10, 3));
    }

    #[test]
    fn a_measurement_is_its_percentile_with_the_worst_on_top() {
        let now: DateTime<Utc> = "2026-11-20T10:30:40Z".parse().unwrap();
        let axis = Axis::day(now);
        assert_eq!(axis.start, "2026-11-19T10:45:00Z".parse::<DateTime<Utc>>().unwrap());
        let mut measures = super::super::measure::Measures::default();
        let source = SourceId::new();
        measures.note(source, Measure::Lag, now, 200, 99);
        measures.note(source, Measure::Lag, now, 9_000, 1);
        let mut spread = Spread::default();
        measures.iter().for_each(|(place, tally)| spread.add(place.bucket, *tally));
        let slot = Slot { source, at: "2026-11-20T10:30:00Z".parse().unwrap(), spread };
        let columns = axis.measured(&[slot], Tz::UTC);
        assert_eq!((columns[95].value, columns[95].above), (200, 8_800));
    }

    #[test]
    fn every_bucket_of_clocks_has_its_words() {
        assert_eq!(clocks(&Spread::default()).len(), Measure::Skew.bounds().len() + 1);
    }

    proptest! {
        #[test]
        fn every_time_of_the_axis_has_a_slot_and_no_other_time(
            second in 1_700_000_000_i64..1_900_000_000, slot in 1_i64..120, slots in 1_i64..200, off in -100_000_i64..100_000,
        ) {
            let now = DateTime::from_timestamp(second, 0).unwrap();
            let axis = Axis::ending(now, slot * 60, slots);
            prop_assert_eq!(axis.place(now), usize::try_from(slots - 1).ok());
            let at = now + TimeDelta::seconds(off);
            let end = axis.start + TimeDelta::seconds(axis.slot * axis.slots);
            prop_assert_eq!(axis.place(at).is_some(), at >= axis.start && at < end);
            prop_assert_eq!(axis.columns(Tz::UTC).len(), usize::try_from(slots).unwrap());
        }
    }
}
