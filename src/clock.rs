//! The one place that reads the time.
//!
//! Everything below a handler or a worker takes the time as an argument, so that tests can freeze
//! it and the same inputs give the same result on any day.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

/// Whether somebody may ask about this day: chrono and PostgreSQL each know a quarter of a million
/// years, not the same ones, and arithmetic at their ends fails.
#[must_use]
pub fn is_askable(day: NaiveDate) -> bool {
    (1970..=9999).contains(&day.year())
}

/// The time so many microseconds after 1970 began, if somebody may ask about its day: a number out of
/// an address, which anybody can write, must not reach a query otherwise.
#[must_use]
pub fn askable_time(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).filter(|time| is_askable(time.date_naive()))
}

/// Tells the time: the system's, or one that a test holds still.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    frozen_micros: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at `at` until [`Clock::advance`] moves it; clones move together.
    #[must_use]
    pub fn frozen(at: DateTime<Utc>) -> Self {
        Self { frozen_micros: Some(Arc::new(AtomicI64::new(at.timestamp_micros()))) }
    }

    /// Now, to the microsecond, which is what PostgreSQL keeps.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn now(&self) -> DateTime<Utc> {
        let micros = match &self.frozen_micros {
            Some(micros) => micros.load(Ordering::SeqCst),
            None => Utc::now().timestamp_micros(),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Today as a UTC day: the `as_of` of scores.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.now().date_naive()
    }

    /// Moves a frozen clock; the system's clock cannot be moved and stays as it is.
    pub fn advance(&self, by: TimeDelta) {
        if let (Some(micros), Some(by)) = (&self.frozen_micros, by.num_microseconds()) {
            micros.fetch_add(by, Ordering::SeqCst);
        }
    }
}
