//! A value of a field: what is taken, what it becomes, what is said about one that will not do.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::identity::address;
use crate::identity::domain::{Email, company_domain};
use crate::ingest::traits::snake_case;
use crate::subscriptions::terms::{STATUSES, period_named, status_named};
use crate::values::head_count::head_count;
use crate::values::number::{Fault, number};
use crate::values::text::{Holds, is_empty_word, text_of};
use crate::values::{boolean, id};
use crate::workspaces::membership::{persona_named, role_named};

/// The longest id, in bytes, as for events.
pub const LONGEST_ID: usize = 512;
/// The longest text, in characters.
pub const LONGEST_TEXT: usize = 1_000;
/// More than any head count or price in minor units.
const MOST: f64 = 1e14;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named by what they say")]
pub enum Type {
    Id,
    Text,
    Whole,
    HeadCount,
    Flag,
    Time,
    Domain,
    Website,
    Email,
    OneOf(&'static [&'static str]),
    Role,
    Persona,
    Status,
    Period,
    Amount,
    List,
    Traits,
}

impl Type {
    /// What it is called in the reference and on the mapping page.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Id => "id".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Whole => "whole number".to_owned(),
            Self::HeadCount => "whole number or range".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Time => "time".to_owned(),
            Self::Domain => "domain".to_owned(),
            Self::Website => "website".to_owned(),
            Self::Email => "e-mail address".to_owned(),
            Self::OneOf(words) => words.join(", "),
            Self::Role => "admin, member, viewer".to_owned(),
            Self::Persona => "builder, champion, evaluator, economic_buyer".to_owned(),
            Self::Status => STATUSES.join(", "),
            Self::Period => "month, year".to_owned(),
            Self::Amount => "amount".to_owned(),
            Self::List => "list of texts".to_owned(),
            Self::Traits => "object".to_owned(),
        }
    }

    /// What JSON it may be, for the OpenAPI document.
    #[must_use]
    pub fn json_type(self) -> Value {
        match self {
            Self::Whole => json!(["integer", "null"]),
            Self::Amount => json!(["number", "null"]),
            Self::HeadCount => json!(["integer", "string", "null"]),
            Self::Flag => json!(["boolean", "null"]),
            Self::List => json!(["array", "string", "null"]),
            Self::Traits => json!("object"),
            Self::Id => json!("string"),
            _ => json!(["string", "null"]),
        }
    }

    /// The value as it is kept. Text is taken for every type, since files and warehouses have nothing
    /// else; the value is never null.
    ///
    /// # Errors
    /// What is wrong with it and how to write it, beginning with the value.
    pub fn read(self, value: &Value) -> Result<Value, String> {
        match self {
            Self::Traits => match value {
                Value::Object(_) => Ok(value.clone()),
                other => {
                    Err(format!("{} is no object, such as {{\"key\": \"value\"}}.", quoted(other)))
                }
            },
            Self::List => list(value),
            Self::Flag => flag(value),
            Self::Whole => whole(value),
            Self::Amount => amount(value),
            Self::HeadCount => whole(value).or_else(|_| counted(value)),
            Self::Time => time(value).map(|at| at.to_rfc3339().into()),
            Self::Id => identifier(value).map(Value::String),
            _ => self.text(value).map(Value::String),
        }
    }

    fn text(self, value: &Value) -> Result<String, String> {
        let text = text_of(value).ok_or_else(|| format!("{} is no text.", quoted(value)))?;
        if text.chars().count() > LONGEST_TEXT {
            return Err(format!(
                "{} is longer than {LONGEST_TEXT} characters. Shorten it.",
                quoted(value)
            ));
        }
        let word = |found: Option<&'static str>, choices: &str| {
            found
                .map(str::to_owned)
                .ok_or_else(|| format!("{} is none of {choices}.", quoted(value)))
        };
        match self {
            Self::OneOf(words) => {
                let said = snake_case(&text);
                word(words.iter().find(|word| **word == said).copied(), &words.join(", "))
            }
            Self::Role => word(role_named(&text), "admin, member, viewer"),
            Self::Persona => word(persona_named(&text), "builder, champion, evaluator, economic_buyer"),
            Self::Status => word(status_named(&text), &STATUSES.join(", ")),
            Self::Period => word(period_named(&text), "month, year"),
            Self::Email => Email::parse(&text)
                .map(|email| email.address)
                .ok_or_else(|| format!("{} is no e-mail address.", quoted(value))),
            Self::Domain => company_domain(&text).ok_or_else(|| {
                format!("{} is no company's domain. Write one such as acme.com; free mail, pages at shared hosts such as linkedin.com/company/acme and unknown endings stand for nobody.", quoted(value))
            }),
            Self::Website => match address::read_site(&text) {
                Some(_) => Ok(text),
                None => Err(format!("{} is no website. Write it as https://acme.com.", quoted(value))),
            },
            _ => Ok(text),
        }
    }
}

