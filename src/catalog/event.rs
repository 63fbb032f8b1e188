//! What an event name means.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::condition::Condition;

/// The five categories of key events, and `None` for what is defined but counts as none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are the categories")]
pub enum Category {
    Activation,
    Depth,
    Expansion,
    Intent,
    Negative,
    None,
}

impl Category {
    /// All, in the order of the score.
    pub const ALL: [Self; 6] =
        [Self::Activation, Self::Depth, Self::Expansion, Self::Intent, Self::Negative, Self::None];

    /// The name in the database and in scoring models.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Depth => "depth",
            Self::Expansion => "expansion",
            Self::Intent => "intent",
            Self::Negative => "negative",
            Self::None => "none",
        }
    }

    /// The category of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == name)
    }
}

/// One entry of the catalog, as its document spells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// How scoring models and signals call the event; snake case.
    pub key: String,
    /// How people call it.
    pub label: String,
    /// What it says about a workspace.
    pub category: Category,
    /// Key events are stored whole, the rest counts into usage days only.
    pub is_key: bool,
    /// Other names of the same event.
    #[serde(default)]
    pub names: Vec<String>,
    /// What must hold of an event of these names, all of it.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// The property with the numeric value.
    #[serde(default)]
    pub value_property: Option<String>,
    /// The property that names the feature.
    #[serde(default)]
    pub feature_property: Option<String>,
    /// `primary` or `secondary`, if the event is a milestone of activation.
    #[serde(default)]
    pub milestone: Option<String>,
    /// Since when it counts nowhere.
    #[serde(default)]
    pub muted_at: Option<DateTime<Utc>>,
}

impl Definition {
    /// Every name that leads here: the key and the others.
    pub fn all_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.key.as_str()).chain(self.names.iter().map(String::as_str))
    }
}

/// The key that a name would have: lower case, everything that is neither letter nor digit an
/// underscore, at most 100 characters; `unnamed` when nothing is left.
#[must_use]
pub fn key_of(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        if letter.is_alphanumeric() {
            key.push(letter);
        } else if !key.is_empty() && !key.ends_with('_') {
            key.push('_');
        }
    }
    let key: String = key.trim_end_matches('_').chars().take(100).collect();
    if key.is_empty() { "unnamed".to_owned() } else { key }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_unknown_names() {
        assert_eq!(key_of("Change  Shipped!"), "change_shipped");
        assert_eq!(key_of("  "), "unnamed");
        assert_eq!(key_of("Überweisung"), "überweisung");
    }
}
