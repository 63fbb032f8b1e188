//! Conditions on what an event carries, for names that mean several things.
//!
//! Evaluation is total. Values are compared as people write them in a form: as numbers when both
//! read as numbers, else as texts; dates and times have an order, other texts have none.
//! What is not there, or null, satisfies only `is_not_set`, `!=` and `not_in`, as everywhere in Ripen.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::operator::Op;
use crate::values::text::trimmed;
use crate::values::{boolean, number, time};

/// One condition; a definition holds when all of its conditions do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Where to look: see [`look`].
    pub path: String,
    /// The comparison.
    pub op: Op,
    /// What is compared with, as typed; for `in` and `not_in` separated by commas.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
}

impl Condition {
    /// Whether it holds for what an event carries.
    #[must_use]
    pub fn holds(&self, event: &Value) -> bool {
        let Some(actual) = look(event, &self.path).filter(|value| !value.is_null()) else {
            return matches!(self.op, Op::IsNotSet | Op::Ne | Op::NotIn);
        };
        let order = || compare(actual, &self.value);
        match self.op {
            Op::IsSet => true,
            Op::IsNotSet => false,
            Op::Eq => same(actual, &self.value),
            Op::Ne => !same(actual, &self.value),
            Op::Lt => order() == Some(Ordering::Less),
            Op::Le => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
            Op::Gt => order() == Some(Ordering::Greater),
            Op::Ge => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
            Op::In => self.items().any(|item| same(actual, item)),
            Op::NotIn => !self.items().any(|item| same(actual, item)),
            Op::Contains => contains(actual, &self.value),
        }
    }

    fn items(&self) -> impl Iterator<Item = &str> {
        self.value.split(',').map(str::trim).filter(|item| !item.is_empty())
    }

    /// What is wrong with it, and how to mend it.
    ///
    /// # Errors
    /// A message for the person who edits it.
    pub fn check(&self) -> Result<(), String> {
        let path = self.path.trim();
        if path.is_empty() || path.len() > 200 || path.chars().any(char::is_control) {
            return Err("Name the property in up to 200 letters, such as plan.name.".to_owned());
        }
        if self.value.len() > 500 || self.value.chars().any(char::is_control) {
            return Err("Shorten the value to 500 letters on one line.".to_owned());
        }
        if self.op.takes_value() && self.value.trim().is_empty() {
            return Err(format!("Enter what {path} is compared with."));
        }
        let ordered = matches!(self.op, Op::Lt | Op::Le | Op::Gt | Op::Ge);
        if ordered
            && let Err(fault) = number::of_text(&self.value)
            && moment(&self.value.as_str().into()).is_none()
        {
            if let Some(advice) = fault.advice() {
                return Err(format!("{} {advice}", self.value.trim()));
            }
            return Err(format!(
                "{} compares numbers and dates: enter one, or use = instead.",
                self.op.words()
            ));
        }
        Ok(())
    }

    /// As a part of a sentence: "plan.name is pro".
    #[must_use]
    pub fn to_words(&self) -> String {
        if self.op.takes_value() {
            format!("{} {} {}", self.path, self.op.words(), self.value)
        } else {
            format!("{} {}", self.path, self.op.words())
        }
    }
}

/// The value at a path. `properties.`, `traits.`, `context.page.path`, `context.groupId`, `groupId`
/// and `name` say where to look; any other path is one of a property. A property whose name has dots
/// goes before nested objects.
#[must_use]
pub fn look<'a>(event: &'a Value, path: &str) -> Option<&'a Value> {
    let path = path.trim();
    within(event.get("properties"), path).or_else(|| match path.split_once('.') {
        Some((root @ ("properties" | "traits" | "context"), rest)) => within(event.get(root), rest),
        None if matches!(path, "groupId" | "name") => event.get(path),
        _ => None,
    })
}

