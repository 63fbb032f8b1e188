//! A change of the catalog: what must hold of every definition and of all of them together. Pure.

use std::collections::BTreeMap;

use super::condition::Condition;
use super::event::{Category, Definition, key_of};
use super::matching::folded;
use crate::error::FieldErrors;

/// Fewer key events than this tell too little, more than [`MOST_KEYS`] nobody looks at.
pub const FEWEST_KEYS: usize = 10;
/// See [`FEWEST_KEYS`].
pub const MOST_KEYS: usize = 25;
/// Definitions of one catalog.
const MOST: usize = 500;
const MOST_NAMES: usize = 50;
const MOST_CONDITIONS: usize = 10;
/// Keys that Ripen derives or counts under itself, and words that are addresses of the catalog's own pages.
const TAKEN: [&str; 6] =
    ["event_loop", "new_active_user_day", "other", "new", "mapping", "rebuild"];

/// What a person or a script wants of the catalog.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Adds the definition at the end.
    Add(Definition),
    /// Puts it in the place of the one with its key.
    Edit(Definition),
    /// Takes the definition of this key out.
    Remove(String),
    /// Puts this in the place of everything.
    Whole(Vec<Definition>),
}

impl Change {
    /// The catalog after it, checked. Fields are those of the form; for a whole document they are
    /// `events.<place>.<field>`.
    ///
    /// # Errors
    /// What is wrong and how to mend it.
    pub fn applied(&self, before: &[Definition]) -> Result<Vec<Definition>, FieldErrors> {
        let mut after = before.to_vec();
        let mut errors = FieldErrors::new();
        let touched = match self {
            Self::Add(new) => {
                if before.iter().any(|known| known.key == new.key) {
                    refuse(&mut errors, "key", format!("There is an event {} already.", new.key));
                }
                after.push(tidy(new));
                Some(after.len().saturating_sub(1))
            }
            Self::Edit(new) => {
                let place = before.iter().position(|known| known.key == new.key);
                let slot = place.and_then(|place| after.get_mut(place));
                match slot {
                    Some(slot) => *slot = tidy(new),
                    None => refuse(&mut errors, "", format!("The event {} is gone.", new.key)),
                }
                place
            }
            Self::Remove(key) => {
                after.retain(|known| known.key != *key);
                if after.len() == before.len() {
                    refuse(&mut errors, "", format!("The event {key} is gone."));
                }
                None
            }
            Self::Whole(all) => {
                after = all.iter().map(tidy).collect();
                None
            }
        };
        let name_of = |place: usize, field: &str| match touched {
            Some(own) if own == place => field.to_owned(),
            _ => format!("events.{place}.{field}"),
        };
        for (place, definition) in after.iter().enumerate() {
            // What was there before was checked then.
            if touched.is_none_or(|own| own == place) {
                alone(definition, |field, text| refuse(&mut errors, &name_of(place, field), text));
            }
        }
        together(&after, touched, |place, field, text| {
            refuse(&mut errors, &name_of(place, field), text);
        });
        if after.len() > MOST {
            refuse(&mut errors, "", format!("A catalog holds {MOST} events at most."));
        }
        if errors.is_empty() { Ok(after) } else { Err(errors) }
    }
}

fn refuse(errors: &mut FieldErrors, field: &str, text: String) {
    errors.entry(field.to_owned()).or_default().push(text);
}

/// Without what does not matter: white space around, names said twice, empty texts.
fn tidy(definition: &Definition) -> Definition {
    let some = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let mut seen = vec![folded(&definition.key)];
    let mut names = Vec::new();
    for name in definition.names.iter().map(|name| name.trim()) {
        let as_folded = folded(name);
        if !as_folded.is_empty() && !seen.contains(&as_folded) {
            seen.push(as_folded);
            names.push(name.to_owned());
        }
    }
    let trimmed = |condition: &Condition| Condition {
        path: condition.path.trim().to_owned(),
        op: condition.op,
        value: if condition.op.takes_value() {
            condition.value.trim().to_owned()
        } else {
            String::new()
        },
    };
    Definition {
        key: definition.key.trim().to_owned(),
        label: definition.label.trim().to_owned(),
        category: definition.category,
        is_key: definition.is_key,
        names,
        conditions: definition.conditions.iter().map(trimmed).collect(),
        value_property: some(&definition.value_property),
        feature_property: some(&definition.feature_property),
        milestone: some(&definition.milestone),
        muted_at: definition.muted_at,
    }
}

