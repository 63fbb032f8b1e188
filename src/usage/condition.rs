//! Conditions: `{field, op, value}` over the signal dictionary, for scoring, routing and filters.
//!
//! Evaluation is total: whatever the types, a condition holds or does not. A field without a value
//! satisfies only `is_not_set`, `!=` and `not_in` (signals.md). Values of different kinds are never
//! equal and never ordered; whole numbers and fractions are one kind, and so are a date, a time and
//! a text that reads as one.

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use super::dictionary::FieldType;
use super::signal::{Fields, Value};
use crate::catalog::operator::Op;
use crate::values::text::trimmed;

/// One condition on one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// A key of the signal dictionary or of a custom signal.
    pub field: String,
    /// The comparison.
    pub op: Op,
    /// What the field is compared with; a list for `in` and `not_in`, absent for `is_set`.
    #[serde(default, skip_serializing_if = "is_null")]
    pub value: Value,
}

fn is_null(value: &Value) -> bool {
    !value.is_set()
}

impl Condition {
    /// A condition.
    #[must_use]
    pub fn new(field: &str, op: Op, value: impl Into<Value>) -> Self {
        Self { field: field.to_owned(), op, value: value.into() }
    }

    /// Whether the condition holds for this value of its field.
    #[must_use]
    pub fn holds(&self, actual: &Value) -> bool {
        if !actual.is_set() {
            return matches!(self.op, Op::IsNotSet | Op::Ne | Op::NotIn);
        }
        if self.field == TERRITORY {
            return self.compares(&lowercase(actual), &lowercase(&self.value));
        }
        self.compares(actual, &self.value)
    }

    fn compares(&self, actual: &Value, wanted: &Value) -> bool {
        let order = || compare(actual, wanted);
        match self.op {
            Op::IsSet => true,
            Op::IsNotSet => false,
            Op::Eq => same(actual, wanted),
            Op::Ne => !same(actual, wanted),
            Op::Lt => order() == Some(Ordering::Less),
            Op::Le => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
            Op::Gt => order() == Some(Ordering::Greater),
            Op::Ge => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
            Op::In => one_of(actual, wanted),
            Op::NotIn => !one_of(actual, wanted),
            Op::Contains => contains(actual, wanted),
        }
    }

    /// The condition as a sentence part, with the field's label: "Trial days remaining is at most 3".
    #[must_use]
    pub fn to_words(&self, label: &str) -> String {
        if self.op.takes_value() {
            format!("{label} {} {}", self.op.words(), self.value.to_words())
        } else {
            format!("{label} {}", self.op.words())
        }
    }

    /// What is wrong with operator and value for a field of this type, and how to mend it.
    ///
    /// # Errors
    /// A message for the person who edits the condition.
    pub fn check(&self, kind: FieldType, values: &[&str]) -> Result<(), String> {
        let known = |value: &Value| -> Result<(), String> {
            if !kind.accepts(value) {
                return Err(format!("Enter {} to compare with.", kind.words()));
            }
            match value.as_text() {
                Some(text) if !values.is_empty() && !values.contains(&text) => {
                    Err(format!("Choose one of {}; \"{text}\" never occurs.", values.join(", ")))
                }
                _ => Ok(()),
            }
        };
        match self.op {
            Op::IsSet | Op::IsNotSet => Ok(()),
            Op::Eq | Op::Ne => known(&self.value),
            Op::Lt | Op::Le | Op::Gt | Op::Ge if kind.is_ordered() => known(&self.value),
            Op::Lt | Op::Le | Op::Gt | Op::Ge => {
                Err(format!("This field has no order: use = or in instead of {}.", self.op.key()))
            }
            Op::In | Op::NotIn => match &self.value {
                Value::List(items) if !items.is_empty() => items.iter().try_for_each(known),
                _ => Err("List at least one value.".to_owned()),
            },
            Op::Contains => match (kind, &self.value) {
                (FieldType::Text | FieldType::List, Value::Text(text)) if !text.is_empty() => {
                    Ok(())
                }
                (FieldType::Text | FieldType::List, _) => Err("Enter the text to look for.".into()),
                _ => Err("contains works on texts and lists only: use = here.".to_owned()),
            },
        }
    }
}

