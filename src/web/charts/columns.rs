//! How much there was of something, slot by slot.

use askama::Template;

use super::{position, px};

const WIDTH: f64 = 640.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 118.0;
/// A slot with anything in it is seen, however much its neighbours have.
const LEAST: f64 = 1.5;

/// One slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// When or what, for the table.
    pub label: String,
    /// The filled part.
    pub value: i64,
    /// The outlined part on top of it; 0 draws none.
    pub above: i64,
    /// What was to be expected, drawn as a line across the slot.
    pub expected: Option<i64>,
    /// Whether the slot is one of those that the chart is about: its background is tinted.
    pub marked: bool,
}

/// What the parts are called: in the caption and as heads of the table.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Of the labels: "Minute".
    pub slot: String,
    pub value: String,
    /// Of the outlined part; empty where there is none.
    pub above: String,
    /// Of the expectation; empty where there is none.
    pub expected: String,
}

struct Rect {
    x: String,
    y: String,
    height: String,
}

/// As wide as the page, 140 high: filled columns with an outlined part on top, one a slot, from left to right.
#[derive(Template)]
#[template(path = "charts/columns.html")]
pub struct Columns {
    id: String,
    title: String,
    note: String,
    names: Names,
    width: String,
    slot_width: String,
    filled: Vec<Rect>,
    outlined: Vec<Rect>,
    expected: Vec<(String, String, String)>,
    marked: Vec<String>,
    peak: String,
    /// Beneath the axis: at its begin, middle and end.
    ticks: [String; 3],
    rows: Vec<(String, String, String, String)>,
}

impl Columns {
    /// The id must be the page's only one of its name; `said` puts a value into words, for the peak and
    /// the table.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        title: impl Into<String>,
        note: impl Into<String>,
        names: Names,
        columns: &[Column],
        said: impl Fn(i64) -> String,
    ) -> Self {
        let whole = |column: &Column| column.value.saturating_add(column.above);
        let peak = columns
            .iter()
            .map(|column| whole(column).max(column.expected.unwrap_or(0)))
            .max()
            .unwrap_or(0)
            .max(1);
        let step = WIDTH / position(columns.len().max(1));
        let gap = (step / 6.0).min(2.0);
        let (mut filled, mut outlined, mut expected, mut marked) = (vec![], vec![], vec![], vec![]);
        for (place, column) in columns.iter().enumerate() {
            let x = position(place) * step;
            let value = height(column.value, peak);
            let above = height(column.above, peak);
            // Both parts together stay below the top.
            let value = value.min(BOTTOM - TOP - above);
            let rect =
                |y: f64, height: f64| Rect { x: px(x + gap / 2.0), y: px(y), height: px(height) };
            if value > 0.0 {
                filled.push(rect(BOTTOM - value, value));
            }
            if above > 0.0 {
                outlined.push(rect(BOTTOM - value - above, above));
            }
            if let Some(line) = column.expected {
                expected.push((px(x), px(x + step), px(BOTTOM - height(line, peak))));
            }
            if column.marked {
                marked.push(px(x));
            }
        }
        let tick = |place: usize| columns.get(place).map(|column| column.label.clone());
        Self {
            id: id.into(),
            title: title.into(),
            note: note.into(),
            width: px(step - gap),
            slot_width: px(step),
            filled,
            outlined,
            expected,
            marked,
            peak: said(peak),
            ticks: [0, columns.len() / 2, columns.len().saturating_sub(1)]
                .map(|place| tick(place).unwrap_or_default()),
            rows: columns
                .iter()
                .map(|column| {
                    (
                        column.label.clone(),
                        said(column.value),
                        said(column.above),
                        column.expected.map(&said).unwrap_or_default(),
                    )
                })
                .collect(),
            names,
        }
    }
}

fn height(value: i64, peak: i64) -> f64 {
    if value <= 0 {
        return 0.0;
    }
    let share = super::share(float(value), float(peak));
    (share * (BOTTOM - TOP)).max(LEAST)
}

/// Counts and milliseconds: drawn, not computed with.
fn float(value: i64) -> f64 {
    i32::try_from(value).map_or_else(|_| f64::from(i32::MAX), f64::from)
}

/// The same without axis and words, in the space of a word: 96 x 24, hidden from screen readers; the
/// text beside it says what it shows.
#[derive(Template)]
#[template(path = "charts/small_columns.html")]
pub struct SmallColumns {
    width: String,
    bars: Vec<Rect>,
}

impl SmallColumns {
    /// One bar a value, from left to right.
    #[must_use]
    pub fn new(values: &[i64]) -> Self {
        const HIGH: f64 = 24.0;
        let step = 96.0 / position(values.len().max(1));
        let peak = values.iter().copied().max().unwrap_or(0).max(1);
        let bars = values.iter().enumerate().filter(|(_, value)| **value > 0);
        Self {
            width: px(step * 0.75),
            bars: bars
                .map(|(place, value)| {
                    let height = (super::share(float(*value), float(peak)) * HIGH).max(LEAST);
                    Rect { x: px(position(place) * step), y: px(HIGH - height), height: px(height) }
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_sound;
    use super::*;
    use proptest::prelude::*;

    fn column(value: i64, above: i64) -> Column {
        Column { label: "10:00 <b>".into(), value, above, ..Column::default() }
    }

    fn draw(columns: &[Column]) -> Columns {
        let names = Names {
            slot: "Minute".into(),
            value: "Accepted".into(),
            above: "Refused".into(),
            expected: "Usual".into(),
        };
        Columns::new("c", "Events", "a note", names, columns, |value| value.to_string())
    }

    #[test]
    fn it_is_sound_of_anything() {
        let marked = Column { expected: Some(9), marked: true, ..column(0, 0) };
        for columns in [vec![], vec![column(0, 0)], vec![column(5, 1), marked, column(1, 2_000)]] {
            let html = draw(&columns).to_string();
            assert_sound(&html);
            assert!(!html.contains("<b>"));
        }
        assert_sound(&SmallColumns::new(&[]).to_string());
        assert_eq!(SmallColumns::new(&[0, 3, 1]).to_string().matches("<rect").count(), 2);
    }

    proptest! {
        #[test]
        fn no_column_leaves_the_chart_and_everything_is_seen(
            values in prop::collection::vec((0_i64..i64::MAX / 2, 0_i64..1_000_000), 1..100),
        ) {
            let columns: Vec<Column> = values.iter().map(|(v, a)| column(*v, *a)).collect();
            let chart = draw(&columns);
            for rect in chart.filled.iter().chain(&chart.outlined) {
                let (y, height): (f64, f64) = (rect.y.parse().unwrap(), rect.height.parse().unwrap());
                prop_assert!(height > 0.0 && y >= TOP - 0.2 && y + height <= BOTTOM + 0.2);
            }
            let refused = values.iter().filter(|(_, above)| *above > 0).count();
            prop_assert_eq!(chart.outlined.len(), refused);
        }
    }
}