fn identifier(value: &Value) -> Result<String, String> {
    let id = id::id(value).map_err(|fault| format!("{} {}", quoted(value), fault.advice()))?;
    if id.len() > LONGEST_ID {
        return Err(format!(
            "{} is longer than 512 bytes. Send the product's own id.",
            quoted(value)
        ));
    }
    Ok(id)
}

/// A point in time, see [`crate::values::time::time`].
///
/// # Errors
/// How to write it.
pub fn time(value: &Value) -> Result<DateTime<Utc>, String> {
    crate::values::time::time(value)
        .map_err(|fault| format!("{} {}", quoted(value), fault.advice()))
}

#[allow(clippy::as_conversions, reason = "a whole number far below 2^53")]
fn whole(value: &Value) -> Result<Value, String> {
    match number(value) {
        Ok(number) if number.fract() == 0.0 && (0.0..=MOST).contains(&number) => {
            Ok(Value::from(number as i64))
        }
        read => Err(no_number(value, read.err(), "is not a whole number.")),
    }
}

fn amount(value: &Value) -> Result<Value, String> {
    match number(value) {
        Ok(number) if (0.0..=MOST).contains(&number) => Ok(Value::from(number)),
        read => Err(no_number(value, read.err(), "is no amount from 0 on, such as 49.90.")),
    }
}

/// `201-500`, `1,000+`, `51 to 200`, `10K-50K`: kept as it is written, the lower end counts.
fn counted(value: &Value) -> Result<Value, String> {
    let text = text_of(value).unwrap_or_default();
    head_count(value).map(|_| text.into()).map_err(|fault| {
        let otherwise = "is no number of people. Write it as 250, or as a range such as 201-500.";
        no_number(value, Some(fault), otherwise)
    })
}

fn no_number(value: &Value, fault: Option<Fault>, otherwise: &str) -> String {
    let advice = fault.and_then(|fault| fault.advice());
    format!("{} {}", quoted(value), advice.as_deref().unwrap_or(otherwise))
}

fn flag(value: &Value) -> Result<Value, String> {
    boolean::boolean(value)
        .map(Value::from)
        .ok_or_else(|| format!("{} is neither true nor false.", quoted(value)))
}

fn list(value: &Value) -> Result<Value, String> {
    let texts: Option<Vec<String>> = match value {
        Value::Array(values) => values.iter().map(text_of).collect(),
        Value::String(text) => {
            Some(text.split([',', ';']).filter_map(|part| text_of(&part.into())).collect())
        }
        _ => None,
    };
    let says = |text: &String| !is_empty_word(text, Holds::Word);
    match texts.map(|texts| texts.into_iter().filter(says).collect::<Vec<_>>()) {
        Some(texts)
            if texts.len() <= 200
                && texts.iter().all(|text| text.chars().count() <= LONGEST_TEXT) =>
        {
            Ok(texts.into())
        }
        _ => Err(format!("{} is no list of at most 200 texts.", quoted(value))),
    }
}

