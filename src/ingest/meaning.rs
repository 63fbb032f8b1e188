//! What an event counts as, by the catalog.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::chunk::Chunk;
use super::message::{Json, Kind, Message};
use super::traits;
use crate::catalog::matching::Catalog;
use crate::catalog::store::UnknownName;
use crate::ids::SourceId;

/// How many undefined event names are told apart for one source; the rest counts as `other`.
pub const UNKNOWN_NAMES: usize = 500;

/// What a counted event counts as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The key of its definition, or the key its name would have.
    pub key: String,
    /// The feature it names, or nothing.
    pub feature: String,
    /// Its numeric value, as plain decimal digits.
    pub value: Option<String>,
    /// Whether it is stored whole.
    pub is_key: bool,
}

/// Undefined names of the sources of a chunk.
#[derive(Debug, Default)]
pub struct UnknownNames {
    known: HashMap<SourceId, HashSet<String>>,
    /// How often each undefined name came in this chunk.
    counts: BTreeMap<(SourceId, String), UnknownName>,
}

impl UnknownNames {
    /// With the names collected so far.
    pub fn new(collected: impl IntoIterator<Item = (SourceId, String)>) -> Self {
        let mut names = Self::default();
        for (source, name) in collected {
            names.known.entry(source).or_default().insert(name);
        }
        names
    }

    /// What this chunk adds to the catalog's list of undefined names.
    #[must_use]
    pub fn counted(self) -> Vec<UnknownName> {
        self.counts.into_values().collect()
    }

    /// The key under which an undefined name was counted: a name that was admitted once always is.
    #[must_use]
    pub fn counted_as(&self, source: SourceId, key: &str) -> String {
        let is_known = self.known.get(&source).is_some_and(|known| known.contains(key));
        if is_known { key } else { "other" }.to_owned()
    }

    /// The key under which an undefined name counts: its own, or `other` once there are too many.
    pub fn admit(&mut self, source: SourceId, key: &str, received_at: DateTime<Utc>) -> String {
        let known = self.known.entry(source).or_default();
        let key = if known.contains(key) || known.len() < UNKNOWN_NAMES { key } else { "other" };
        known.insert(key.to_owned());
        let count = self.counts.entry((source, key.to_owned())).or_insert_with(|| UnknownName {
            source,
            name: key.to_owned(),
            first_seen_at: received_at,
            last_seen_at: received_at,
            events: 0,
        });
        count.first_seen_at = count.first_seen_at.min(received_at);
        count.last_seen_at = count.last_seen_at.max(received_at);
        count.events = count.events.saturating_add(1);
        key.to_owned()
    }
}

/// Says what each event counts as. A page or screen counts when the catalog knows its name, so a
/// page called `Pricing` is a pricing page view; a track call counts under its own name otherwise.
pub fn give(chunk: &mut Chunk<'_>, unknown: &mut UnknownNames) {
    let catalog = &mut chunk.catalog;
    for event in &mut chunk.events {
        event.meaning = meaning(catalog, &event.message, |key| {
            unknown.admit(event.source, key, event.received_at)
        });
    }
}

/// What a call counts as by this catalog; `undefined` says under which key a name counts that nobody
/// defined.
pub fn meaning(
    catalog: &mut Catalog,
    message: &Message<'_>,
    undefined: impl FnOnce(&str) -> String,
) -> Option<Meaning> {
    let name = message.event.as_deref()?;
    if !matches!(message.kind, Kind::Track | Kind::Page | Kind::Screen) {
        return None;
    }
    match catalog.find(name, || carried(message)).cloned() {
        Some(definition) if definition.muted_at.is_some() => None,
        Some(definition) => {
            let wanted =
                definition.value_property.is_some() || definition.feature_property.is_some();
            let properties = match &message.properties {
                Some(properties) if wanted => properties.members(),
                _ => serde_json::Map::new(),
            };
            let property = |name: &Option<String>| properties.get(name.as_deref()?);
            Some(Meaning {
                key: definition.key.clone(),
                feature: property(&definition.feature_property)
                    .and_then(feature_of)
                    .unwrap_or_default(),
                value: property(&definition.value_property).and_then(value_of),
                is_key: definition.is_key,
            })
        }
        None if message.kind == Kind::Track => {
            let key = unreserved(catalog.key_of_unknown(name));
            Some(Meaning {
                key: undefined(&key),
                feature: String::new(),
                value: None,
                is_key: false,
            })
        }
        None => None,
    }
}

/// What the catalog's conditions see of a call: all that the journal keeps of what it says.
fn carried(message: &Message<'_>) -> Value {
    let members = |json: &Option<Json<'_>>| json.as_ref().map(Json::members).unwrap_or_default();
    json!({
        "name": message.event,
        "groupId": message.workspace(),
        "properties": members(&message.properties),
        "traits": members(&message.traits),
        "context": { "page": { "path": message.page_path }, "groupId": message.workspace() },
    })
}

/// Keys that Ripen derives itself; a product's event of that name counts beside them.
const DERIVED: [&str; 2] = ["event_loop", "new_active_user_day"];

fn unreserved(key: &str) -> Cow<'_, str> {
    if DERIVED.contains(&key) { format!("{key}_sent").into() } else { key.into() }
}

fn feature_of(value: &Value) -> Option<String> {
    traits::text_of(value).map(|text| text.to_lowercase().chars().take(100).collect())
}

/// Beyond this a value is a mistake rather than a quantity.
const GREATEST_VALUE: f64 = 1e15;

fn value_of(value: &Value) -> Option<String> {
    traits::number_of(value)
        .filter(|number| number.abs() <= GREATEST_VALUE)
        .map(|number| number.to_string())
}
