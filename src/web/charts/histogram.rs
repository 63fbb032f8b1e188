//! How the scores of all workspaces spread, and what a draft would make of them.

use askama::Template;

use super::{Band, TOP, across, position, px, share};
use crate::web::format;

/// Bins of five points.
const BINS: usize = 20;
const BIN_POINTS: i32 = 5;
const WIDTH: f64 = 640.0;
const PLOT_TOP: f64 = 22.0;
const PLOT_BOTTOM: f64 = 138.0;

/// Scores in hundredths, counted in twenty bins of five points; 100 belongs to the last.
#[must_use]
pub fn bins(scores: impl IntoIterator<Item = i32>) -> [u32; BINS] {
    let mut counts = [0; BINS];
    for score in scores {
        let bin = usize::try_from(score.max(0) / (BIN_POINTS * 100)).unwrap_or(0).min(BINS - 1);
        if let Some(count) = counts.get_mut(bin) {
            *count += 1;
        }
    }
    counts
}

struct DrawnBin {
    x: String,
    y: String,
    height: String,
}

/// A line with its label; `y` keeps labels of neighbours apart.
struct Threshold {
    x: String,
    y: &'static str,
    /// To the right of its line; to the left where there is no room.
    anchor: &'static str,
    dx: &'static str,
    label: String,
}

struct Row {
    range: String,
    live: String,
    draft: Option<String>,
}

/// As wide as the page, 160 high: live scores filled, the draft's outlined, a line at each threshold.
#[derive(Template)]
#[template(path = "charts/histogram.html")]
pub struct Histogram {
    id: String,
    title: String,
    note: String,
    live: Vec<DrawnBin>,
    draft: Vec<DrawnBin>,
    has_draft: bool,
    thresholds: Vec<Threshold>,
    rows: Vec<Row>,
}

impl Histogram {
    /// Counts a bin as [`bins`] makes them; the id must be the page's only one of its name.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        title: impl Into<String>,
        note: impl Into<String>,
        live: &[u32; BINS],
        draft: Option<&[u32; BINS]>,
        thresholds: &[Band],
    ) -> Self {
        let highest = live.iter().chain(draft.into_iter().flatten()).copied().max().unwrap_or(0);
        Self {
            id: id.into(),
            title: title.into(),
            note: note.into(),
            live: drawn(live, highest),
            draft: draft.map(|draft| drawn(draft, highest)).unwrap_or_default(),
            has_draft: draft.is_some(),
            thresholds: drawn_thresholds(thresholds),
            rows: rows(live, draft),
        }
    }
}

/// Labels closer than this would cover each other.
const LABEL_WIDTH: f64 = 130.0;

fn drawn_thresholds(bands: &[Band]) -> Vec<Threshold> {
    let (mut before, mut is_low) = (f64::NEG_INFINITY, false);
    let mut drawn = Vec::with_capacity(bands.len());
    for band in bands {
        let x = share(f64::from(band.min), f64::from(TOP)) * WIDTH;
        is_low = x - before < LABEL_WIDTH && !is_low;
        before = x;
        let (anchor, dx) = if x > WIDTH * 0.88 { ("end", "-4") } else { ("start", "4") };
        drawn.push(Threshold {
            x: across(x, WIDTH),
            anchor,
            dx,
            y: if is_low { "27" } else { "14" },
            label: format!("{} {}", band.label, format::limit(band.min)),
        });
    }
    drawn
}

fn drawn(counts: &[u32; BINS], highest: u32) -> Vec<DrawnBin> {
    counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(bin, count)| {
            // A single workspace among thousands still shows.
            let full = PLOT_BOTTOM - PLOT_TOP;
            let height = (share(f64::from(*count), f64::from(highest)) * full).max(1.5);
            DrawnBin {
                x: px(position(bin) * WIDTH / position(BINS) + 1.0),
                y: px(PLOT_BOTTOM - height),
                height: px(height),
            }
        })
        .collect()
}

fn rows(live: &[u32; BINS], draft: Option<&[u32; BINS]>) -> Vec<Row> {
    let starts = (0..).step_by(usize::try_from(BIN_POINTS).unwrap_or(1));
    live.iter()
        .zip(starts)
        .enumerate()
        .map(|(bin, (count, start)): (usize, (&u32, i32))| Row {
            range: if bin + 1 == BINS {
                format!("{start} to 100")
            } else {
                format!("{start} to under {}", start + BIN_POINTS)
            },
            live: format::grouped(i64::from(*count)),
            draft: draft
                .and_then(|draft| draft.get(bin))
                .map(|count| format::grouped(i64::from(*count))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_sound;
    use super::*;

    #[test]
    fn every_score_has_its_bin() {
        let counts = bins([-300, 0, 499, 500, 9_999, 10_000, 12_000]);
        assert_eq!(counts.first(), Some(&3));
        assert_eq!(counts.get(1), Some(&1));
        assert_eq!(counts.last(), Some(&3));
    }

    #[test]
    fn it_is_sound_with_and_without_a_draft() {
        let live = bins([100, 100, 8_000]);
        let thresholds = [Band { key: "pql".into(), label: "<PQL>".into(), min: 6_500 }];
        let alone = Histogram::new("h", "Scores", "", &live, None, &thresholds).to_string();
        assert_sound(&alone);
        assert!(!alone.contains("chart__draft"));
        assert!(alone.contains("&#60;PQL&#62; 65"));
        let draft = bins([300, 4_000]);
        let both = Histogram::new("h", "Scores", "", &live, Some(&draft), &[]).to_string();
        assert_sound(&both);
        assert_eq!(both.matches("chart__draft\"").count(), 2);
        assert!(both.contains("95 to 100"));
        assert_sound(&Histogram::new("h", "Scores", "", &[0; BINS], None, &[]).to_string());
    }
}
