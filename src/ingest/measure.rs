//! What is measured about ingestion: histograms a source and minute of receipt. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use crate::ids::SourceId;

/// What is measured, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// From a request's arrival to its commit; once a request.
    Accept,
    /// The server's clock less the sender's, at receipt; once a request that says when it was sent.
    Skew,
    /// From the receipt of an event to its projection; once an event.
    Lag,
}

/// Bounds of buckets of waiting, upper ends, in milliseconds: at most two thirds apart.
const WAITING: [i64; 28] = [
    1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500, 800, 1_200, 2_000, 3_000, 5_000, 8_000,
    12_000, 20_000, 30_000, 60_000, 120_000, 300_000, 900_000, 3_600_000,
];
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
/// Bounds of clock skew. The third from the middle on either side is what nobody would notice.
const SKEW: [i64; 10] = [
    -24 * HOUR,
    -HOUR,
    -5 * MINUTE,
    -30 * SECOND,
    -2 * SECOND,
    2 * SECOND,
    30 * SECOND,
    5 * MINUTE,
    HOUR,
    24 * HOUR,
];
/// The bucket of clocks that are right to two seconds, the way here included.
const RIGHT: i16 = 5;

impl Measure {
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Skew => "skew",
            Self::Lag => "lag",
        }
    }

    /// The upper ends of its buckets; one more bucket holds what is beyond the last.
    #[must_use]
    pub const fn bounds(self) -> &'static [i64] {
        match self {
            Self::Accept | Self::Lag => &WAITING,
            Self::Skew => &SKEW,
        }
    }

    /// The bucket of a value, from 0.
    #[must_use]
    pub fn bucket(self, millis: i64) -> i16 {
        let place = self.bounds().partition_point(|bound| *bound < millis);
        i16::try_from(place).unwrap_or(i16::MAX)
    }
}

/// How often a bucket was met, and the greatest value in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    pub times: i64,
    /// In milliseconds.
    pub highest: i64,
}

/// Where a value belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub source: SourceId,
    pub measure: Measure,
    /// Of receipt.
    pub minute: DateTime<Utc>,
    pub bucket: i16,
}

/// Values on their way to the database, added up; in the order of the key, so that two writers of the
/// same rows never wait for each other crosswise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measures(BTreeMap<Place, Tally>);

impl Measures {
    /// Notes a value, so many times, at the minute in which what it is about was received.
    pub fn note(
        &mut self,
        source: SourceId,
        measure: Measure,
        received_at: DateTime<Utc>,
        millis: i64,
        times: i64,
    ) {
        let minute = minute(received_at);
        let place = Place { source, measure, minute, bucket: measure.bucket(millis) };
        let tally = self.0.entry(place).or_insert(Tally { times: 0, highest: millis });
        tally.times = tally.times.saturating_add(times);
        tally.highest = tally.highest.max(millis);
    }

    /// Whether nothing was noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was noted.
    pub fn iter(&self) -> impl Iterator<Item = (&Place, &Tally)> {
        self.0.iter()
    }
}

/// The minute of receipt.
#[must_use]
pub fn minute(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::minutes(1)).unwrap_or(at)
}

/// A histogram: the buckets of one measure over some time, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread(BTreeMap<i16, Tally>);

impl Spread {
    /// Adds a bucket.
    pub fn add(&mut self, bucket: i16, tally: Tally) {
        let sum = self.0.entry(bucket).or_insert(Tally { times: 0, highest: tally.highest });
        sum.times = sum.times.saturating_add(tally.times);
        sum.highest = sum.highest.max(tally.highest);
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(bucket, tally)| self.add(*bucket, *tally));
    }

    /// How many values.
    #[must_use]
    pub fn times(&self) -> i64 {
        self.0.values().map(|tally| tally.times).sum()
    }

    /// How many values are in a bucket.
    #[must_use]
    pub fn at(&self, bucket: i16) -> i64 {
        self.0.get(&bucket).map_or(0, |tally| tally.times)
    }

    /// The greatest value, in milliseconds; none of nothing.
    #[must_use]
    pub fn highest(&self) -> Option<i64> {
        self.0.values().map(|tally| tally.highest).max()
    }

    /// The value that so many in a hundred do not exceed, in milliseconds: the greatest of its bucket,
    /// so never too low, and too high by less than the width of a bucket. None of nothing.
    #[must_use]
    pub fn percentile(&self, percent: i64) -> Option<i64> {
        let wanted = self.times().saturating_mul(percent);
        let mut below = 0_i64;
        self.0.values().find_map(|tally| {
            below = below.saturating_add(tally.times);
            (below.saturating_mul(100) >= wanted).then_some(tally.highest)
        })
    }
}

