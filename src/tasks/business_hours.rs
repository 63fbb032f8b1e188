//! When something is due: so many business hours of one member after a moment.
//!
//! Hours are real elapsed hours inside the member's working window. The window is computed per local
//! day, so a change to or from daylight saving never adds or loses an hour of work outside it.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// When one member works. Days are ISO weekdays, Monday = 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkingHours {
    /// The zone in which the times below are meant.
    pub zone: Tz,
    /// The start of the working day.
    pub starts: NaiveTime,
    /// Its end, on the same day.
    pub ends: NaiveTime,
    /// Working days; none means every day, so that a clock set up wrongly still runs.
    pub days: Vec<u32>,
}

impl WorkingHours {
    fn works_on(&self, day: NaiveDate) -> bool {
        self.days.is_empty() || self.days.contains(&day.weekday().number_from_monday())
    }

    /// When work begins on a local day, whether or not it is a working day: the time at which
    /// something put off to that day comes back.
    #[must_use]
    pub fn opening(&self, day: NaiveDate) -> DateTime<Utc> {
        moment(self.zone, day.and_time(self.starts))
    }

    /// The local day that this moment falls on.
    #[must_use]
    pub fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// The working window of a local day in UTC; `None` on days off.
    fn window(&self, day: NaiveDate) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        if !self.works_on(day) {
            return None;
        }
        let opens = moment(self.zone, day.and_time(self.starts));
        let closes = moment(self.zone, day.and_time(self.ends));
        (opens < closes).then_some((opens, closes))
    }
}

/// A local time as a moment. A time that a spring gap leaves out is the moment the gap ends at the
/// latest; of a time that autumn repeats the earlier one counts.
fn moment(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    let found = zone.from_local_datetime(&local).earliest().or_else(|| {
        // No zone skips more than a day (Samoa, 2011), and all skip whole quarter hours.
        (1..=96).find_map(|quarter| {
            let later = local.checked_add_signed(TimeDelta::minutes(15 * quarter))?;
            zone.from_local_datetime(&later).earliest()
        })
    });
    found.map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))
}

/// `hours` business hours after `start`. A start outside working hours counts from the next opening;
/// zero hours give the first working moment at or after `start`.
///
/// Total: a window that never opens gives plain hours after `start`.
#[must_use]
pub fn due_at(start: DateTime<Utc>, hours: u32, work: &WorkingHours) -> DateTime<Utc> {
    let mut left = TimeDelta::hours(i64::from(hours));
    let mut day = start.with_timezone(&work.zone).date_naive();
    let mut idle_days = 0;
    while idle_days < 8 {
        idle_days += 1;
        if let Some((opens, closes)) = work.window(day) {
            let from = opens.max(start);
            if from < closes {
                let open = closes - from;
                if left <= open {
                    return from + left;
                }
                left -= open;
                idle_days = 0;
            }
        }
        let Some(next) = day.succ_opt() else { break };
        day = next;
    }
    start + TimeDelta::hours(i64::from(hours))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn office(zone: Tz) -> WorkingHours {
        WorkingHours {
            zone,
            starts: NaiveTime::from_hms_opt(9, 0, 0).unwrap(),
            ends: NaiveTime::from_hms_opt(17, 0, 0).unwrap(),
            days: vec![1, 2, 3, 4, 5],
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn within_a_day_over_night_and_over_a_weekend() {
        let work = office(chrono_tz::Europe::Berlin);
        // Friday 20 November 2026, 10:00 in Berlin.
        assert_eq!(due_at(at("2026-11-20T09:00:00Z"), 4, &work), at("2026-11-20T13:00:00Z"));
        assert_eq!(due_at(at("2026-11-20T14:00:00Z"), 4, &work), at("2026-11-23T10:00:00Z"));
        assert_eq!(due_at(at("2026-11-21T12:00:00Z"), 1, &work), at("2026-11-23T09:00:00Z"));
        assert_eq!(due_at(at("2026-11-20T03:00:00Z"), 24, &work), at("2026-11-24T16:00:00Z"));
        assert_eq!(due_at(at("2026-11-21T12:00:00Z"), 0, &work), at("2026-11-23T08:00:00Z"));
    }

    #[test]
    fn clocks_that_change_do_not_change_the_work() {
        // New York leaves daylight saving on Sunday 1 November 2026: Friday 16:00 EDT + 2 h.
        let work = office(chrono_tz::America::New_York);
        assert_eq!(due_at(at("2026-10-30T20:00:00Z"), 2, &work), at("2026-11-02T15:00:00Z"));
        // A night shift through the spring gap works one hour less by the clock, none by duration.
        let night = WorkingHours {
            starts: NaiveTime::from_hms_opt(2, 30, 0).unwrap(),
            ends: NaiveTime::from_hms_opt(6, 0, 0).unwrap(),
            days: vec![],
            zone: chrono_tz::Europe::Berlin,
        };
        assert_eq!(due_at(at("2027-03-28T00:00:00Z"), 1, &night), at("2027-03-28T02:00:00Z"));
    }

    #[test]
    fn a_window_that_never_opens_still_gives_a_time() {
        let mut work = office(Tz::UTC);
        work.days = vec![9];
        assert_eq!(due_at(at("2026-11-20T09:00:00Z"), 4, &work), at("2026-11-20T13:00:00Z"));
    }

    proptest! {
        #[test]
        fn more_hours_are_never_due_earlier(
            minutes in 0_i64..3_000_000, hours in 0_u32..200, zone in 0_usize..4,
        ) {
            let zones = [Tz::UTC, chrono_tz::Europe::Berlin, chrono_tz::America::New_York, chrono_tz::Australia::Lord_Howe];
            let work = office(zones[zone]);
            let start = at("2024-01-01T00:00:00Z") + TimeDelta::minutes(minutes);
            let due = due_at(start, hours, &work);
            prop_assert!(due >= start + TimeDelta::hours(i64::from(hours)));
            prop_assert!(due_at(start, hours + 1, &work) > due);
            let local = due.with_timezone(&work.zone);
            prop_assert!(work.works_on(local.date_naive()));
            prop_assert!(local.time() >= work.starts && local.time() <= work.ends);
        }
    }
}
