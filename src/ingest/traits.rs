//! Traits: what a product says about a person, a workspace or a company, the newest word of each.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::moment::Moment;
use super::trait_names::{self, Subject};
pub use crate::values::boolean::of_text as yes_or_no;
pub use crate::values::text::text_of;
use crate::values::text::{Holds, said};
use crate::values::{boolean, number, time};

/// Traits with the time each was last set. `null` removes a trait but keeps the time, so that an
/// older value that arrives later stays out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traits {
    /// Trait to value, in snake case.
    pub values: Map<String, Value>,
    /// Trait to the moment at which it was last set, see [`Moment::to_json`].
    pub times: Map<String, Value>,
}

impl Traits {
    /// From what is stored; anything that is no object counts as empty. What was stored under another name
    /// of a trait has the canonical one.
    #[must_use]
    pub fn stored(subject: Subject, values: Value, times: Value) -> Self {
        let object = |value| match value {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        let mut traits = Self { values: object(values), times: object(times) };
        trait_names::rename(subject, &mut traits.values, &mut traits.times);
        traits
    }

    /// Applies what was said then; tells whether anything changed. The newer statement wins ([`Moment`]);
    /// of two of the very same moment, as when one call names a trait twice, the one with the greater
    /// JSON text, so that any order of arrival ends the same. camelCase and snake_case are the same trait.
    pub fn say(&mut self, name: &str, value: &Value, said: impl Into<Moment>) -> bool {
        let name = snake_case(name);
        let kept = said.into().to_json();
        let said = Moment::from_json(&kept);
        let wins = match self.times.get(&name).and_then(Moment::from_json) {
            None => true,
            known if said != known => said > known,
            _ => rank(Some(value)) > rank(self.values.get(&name)),
        };
        if !wins {
            return false;
        }
        if value.is_null() {
            self.values.remove(&name);
        } else {
            self.values.insert(name.clone(), value.clone());
        }
        self.times.insert(name, kept);
        true
    }

    /// Applies all of a message's traits.
    pub fn say_all(&mut self, said: &Map<String, Value>, at: impl Into<Moment>) -> bool {
        let at = at.into();
        said.iter().fold(false, |changed, (name, value)| self.say(name, value, at) | changed)
    }

    /// The moment at which a trait was last set.
    #[must_use]
    pub fn moment(&self, name: &str) -> Option<Moment> {
        self.times.get(name).and_then(Moment::from_json)
    }

    /// Takes over what others say of the same subject: of each trait the newer.
    pub fn merge(&mut self, other: &Self) {
        for name in other.times.keys() {
            if let Some(moment) = other.moment(name) {
                self.say(name, other.values.get(name).unwrap_or(&Value::Null), moment);
            }
        }
    }

    /// The first of these traits that is set to a text (or a number, as text) that says something: one
    /// that is blank, or a word for an empty field, does not.
    #[must_use]
    pub fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| said(self.values.get(*name)?, Holds::of(name)))
    }

    /// The first of these traits that is a number, or a text that reads as one.
    #[must_use]
    pub fn number(&self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| number_of(self.values.get(*name)?))
    }

    /// The first of these traits that is a point in time, see [`time::time`].
    #[must_use]
    pub fn time(&self, names: &[&str]) -> Option<DateTime<Utc>> {
        names.iter().find_map(|name| time_of(self.values.get(*name)?))
    }

    /// The first of these traits that says yes or no, in whatever form.
    #[must_use]
    pub fn flag(&self, names: &[&str]) -> Option<bool> {
        names.iter().find_map(|name| boolean::boolean(self.values.get(*name)?))
    }

    /// When any of these traits was last set.
    #[must_use]
    pub fn said_at(&self, names: &[&str]) -> Option<DateTime<Utc>> {
        names.iter().filter_map(|name| self.moment(name)).max().map(|moment| moment.at)
    }
}

/// A finite number, or a text that reads as one, see [`number::number`].
#[must_use]
pub fn number_of(value: &Value) -> Option<f64> {
    number::number(value).ok()
}

/// A point in time, see [`time::time`].
#[must_use]
pub fn time_of(value: &Value) -> Option<DateTime<Utc>> {
    time::time(value).ok()
}

/// `null` and absence are the lowest.
fn rank(value: Option<&Value>) -> Option<String> {
    value.filter(|value| !value.is_null()).map(Value::to_string)
}

