//! What may be kept for how long (pure).

use chrono::{Days, NaiveDate};

/// The longest that anything is kept: every day is a partition, and PostgreSQL has a lock for each.
pub const LONGEST: i32 = 800;
/// The journal is kept so long at least: the catalog looks back a week before a change is saved.
pub const SHORTEST_JOURNAL: i32 = 7;
/// Key events are kept so long at least: routing looks back two weeks, a hand-over a month.
pub const SHORTEST_KEY_EVENTS: i32 = 30;
/// A message that comes again within so many days is known. SDKs are promised 30.
pub const KNOWN_MESSAGES: u64 = 35;
const _: () = assert!(KNOWN_MESSAGES >= 30, "what SDKs are promised");
/// Settled dead letters are kept so long.
pub const DEAD_LETTERS: u64 = 90;
/// Measurements by the minute are looked at for a day or two.
pub const MEASURES: u64 = 14;
/// A year and a month: what happened can be held against the same month a year ago.
const YEAR: i32 = 400;

/// For how many UTC days before today what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What was sent, as it came.
    pub journal_days: i32,
    /// Key events, whole.
    pub key_event_days: i32,
}

impl Policy {
    /// The first day of the journal that is kept.
    #[must_use]
    pub fn journal_from(self, today: NaiveDate) -> NaiveDate {
        before(today, self.journal_days)
    }

    /// The first day of key events that is kept.
    #[must_use]
    pub fn key_events_from(self, today: NaiveDate) -> NaiveDate {
        before(today, self.key_event_days)
    }
}

fn before(today: NaiveDate, days: i32) -> NaiveDate {
    let days = Days::new(u64::try_from(days).unwrap_or(0));
    today.checked_sub_days(days).unwrap_or(today)
}

/// What stands against a policy, or is worth knowing before it is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The field it is about.
    pub field: &'static str,
    /// Whether it cannot be saved so.
    pub refused: bool,
    /// What is wrong and what to do.
    pub text: String,
}

/// What stands against it. `lookback_days` is how far the published scoring model looks back.
#[must_use]
pub fn lint(policy: Policy, lookback_days: i64) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut find = |field, refused, text| all.push(Finding { field, refused, text });
    let Policy { journal_days: journal, key_event_days: key } = policy;
    if !(SHORTEST_JOURNAL..=LONGEST).contains(&journal) {
        let text = format!(
            "Between {SHORTEST_JOURNAL} and {LONGEST} days. A change of the catalog is first tried on the \
             last {SHORTEST_JOURNAL} days of the journal."
        );
        find("journal_days", true, text);
    } else if i64::from(journal) < lookback_days {
        let text = format!(
            "The published scoring model looks back {lookback_days} days, the journal reaches back \
             {journal}. After a change of the catalog a rebuild can count only these anew; older days \
             keep the meaning they had. Keep the journal {lookback_days} days if you change the catalog \
             often, or look back fewer days in scoring."
        );
        find("journal_days", false, text);
    }
    if !(SHORTEST_KEY_EVENTS..=LONGEST).contains(&key) {
        let text = format!(
            "Between {SHORTEST_KEY_EVENTS} and {LONGEST} days. Routing and hand-overs read the key events \
             of the last weeks."
        );
        find("key_event_days", true, text);
    } else if i64::from(key) < lookback_days {
        let text = format!(
            "The published scoring model looks back {lookback_days} days, so points older than {key} days \
             would stand without the events behind them. Keep key events {lookback_days} days, or look \
             back fewer days in scoring."
        );
        find("key_event_days", true, text);
    } else if key < YEAR {
        let text = format!(
            "Timelines would end {key} days ago: too short to hold a month against the same month of last \
             year. {YEAR} days are enough."
        );
        find("key_event_days", false, text);
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_ripen_starts_with_is_taken_and_says_what_a_rebuild_cannot_reach() {
        let found = lint(Policy { journal_days: 90, key_event_days: 400 }, 180);
        assert_eq!(found.len(), 1);
        assert!(!found[0].refused && found[0].text.contains("180 days"));
        assert_eq!(lint(Policy { journal_days: 180, key_event_days: 400 }, 180), []);
    }

    proptest! {
        #[test]
        fn whatever_is_taken_covers_what_scoring_shows(
            journal in -10..1_000_i32, key in -10..1_000_i32, lookback in 1..1_000_i64,
        ) {
            let policy = Policy { journal_days: journal, key_event_days: key };
            let found = lint(policy, lookback);
            let refused = |field| found.iter().any(|one| one.refused && one.field == field);
            prop_assert_eq!(refused("journal_days"), !(7..=800).contains(&journal));
            let too_short = !(30..=800).contains(&key) || i64::from(key) < lookback;
            prop_assert_eq!(refused("key_event_days"), too_short);
            // One finding a field at most, and a warning wherever a rebuild falls short of the model.
            for field in ["journal_days", "key_event_days"] {
                prop_assert!(found.iter().filter(|one| one.field == field).count() <= 1);
            }
            if (7..=800).contains(&journal) {
                let warned = found.iter().any(|one| one.field == "journal_days");
                prop_assert_eq!(warned, i64::from(journal) < lookback);
            }
        }

        #[test]
        fn keeping_longer_never_lets_go_of_more(day in 0..40_000_u64, a in 0..900_i32, b in 0..900_i32) {
            let today = NaiveDate::default() + Days::new(day);
            let from = |days| Policy { journal_days: days, key_event_days: days };
            let (less, more) = (from(a.min(b)), from(a.max(b)));
            prop_assert!(more.key_events_from(today) <= less.key_events_from(today));
            prop_assert!(more.journal_from(today) <= less.journal_from(today));
            prop_assert!(less.key_events_from(today) <= today);
        }
    }
}
