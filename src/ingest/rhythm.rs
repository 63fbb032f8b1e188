//! When a source is too silent to be well, by its own rhythm. Pure.
//!
//! Silence is not counted in minutes but in *missed minutes with events*: for each hour of the week the
//! rhythm knows in how many of its sixty minutes something usually arrives, and a silent stretch misses
//! the sum over its hours. A quiet night misses nothing however long it is; in a busy hour ten minutes
//! miss ten. Counting minutes rather than events makes a source that sends one large batch an hour miss
//! one an hour, not a thousand.
//!
//! What is usual is the lower median of the weeks, and the first hour after a quiet one does not count:
//! people come late on a Monday. A source whose hours explain less than half of what it sends keeps no
//! hours: it is held to its mean.
//!
//! How many missed minutes are too many is read from the pauses of the past, measured in the same way:
//! at least three, and twice the longest usual one. With four weeks of past the two longest may be
//! outages and teach nothing; a pause of every week is among the others then.

use chrono::{DateTime, Datelike, Days, DurationRound, TimeDelta, Timelike, Utc};

/// The past that is looked at: four weeks.
pub const PAST: Days = Days::new(28);
/// Before a source was heard for so long it has no rhythm yet, and raises no alarm: each hour of the
/// week, and each pause of a week, has to be seen as a whole.
pub const LEARNING: TimeDelta = TimeDelta::days(14);
/// Nothing is too silent before.
pub const LEAST_SILENCE: TimeDelta = TimeDelta::minutes(10);
const LEAST_MISSED: f64 = 3.0;
const PATIENCE: f64 = 2.0;
const WEEK: usize = 168;
/// Longer silences are as bad as this one; the sum over their hours need not go on.
const LONGEST: TimeDelta = TimeDelta::days(60);

/// In how many of an hour's minutes something arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeardHour {
    /// Its begin.
    pub at: DateTime<Utc>,
    /// From 0 to 60.
    pub minutes: i64,
}

/// From a minute with events to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

/// What is usual for a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Rhythm {
    /// Minutes with events in each hour of the week, from Monday midnight UTC.
    rate: Vec<f64>,
    /// So many missed minutes are too many.
    too_many: f64,
}

/// A silence that is too long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silence {
    /// When the source was last heard.
    pub since: DateTime<Utc>,
    /// Minutes in which something usually arrives by now.
    pub missed: f64,
    /// How many of them are still usual.
    pub usual: f64,
}

impl Rhythm {
    /// Learns from the hours in which something arrived (others may be missing) and the pauses between
    /// minutes with events, of the time from `first` to `last`, when the source was last heard. None
    /// while that is less than two weeks.
    #[must_use]
    pub fn learn(
        hours: &[HeardHour],
        pauses: &[Pause],
        first: DateTime<Utc>,
        last: DateTime<Utc>,
    ) -> Option<Self> {
        let first = first.max(last.checked_sub_days(PAST)?);
        if last - first < LEARNING {
            return None;
        }
        // Every whole hour of that time in a row, as minutes with events.
        let begin = hour(first) + TimeDelta::hours(1);
        let length = usize::try_from((hour(last) - begin).num_hours()).ok()?;
        let mut row = vec![0.0; length];
        for heard in hours {
            let place = usize::try_from((hour(heard.at) - begin).num_hours()).ok();
            if let Some(minutes) = place.and_then(|place| row.get_mut(place)) {
                *minutes = minutes_of(heard.minutes);
            }
        }
        let mut rhythm = Self { rate: rate(&row, begin), too_many: LEAST_MISSED };
        let mut missed: Vec<f64> =
            pauses.iter().map(|pause| rhythm.expected(pause.from, pause.until)).collect();
        missed.sort_by(f64::total_cmp);
        let weeks = usize::try_from((last - first).num_weeks()).unwrap_or(0);
        let outages = if rhythm.keeps_hours() { weeks.saturating_sub(2).min(2) } else { 0 };
        let usual = missed.iter().rev().nth(outages).copied().unwrap_or(0.0);
        rhythm.too_many = (usual * PATIENCE).max(LEAST_MISSED);
        Some(rhythm)
    }

