//! An amount that holds until it becomes another, over time.

use askama::Template;
use chrono::NaiveDate;

use super::{across, px, share};
use crate::web::format;

const WIDTH: f64 = 640.0;
/// Room for the dot at the end.
const RIGHT: f64 = WIDTH - 4.0;
const PLOT_TOP: f64 = 14.0;
const PLOT_BOTTOM: f64 = 138.0;

/// As wide as the page, 160 high: a step line from nought, with a table of the same numbers.
#[derive(Template)]
#[template(path = "charts/steps.html")]
pub struct Steps {
    id: String,
    title: String,
    note: String,
    said: String,
    line: String,
    last: Option<(String, String)>,
    most: Option<(String, String)>,
    ends: Option<(String, String)>,
    column: String,
    table: Vec<(String, String)>,
}

impl Steps {
    /// Days oldest first, each with the amount that holds from then on, until `until`; `words` writes
    /// an amount. The id must be the page's only one of its name.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        (title, note, column): (&str, &str, &str),
        days: &[(NaiveDate, i64)],
        until: NaiveDate,
        words: impl Fn(i64) -> String,
    ) -> Self {
        let first = days.first().map(|(on, _)| *on);
        let span = first.map(|first| (first, until.max(first)));
        let most = days.iter().map(|(_, amount)| *amount).max().unwrap_or(0);
        let x_of = |on: NaiveDate| span.map_or(0.0, |(from, to)| x(on, from, to));
        let y_of = |amount: i64| {
            PLOT_BOTTOM - share(float(amount), float(most)) * (PLOT_BOTTOM - PLOT_TOP)
        };
        let end = days.last().map(|(_, amount)| px(y_of(*amount)));
        let mut line = String::new();
        for (on, amount) in days {
            let (x, y) = (px(x_of(*on)), px(y_of(*amount)));
            line.push_str(&if line.is_empty() { format!("M{x} {y}") } else { format!("H{x}V{y}") });
        }
        if end.is_some() {
            line.push_str(&format!("H{}", px(RIGHT)));
        }
        Self {
            id: id.into(),
            title: title.to_owned(),
            note: note.to_owned(),
            said: match days.first().zip(days.last()) {
                Some(((_, first), (_, last))) => {
                    format!("from {} to {}", words(*first), words(*last))
                }
                None => "nothing yet".to_owned(),
            },
            last: end.map(|y| (across(RIGHT, WIDTH), y)),
            most: (most > 0).then(|| (words(most), px(PLOT_TOP))),
            ends: span.map(|(from, to)| (format::day(from, until), format::day(to, until))),
            column: column.to_owned(),
            table: days
                .iter()
                .rev()
                .map(|(on, amount)| (format::day(*on, until), words(*amount)))
                .collect(),
            line,
        }
    }
}

/// The whole width for the days, less the last dot.
fn x(on: NaiveDate, first: NaiveDate, last: NaiveDate) -> f64 {
    let days = |from: NaiveDate, to: NaiveDate| float(to.signed_duration_since(from).num_days());
    share(days(first, on), days(first, last)) * RIGHT
}

/// Near enough to draw with.
fn float(number: i64) -> f64 {
    let thousands = i32::try_from(number / 1000).unwrap_or(i32::MAX);
    let rest = i32::try_from(number % 1000).unwrap_or(0);
    f64::from(thousands) * 1000.0 + f64::from(rest)
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_sound;
    use super::*;

    fn on(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
    }

    #[test]
    fn the_line_goes_in_steps_to_today() {
        let chart =
            Steps::new("m", ("MRR", "", "MRR"), &[(on(1), 0), (on(6), 4_900)], on(11), |cents| {
                format!("${}", cents / 100)
            });
        assert_eq!(chart.line, "M0 138H318V14H636");
        assert_eq!(chart.said, "from $0 to $49");
        assert_eq!(chart.table.first().unwrap(), &("6 Nov".to_owned(), "$49".to_owned()));
        assert_sound(&chart.to_string());
    }

    #[test]
    fn nothing_one_day_and_a_fortune_are_charts_too() {
        let words = |cents: i64| cents.to_string();
        assert_sound(&Steps::new("m", ("MRR", "", "MRR"), &[], on(1), words).to_string());
        assert_sound(
            &Steps::new("m", ("MRR", "note", "MRR"), &[(on(3), i64::MAX)], on(1), words)
                .to_string(),
        );
    }
}
