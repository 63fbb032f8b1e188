//! Counting: what is added to usage days and taken away from them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::hours::Hours;
use crate::ids::{UserId, WorkspaceId};

/// A row of usage days: workspace, day, person, event key, feature; in the order of the table.
pub type DayKey = (WorkspaceId, NaiveDate, UserId, String, String);

/// What changes in one usage day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// Events more, or fewer.
    pub events: i64,
    /// Whether any event was taken away, though others may have been added.
    pub lost: bool,
    /// Values more, or fewer: signed decimal numbers, summed by the database, exactly.
    pub values: Vec<String>,
    /// In which hours.
    pub hours: Hours,
    /// The first moment of the key events among those that were added.
    pub first_at: Option<DateTime<Utc>>,
}

/// Changes of usage days, added up.
#[derive(Debug, Default)]
pub struct Counts {
    /// By row.
    pub days: BTreeMap<DayKey, Delta>,
}

impl Counts {
    /// One event more, which happened at `at`.
    pub fn add(&mut self, key: DayKey, at: DateTime<Utc>, is_key: bool, value: Option<&str>) {
        let delta = self.days.entry(key).or_default();
        delta.events = delta.events.saturating_add(1);
        delta.hours.add(at, 1);
        if is_key {
            delta.first_at = delta.first_at.into_iter().chain([at]).min();
        }
        delta.values.extend(value.map(str::to_owned));
    }

    /// One event fewer, which happened at `at`.
    pub fn take(&mut self, key: DayKey, at: DateTime<Utc>, value: Option<&str>) {
        let delta = self.days.entry(key).or_default();
        delta.events = delta.events.saturating_sub(1);
        delta.lost = true;
        delta.hours.add(at, -1);
        delta.values.extend(value.map(|value| match value.strip_prefix('-') {
            Some(positive) => positive.to_owned(),
            None => format!("-{value}"),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_and_taken_is_nothing() {
        let key: DayKey = (
            WorkspaceId::of("w"),
            NaiveDate::default(),
            UserId::known("u"),
            "a".to_owned(),
            String::new(),
        );
        let at = DateTime::UNIX_EPOCH;
        let mut counts = Counts::default();
        counts.add(key.clone(), at, true, Some("1.5"));
        counts.take(key.clone(), at, Some("1.5"));
        assert_eq!(counts.days[&key].hours, Hours::default());
        counts.take(key.clone(), at, Some("-2"));
        let delta = &counts.days[&key];
        assert_eq!(
            (delta.events, delta.values.as_slice()),
            (-1, ["1.5", "-1.5", "2"].map(str::to_owned).as_slice())
        );
    }
}
