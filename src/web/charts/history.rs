//! A score over the days, in front of the stages it passed through.

use askama::Template;
use chrono::NaiveDate;

use super::{Band, TOP, across, px, share};
use crate::web::format;

const WIDTH: f64 = 640.0;
const PLOT_TOP: f64 = 4.0;
const PLOT_BOTTOM: f64 = 138.0;

/// A day on which the score was what it says from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// The day.
    pub on: NaiveDate,
    /// The score in hundredths.
    pub score: i32,
}

/// Something that explains a jump, such as a model that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The day.
    pub on: NaiveDate,
    /// A few words: "model 3".
    pub label: String,
}

struct DrawnBand {
    key: String,
    text: String,
    y: String,
    height: String,
    text_y: String,
}

struct DrawnMark {
    x: String,
    anchor: &'static str,
    dx: &'static str,
    label: String,
}

/// As wide as the page, 160 high: a step line over bands, with marks and a table of the same numbers.
#[derive(Template)]
#[template(path = "charts/history.html")]
pub struct History {
    id: String,
    title: String,
    note: String,
    said: String,
    line: String,
    last: Option<(String, String)>,
    bands: Vec<DrawnBand>,
    marks: Vec<DrawnMark>,
    ends: Option<(String, String)>,
    table: Vec<(String, String)>,
}

impl History {
    /// Days oldest first, gaps allowed: a score holds until the next day given. Bands from the
    /// lowest; marks outside the days are left out. The id must be the page's only one of its name.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        title: impl Into<String>,
        note: impl Into<String>,
        days: &[Day],
        bands: &[Band],
        marks: &[Mark],
    ) -> Self {
        let span = days.first().map(|day| day.on).zip(days.last().map(|day| day.on));
        let x_of = |on: NaiveDate| span.map_or(0.0, |(first, last)| x(on, first, last));
        let today = span.map_or(NaiveDate::MIN, |(_, last)| last);
        Self {
            id: id.into(),
            title: title.into(),
            note: note.into(),
            said: said(days),
            line: line(days, x_of),
            last: days.last().map(|day| (across(x_of(day.on), WIDTH), px(y(day.score)))),
            bands: drawn_bands(bands),
            marks: marks
                .iter()
                .filter(|mark| {
                    span.is_some_and(|(first, last)| first <= mark.on && mark.on <= last)
                })
                .map(|mark| drawn_mark(mark, x_of(mark.on)))
                .collect(),
            ends: span.map(|(first, last)| (format::day(first, today), format::day(last, today))),
            table: days
                .iter()
                .rev()
                .map(|day| (format::day(day.on, today), format::points(day.score)))
                .collect(),
        }
    }
}

fn said(days: &[Day]) -> String {
    match days.first().zip(days.last()) {
        Some((first, last)) => {
            format!("from {} to {}", format::score(first.score), format::score(last.score))
        }
        None => "no score yet".to_owned(),
    }
}

/// The whole width for the days, less the last dot.
fn x(on: NaiveDate, first: NaiveDate, last: NaiveDate) -> f64 {
    let days = |from: NaiveDate, to: NaiveDate| {
        i32::try_from(to.signed_duration_since(from).num_days()).map_or(0.0, f64::from)
    };
    share(days(first, on), days(first, last)) * (WIDTH - 4.0)
}

fn y(score: i32) -> f64 {
    PLOT_BOTTOM - share(f64::from(score), f64::from(TOP)) * (PLOT_BOTTOM - PLOT_TOP)
}

fn line(days: &[Day], x_of: impl Fn(NaiveDate) -> f64) -> String {
    let mut path = String::new();
    for day in days {
        let (x, y) = (px(x_of(day.on)), px(y(day.score)));
        path.push_str(&if path.is_empty() { format!("M{x} {y}") } else { format!("H{x}V{y}") });
    }
    path
}

fn drawn_bands(bands: &[Band]) -> Vec<DrawnBand> {
    let tops = bands.iter().skip(1).map(|next| next.min).chain([TOP]);
    bands
        .iter()
        .zip(tops)
        .map(|(band, top)| DrawnBand {
            key: band.key.clone(),
            text: format!("{} {}", band.label, format::limit(band.min)),
            y: px(y(top)),
            height: px((y(band.min) - y(top)).max(0.0)),
            text_y: px(y(band.min) - 4.0),
        })
        .collect()
}

/// A label stands to the right of its mark, or to the left where it would leave the chart.
fn drawn_mark(mark: &Mark, x: f64) -> DrawnMark {
    let (anchor, dx) = if x > WIDTH * 0.75 { ("end", "-4") } else { ("start", "4") };
    DrawnMark { x: across(x, WIDTH), anchor, dx, label: mark.label.clone() }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_sound;
    use super::*;

    fn on(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
    }

    fn bands() -> Vec<Band> {
        [("warm", 5_000), ("pql", 6_500), ("hot_pql", 8_000)]
            .map(|(key, min)| Band { key: key.into(), label: key.into(), min })
            .into()
    }

    #[test]
    fn the_line_goes_in_steps_from_edge_to_edge() {
        let days = [(1, 3_000), (2, 3_000), (5, 8_400)].map(|(d, score)| Day { on: on(d), score });
        let chart = History::new("h", "Score", "", &days, &bands(), &[]);
        assert_eq!(chart.line, "M0 97.8H159V97.8H636V25.4");
        assert_eq!(chart.said, "from 30 to 84");
        assert_eq!(chart.table.first().unwrap(), &("5 Nov".to_owned(), "84.0".to_owned()));
        assert_sound(&chart.to_string());
    }

    #[test]
    fn bands_touch_and_reach_the_top() {
        let bands = drawn_bands(&bands());
        assert_eq!(bands.last().unwrap().y, px(PLOT_TOP));
        for pair in bands.windows(2) {
            let [lower, upper] = pair else { unreachable!() };
            let bottom: f64 =
                upper.y.parse::<f64>().unwrap() + upper.height.parse::<f64>().unwrap();
            assert!((bottom - lower.y.parse::<f64>().unwrap()).abs() < 0.2);
        }
    }

    #[test]
    fn marks_outside_are_left_out_and_labels_are_escaped() {
        let days = [Day { on: on(3), score: 100 }, Day { on: on(9), score: 12_000 }];
        let marks = [2, 4, 9].map(|d| Mark { on: on(d), label: "<model>".into() });
        let chart = History::new("h", "Score", "", &days, &[], &marks);
        assert_eq!(chart.marks.len(), 2);
        assert_eq!(chart.marks.last().unwrap().anchor, "end");
        let html = chart.to_string();
        assert_sound(&html);
        assert!(html.contains("&#60;model&#62;"));
    }

    #[test]
    fn no_days_and_one_day_are_charts_too() {
        assert_sound(&History::new("h", "Score", "", &[], &bands(), &[]).to_string());
        let day = [Day { on: on(3), score: -500 }];
        assert_sound(&History::new("h", "Score", "", &day, &bands(), &[]).to_string());
    }
}