fn within<'a>(value: Option<&'a Value>, path: &str) -> Option<&'a Value> {
    let members = value?.as_object()?;
    members.get(path).or_else(|| {
        // The longest name that is there wins; a path has at most a handful of dots.
        path.match_indices('.').rev().find_map(|(dot, _)| {
            let (name, rest) = (path.get(..dot)?, path.get(dot.saturating_add(1)..)?);
            within(Some(members.get(name)?), rest)
        })
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(trimmed(text).to_owned()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Microseconds since 1970, of any year: people are born before 2000.
fn moment(value: &Value) -> Option<i64> {
    let any_year = value.as_str().and_then(time::instant);
    any_year.or_else(|| time::time(value).ok().map(|at| at.timestamp_micros()))
}

fn same(actual: &Value, wanted: &str) -> bool {
    if let Value::Bool(flag) = actual {
        return boolean::of_text(wanted) == Some(*flag);
    }
    match (number::number(actual), number::of_text(wanted)) {
        (Ok(actual), Ok(wanted)) => actual.total_cmp(&wanted) == Ordering::Equal,
        _ => text(actual).is_some_and(|actual| actual == trimmed(wanted)),
    }
}

fn compare(actual: &Value, wanted: &str) -> Option<Ordering> {
    match (number::number(actual), number::of_text(wanted)) {
        (Ok(actual), Ok(wanted)) => actual.partial_cmp(&wanted),
        _ => Some(moment(actual)?.cmp(&moment(&wanted.into())?)),
    }
}

fn contains(actual: &Value, wanted: &str) -> bool {
    match actual {
        Value::Array(items) => items.iter().any(|item| same(item, wanted)),
        other => text(other)
            .is_some_and(|text| text.to_lowercase().contains(&wanted.trim().to_lowercase())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(path: &str, op: &str, value: &str) -> bool {
        let event = json!({
            "name": "Pricing", "groupId": "w1", "traits": {"role": "admin"},
            "context": {"page": {"path": "/pricing/teams"}},
            "properties": {
                "plan": {"name": "pro", "seats": 5}, "count": "12", "ok": true, "gone": null,
                "tags": ["a", 7], "on": "2026-11-19T08:00:00Z", "a.b": "dotted", "a": {"b": "nested"},
                "since": 1_700_000_000,
            },
        });
        let op = Op::named(op).unwrap();
        Condition { path: path.into(), op, value: value.into() }.holds(&event)
    }

    #[test]
    fn it_compares_what_people_write() {
        for (path, op, value) in [
            ("plan.name", "=", "pro"),
            ("properties.plan.seats", ">=", "5.0"),
            ("count", ">", "2"),
            ("ok", "=", "true"),
            ("tags", "contains", "7"),
            ("plan.name", "contains", "PR"),
            ("plan.name", "in", "free, pro"),
            ("plan.name", "not_in", "free"),
            ("on", "<", "2026-11-20"),
            ("a.b", "=", "dotted"),
            ("traits.role", "=", "admin"),
            ("context.page.path", "contains", "/pricing"),
            ("groupId", "=", "w1"),
            ("name", "=", "Pricing"),
            ("gone", "is_not_set", ""),
            ("gone", "!=", "x"),
            ("never.there", "not_in", "x"),
            ("ok", "=", "TRUE"),
            ("count", "<", "1 000"),
            ("on", "<", "2026-11-19 09:00:00+0000"),
            ("on", ">", "1970-01-01"),
            ("since", ">", "2023-11-14"),
        ] {
            assert!(holds(path, op, value), "{path} {op} {value}");
        }
        for (path, op, value) in [
            ("plan", "=", "pro"),
            ("plan.name", ">", "a"),
            ("plan.name", "=", "Pro"),
            ("gone", "is_set", ""),
            ("gone", "=", ""),
            ("never.there", "<", "1"),
            ("plan.name.more", "is_set", ""),
        ] {
            assert!(!holds(path, op, value), "{path} {op} {value}");
        }
    }

    #[test]
    fn what_cannot_hold_is_refused_in_words() {
        let check = |path: &str, op, value: &str| {
            Condition { path: path.into(), op, value: value.into() }.check()
        };
        assert!(check("", Op::IsSet, "").is_err());
        assert!(check("a", Op::Eq, " ").is_err());
        assert!(check("a", Op::Lt, "pro").unwrap_err().contains("numbers"));
        assert!(check("a", Op::Lt, "49,90").unwrap_err().contains("Write 49.90."));
        assert!(check("a", Op::Lt, "25.000").unwrap_err().contains("25 or as 25000"));
        assert_eq!(check("a", Op::Lt, "25,000"), Ok(()));
        assert_eq!(check("a", Op::Lt, "2026-01-01"), Ok(()));
        assert_eq!(check("a", Op::IsSet, ""), Ok(()));
    }
}
