//! The last hour of a source as sixty bars. Pure: the minutes and the time are arguments.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::store_status::Minute;

/// Bars of the hour.
const BARS: i64 = 60;
/// Width of a bar with its gap, and the height of the highest.
const STEP: i64 = 4;
const HEIGHT: i64 = 32;

/// A part of a bar, as an SVG rectangle 3 wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    pub x: i64,
    pub y: i64,
    pub height: i64,
}

/// What came from a source in an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    /// Events stored, duplicates included.
    pub accepted: i64,
    /// Events refused.
    pub rejected: i64,
    /// Events that were known already.
    pub duplicates: i64,
    /// The most in one minute.
    pub peak: i64,
    /// One for each minute with events.
    pub accepted_bars: Vec<Rect>,
    /// On top of them, for each minute with refusals.
    pub rejected_bars: Vec<Rect>,
}

impl Hour {
    /// The hour that ends with the minute of `now`; earlier minutes are left out.
    #[must_use]
    pub fn of<'a>(minutes: impl Iterator<Item = &'a Minute>, now: DateTime<Utc>) -> Self {
        let this_minute = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
        let within: Vec<(i64, &Minute)> = minutes
            .map(|minute| (BARS - 1 - (this_minute - minute.minute).num_minutes(), minute))
            .filter(|(place, _)| (0..BARS).contains(place))
            .collect();
        let peak =
            within.iter().map(|(_, minute)| minute.accepted + minute.rejected).max().unwrap_or(0);
        let mut hour = Self { peak, ..Self::default() };
        for (place, minute) in within {
            hour.accepted += minute.accepted;
            hour.rejected += minute.rejected;
            hour.duplicates += minute.duplicates;
            let accepted = height(minute.accepted, peak);
            // A refusal is seen, however many events were stored beside it.
            let rejected = height(minute.rejected, peak);
            let accepted = accepted.min(HEIGHT - rejected);
            let x = place * STEP;
            if accepted > 0 {
                hour.accepted_bars.push(Rect { x, y: HEIGHT - accepted, height: accepted });
            }
            if rejected > 0 {
                hour.rejected_bars.push(Rect {
                    x,
                    y: HEIGHT - accepted - rejected,
                    height: rejected,
                });
            }
        }
        hour
    }
}

/// In proportion to the peak, at least 2 where there is anything.
fn height(events: i64, peak: i64) -> i64 {
    if events <= 0 || peak <= 0 { 0 } else { (events.saturating_mul(HEIGHT) / peak).max(2) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SourceId;

    #[test]
    fn the_hour_ends_now_and_every_event_is_seen() {
        let now: DateTime<Utc> = "2026-11-20T10:30:40Z".parse().unwrap();
        let minute = |at: &str, accepted, rejected| Minute {
            source_id: SourceId::new(),
            minute: at.parse().unwrap(),
            accepted,
            rejected,
            duplicates: 1,
        };
        let minutes = [
            minute("2026-11-20T09:30:00Z", 9, 9),
            minute("2026-11-20T09:31:00Z", 999, 1),
            minute("2026-11-20T10:30:00Z", 1, 0),
        ];
        let hour = Hour::of(minutes.iter(), now);
        assert_eq!((hour.accepted, hour.rejected, hour.duplicates, hour.peak), (1000, 1, 2, 1000));
        assert_eq!(
            hour.accepted_bars,
            [Rect { x: 0, y: 2, height: 30 }, Rect { x: 236, y: 30, height: 2 }]
        );
        assert_eq!(hour.rejected_bars, [Rect { x: 0, y: 0, height: 2 }]);
        assert_eq!(Hour::of([].iter(), now), Hour::default());
    }
}