    /// Whether some hours of the week differ from others.
    #[must_use]
    pub fn keeps_hours(&self) -> bool {
        self.rate.first().is_some_and(|first| self.rate.iter().any(|rate| rate != first))
    }

    /// In how many minutes of that time something usually arrives.
    #[must_use]
    pub fn expected(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> f64 {
        let until = until.min(from + LONGEST);
        let (mut at, mut sum) = (from, 0.0);
        while at < until {
            let next = (hour(at) + TimeDelta::hours(1)).min(until);
            let share = f64::from(i32::try_from((next - at).num_seconds()).unwrap_or(0)) / 3600.0;
            sum += share * self.in_hour(at);
            at = next;
        }
        sum
    }

    /// In how many minutes of the hour at this time something usually arrives.
    #[must_use]
    pub fn in_hour(&self, at: DateTime<Utc>) -> f64 {
        self.rate.get(slot(at)).copied().unwrap_or(0.0)
    }

    /// Whether a source that was last heard then is too silent now.
    #[must_use]
    pub fn silence(&self, last: DateTime<Utc>, now: DateTime<Utc>) -> Option<Silence> {
        let missed = self.expected(last, now);
        let too_silent = now - last >= LEAST_SILENCE && missed >= self.too_many;
        too_silent.then_some(Silence { since: last, missed, usual: self.too_many })
    }
}

/// The hours of the week, from hours in a row of which the first begins at `begin`.
fn rate(row: &[f64], begin: DateTime<Utc>) -> Vec<f64> {
    let mut seen: Vec<Vec<f64>> = vec![Vec::new(); WEEK];
    let first = slot(begin);
    for (place, minutes) in row.iter().enumerate() {
        if let Some(slot) = seen.get_mut((first + place) % WEEK) {
            slot.push(*minutes);
        }
    }
    let usual: Vec<f64> = seen.into_iter().map(lower_median).collect();
    let before = usual.iter().cycle().skip(WEEK - 1);
    let rate: Vec<f64> = usual.iter().zip(before).map(|(this, before)| this.min(*before)).collect();
    let mean = row.iter().sum::<f64>() / divisor(row.len());
    let explained = rate.iter().sum::<f64>() / divisor(WEEK);
    if explained * 2.0 < mean { vec![mean; WEEK] } else { rate }
}

fn hour(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at)
}

/// The hour of the week, from 0 on Monday at midnight.
fn slot(at: DateTime<Utc>) -> usize {
    let slot = at.weekday().num_days_from_monday() * 24 + at.hour();
    usize::try_from(slot).unwrap_or(0)
}

fn minutes_of(minutes: i64) -> f64 {
    i32::try_from(minutes.clamp(0, 60)).map_or(0.0, f64::from)
}

fn divisor(length: usize) -> f64 {
    u32::try_from(length.max(1)).map_or(1.0, f64::from)
}

/// The middle one, of two the lower: a busy week among quiet ones raises no expectation.
fn lower_median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

/// The share of refused events that is too high, if it is: of at least twenty refused ones among so many
/// in the last quarter of an hour, one in twenty or more, and three times what was usual in the week
/// before. `still` asks whether an alarm stands on: at half of it.
#[must_use]
pub fn too_many_refused(now: (i64, i64), usual: (i64, i64), still: bool) -> Option<f64> {
    let share = |(accepted, refused): (i64, i64)| {
        let all = accepted.saturating_add(refused);
        if all <= 0 { 0.0 } else { float(refused) / float(all) }
    };
    let (part, least) = if still { (0.5, 5) } else { (1.0, 20) };
    let limit = (share(usual) * 3.0).clamp(0.05, 0.9) * part;
    (now.1 >= least && share(now) >= limit).then(|| share(now))
}