/// An item of `when`: one condition, or a group of which any may hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Clause {
    /// Must hold.
    One(Condition),
    /// At least one of them must hold; an empty group never holds.
    Any {
        /// The alternatives.
        any: Vec<Condition>,
    },
}

impl Clause {
    /// Whether it holds, `field` giving the value of a key.
    pub fn holds<'a>(&self, field: impl Fn(&str) -> Cow<'a, Value>) -> bool {
        self.conditions().iter().any(|condition| condition.holds(&field(&condition.field)))
    }

    /// The conditions in it.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        match self {
            Self::One(condition) => std::slice::from_ref(condition),
            Self::Any { any } => any,
        }
    }
}

impl From<Condition> for Clause {
    fn from(condition: Condition) -> Self {
        Self::One(condition)
    }
}

impl<'de> Deserialize<'de> for Clause {
    // By hand, since an untagged enum would hide which key is wrong.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Group {
            any: Vec<Condition>,
        }
        let json = serde_json::Value::deserialize(deserializer)?;
        let parsed = if json.get("any").is_some() {
            serde_json::from_value(json).map(|group: Group| Self::Any { any: group.any })
        } else {
            serde_json::from_value(json).map(Self::One)
        };
        parsed.map_err(serde::de::Error::custom)
    }
}

/// Whether all clauses hold for the fields of one subject; no clauses always hold.
#[must_use]
pub fn all_hold(clauses: &[Clause], fields: &Fields) -> bool {
    clauses.iter().all(|clause| clause.holds(|key| Cow::Borrowed(fields.get(key))))
}

/// The one field whose words people and CRMs write in any case: `EMEA` is `emea`.
const TERRITORY: &str = "territory";

fn lowercase(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(trimmed(text).to_lowercase()),
        Value::List(items) => Value::List(items.iter().map(lowercase).collect()),
        other => other.clone(),
    }
}

fn same(actual: &Value, wanted: &Value) -> bool {
    match (actual, wanted) {
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        _ => compare(actual, wanted) == Some(Ordering::Equal),
    }
}

fn one_of(actual: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::List(items) => items.iter().any(|item| same(actual, item)),
        single => same(actual, single),
    }
}

fn contains(actual: &Value, wanted: &Value) -> bool {
    match (actual, wanted) {
        (Value::Text(text), Value::Text(part)) => {
            text.to_lowercase().contains(&part.to_lowercase())
        }
        (Value::List(items), _) => items.iter().any(|item| same(item, wanted)),
        _ => false,
    }
}

fn compare(actual: &Value, wanted: &Value) -> Option<Ordering> {
    match (actual, wanted) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Int(_) | Value::Number(_), Value::Int(_) | Value::Number(_)) => {
            number(actual)?.partial_cmp(&number(wanted)?)
        }
        (Value::Date(a), _) => match wanted {
            Value::Time(b) => Some(start_of(*a).cmp(b)),
            _ => Some(a.cmp(&date(wanted)?)),
        },
        // A day stands for the whole of itself: a moment within it is neither before nor after.
        (Value::Time(a), _) => match date(wanted) {
            Some(day) => Some(a.date_naive().cmp(&day)),
            None => Some(a.cmp(&time(wanted)?)),
        },
        (Value::Text(_), Value::Date(_) | Value::Time(_)) => {
            compare(wanted, actual).map(Ordering::reverse)
        }
        _ => None,
    }
}

#[allow(clippy::as_conversions, reason = "counts and cents are far below 2^53, where f64 is exact")]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(whole) => Some(*whole as f64),
        Value::Number(fraction) => Some(*fraction),
        _ => None,
    }
}

fn date(value: &Value) -> Option<NaiveDate> {
    match value {
        Value::Date(date) => Some(*date),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Time(time) => Some(*time),
        Value::Text(text) => DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()),
        _ => None,
    }
}

fn start_of(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
#[path = "condition_tests.rs"]
mod tests;
