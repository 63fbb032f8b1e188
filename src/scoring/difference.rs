//! What differs between two model documents, line by line, in words. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::{Model, stage_label};

/// One line: a place in the document, and what stood and stands there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The place, with keys instead of positions: `stages.hot_pql.min`.
    pub path: String,
    /// The place in words: "Hot PQL begins at".
    pub label: String,
    /// `None`: it was not there.
    pub from: Option<String>,
    /// `None`: it is gone.
    pub to: Option<String>,
}

impl Line {
    /// What stood there, for people.
    #[must_use]
    pub fn was(&self) -> &str {
        self.from.as_deref().unwrap_or("nothing")
    }

    /// What stands there, for people.
    #[must_use]
    pub fn is(&self) -> &str {
        self.to.as_deref().unwrap_or("nothing")
    }
}

/// The lines in which `new` differs from `old`, in the order of places.
#[must_use]
pub fn lines(old: &Model, new: &Model) -> Vec<Line> {
    let (before, after) = (flat(old), flat(new));
    let places: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    places
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| Line {
            path: path.clone(),
            label: label(path, old, new),
            from: before.get(path).cloned(),
            to: after.get(path).cloned(),
        })
        .collect()
}

/// Every place with its value as text.
fn flat(model: &Model) -> BTreeMap<String, String> {
    let mut places = BTreeMap::new();
    // A model always serializes: its maps have text keys and its numbers were read from JSON.
    if let Ok(document) = serde_json::to_value(model) {
        walk(&document, String::new(), &mut places);
    }
    places
}

fn walk(value: &Value, path: String, places: &mut BTreeMap<String, String>) {
    let below =
        |part: &str| if path.is_empty() { part.to_owned() } else { format!("{path}.{part}") };
    match value {
        Value::Object(fields) => {
            // The key is in the path already.
            for (name, value) in fields.iter().filter(|(name, _)| *name != "key") {
                walk(value, below(name), places);
            }
        }
        Value::Array(items) if items.iter().all(Value::is_object) => {
            for (at, item) in items.iter().enumerate() {
                let key = item.get("key").and_then(Value::as_str);
                walk(item, below(key.unwrap_or(&at.to_string())), places);
            }
        }
        Value::String(text) => {
            places.insert(path, text.clone());
        }
        other => {
            places.insert(path, other.to_string());
        }
    }
}

fn label(path: &str, old: &Model, new: &Model) -> String {
    let parts: Vec<&str> = path.split('.').collect();
    match parts.as_slice() {
        ["lookback_days"] => "Days looked back".to_owned(),
        ["stages", key, "min"] => format!("{} begins at", stage_label(key)),
        ["categories", key, rest @ ..] => {
            let category = new.category(key).or_else(|| old.category(key));
            format!("{}: {}", category.map_or(*key, |one| &one.label), setting(rest))
        }
        ["rules", key, rest @ ..] => {
            let rule = new.rule(key).or_else(|| old.rule(key));
            format!("{}: {}", rule.map_or(*key, |one| &one.label), setting(rest))
        }
        ["role_factors", at, rest @ ..] => {
            let at: usize = at.parse().unwrap_or(usize::MAX);
            let row = new.role_factors.get(at).or_else(|| old.role_factors.get(at));
            format!("{}: {}", row.map_or("Role factor", |one| &one.label), setting(rest))
        }
        _ => crate::usage::dictionary::in_words(path),
    }
}

fn setting(rest: &[&str]) -> String {
    match rest {
        ["points"] => "points".to_owned(),
        ["points", value] => format!("points for {value}"),
        ["cap", "points"] => "cap, points".to_owned(),
        ["cap", "days"] => "cap, days".to_owned(),
        ["min"] => "least points".to_owned(),
        ["max"] => "most points".to_owned(),
        ["decay", "kind"] => "decay".to_owned(),
        ["decay", "days"] => "decay, days".to_owned(),
        other => other.join(" ").replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::super::presets;
    use super::*;

    #[test]
    fn a_model_does_not_differ_from_itself() {
        let model = presets::published_recipe();
        assert_eq!(lines(&model, &model), []);
    }

    #[test]
    fn a_changed_threshold_is_one_line_in_words() {
        let old = presets::published_recipe();
        let mut new = old.clone();
        new.stages[2].min = 75.0;
        let lines = lines(&old, &new);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].label, "Hot PQL begins at");
        assert_eq!((lines[0].was(), lines[0].is()), ("80", "75"));
        assert_eq!(lines[0].path, "stages.hot_pql.min");
    }

    #[test]
    fn a_rule_that_moved_does_not_differ_and_one_that_went_is_named() {
        let old = presets::published_recipe();
        let mut new = old.clone();
        new.rules.reverse();
        assert_eq!(lines(&old, &new), []);
        let gone = new.rules.pop().unwrap();
        let lines = lines(&old, &new);
        assert!(lines.iter().all(|line| line.to.is_none()));
        assert!(lines[0].label.starts_with(&gone.label), "{lines:?}");
    }
}
