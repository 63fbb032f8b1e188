//! What an event name means.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

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

/// One entry of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub names: Vec<String>,
    /// The property with the numeric value.
    pub value_property: Option<String>,
    /// The property that names the feature.
    pub feature_property: Option<String>,
    /// `primary` or `secondary`, if the event is a milestone of activation.
    pub milestone: Option<String>,
    /// Since when it counts nowhere.
    pub muted_at: Option<DateTime<Utc>>,
}

/// All definitions, found by any of their names.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    by_name: HashMap<String, Arc<Definition>>,
    /// By the name as sent: the same few names come thousands of times.
    key_names: HashMap<String, String>,
}

impl Catalog {
    /// The catalog of these definitions; of two that claim a name the earlier one has it, and a
    /// key goes before other names.
    #[must_use]
    pub fn new(definitions: Vec<Definition>) -> Self {
        let definitions: Vec<Arc<Definition>> = definitions.into_iter().map(Arc::new).collect();
        let mut by_name: HashMap<String, Arc<Definition>> = HashMap::new();
        for definition in &definitions {
            by_name.entry(folded(&definition.key)).or_insert_with(|| Arc::clone(definition));
        }
        for definition in &definitions {
            for name in &definition.names {
                by_name.entry(folded(name)).or_insert_with(|| Arc::clone(definition));
            }
        }
        Self { by_name, key_names: HashMap::new() }
    }

    /// The definition of an event name; case, space, underscore and dash do not matter.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<Definition>> {
        self.by_name.get(&folded(name))
    }

    /// The key under which an undefined name counts, see [`key_of`]; remembered.
    pub fn key_of_unknown(&mut self, name: &str) -> &str {
        if !self.key_names.contains_key(name) {
            self.key_names.insert(name.to_owned(), key_of(name));
        }
        self.key_names.get(name).map_or("other", String::as_str)
    }
}

fn folded(name: &str) -> String {
    name.chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
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
    use crate::catalog::defaults;

    #[test]
    fn case_space_underscore_and_dash_do_not_matter() {
        let catalog = Catalog::new(defaults::definitions());
        for name in ["invite_sent", "Invite Sent", "INVITE-SENT", "inviteSent", " invite  sent "] {
            assert_eq!(catalog.find(name).unwrap().key, "invite_sent", "{name}");
        }
        assert_eq!(catalog.find("Signed Up").unwrap().key, "user_signed_up");
        assert!(catalog.find("change_shipped").is_none());
    }

    #[test]
    fn keys_of_unknown_names() {
        assert_eq!(key_of("Change  Shipped!"), "change_shipped");
        assert_eq!(key_of("  "), "unnamed");
        assert_eq!(key_of("Überweisung"), "überweisung");
    }
}
