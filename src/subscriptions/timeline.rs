//! What the dated rows of subscriptions tell: revenue over time, and what changed when. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::terms::{Change, Origin, Standing, Terms, is_paying};

/// The subscriptions that count: those that a billing system tells of, else those of traits.
#[must_use]
pub fn counted(all: &[Standing]) -> Vec<&Standing> {
    let is_billed = all.iter().any(|one| one.origin != Origin::Traits);
    all.iter().filter(|one| !is_billed || one.origin != Origin::Traits).collect()
}

/// The monthly recurring revenue of subscriptions in one currency, from each day on which it became
/// another; what they were in another currency counts nothing. The first word about a subscription
/// also speaks for the days since it began.
#[must_use]
pub fn revenue(changes: &[&[Change]], currency: &str) -> Vec<(NaiveDate, i64)> {
    let mut moves = BTreeMap::<NaiveDate, i64>::new();
    for one in changes {
        let mut before = 0;
        for (place, change) in one.iter().enumerate() {
            let said = change.at.date_naive();
            let on = match change.terms.began_on() {
                Some(began) if place == 0 => began.min(said),
                _ => said,
            };
            let counts = is_paying(change.terms.status) && change.terms.currency == currency;
            let now = if counts { change.terms.mrr_cents } else { 0 };
            *moves.entry(on).or_default() += now - before;
            before = now;
        }
    }
    let mut sum = 0_i64;
    let mut days = Vec::new();
    for (on, by) in moves {
        sum = sum.saturating_add(by);
        if days.last().is_none_or(|(_, known)| *known != sum) {
            days.push((on, sum));
        }
    }
    days
}

/// A change as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// From when on.
    pub at: DateTime<Utc>,
    /// What it was before; none for the first word.
    pub before: Option<&'a Terms>,
    /// What it was from then on.
    pub after: &'a Terms,
    /// Who said so.
    pub origin: Origin,
}

/// The changes that changed something that people ask about, oldest first.
#[must_use]
pub fn steps(changes: &[Change]) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for change in changes {
        let before = steps.last().map(|step| step.after);
        if before.is_none_or(|before| !looks_the_same(before, &change.terms)) {
            steps.push(Step { at: change.at, before, after: &change.terms, origin: change.origin });
        }
    }
    steps
}

fn looks_the_same(a: &Terms, b: &Terms) -> bool {
    let visible = |terms: &Terms| {
        let Terms { plan, currency, billing_period, trial_end_on, ends_on, .. } = terms.clone();
        (
            terms.status,
            plan,
            currency,
            billing_period,
            terms.mrr_cents,
            terms.seats_purchased,
            trial_end_on,
            ends_on,
        )
    };
    visible(a) == visible(b)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn change(at: &str, status: &'static str, mrr_cents: i64) -> Change {
        Change {
            id: "s".into(),
            at: format!("{at}T12:00:00Z").parse().unwrap(),
            key: String::new(),
            place: 0,
            terms: Terms { mrr_cents, ..Terms::new(status) },
            origin: Origin::Stripe,
        }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn revenue_goes_in_steps_and_a_trial_brings_none() {
        let one = [
            change("2026-01-01", "trialing", 900),
            change("2026-01-15", "active", 900),
            change("2026-01-20", "active", 900),
            change("2026-03-01", "past_due", 1200),
            change("2026-04-01", "canceled", 1200),
        ];
        let other = [change("2026-02-01", "active", 100)];
        assert_eq!(
            revenue(&[&one, &other], "usd"),
            [
                (day("2026-01-01"), 0),
                (day("2026-01-15"), 900),
                (day("2026-02-01"), 1000),
                (day("2026-03-01"), 1300),
                (day("2026-04-01"), 100),
            ]
        );
    }

    #[test]
    fn what_was_in_another_currency_is_not_counted_in_this_one() {
        let mut yen = change("2026-01-01", "active", 5000);
        yen.terms.currency = "jpy".into();
        let one = [yen, change("2026-02-01", "active", 40)];
        let days = [(day("2026-01-01"), 0), (day("2026-02-01"), 40)];
        assert_eq!(revenue(&[&one], "usd"), days);
        assert_eq!(revenue(&[&one], "jpy"), [(day("2026-01-01"), 5000), (day("2026-02-01"), 0)]);
    }

    #[test]
    fn the_first_word_speaks_for_the_days_since_it_began() {
        let mut first = change("2026-03-01", "active", 500);
        first.terms.started_at = Some("2026-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(revenue(&[&[first]], "usd"), [(day("2026-01-01"), 500)]);
    }

    #[test]
    fn what_changes_nothing_that_is_asked_for_is_no_step() {
        let mut renewed = change("2026-02-01", "active", 900);
        renewed.terms.renewal_on = Some(day("2026-03-01"));
        let all =
            [change("2026-01-01", "active", 900), renewed, change("2026-03-01", "canceled", 0)];
        let steps = steps(&all);
        assert_eq!(steps.len(), 2);
        assert_eq!(steps[1].before.map(|terms| terms.status), Some("active"));
    }

    proptest! {
        #[test]
        fn it_ends_with_the_sum_of_what_stands(amounts in proptest::collection::vec((0..1000_i64, any::<bool>()), 1..12)) {
            let changes: Vec<Change> = amounts
                .iter()
                .enumerate()
                .map(|(at, (cents, pays))| change(&format!("2026-01-{:02}", at + 1), if *pays { "active" } else { "paused" }, *cents))
                .collect();
            let (cents, pays) = amounts[amounts.len() - 1];
            let end = revenue(&[&changes], "usd").last().map(|(_, sum)| *sum);
            prop_assert_eq!(end, Some(if pays { cents } else { 0 }));
        }
    }
}