/// The value as people see it in a message, cut to a readable length.
#[must_use]
pub fn quoted(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { format!("'{short}…'") } else { format!("'{short}'") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_taken_for_every_type() {
        for (of, text, kept) in [
            (Type::Whole, json!("1,200"), json!(1200)),
            (Type::Whole, json!(7.0), json!(7)),
            (Type::HeadCount, json!("201-500"), json!("201-500")),
            (Type::HeadCount, json!("1,000+"), json!("1,000+")),
            (Type::HeadCount, json!("51 to 200"), json!("51 to 200")),
            (Type::Amount, json!("1,234.50"), json!(1234.5)),
            (Type::Whole, json!("25\u{a0}000"), json!(25000)),
            (Type::Whole, json!("1e4"), json!(10000)),
            (Type::Whole, json!("２５"), json!(25)),
            (Type::Whole, json!("25.0"), json!(25)),
            (Type::HeadCount, json!("10K-50K"), json!("10K-50K")),
            (Type::HeadCount, json!("100K+"), json!("100K+")),
            (Type::HeadCount, json!("1.000"), json!("1.000")),
            (Type::HeadCount, json!("1 000"), json!(1000)),
            (Type::HeadCount, json!("> 1000"), json!("> 1000")),
            (Type::HeadCount, json!("~500"), json!("~500")),
            (Type::Flag, json!("Yes"), json!(true)),
            (Type::Flag, json!(0), json!(false)),
            (Type::Time, json!("2026-11-20"), json!("2026-11-20T00:00:00+00:00")),
            (Type::Time, json!("2026-11-20 10:30"), json!("2026-11-20T10:30:00+00:00")),
            (Type::Time, json!("2026-11-20T12:30:00+02:00"), json!("2026-11-20T10:30:00+00:00")),
            (Type::Time, json!("1768521600"), json!("2026-01-16T00:00:00+00:00")),
            (Type::Time, json!(1_768_521_600_000_i64), json!("2026-01-16T00:00:00+00:00")),
            (Type::Time, json!("45992"), json!("2025-12-01T00:00:00+00:00")),
            (Type::Time, json!("20261120"), json!("2026-11-20T00:00:00+00:00")),
            (Type::Time, json!("2026-11-20 23:30:00-08"), json!("2026-11-21T07:30:00+00:00")),
            (Type::Time, json!("2026-11-20 23:30:00-0800"), json!("2026-11-21T07:30:00+00:00")),
            (Type::Id, json!(777_001.0), json!("777001")),
            (Type::Id, json!(" u1\u{a0}\r\n"), json!("u1")),
            (Type::Id, json!("=\"00123\""), json!("00123")),
            (Type::Id, json!("'00123"), json!("00123")),
            (Type::Domain, json!("https://www.Acme.com/x"), json!("acme.com")),
            (Type::Email, json!(" Dana@ACME.com "), json!("dana@acme.com")),
            (Type::OneOf(&["mid_market"]), json!("Mid-Market"), json!("mid_market")),
            (Type::Role, json!("Owner"), json!("admin")),
            (Type::List, json!("a, b;c"), json!(["a", "b", "c"])),
            (Type::Website, json!("acme.com"), json!("acme.com")),
        ] {
            assert_eq!(of.read(&text), Ok(kept), "{of:?} {text}");
        }
    }

    #[test]
    fn what_will_not_do_is_said_with_its_value() {
        assert_eq!(
            Type::Whole.read(&json!("many")),
            Err("'many' is not a whole number.".to_owned())
        );
        assert_eq!(
            Type::Amount.read(&json!("1.234,50")),
            Err("'1.234,50' has a comma before its fraction. Write 1234.50.".to_owned())
        );
        for (of, value) in [
            (Type::Whole, json!(-1)),
            (Type::Whole, json!(1.5)),
            (Type::Whole, json!("1,5")),
            (Type::Amount, json!("49,90")),
            (Type::Amount, json!("1,23,456")),
            (Type::HeadCount, json!("a lot")),
            (Type::HeadCount, json!("1,5")),
            (Type::Whole, json!("25.000")),
            (Type::Whole, json!("25.500")),
            (Type::Amount, json!("1.234")),
            (Type::HeadCount, json!("10-50K")),
            (Type::HeadCount, json!("10-Jan")),
            (Type::Time, json!(0)),
            (Type::Time, json!("2026")),
            (Type::Time, json!("1970-01-01")),
            (Type::Id, json!("1.23457E+11")),
            (Type::Id, json!("{{userId}}")),
            (Type::Id, json!("\u{200b}")),
            (Type::Id, json!(1.234_567_890_123_456_8e19)),
            (Type::Flag, json!("perhaps")),
            (Type::Time, json!("20.11.2026")),
            (Type::Time, json!("0001-01-01")),
            (Type::Domain, json!("gmail.com")),
            (Type::Email, json!("dana")),
            (Type::Website, json!("javascript:alert(1)")),
            (Type::OneOf(&["a"]), json!("b")),
            (Type::Id, json!("null")),
            (Type::Id, json!("x".repeat(600))),
            (Type::Text, json!("x".repeat(1001))),
            (Type::Text, json!({"a": 1})),
            (Type::Traits, json!("x")),
            (Type::List, json!([[1]])),
        ] {
            assert!(of.read(&value).is_err(), "{of:?} {value}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_is_settled(text in "\\PC{0,30}|[0-9TZ:. ,+-]{0,30}") {
            for of in [Type::Id, Type::Text, Type::Whole, Type::HeadCount, Type::Flag, Type::Time, Type::Domain,
                       Type::Website, Type::Email, Type::OneOf(&["a", "b"]), Type::Role, Type::Persona, Type::Status, Type::Period, Type::Amount, Type::List] {
                if let Ok(kept) = of.read(&json!(text)) {
                    prop_assert_eq!(of.read(&kept), Ok(kept));
                }
            }
        }
    }
}
