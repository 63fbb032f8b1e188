//! A fact with its past: what held before each day on which it changed, and what holds since. Pure.

use chrono::NaiveDate;

/// A value that changes on days. A change counts for the whole of its UTC day.
#[derive(Clone, Debug, PartialEq)]
pub struct Dated<T> {
    /// What held before a day, since the day before it in this list; oldest first.
    past: Vec<(NaiveDate, T)>,
    /// What holds since the last of them.
    now: T,
}

impl<T> Dated<T> {
    /// A value that never changed.
    #[must_use]
    pub fn always(now: T) -> Self {
        Self { past: Vec::new(), now }
    }

    /// A value that was `before`, then each of `changes` from its day on (oldest first), the last of
    /// which is `now`: the current value is taken from where it is kept, not from the history.
    #[must_use]
    pub fn of(before: T, changes: Vec<(NaiveDate, T)>, now: T) -> Self {
        let mut past = Vec::with_capacity(changes.len());
        let mut held = before;
        for (day, value) in changes {
            past.push((day, std::mem::replace(&mut held, value)));
        }
        Self { past, now }
    }

    /// What held at the end of `day`.
    #[must_use]
    pub fn on(&self, day: NaiveDate) -> &T {
        self.past.iter().find(|(until, _)| day < *until).map_or(&self.now, |(_, value)| value)
    }

    /// What holds now.
    #[must_use]
    pub fn now(&self) -> &T {
        &self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_has_what_held_at_its_end() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let changes = vec![(day("2026-11-01"), "member"), (day("2026-11-20"), "stale")];
        let role = Dated::of("none", changes, "admin");
        for (on, expected) in [
            ("2026-10-31", "none"),
            ("2026-11-01", "member"),
            ("2026-11-19", "member"),
            ("2026-11-20", "admin"),
            ("2026-12-01", "admin"),
        ] {
            assert_eq!(*role.on(day(on)), expected, "{on}");
        }
        assert_eq!(*Dated::always(1).on(day("2026-11-01")), 1);
    }
}