fn float(number: i64) -> f64 {
    i32::try_from(number).map_or_else(|_| f64::from(i32::MAX), f64::from)
}

/// How old the oldest event that waits for its projection may be: usual is a second or two. `still`
/// asks whether an alarm stands on.
#[must_use]
pub fn lags(oldest: TimeDelta, still: bool) -> bool {
    oldest >= if still { TimeDelta::seconds(30) } else { TimeDelta::minutes(2) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A Friday.
    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-{text}:00Z").parse().unwrap()
    }

    /// What a source left behind that sent in the minutes for which this is true.
    struct Past {
        hours: Vec<HeardHour>,
        pauses: Vec<Pause>,
        first: DateTime<Utc>,
        last: DateTime<Utc>,
    }

    fn past(
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        heard: impl Fn(DateTime<Utc>) -> bool,
    ) -> Past {
        let minutes: Vec<DateTime<Utc>> = (0..(until - from).num_minutes())
            .map(|minute| from + TimeDelta::minutes(minute))
            .filter(|minute| heard(*minute))
            .collect();
        let mut hours: Vec<HeardHour> = Vec::new();
        for minute in &minutes {
            match hours.last_mut() {
                Some(last) if last.at == hour(*minute) => last.minutes += 1,
                _ => hours.push(HeardHour { at: hour(*minute), minutes: 1 }),
            }
        }
        let pauses = minutes.windows(2).map(|two| Pause { from: two[0], until: two[1] }).collect();
        Past { hours, pauses, first: minutes[0], last: *minutes.last().unwrap() }
    }

    fn learn(past: &Past) -> Rhythm {
        Rhythm::learn(&past.hours, &past.pauses, past.first, past.last).unwrap()
    }

    fn in_office(minute: DateTime<Utc>) -> bool {
        minute.weekday().num_days_from_monday() < 5 && (8..18).contains(&minute.hour())
    }

    #[test]
    fn a_busy_source_is_missed_within_minutes_and_not_at_night() {
        let past = past(at("01T00:00"), at("20T18:00"), in_office);
        let rhythm = learn(&past);
        assert_eq!(past.last, at("20T17:59"));
        assert_eq!(rhythm.silence(past.last, at("21T07:00")), None, "the night");
        assert_eq!(rhythm.silence(past.last, at("22T20:00")), None, "the weekend");
        assert_eq!(rhythm.silence(past.last, at("23T08:05")), None, "Monday, a little late");
        assert_eq!(
            rhythm.silence(past.last, at("23T09:00")),
            None,
            "the first hour does not count"
        );
        assert!(rhythm.silence(past.last, at("23T09:05")).is_some(), "Monday, and nobody came");
    }

    #[test]
    fn in_the_middle_of_the_day_ten_minutes_are_too_long() {
        let past = past(at("01T00:00"), at("20T14:00"), in_office);
        let rhythm = learn(&past);
        assert_eq!(rhythm.silence(past.last, at("20T14:08")), None);
        let silence = rhythm.silence(past.last, at("20T14:10")).unwrap();
        assert!(silence.missed > silence.usual);
    }

    #[test]
    fn a_nightly_batch_is_missed_on_the_third_night_and_may_come_a_little_early() {
        // At 1:58 on even days, at 2:01 on odd ones.
        let nightly = |minute: DateTime<Utc>| {
            let wanted = if minute.day().is_multiple_of(2) { (1, 58) } else { (2, 1) };
            (minute.hour(), minute.minute()) == wanted
        };
        let past = past(at("01T00:00"), at("20T12:00"), nightly);
        let rhythm = learn(&past);
        assert_eq!(rhythm.silence(past.last, at("21T06:00")), None);
        assert_eq!(rhythm.silence(past.last, at("22T06:00")), None);
        assert!(rhythm.silence(past.last, at("25T06:00")).is_some());
    }

    #[test]
    fn a_batch_an_hour_is_missed_after_hours_not_minutes() {
        let hourly = |minute: DateTime<Utc>| minute.minute() == 5;
        let past = past(at("01T00:00"), at("20T12:00"), hourly);
        let rhythm = learn(&past);
        assert_eq!(rhythm.silence(past.last, at("20T13:30")), None);
        assert!(rhythm.silence(past.last, at("20T16:00")).is_some());
    }

    #[test]
    fn two_outages_do_not_teach_that_outages_are_usual() {
        let out = |minute: DateTime<Utc>| {
            in_office(minute)
                && !(minute.day() == 10 && (9..12).contains(&minute.hour()))
                && !(minute.day() == 12 && (10..16).contains(&minute.hour()))
        };
        let past = past("2026-10-20T00:00:00Z".parse().unwrap(), at("20T14:00"), out);
        assert!(learn(&past).silence(past.last, at("20T14:20")).is_some());
    }

    #[test]
    fn two_weeks_are_needed() {
        let past = past(at("09T00:00"), at("20T18:00"), in_office);
        assert_eq!(Rhythm::learn(&past.hours, &past.pauses, past.first, past.last), None);
    }

    #[test]
    fn refusals_and_lag_have_their_limits() {
        assert_eq!(too_many_refused((1_000, 19), (0, 0), false), None, "few");
        assert_eq!(too_many_refused((1_000, 40), (0, 0), false), None, "a small share");
        assert!(too_many_refused((900, 100), (0, 0), false).is_some());
        assert_eq!(too_many_refused((900, 100), (900, 100), false), None, "as usual");
        assert!(too_many_refused((960, 40), (0, 0), true).is_some(), "not over yet");
        assert_eq!(too_many_refused((1_000, 4), (0, 0), true), None);
        assert!(too_many_refused((0, 500), (100, 9_000), false).is_some(), "all of them");
        assert!(!lags(TimeDelta::seconds(90), false) && lags(TimeDelta::seconds(90), true));
        assert!(lags(TimeDelta::minutes(2), false) && !lags(TimeDelta::seconds(5), true));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Whatever a source's week looks like: at no time of the next week that is like the ones before
        /// is a pause that is like the ones before an alarm.
        #[test]
        fn a_week_like_the_weeks_before_raises_no_alarm(
            week in prop::collection::vec(prop::sample::select(vec![0_u32, 0, 1, 2, 7, 60]), 168),
            days in 21_i64..40, ahead in 1_i64..10_080,
        ) {
            let heard = |minute: DateTime<Utc>| {
                let wanted = week[slot(minute)];
                wanted > 0 && minute.minute().is_multiple_of(60 / wanted)
            };
            let until = at("20T18:00");
            prop_assume!(week.iter().any(|minutes| *minutes > 0));
            let past = past(until - TimeDelta::days(days), until, heard);
            prop_assume!(past.last - past.first >= LEARNING);
            let rhythm = learn(&past);
            // The pause at hand, somewhere in the next week.
            let now = until + TimeDelta::minutes(ahead);
            let last = (0..10_080).map(|back| now - TimeDelta::minutes(back)).find(|m| heard(*m)).unwrap();
            prop_assert_eq!(rhythm.silence(last, now), None);
        }

        #[test]
        fn what_is_too_silent_stays_so(minutes in 1_i64..40_000) {
            let past = past(at("01T00:00"), at("20T14:00"), in_office);
            let rhythm = learn(&past);
            let now = past.last + TimeDelta::minutes(minutes);
            if rhythm.silence(past.last, now).is_some() {
                prop_assert!(rhythm.silence(past.last, now + TimeDelta::hours(1)).is_some());
            }
            prop_assert!(rhythm.expected(past.last, now) >= 0.0);
        }
    }
}
