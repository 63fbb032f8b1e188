//! What an event counts as, by the catalog.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::chunk::Chunk;
use super::message::{Json, Kind, Message};
use super::traits;
use crate::catalog::event::Definition;
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
    if let Some(definition) = catalog.find(name, || carried(message)) {
        return defined(definition, message);
    }
    if message.kind != Kind::Track {
        return None;
    }
    let mut key = unreserved(catalog.key_of_unknown(name)).into_owned();
    // Its name spells the key of a definition that does not claim it: its conditions do not hold,
    // or the two differ by what matters in a name. Counted there it would be in the score.
    while catalog.is_defined(&key) {
        key.push_str(UNDEFINED);
        if let Some(definition) = catalog.find(&key, || carried(message)) {
            return defined(definition, message);
        }
    }
    let mut key = undefined(&key);
    while catalog.is_defined(&key) {
        key.push_str(UNDEFINED);
    }
    Some(Meaning { key, feature: String::new(), value: None, is_key: false })
}

/// What an event of this definition counts as; nothing when it is muted.
fn defined(definition: &Definition, message: &Message<'_>) -> Option<Meaning> {
    if definition.muted_at.is_some() {
        return None;
    }
    let wanted = definition.value_property.is_some() || definition.feature_property.is_some();
    let properties = match &message.properties {
        Some(properties) if wanted => properties.members(),
        _ => serde_json::Map::new(),
    };
    let property = |name: &Option<String>| properties.get(name.as_deref()?);
    Some(Meaning {
        key: definition.key.clone(),
        feature: property(&definition.feature_property).and_then(feature_of).unwrap_or_default(),
        value: property(&definition.value_property).and_then(value_of),
        is_key: definition.is_key,
    })
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

/// What is put behind the key of a definition to count beside it. The name is collected like that
/// and may be defined like that.
const UNDEFINED: &str = "_undefined";

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::endpoint::Endpoint;
    use super::super::parse;
    use super::*;
    use crate::catalog::change;

    /// What a track call of this name and these properties counts as.
    fn counted(catalog: &mut Catalog, name: &str, properties: &Value) -> Option<Meaning> {
        let call =
            json!({ "type": "track", "event": name, "userId": "u", "properties": properties });
        let body = json!({ "batch": [call] }).to_string();
        let at = DateTime::UNIX_EPOCH;
        let parsed = parse::body(&body, Endpoint::Batch, at, uuid::Uuid::nil()).unwrap();
        meaning(catalog, parsed.accepted.first().unwrap(), str::to_owned)
    }

    fn entry(key: &str, wanted: Option<&str>, muted: bool) -> Definition {
        let mut entry = change::proposed(key);
        entry.muted_at = muted.then_some(DateTime::UNIX_EPOCH);
        if let Some(value) = wanted {
            let condition = json!({ "path": "plan", "op": "=", "value": value });
            entry.conditions.push(serde_json::from_value(condition).unwrap());
        }
        entry
    }

    fn key(catalog: &mut Catalog, name: &str, properties: Value) -> Option<String> {
        counted(catalog, name, &properties).map(|meaning| meaning.key)
    }

    #[test]
    fn what_a_definition_does_not_claim_counts_beside_it() {
        let entries = vec![
            entry("upgrade_click", Some("enterprise"), false),
            entry("invite_sent", None, false),
            entry("login", None, true),
        ];
        let mut catalog = Catalog::new(1, entries.clone());
        let of = |catalog: &mut Catalog, name| key(catalog, name, json!({ "plan": "free" }));
        let paid = key(&mut catalog, "Upgrade Click", json!({ "plan": "enterprise" }));
        assert_eq!(paid.as_deref(), Some("upgrade_click"));
        assert_eq!(of(&mut catalog, "Upgrade Click").as_deref(), Some("upgrade_click_undefined"));
        assert_eq!(of(&mut catalog, "invite.sent").as_deref(), Some("invite_sent_undefined"));
        assert_eq!(of(&mut catalog, "login!").as_deref(), Some("login_undefined"));
        assert_eq!(of(&mut catalog, "Login"), None, "muted");
        assert_eq!(of(&mut catalog, "log out").as_deref(), Some("log_out"));
        let mut first = Catalog::new(1, entries.clone()).by_the_first_rule();
        assert_eq!(of(&mut first, "Upgrade Click").as_deref(), Some("upgrade_click"));

        // One click on the name as it is collected makes it an event of its own.
        let mut free = change::proposed("upgrade_click_undefined");
        free.key = "free_upgrade".to_owned();
        let mut catalog = Catalog::new(2, [entries, vec![free]].concat());
        assert_eq!(of(&mut catalog, "Upgrade Click").as_deref(), Some("free_upgrade"));
    }

    #[test]
    fn what_is_too_much_to_tell_apart_is_no_definition_either() {
        let mut catalog = Catalog::new(1, vec![entry("other", None, false)]);
        let call = r#"{"batch":[{"type":"track","event":"New","userId":"u"}]}"#;
        let at = DateTime::UNIX_EPOCH;
        let parsed = parse::body(call, Endpoint::Batch, at, uuid::Uuid::nil()).unwrap();
        let found = meaning(&mut catalog, &parsed.accepted[0], |_| "other".to_owned());
        assert_eq!(found.unwrap().key, "other_undefined");
    }

    proptest! {
        #[test]
        fn under_the_key_of_a_definition_counts_what_it_claims_and_nothing_else(
            entries in proptest::collection::btree_map(
                "[ab][ab_]{0,3}", (proptest::option::of("[xy]"), any::<bool>()), 0..6),
            name in "[abAB_.!-][abAB_ .!-]{0,5}",
            plan in "[xy]",
        ) {
            let entries: Vec<Definition> = entries
                .iter()
                .map(|(key, (wanted, muted))| {
                    let mut entry = entry(key, wanted.as_deref(), *muted);
                    entry.key = key.clone();
                    entry
                })
                .collect();
            let mut catalog = Catalog::new(1, entries.clone());
            let properties = json!({ "plan": plan });
            let event = json!({ "properties": properties });
            let found = catalog.find(&name, || event).map(|one| (one.key.clone(), one.muted_at));
            let meaning = key(&mut catalog, &name, properties);
            match found {
                Some((_, Some(_))) => prop_assert_eq!(meaning, None),
                Some((key, None)) => prop_assert_eq!(meaning, Some(key)),
                None => {
                    let key = meaning.unwrap();
                    prop_assert!(!entries.iter().any(|entry| entry.key == key), "{}", key);
                }
            }
        }
    }
}
