//! The arithmetic of points: documents speak of points, ledgers of integer hundredths.

use serde::{Serialize, Serializer};

/// Hundredths of a point, rounded half away from zero.
///
/// Sums of decayed fractions carry noise in their last bits; it is cut off at a millionth of a
/// hundredth first, so that 0.125 points are 13 hundredths however they were added up.
#[must_use]
#[allow(clippy::as_conversions, reason = "bounded far below 2^53; NaN becomes 0")]
pub fn hundredths(points: f64) -> i64 {
    let steady = (points * 1e8).round() / 1e6;
    steady.round() as i64
}

/// Hundredths as points, for arithmetic with factors.
#[must_use]
#[allow(clippy::as_conversions, reason = "hundredths are far below 2^53")]
pub fn as_points(hundredths: i64) -> f64 {
    hundredths as f64 / 100.0
}

/// A count as a factor.
#[must_use]
#[allow(clippy::as_conversions, reason = "counts are far below 2^53, and beyond it close enough")]
pub fn as_factor(count: i64) -> f64 {
    count as f64
}

/// Hundredths as text with a sign: `+14.50`, `-3.10`.
#[must_use]
pub fn signed(hundredths: i64) -> String {
    let sign = if hundredths < 0 { '-' } else { '+' };
    format!("{sign}{}", unsigned(hundredths))
}

/// The size of hundredths as text: `14.50`.
#[must_use]
pub fn unsigned(hundredths: i64) -> String {
    let size = hundredths.unsigned_abs();
    format!("{}.{:02}", size / 100, size % 100)
}

/// Hundredths as a list shows a score: floored to a whole point, so that 79.99 never reads 80.
#[must_use]
pub fn floored(hundredths: i64) -> i64 {
    hundredths.div_euclid(100)
}

/// Points in a document: whole ones without a fraction, as people write them.
#[allow(clippy::as_conversions, reason = "only for whole numbers below 2^53")]
pub(super) fn serialize<S: Serializer>(points: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if points.fract() == 0.0 && points.abs() < 9e15 {
        (*points as i64).serialize(serializer)
    } else {
        points.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_goes_away_from_zero() {
        assert_eq!(hundredths(0.125), 13);
        assert_eq!(hundredths(-0.125), -13);
        assert_eq!(hundredths(1.005), 101);
        assert_eq!(hundredths(0.1 + 0.2), 30);
        assert_eq!(hundredths(f64::NAN), 0);
    }

    #[test]
    fn texts() {
        assert_eq!((signed(1450), signed(-7)), ("+14.50".to_owned(), "-0.07".to_owned()));
        assert_eq!((floored(7999), floored(-1)), (79, -1));
    }
}
