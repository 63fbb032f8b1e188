//! On which of the last days somebody was active, and how much.

use askama::Template;
use chrono::{Days, NaiveDate};

use crate::web::format;

/// So many days are shown.
const DAYS: usize = 14;

struct Cell {
    x: u32,
    step: u8,
    said: String,
}

/// Fourteen cells of one hue; each says its day and number to whoever points at it.
#[derive(Template)]
#[template(path = "charts/heat.html")]
pub struct Heat {
    said: String,
    cells: Vec<Cell>,
}

impl Heat {
    /// Events a day, oldest first; the last of them happened on `last`.
    #[must_use]
    pub fn new(counts: &[u32; DAYS], last: NaiveDate) -> Self {
        let active = counts.iter().filter(|count| **count > 0).count();
        let events: i64 = counts.iter().map(|count| i64::from(*count)).sum();
        let cells = counts.iter().rev().zip(0_u32..).map(|(count, back)| {
            let day = last.checked_sub_days(Days::new(u64::from(back))).unwrap_or(last);
            Cell {
                x: (13_u32.saturating_sub(back)) * 16,
                step: step(*count),
                said: format!(
                    "{}: {}",
                    format::day(day, last),
                    format::count(i64::from(*count), "event", "events")
                ),
            }
        });
        Self {
            said: format!(
                "active on {active} of {DAYS} days, {}",
                format::count(events, "event", "events")
            ),
            cells: cells.collect(),
        }
    }
}

/// Four steps above nothing; people see no more of one hue.
fn step(count: u32) -> u8 {
    match count {
        0 => 0,
        1 => 1,
        2..=4 => 2,
        5..=9 => 3,
        10.. => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_sound;
    use super::*;

    #[test]
    fn the_last_cell_is_the_last_day() {
        let mut counts = [0; DAYS];
        counts[13] = 12;
        counts[0] = 1;
        let heat = Heat::new(&counts, NaiveDate::from_ymd_opt(2026, 11, 20).unwrap());
        assert_eq!(heat.said, "active on 2 of 14 days, 13 events");
        let newest = heat.cells.first().unwrap();
        assert_eq!((newest.x, newest.step), (208, 4));
        assert_eq!(newest.said, "20 Nov: 12 events");
        assert_eq!(heat.cells.last().unwrap().said, "7 Nov: 1 event");
        assert_sound(&heat.to_string());
    }
}
