//! The value of a signal, and the fields of one subject (a workspace or a member).

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

/// One value of a field, as plain JSON: dates are `YYYY-MM-DD`, times RFC 3339.
///
/// Reading JSON gives `Text` for every string, whatever it looks like (a workspace may be called
/// "2026-11-20"); a comparison with a `Date` or `Time` reads the text as one.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing is known.
    #[default]
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number; money in hundredths of the currency's unit.
    Int(i64),
    /// A fraction.
    Number(f64),
    /// Text, and the values of a field with a fixed set of them.
    Text(String),
    /// A UTC day.
    Date(NaiveDate),
    /// A moment.
    Time(DateTime<Utc>),
    /// Several values: the operand of `in`, or a field such as `tech_stack`.
    List(Vec<Value>),
}

impl Value {
    /// True unless nothing is known.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !matches!(self, Self::Null)
    }

    /// The text of a text value.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The whole number of an `Int`.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// The value as people and decision records read it: nothing is "not set", a list has commas.
    #[must_use]
    pub fn to_words(&self) -> String {
        match self {
            Self::Null => "not set".to_owned(),
            Self::Bool(true) => "yes".to_owned(),
            Self::Bool(false) => "no".to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Date(date) => date.to_string(),
            Self::Time(time) => time.to_rfc3339_opts(SecondsFormat::Secs, true),
            Self::List(items) => items.iter().map(Self::to_words).collect::<Vec<_>>().join(", "),
        }
    }

    /// The plain JSON of this value; a number that JSON lacks (NaN, infinity) becomes null.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(flag) => Json::Bool(*flag),
            Self::Int(number) => Json::from(*number),
            Self::Number(number) => Json::from(*number),
            Self::Text(text) => Json::String(text.clone()),
            Self::Date(date) => Json::String(date.to_string()),
            Self::Time(time) => Json::String(time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
        }
    }
}

impl From<Json> for Value {
    /// Total: an object, which no field can hold, is kept as its JSON text.
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Bool(flag),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Self::Int(whole),
                (None, Some(fraction)) => Self::Number(fraction),
                (None, None) => Self::Null,
            },
            Json::String(text) => Self::Text(text),
            Json::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            object @ Json::Object(_) => Self::Text(object.to_string()),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::deserialize(deserializer).map(Self::from)
    }
}

macro_rules! from_plain {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from_plain! {
    bool => Bool, i32 => Int, u32 => Int, i64 => Int, f64 => Number, &str => Text, String => Text,
    NaiveDate => Date, DateTime<Utc> => Time, Vec<Value> => List,
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What is known about one subject: field key to value. A missing key and a null are the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fields(BTreeMap<Cow<'static, str>, Value>);

static NULL: Value = Value::Null;

impl Fields {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a field, replacing what was there.
    pub fn set(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        self.0.insert(key.into(), value.into());
    }

    /// The field's value; null when the key is missing.
    #[must_use]
    pub fn get(&self, key: &str) -> &Value {
        self.0.get(key).unwrap_or(&NULL)
    }

    /// Whether the key is there at all, even as null.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Takes over every field of `other`; where both have one, `other` wins.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// All fields, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }
}

impl<K: Into<Cow<'static, str>>, V: Into<Value>> FromIterator<(K, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_json_there_and_back() {
        let text = r#"{"a":null,"b":true,"c":7,"d":0.5,"e":"x","f":["x",1]}"#;
        let fields: Fields = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&fields).unwrap(), text);
        assert_eq!(fields.get("missing"), &Value::Null);
        assert!(fields.has("a") && !fields.has("missing"));
    }

    #[test]
    fn dates_are_iso() {
        let date = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        assert_eq!(serde_json::to_string(&Value::from(date)).unwrap(), r#""2026-11-20""#);
    }
}
