//! Which definition an event is: by its name, and by its properties where a name means several
//! things. Pure and total.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::event::{Definition, key_of};

/// All definitions, found by any of their names.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// The version of the document; 0 before there is one.
    pub version: i32,
    /// Those that claim a name: the ones with conditions first, each kind in the order of the catalog.
    by_name: HashMap<String, Vec<Arc<Definition>>>,
    /// By the name as sent: the same few names come thousands of times.
    key_names: HashMap<String, String>,
    /// What no undefined name may count under.
    keys: HashSet<String>,
}

impl Catalog {
    /// The catalog of these definitions. A name with several goes to the first whose conditions
    /// hold, in the order given, and to the one without conditions when none does; of two without,
    /// one whose key it is goes before one that only lists it.
    #[must_use]
    pub fn new(version: i32, definitions: Vec<Definition>) -> Self {
        let definitions: Vec<Arc<Definition>> = definitions.into_iter().map(Arc::new).collect();
        let mut by_name: HashMap<String, Vec<Arc<Definition>>> = HashMap::new();
        let (plain, conditional): (Vec<_>, Vec<_>) =
            definitions.iter().partition(|definition| definition.conditions.is_empty());
        let mut claim = |name: &str, definition: &Arc<Definition>| {
            let claims = by_name.entry(folded(name)).or_default();
            if !claims.iter().any(|known| Arc::ptr_eq(known, definition)) {
                claims.push(Arc::clone(definition));
            }
        };
        for definition in conditional {
            definition.all_names().for_each(|name| claim(name, definition));
        }
        for definition in &plain {
            claim(&definition.key, definition);
        }
        for definition in &plain {
            definition.names.iter().for_each(|name| claim(name, definition));
        }
        let keys = definitions.iter().map(|definition| definition.key.clone()).collect();
        Self { version, by_name, key_names: HashMap::new(), keys }
    }

    /// The same by the rule of the first versions, under which an undefined name counted as the
    /// definition whose key it happened to spell: for asking how such a version counted.
    #[must_use]
    pub fn by_the_first_rule(mut self) -> Self {
        self.keys.clear();
        self
    }

    /// Whether this is the key of a definition, so that nothing else may count under it.
    #[must_use]
    pub fn is_defined(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// The definition of an event; case, space, underscore and dash of its name do not matter.
    /// `event` is what its conditions see ([`super::condition::look`]); asked at most once, and only
    /// when a condition has to know.
    #[must_use]
    pub fn find(&self, name: &str, event: impl FnOnce() -> Value) -> Option<&Arc<Definition>> {
        let claims = self.by_name.get(&folded(name))?;
        let first = claims.first()?;
        if first.conditions.is_empty() {
            return Some(first);
        }
        let event = event();
        claims.iter().find(|definition| definition.conditions.iter().all(|one| one.holds(&event)))
    }

    /// The key under which an undefined name counts, see [`key_of`]; remembered.
    pub fn key_of_unknown(&mut self, name: &str) -> &str {
        if !self.key_names.contains_key(name) {
            self.key_names.insert(name.to_owned(), key_of(name));
        }
        self.key_names.get(name).map_or("other", String::as_str)
    }
}

/// A name without what does not matter in it.
#[must_use]
pub fn folded(name: &str) -> String {
    name.chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::condition::Condition;
    use super::super::defaults;
    use super::super::event::Category;
    use super::super::operator::Op;
    use super::*;

    fn defined(key: &str, names: &[&str], conditions: &[(&str, Op, &str)]) -> Definition {
        Definition {
            key: key.to_owned(),
            label: key.to_owned(),
            category: Category::Depth,
            is_key: true,
            names: names.iter().map(|&name| name.to_owned()).collect(),
            conditions: conditions
                .iter()
                .map(|&(path, op, value)| Condition { path: path.into(), op, value: value.into() })
                .collect(),
            value_property: None,
            feature_property: None,
            milestone: None,
            muted_at: None,
        }
    }

    fn key(catalog: &Catalog, name: &str, properties: Value) -> Option<String> {
        let found = catalog.find(name, || json!({ "properties": properties }));
        found.map(|definition| definition.key.clone())
    }

    #[test]
    fn case_space_underscore_and_dash_do_not_matter() {
        let catalog = Catalog::new(1, defaults::definitions());
        for name in ["invite_sent", "Invite Sent", "INVITE-SENT", "inviteSent", " invite  sent "] {
            assert_eq!(key(&catalog, name, json!({})).as_deref(), Some("invite_sent"), "{name}");
        }
        assert_eq!(key(&catalog, "Signed Up", json!({})).as_deref(), Some("user_signed_up"));
        assert_eq!(key(&catalog, "change_shipped", json!({})), None);
    }

    #[test]
    fn conditions_tell_one_name_apart_in_the_order_of_the_catalog() {
        let catalog = Catalog::new(
            1,
            vec![
                defined("upgrade", &["Plan Changed"], &[]),
                defined("enterprise", &["Plan Changed"], &[("plan", Op::Eq, "enterprise")]),
                defined("large", &["Plan Changed"], &[("seats", Op::Ge, "50")]),
            ],
        );
        let of = |properties| key(&catalog, "plan changed", properties);
        assert_eq!(of(json!({})).as_deref(), Some("upgrade"));
        assert_eq!(
            of(json!({"plan": "enterprise", "seats": 99})).as_deref(),
            Some("enterprise"),
            "both hold: the first counts"
        );
        assert_eq!(of(json!({"seats": 50})).as_deref(), Some("large"));
        let alone = Catalog::new(1, vec![defined("large", &[], &[("seats", Op::Ge, "50")])]);
        assert_eq!(
            key(&alone, "large", json!({})),
            None,
            "its own conditions hold for its key, too"
        );
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::hash_map("[a-c.]{0,3}", inner, 0..3)
                    .prop_map(Value::from_iter),
            ]
        })
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(name in ".{0,40}") {
            prop_assert_eq!(folded(&folded(&name)), folded(&name));
        }

        #[test]
        fn no_event_and_no_condition_panics_and_the_first_that_holds_is_found(
            name in "[aA _-]{0,6}",
            event in json_value(),
            wanted in proptest::collection::vec(
                ("[a-c.]{0,5}", 0..Op::ALL.len(), "[a-c0-9,. ]{0,5}"), 0..5),
        ) {
            let definitions: Vec<Definition> = wanted.iter().enumerate().map(|(at, (path, op, value))| {
                let op = Op::ALL.get(*op).unwrap().0;
                defined(&format!("k{at}"), &[&name], &[(path.as_str(), op, value.as_str())])
            }).collect();
            let catalog = Catalog::new(1, definitions.clone());
            let found = catalog.find(&name, || event.clone()).map(|one| one.key.clone());
            let first = definitions.iter().find(|one| one.conditions.iter().all(|c| c.holds(&event)));
            prop_assert_eq!(found, first.map(|one| one.key.clone()));
        }
    }
}
