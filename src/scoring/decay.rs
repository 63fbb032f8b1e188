//! Decay: how much of a day's points is left after its age.

use super::model::Decay;
use super::points::as_factor;

impl Decay {
    /// What is left, 0 to 1, of points that are `age` whole days old; 1 at age 0 and below.
    ///
    /// A document with `days <= 0` is refused before it is published; here it leaves nothing.
    #[must_use]
    pub fn left(self, age: i64) -> f64 {
        let age = as_factor(age.max(0));
        let share = |days: f64| if days > 0.0 { age / days } else { f64::INFINITY };
        if age == 0.0 {
            return 1.0;
        }
        match self {
            Self::Exponential { days } => (-share(days)).exp(),
            Self::HalfLife { days } => (-share(days)).exp2(),
            Self::Linear { days } => (1.0 - share(days)).max(0.0),
            Self::None => 1.0,
        }
    }

    /// The decay in an editor's words, truthful about what the number of days means.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Exponential { days } => format!("exponential, 37 % left after {days} days"),
            Self::HalfLife { days } => format!("half left after {days} days"),
            Self::Linear { days } => format!("linear, nothing left after {days} days"),
            Self::None => "no decay".to_owned(),
        }
    }

    /// The time constant, if there is one.
    #[must_use]
    pub fn days(self) -> Option<f64> {
        match self {
            Self::Exponential { days } | Self::HalfLife { days } | Self::Linear { days } => {
                Some(days)
            }
            Self::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(near(Decay::Exponential { days: 7.0 }.left(7), (-1.0f64).exp()));
        assert!(near(Decay::HalfLife { days: 7.0 }.left(14), 0.25));
        assert!(near(Decay::Linear { days: 10.0 }.left(4), 0.6));
        assert!(near(Decay::Linear { days: 10.0 }.left(40), 0.0));
        assert!(near(Decay::None.left(400), 1.0));
        assert!(near(Decay::HalfLife { days: 0.0 }.left(1), 0.0));
    }
}