fn plain(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
}

/// What must hold of one definition.
fn alone(definition: &Definition, mut refuse: impl FnMut(&str, String)) {
    let key = definition.key.as_str();
    let spelled = key.starts_with(|first: char| first.is_ascii_lowercase())
        && key.len() <= 100
        && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !spelled {
        refuse(
            "key",
            "Spell the key with small letters a to z, digits and underscores, such as report_shared."
                .to_owned(),
        );
    }
    if TAKEN.contains(&key) {
        refuse("key", format!("Ripen uses the word {key} itself. Choose another key."));
    }
    if !plain(&definition.label, 100) {
        refuse(
            "label",
            "Enter a label of up to 100 letters, such as “Shared a report”.".to_owned(),
        );
    }
    if definition.names.len() > MOST_NAMES {
        refuse("names", format!("List {MOST_NAMES} names at most."));
    }
    if definition.names.iter().any(|name| !plain(name, 200)) {
        refuse("names", "A name has up to 200 letters and stands on a line of its own.".to_owned());
    }
    if definition.conditions.len() > MOST_CONDITIONS {
        refuse("conditions", format!("Enter {MOST_CONDITIONS} conditions at most."));
    }
    for (place, condition) in definition.conditions.iter().enumerate() {
        if let Err(text) = condition.check() {
            refuse(&format!("conditions.{place}"), text);
        }
    }
    for (field, property) in [
        ("value_property", &definition.value_property),
        ("feature_property", &definition.feature_property),
    ] {
        if property.as_deref().is_some_and(|name| !plain(name, 200)) {
            refuse(field, "Name a property in up to 200 letters.".to_owned());
        }
    }
    if definition.milestone.as_deref().is_some_and(|one| !["primary", "secondary"].contains(&one)) {
        refuse("milestone", "A milestone is primary or secondary.".to_owned());
    }
    if definition.milestone.is_some() && definition.muted_at.is_some() {
        refuse("milestone", "A muted event counts nowhere, so it is no milestone.".to_owned());
    }
}

/// What must hold of all of them: keys once, a name told apart, one primary milestone.
fn together(all: &[Definition], own: Option<usize>, mut refuse: impl FnMut(usize, &str, String)) {
    let mut claims: BTreeMap<String, Vec<(usize, &Definition, &str)>> = BTreeMap::new();
    let mut keys: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, definition) in all.iter().enumerate() {
        if keys.insert(&definition.key, place).is_some() && own.is_none() {
            refuse(place, "key", format!("The key {} is there twice.", definition.key));
        }
        for name in definition.all_names() {
            claims.entry(folded(name)).or_default().push((place, definition, name));
        }
    }
    let at = |places: &[usize]| {
        own.filter(|own| places.contains(own)).or_else(|| places.last().copied()).unwrap_or(0)
    };
    for claimed in claims.values() {
        for (index, (place, definition, name)) in claimed.iter().enumerate() {
            let rest = claimed.get(index.saturating_add(1)..).unwrap_or_default();
            for (other_place, other, other_name) in rest {
                if place == other_place || definition.conditions != other.conditions {
                    continue;
                }
                let place = at(&[*place, *other_place]);
                let (other, name) =
                    if place == *other_place { (definition, other_name) } else { (other, name) };
                let field = if all.get(place).is_some_and(|one| folded(&one.key) == folded(name)) {
                    "key"
                } else {
                    "names"
                };
                refuse(
                    place,
                    field,
                    format!(
                        "“{name}” belongs to {} ({}). Take it away there, or tell the two apart by \
                         conditions on their properties.",
                        other.label, other.key
                    ),
                );
            }
        }
    }
    let primary: Vec<usize> = all
        .iter()
        .enumerate()
        .filter(|(_, definition)| definition.milestone.as_deref() == Some("primary"))
        .map(|(place, _)| place)
        .collect();
    if primary.len() > 1 {
        let place = at(&primary);
        let other = primary.iter().find(|one| **one != place).and_then(|one| all.get(*one));
        let other = other.map_or("another event", |one| one.label.as_str());
        refuse(
            place,
            "milestone",
            format!(
                "There is one primary milestone, and it is “{other}”. Make this one secondary."
            ),
        );
    }
}