/// What is wrong with senders' clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Requests in a hundred whose clock was ahead by more than 30 s.
    pub ahead: i64,
    /// Requests in a hundred that were sent, by their own clock, more than 30 s before they arrived.
    pub behind: i64,
}

impl Clocks {
    /// What a histogram of [`Measure::Skew`] says; none when too few requests said anything.
    #[must_use]
    pub fn of(skew: &Spread) -> Option<Self> {
        let all = skew.times();
        if all < 20 {
            return None;
        }
        let sum = |buckets: std::ops::Range<i16>| -> i64 { buckets.map(|b| skew.at(b)).sum() };
        Some(Self {
            ahead: sum(0..RIGHT - 1).saturating_mul(100) / all,
            behind: sum(RIGHT + 2..11).saturating_mul(100) / all,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spread(measure: Measure, values: &[i64]) -> Spread {
        let mut spread = Spread::default();
        for value in values {
            spread.add(measure.bucket(*value), Tally { times: 1, highest: *value });
        }
        spread
    }

    #[test]
    fn a_bucket_ends_at_its_bound() {
        assert_eq!(Measure::Lag.bucket(0), 0);
        assert_eq!((Measure::Lag.bucket(1), Measure::Lag.bucket(2)), (0, 1));
        assert_eq!(Measure::Lag.bucket(i64::MAX), 28);
        assert_eq!((Measure::Skew.bucket(0), Measure::Skew.bucket(-1_999)), (RIGHT, RIGHT));
        assert_eq!(Measure::Skew.bucket(i64::MIN), 0);
    }

    #[test]
    fn the_same_minute_adds_up() {
        let (source, at) = (SourceId::new(), DateTime::from_timestamp(1_790_000_030, 0).unwrap());
        let mut measures = Measures::default();
        measures.note(source, Measure::Accept, at, 4, 1);
        measures.note(source, Measure::Accept, at + TimeDelta::seconds(9), 5, 2);
        let all: Vec<_> = measures.iter().collect();
        assert_eq!(all.len(), 1);
        assert_eq!(*all[0].1, Tally { times: 3, highest: 5 });
        assert_eq!(all[0].0.minute.timestamp() % 60, 0);
    }

    #[test]
    fn clocks_are_judged_by_many_requests() {
        assert_eq!(Clocks::of(&spread(Measure::Skew, &[9_000_000; 19])), None);
        let right = Clocks::of(&spread(Measure::Skew, &[150; 100])).unwrap();
        assert_eq!(right, Clocks { ahead: 0, behind: 0 });
        let mut values = vec![100; 50];
        values.extend([-3 * HOUR; 30]);
        values.extend([10 * MINUTE; 20]);
        let off = Clocks::of(&spread(Measure::Skew, &values)).unwrap();
        assert_eq!(off, Clocks { ahead: 30, behind: 20 });
    }

    proptest! {
        #[test]
        fn a_percentile_is_a_value_that_was_met_and_never_too_low(
            values in prop::collection::vec(0_i64..10_000_000, 1..200), percent in 1_i64..=100,
        ) {
            let spread = spread(Measure::Lag, &values);
            let found = spread.percentile(percent).unwrap();
            prop_assert!(values.contains(&found));
            let within = values.iter().filter(|value| **value <= found).count();
            prop_assert!(within * 100 >= values.len() * usize::try_from(percent).unwrap());
            prop_assert_eq!(spread.percentile(100), spread.highest());
            prop_assert_eq!(spread.highest(), values.iter().max().copied());
        }

        #[test]
        fn buckets_are_in_the_order_of_values(one: i64, other: i64) {
            for measure in [Measure::Accept, Measure::Skew, Measure::Lag] {
                prop_assert!(measure.bucket(one.min(other)) <= measure.bucket(one.max(other)));
            }
        }
    }
}
