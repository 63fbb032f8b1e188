//! A score's last days in the space of a word.

use askama::Template;

use super::{position, px};

/// At most this many days are drawn.
const DAYS: usize = 30;
const WIDTH: f64 = 96.0;
const HEIGHT: f64 = 24.0;
/// Room for the last dot.
const EDGE: f64 = 3.0;
/// A score that moves less than this many hundredths looks flat, as it is.
const LEAST_SPAN: f64 = 1_000.0;

/// 96 x 24, hidden from screen readers: the text beside it says score and change.
#[derive(Clone, Debug, Template)]
#[template(path = "charts/sparkline.html")]
pub struct Sparkline {
    points: String,
    last: Option<(String, String)>,
}

impl Sparkline {
    /// Scores in hundredths, one a day, oldest first; the last 30 are drawn.
    #[must_use]
    pub fn new(scores: &[i32]) -> Self {
        let shown = scores.get(scores.len().saturating_sub(DAYS)..).unwrap_or(scores);
        let low = f64::from(shown.iter().copied().min().unwrap_or(0));
        let high = f64::from(shown.iter().copied().max().unwrap_or(0));
        let span = (high - low).max(LEAST_SPAN);
        let base = (low + high - span) / 2.0;
        let step = (WIDTH - 2.0 * EDGE) / position(shown.len().saturating_sub(1)).max(1.0);
        let places: Vec<(String, String)> = shown
            .iter()
            .enumerate()
            .map(|(day, score)| {
                let rise = (f64::from(*score) - base) / span;
                (px(EDGE + step * position(day)), px(HEIGHT - EDGE - rise * (HEIGHT - 2.0 * EDGE)))
            })
            .collect();
        let points: Vec<String> = places.iter().map(|(x, y)| format!("{x},{y}")).collect();
        Self { points: points.join(" "), last: places.last().cloned() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_sound;
    use super::*;

    #[test]
    fn it_draws_any_number_of_days_inside_its_box() {
        for scores in [vec![], vec![5_000], vec![0; 9], (0..90).map(|day| day * 100).collect()] {
            let chart = Sparkline::new(&scores);
            assert_sound(&chart.to_string());
            assert_eq!(chart.points.split_whitespace().count(), scores.len().min(DAYS));
            for point in chart.points.split_whitespace() {
                let (x, y) = point.split_once(',').unwrap();
                let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
                assert!((0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y), "{point}");
            }
        }
    }

    #[test]
    fn fifty_of_them_stay_small() {
        let scores: Vec<i32> = (0..30).map(|day| 3_000 + day * 137 % 900).collect();
        assert!(Sparkline::new(&scores).to_string().len() < 500);
    }
}
