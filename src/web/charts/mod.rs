//! Charts as SVG made on the server: no script, no inline style, the numbers always beside them.
//!
//! Each chart is a struct made from plain data and written with `{{ chart }}`: it is HTML already.
//! Colours come from classes of `static/css/chart.css`. Figures carry a caption, a name for those
//! who do not see them, and their numbers as a table.
//!
//! ```ignore
//! struct Page { shell: Shell, bars: Bars, history: History }
//! let history = History::new("history", "Score, 60 days", "model 3 since 2 Nov", &days, &bands, &marks);
//! ```

pub mod bars;
pub mod columns;
pub mod heat;
pub mod histogram;
pub mod history;
pub mod load;
pub mod sparkline;
pub mod steps;

pub use bars::{Bar, Bars};
pub use columns::{Column, Columns, Names, SmallColumns};
pub use heat::Heat;
pub use histogram::{Histogram, bins};
pub use history::{Day, History, Mark};
pub use load::Load;
pub use sparkline::Sparkline;
pub use steps::Steps;

/// A stage above the lowest, as charts draw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// `warm`, `pql` or `hot_pql`: the class that colours it.
    pub key: String,
    /// The word people read.
    pub label: String,
    /// Where it begins, in hundredths of a point.
    pub min: i32,
}

/// The highest score there is, in hundredths.
const TOP: i32 = 10_000;

/// A coordinate with one decimal at most: `12`, `12.5`.
/// Where something stands across a chart of that width: words stay upright and of one size however the
/// plot is stretched to the page.
fn across(x: f64, width: f64) -> String {
    format!("{}%", px(share(x, width) * 100.0))
}

fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// How much of a whole, from 0 to 1; nothing of nothing is 0.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 }
}

/// A position in a list as a number to draw with. Charts hold far fewer than 2³² things.
fn position(index: usize) -> f64 {
    u32::try_from(index).map_or(f64::from(u32::MAX), f64::from)
}

/// Writes a chart as the HTML that it is, without escaping it again.
macro_rules! is_html {
    ($($chart:ty),*) => {$(
        impl askama::filters::HtmlSafe for $chart {}
    )*};
}
is_html!(Bars, Columns, SmallColumns, Heat, Histogram, History, Load, Sparkline, Steps);

#[cfg(test)]
pub(crate) mod testing {
    //! What every chart must be.

    /// Panics unless the text is well-formed, free of styles and scripts, and its numbers finite.
    pub fn assert_sound(html: &str) {
        for forbidden in ["style=", "<style", "<script", "NaN", "inf"] {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
        let mut open = Vec::new();
        for part in html.split('<').skip(1) {
            let tag = part.split('>').next().unwrap();
            assert!(part.contains('>'), "an open tag in {html}");
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "{html}");
            } else if !tag.ends_with('/') {
                open.push(tag.split(' ').next().unwrap());
            }
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        }
        assert!(open.is_empty(), "{open:?} never closed in {html}");
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!(super::px(12.0), "12");
        assert_eq!(super::px(12.25), "12.2");
        assert_eq!(super::px(-0.01), "0");
        assert_eq!(super::share(1.0, 0.0), 0.0);
    }
}