/// `employeeCount`, `Employee Count` and `employee_count` are one.
#[must_use]
pub fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len().saturating_add(4));
    let mut after_small = false;
    for letter in name.trim().chars() {
        // Letters of mathematics are upper case and have no lower one.
        if letter.is_uppercase() && letter.to_lowercase().next() != Some(letter) {
            if after_small {
                snake.push('_');
            }
            snake.extend(letter.to_lowercase());
            after_small = false;
        } else if letter.is_alphanumeric() {
            snake.push(letter);
            after_small = true;
        } else {
            if !snake.is_empty() && !snake.ends_with('_') {
                snake.push('_');
            }
            after_small = false;
        }
    }
    snake.truncate(snake.trim_end_matches('_').len());
    snake
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn any_order_of_arrival_ends_the_same() {
        let said = [
            ("plan", json!("trial"), 1),
            ("plan", json!("pro"), 3),
            ("plan", json!(null), 2),
            ("plan", json!("pro2"), 3),
        ];
        let mut orders =
            vec![vec![0, 1, 2, 3], vec![3, 2, 1, 0], vec![2, 0, 3, 1], vec![1, 3, 0, 2]];
        let ends: Vec<Traits> = orders
            .drain(..)
            .map(|order| {
                let mut traits = Traits::default();
                for index in order {
                    let (name, value, second) = &said[index];
                    traits.say(name, value, at(*second));
                }
                traits
            })
            .collect();
        assert!(ends.iter().all(|end| *end == ends[0]));
        assert_eq!(ends[0].text(&["plan"]).as_deref(), Some("pro2"));
    }

    #[test]
    fn of_equal_times_the_later_receipt_and_the_later_item_is_the_newer() {
        let word = |value: Value, seq: i64| ("plan", value, Moment::new(at(3), seq));
        let said = [
            word(json!("trial"), 1),
            word(json!("free"), 2),
            word(json!(null), 3),
            word(json!(9), 4),
        ];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
            let mut traits = Traits::default();
            for (name, value, moment) in order.map(|index| said[index].clone()) {
                traits.say(name, &value, moment);
            }
            assert_eq!(
                (traits.number(&["plan"]), traits.moment("plan")),
                (Some(9.0), Some(said[3].2))
            );
            // What was kept before sequence numbers is older than anything of its time, never of a later time.
            assert!(!traits.say("plan", &json!("zzz"), at(3)));
            assert!(traits.say("plan", &json!("zzz"), at(4)));
        }
    }

    #[test]
    fn null_removes_and_older_values_stay_out() {
        let mut traits = Traits::default();
        assert!(traits.say("firstName", &json!("Dana"), at(1)));
        assert!(traits.say("first_name", &json!(null), at(2)));
        assert!(!traits.say("first_name", &json!("Old"), at(1)));
        assert_eq!(traits.text(&["first_name"]), None);
    }

    #[test]
    fn names_fold_case_and_separators() {
        for name in ["employeeCount", "Employee Count", "employee_count", "employee-count"] {
            assert_eq!(snake_case(name), "employee_count");
        }
        assert_eq!(snake_case("URL"), "url");
    }

    proptest::proptest! {
        #[test]
        fn a_grouped_number_is_the_number(number in 0..1_000_000_000_000_i64, cents in 0..100_u32) {
            let digits = number.to_string();
            let mut grouped = String::new();
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && (digits.len() - at) % 3 == 0 {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            let plain: f64 = format!("{digits}.{cents:02}").parse().unwrap();
            proptest::prop_assert_eq!(number_of(&json!(format!("{grouped}.{cents:02}"))), Some(plain));
            // The same with the two marks turned round is refused, or has no thousands at all.
            let comma = format!("{digits},{cents:02}");
            proptest::prop_assert_eq!(number_of(&json!(comma)), None);
        }
    }

    #[test]
    fn times_in_every_usual_form() {
        let mut traits = Traits::default();
        for (name, value) in [
            ("a", json!("2026-01-16T00:00:00Z")),
            ("b", json!("2026-01-16")),
            ("c", json!(1_768_521_600)),
            ("d", json!(1_768_521_600_000_i64)),
        ] {
            traits.say(name, &value, at(1));
            assert_eq!(
                traits.time(&[name]),
                Some("2026-01-16T00:00:00Z".parse().unwrap()),
                "{name}"
            );
        }
    }
}
