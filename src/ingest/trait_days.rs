//! Traits by the day on which they were said, so that what was known on a past day can be told. Pure.
//!
//! Of each UTC day the newest value of each trait is kept ([`Traits`]); all days up to one, merged, are
//! the traits as of that day. Both are functions of a set: no order of arrival matters.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::moment::Moment;
use super::trait_names::Subject;
use super::traits::{Traits, snake_case};

/// What was said at which moments, in the order of arrival.
type Statements = Vec<(Moment, Map<String, Value>)>;

/// What a chunk says about subjects of one kind (users, workspaces, companies), by day.
#[derive(Debug)]
pub struct TraitDays {
    /// What the subjects are.
    pub subject: Subject,
    /// By subject and day.
    pub said: BTreeMap<(Uuid, NaiveDate), Statements>,
}

impl TraitDays {
    /// Nothing yet, about such subjects.
    #[must_use]
    pub fn new(subject: Subject) -> Self {
        Self { subject, said: BTreeMap::new() }
    }

    /// Notes what was said about a subject at `at`. Answers with the day if what is known of a past or
    /// present day may change by it: `known` are the subject's traits before. The same value said again,
    /// after all that is known, changes nothing.
    pub fn say(
        &mut self,
        subject: Uuid,
        known: &Traits,
        said: &Map<String, Value>,
        at: Moment,
    ) -> Option<NaiveDate> {
        if said.is_empty() {
            return None;
        }
        let day = at.at.date_naive();
        self.said.entry((subject, day)).or_default().push((at, said.clone()));
        let is_news = |(name, value): (&String, &Value)| {
            let name = snake_case(name);
            let since = known.moment(&name);
            let current = known.values.get(&name);
            since.is_none_or(|since| at < since) || current != Some(value).filter(|v| !v.is_null())
        };
        said.iter().any(is_news).then_some(day)
    }
}

/// The day under which stands what was stored before days were kept.
#[must_use]
pub fn before_all() -> NaiveDate {
    DateTime::UNIX_EPOCH.date_naive()
}

/// What held from each day on, out of the days of one subject, oldest first.
#[must_use]
pub fn accumulate(days: &[(NaiveDate, Traits)]) -> Vec<(NaiveDate, Traits)> {
    let mut all = Traits::default();
    let mut held: Vec<(NaiveDate, Traits)> = Vec::with_capacity(days.len());
    for (day, traits) in days {
        all.merge(traits);
        match held.last_mut() {
            Some((last, traits)) if last == day => *traits = all.clone(),
            Some((_, traits)) if traits.values == all.values => {}
            _ => held.push((*day, all.clone())),
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-{text}:00Z").parse().unwrap()
    }

    fn days(said: &[(&str, Value)], order: &[usize]) -> Vec<(NaiveDate, Traits)> {
        let mut days: BTreeMap<NaiveDate, Traits> = BTreeMap::new();
        for index in order {
            let (when, traits) = &said[*index];
            let day = days.entry(at(when).date_naive()).or_default();
            day.say_all(traits.as_object().unwrap(), at(when));
        }
        accumulate(&days.into_iter().collect::<Vec<_>>())
    }

    #[test]
    fn any_order_of_arrival_makes_the_same_history() {
        let said = [
            ("01T08:00", json!({"title": "Analyst"})),
            ("01T09:00", json!({"title": "Engineer", "email": "a@acme.com"})),
            ("05T09:00", json!({"title": "Engineer"})),
            ("20T09:00", json!({"title": "VP Engineering"})),
            ("10T09:00", json!({"title": null})),
        ];
        let history = days(&said, &[0, 1, 2, 3, 4]);
        for order in [[4, 3, 2, 1, 0], [3, 0, 4, 1, 2], [1, 4, 0, 3, 2]] {
            assert_eq!(days(&said, &order), history);
        }
        let told: Vec<(String, Option<String>)> = history
            .iter()
            .map(|(day, traits)| (day.to_string(), traits.text(&["title"])))
            .collect();
        let engineer = Some("Engineer".to_owned());
        assert_eq!(
            told,
            [
                ("2026-11-01".to_owned(), engineer),
                ("2026-11-10".to_owned(), None),
                ("2026-11-20".to_owned(), Some("VP Engineering".to_owned())),
            ]
        );
    }

    #[test]
    fn only_what_changes_a_day_is_news() {
        let mut known = Traits::default();
        let said = json!({"title": "VP"});
        let said = said.as_object().unwrap();
        let mut days = TraitDays::new(Subject::User);
        let id = Uuid::nil();
        let news = |days: &mut TraitDays, known: &Traits, said, when| {
            days.say(id, known, said, at(when).into()).map(|day| day.to_string())
        };
        assert_eq!(news(&mut days, &known, said, "05T08:00").as_deref(), Some("2026-11-05"));
        known.say_all(said, at("05T08:00"));
        assert_eq!(news(&mut days, &known, said, "06T08:00"), None, "said again");
        assert_eq!(
            news(&mut days, &known, said, "04T08:00").as_deref(),
            Some("2026-11-04"),
            "earlier"
        );
        let other = json!({"title": "CTO"});
        let other = other.as_object().unwrap();
        assert_eq!(news(&mut days, &known, other, "07T08:00").as_deref(), Some("2026-11-07"));
        assert_eq!(days.said.len(), 4);
    }
}
