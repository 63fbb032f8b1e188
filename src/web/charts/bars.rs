//! Where a score comes from: one bar for each category.

use askama::Template;

use super::{px, share};
use crate::web::format;

/// One category of a score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The category's name.
    pub label: String,
    /// What it counts for, in hundredths; below zero for lost points.
    pub points: i32,
    /// Its limit, in hundredths; the lower one where the category takes points away.
    pub limit: i32,
    /// A remark below the bar, such as "2.4 over the limit were not counted"; may be empty.
    pub note: String,
    /// Where the events behind it are listed; may be empty.
    pub href: String,
}

impl Bar {
    fn lost(&self) -> bool {
        self.limit < 0 || self.points < 0
    }

    fn width(&self) -> String {
        px(100.0 * share(f64::from(self.points).abs(), f64::from(self.limit).abs()))
    }

    fn value(&self) -> String {
        if self.lost() {
            format::points(self.points)
        } else {
            format!("{} of {}", format::points(self.points), format::limit(self.limit))
        }
    }
}

/// Rows of label, bar and number; lost points are hatched, not only coloured.
#[derive(Clone, Debug, Template)]
#[template(path = "charts/bars.html")]
pub struct Bars {
    id: String,
    rows: Vec<Bar>,
}

impl Bars {
    /// The id must be the page's only one of its name.
    #[must_use]
    pub fn new(id: impl Into<String>, rows: Vec<Bar>) -> Self {
        Self { id: id.into(), rows }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_sound;
    use super::*;

    fn bar(points: i32, limit: i32) -> Bar {
        Bar { label: "A & <b>".into(), points, limit, note: String::new(), href: String::new() }
    }

    #[test]
    fn a_bar_never_leaves_its_track() {
        assert_eq!(bar(2_160, 2_500).width(), "86.4");
        assert_eq!(bar(2_600, 2_500).width(), "100");
        assert_eq!(bar(-320, -4_000).width(), "8");
        assert_eq!(bar(5, 0).width(), "0");
    }

    #[test]
    fn values_are_text() {
        assert_eq!(bar(2_160, 2_500).value(), "21.6 of 25");
        assert_eq!(bar(-320, -4_000).value(), "−3.2");
        assert_eq!(bar(0, -4_000).value(), "0.0");
    }

    #[test]
    fn it_is_sound() {
        let html = Bars::new("bars", vec![bar(1, 2), bar(-1, -2), bar(0, -2)]).to_string();
        assert_sound(&html);
        assert!(html.contains("A &#38; &#60;b&#62;"));
        assert_eq!(html.matches("url(#bars-hatch)").count(), 1);
    }
}