/// How many key events count, and what to say when that is too few or too many.
#[must_use]
pub fn key_events(all: &[Definition]) -> (usize, Option<String>) {
    let count = all.iter().filter(|one| one.is_key && one.muted_at.is_none()).count();
    let warning = if count < FEWEST_KEYS {
        Some(format!(
            "{count} key events are few: {FEWEST_KEYS} to {MOST_KEYS} tell how a product is used."
        ))
    } else if count > MOST_KEYS {
        Some(format!(
            "{count} key events are many: beyond {MOST_KEYS} the timeline says less. Take the key \
             event flag from those that nobody acts on."
        ))
    } else {
        None
    };
    (count, warning)
}

/// A definition to begin with for a name that nobody has defined.
#[must_use]
pub fn proposed(name: &str) -> Definition {
    let key: String =
        key_of(name).chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let key = key.trim_matches('_').trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
    let mut label = name.trim().replace(['_', '-'], " ");
    if let Some(first) = label.get(..1) {
        let first = first.to_uppercase();
        label.replace_range(..1, &first);
    }
    let named = !name.trim().is_empty();
    Definition {
        key: if named { key.to_owned() } else { String::new() },
        label,
        category: Category::Depth,
        is_key: true,
        names: if named { vec![name.trim().to_owned()] } else { Vec::new() },
        conditions: Vec::new(),
        value_property: None,
        feature_property: None,
        milestone: None,
        muted_at: None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::defaults;
    use super::super::operator::Op;
    use super::*;

    fn refused(change: &Change) -> FieldErrors {
        change.applied(&defaults::definitions()).unwrap_err()
    }

    #[test]
    fn the_catalog_to_start_with_holds() {
        let all = defaults::definitions();
        assert_eq!(Change::Whole(all.clone()).applied(&[]), Ok(all.clone()));
        assert_eq!(key_events(&all).1, None);
        assert!(key_events(&all[..5]).1.unwrap().contains("few"));
    }

    #[test]
    fn a_name_belongs_to_one_event_unless_conditions_tell_them_apart() {
        let mut new = proposed("Report Shared");
        new.names.push("user-INVITED".to_owned());
        let errors = refused(&Change::Add(new.clone()));
        assert!(errors["names"][0].contains("Invited a teammate (invite_sent)"), "{errors:?}");
        new.conditions.push(Condition { path: "via".into(), op: Op::Eq, value: "link".into() });
        assert!(Change::Add(new.clone()).applied(&defaults::definitions()).is_ok());
        let errors = refused(&Change::Add(proposed("invite sent")));
        assert!(errors["key"].iter().any(|text| text.contains("already")), "{errors:?}");
    }

    #[test]
    fn what_one_event_must_be_is_said_at_its_field() {
        let mut new = proposed("Report Shared");
        new.key = "Report".to_owned();
        new.label = " ".to_owned();
        new.milestone = Some("primary".to_owned());
        new.conditions.push(Condition { path: String::new(), op: Op::IsSet, value: String::new() });
        let errors = refused(&Change::Add(new));
        let fields: Vec<&str> = errors.keys().map(String::as_str).collect();
        assert_eq!(fields, ["conditions.0", "key", "label", "milestone"]);
        assert!(errors["milestone"][0].contains("Completed the key action"));
        assert!(refused(&Change::Remove("gone".to_owned()))[""][0].contains("gone"));
        assert!(refused(&Change::Edit(proposed("gone")))[""][0].contains("gone"));
    }

    #[test]
    fn an_edit_stays_in_its_place_and_names_are_said_once() {
        let all = defaults::definitions();
        let mut edited = all[3].clone();
        edited.names.extend(["data import".to_owned(), " CSV Loaded ".to_owned(), String::new()]);
        let after = Change::Edit(edited).applied(&all).unwrap();
        assert_eq!(after[3].names.last().unwrap(), "CSV Loaded");
        assert_eq!(after[3].names.len(), all[3].names.len() + 1);
        assert_eq!(after.len(), all.len());
        let after = Change::Remove("login".to_owned()).applied(&all).unwrap();
        assert_eq!(after.len(), all.len() - 1);
    }

    proptest! {
        #[test]
        fn a_proposal_for_any_name_has_a_key_that_holds_or_none(name in ".{0,60}") {
            let new = proposed(&name);
            if !new.key.is_empty() && !TAKEN.contains(&new.key.as_str()) {
                let errors = Change::Add(new).applied(&[]).err().unwrap_or_default();
                prop_assert!(!errors.contains_key("key"), "{:?}", errors);
            }
        }
    }
}
