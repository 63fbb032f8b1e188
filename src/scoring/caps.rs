//! Caps: in any window of days at most so many points, the newest days first.

use chrono::NaiveDate;

use super::model::Cap;

/// Limits the points of one rule and one subject in place. `days` are descending and distinct.
///
/// `granted(d) = sign * min(|raw(d)|, cap.points - sum of |granted(j)| for d < j < d + cap.days)`,
/// never below 0. Newest first is the largest decayed sum that the cap allows, and it never lets an
/// older day change what a newer one is granted.
pub fn apply(cap: Cap, days: &mut [(NaiveDate, f64)]) {
    for at in 0..days.len() {
        let (newer, rest) = days.split_at_mut(at);
        let Some((day, points)) = rest.first_mut() else { return };
        let window =
            newer.iter().rev().take_while(|(newer, _)| (*newer - *day).num_days() < cap.days);
        let used: f64 = window.map(|(_, granted)| granted.abs()).sum();
        let room = (cap.points - used).max(0.0);
        *points = points.signum() * points.abs().min(room);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capped(points: f64, days: i64, raw: &[(u32, f64)]) -> Vec<f64> {
        let date = |day| NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        let mut list: Vec<_> = raw.iter().map(|(day, points)| (date(*day), *points)).collect();
        apply(Cap { points, days }, &mut list);
        list.into_iter().map(|(_, points)| points).collect()
    }

    #[test]
    fn newest_days_first() {
        // Cap 10 in 7 days: the 20th takes 6, the 18th what is left of 10, the 14th nothing (the 20th
        // is 6 days away), the 13th is 7 days from the 20th, so it shares with the 18th only: 10 - 4.
        assert_eq!(
            capped(10.0, 7, &[(20, 6.0), (18, 6.0), (14, 6.0), (13, 6.0)]),
            [6.0, 4.0, 0.0, 6.0]
        );
    }

    #[test]
    fn negative_points_keep_their_sign() {
        assert_eq!(capped(5.0, 2, &[(20, -4.0), (19, -4.0), (18, -4.0)]), [-4.0, -1.0, -4.0]);
    }
}
