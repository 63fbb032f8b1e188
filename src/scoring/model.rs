//! The model document: categories, rules, role factors and stages, exactly as JSON in docs/scoring.md.
//!
//! A published model is immutable; editing makes a draft of the next version. Parsing refuses
//! unknown keys; what a document means together with the catalog is checked by `validate`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::points;
use crate::usage::condition::Clause;

/// The stage below all stages of a model.
pub const NOT_PQL: &str = "not_pql";

/// A scoring model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its name in the list of models.
    pub name: String,
    /// Usage days older than this many days count nothing.
    pub lookback_days: i64,
    /// Where points go; in the order of the page.
    pub categories: Vec<Category>,
    /// What gives points.
    pub rules: Vec<Rule>,
    /// The first row whose conditions all hold for a member gives the member's factor.
    pub role_factors: Vec<RoleFactor>,
    /// Ascending by `min`.
    pub stages: Vec<Stage>,
}

impl Model {
    /// The category with this key.
    #[must_use]
    pub fn category(&self, key: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.key == key)
    }

    /// The rule with this key.
    #[must_use]
    pub fn rule(&self, key: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.key == key)
    }

    /// The highest stage whose `min` is at or below the score in hundredths, else `not_pql`.
    #[must_use]
    pub fn stage_of(&self, score: i64) -> &str {
        let reached = self.stages.iter().filter(|stage| stage.min_hundredths() <= score);
        reached.max_by_key(|stage| stage.min_hundredths()).map_or(NOT_PQL, |stage| &stage.key)
    }

    /// The next stage above the score and the hundredths that are missing; `None` in the top stage.
    #[must_use]
    pub fn next_stage(&self, score: i64) -> Option<(&Stage, i64)> {
        let above = self.stages.iter().filter(|stage| stage.min_hundredths() > score);
        above
            .min_by_key(|stage| stage.min_hundredths())
            .map(|stage| (stage, stage.min_hundredths() - score))
    }
}

/// The label of a stage; a stage of the customer's own making is its key in words.
#[must_use]
pub fn stage_label(key: &str) -> String {
    match key {
        NOT_PQL => "Not PQL".to_owned(),
        "warm" => "Warm".to_owned(),
        "pql" => "PQL".to_owned(),
        "hot_pql" => "Hot PQL".to_owned(),
        other => crate::usage::dictionary::in_words(other),
    }
}

/// Whose points they are: one member's, or of all members pooled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "see the type")]
pub enum Level {
    Workspace,
    User,
}

/// How points fade with the age of the day that gave them. `days` is above 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Decay {
    /// `e^(-age/days)`: 37 % is left after `days`.
    Exponential {
        /// The time constant.
        #[serde(serialize_with = "points::serialize")]
        days: f64,
    },
    /// `2^(-age/days)`: half is left after `days`.
    HalfLife {
        /// The half-life.
        #[serde(serialize_with = "points::serialize")]
        days: f64,
    },
    /// `1 - age/days`: nothing is left after `days`.
    Linear {
        /// The whole life.
        #[serde(serialize_with = "points::serialize")]
        days: f64,
    },
    /// Points stay as they are.
    None,
}

/// A bucket of points with its limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Such as `depth`.
    pub key: String,
    /// Such as "Usage depth".
    pub label: String,
    /// Fewest points it can have.
    #[serde(serialize_with = "points::serialize")]
    pub min: f64,
    /// Most points it can have.
    #[serde(serialize_with = "points::serialize")]
    pub max: f64,
    /// The level of its rules, unless they say otherwise.
    pub level: Level,
    /// The decay of its rules, unless they say otherwise.
    pub decay: Decay,
}

/// What a day's events count for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Every event.
    Event,
    /// Every day with the event, once.
    Day,
    /// Every member who had the event that day; workspace level only.
    UserDay,
    /// The first day ever, and nothing after.
    Once,
}

/// In any `days` consecutive days at most `points` are granted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// The size of the limit, above 0 even for negative rules.
    #[serde(serialize_with = "points::serialize")]
    pub points: f64,
    /// The window, at least 1.
    pub days: i64,
}

/// A rule: key, category and label, and what it looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RuleDocument", into = "RuleDocument")]
pub struct Rule {
    /// Unique in the model; ledger rows refer to it.
    pub key: String,
    /// The category's key.
    pub category: String,
    /// What happened, in words: "Used a core feature".
    pub label: String,
    /// Instead of the category's.
    pub level: Option<Level>,
    /// Instead of the category's.
    pub decay: Option<Decay>,
    /// What it looks at.
    pub kind: RuleKind,
}

/// What a rule looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleKind {
    /// Points for usage days of one event.
    Event {
        /// The event's key.
        event: String,
        /// Points before cap, role and decay; negative ones take away.
        points: f64,
        /// What a day counts for.
        per: Per,
        /// The limit in a window of days.
        cap: Option<Cap>,
    },
    /// Points while all of `when` hold.
    State {
        /// The conditions.
        when: Vec<Clause>,
        /// The points.
        points: f64,
    },
    /// The points that the field's value maps to.
    Lookup {
        /// The field's key.
        field: String,
        /// Value to points.
        points: BTreeMap<String, f64>,
    },
}

/// A role factor: the first row whose conditions all hold counts; factors never multiply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleFactor {
    /// Such as "Workspace admin".
    pub label: String,
    /// Conditions on the member; none for the catch-all.
    pub when: Vec<Clause>,
    /// What the member's event points are multiplied with.
    #[serde(serialize_with = "points::serialize")]
    pub factor: f64,
}

/// A stage and the score from which it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Such as `hot_pql`.
    pub key: String,
    /// In points.
    #[serde(serialize_with = "points::serialize")]
    pub min: f64,
}

impl Stage {
    /// Where the stage begins, in hundredths.
    #[must_use]
    pub fn min_hundredths(&self) -> i64 {
        points::hundredths(self.min)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RuleType {
    Event,
    State,
    Lookup,
}

/// A rule as JSON spells it: one flat object whose keys depend on `type`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleDocument {
    key: String,
    category: String,
    label: String,
    #[serde(rename = "type")]
    kind: RuleType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    level: Option<Level>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    when: Option<Vec<Clause>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    points: PointsDocument,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per: Option<Per>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cap: Option<Cap>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decay: Option<Decay>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum PointsDocument {
    One(Points),
    ByValue(BTreeMap<String, Points>),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Points(#[serde(serialize_with = "points::serialize")] f64);

impl TryFrom<RuleDocument> for Rule {
    type Error = String;

    fn try_from(document: RuleDocument) -> Result<Self, String> {
        let RuleDocument {
            key,
            category,
            label,
            kind,
            level,
            event,
            when,
            field,
            points,
            per,
            cap,
            decay,
        } = document;
        let foreign = |present: bool, name: &str, kind: &str| {
            if present {
                Err(format!("rule {key}: {name} does not belong in {kind} rules"))
            } else {
                Ok(())
            }
        };
        let missing = |name: &str| format!("rule {key}: {name} is missing");
        let single = |points: PointsDocument| match points {
            PointsDocument::One(Points(points)) => Ok(points),
            PointsDocument::ByValue(_) => Err(format!("rule {key}: points must be one number")),
        };
        let kind = match kind {
            RuleType::Event => {
                foreign(when.is_some(), "when", "event")?;
                foreign(field.is_some(), "field", "event")?;
                RuleKind::Event {
                    event: event.ok_or_else(|| missing("event"))?,
                    points: single(points)?,
                    per: per.ok_or_else(|| missing("per"))?,
                    cap,
                }
            }
            RuleType::State => {
                foreign(event.is_some(), "event", "state")?;
                foreign(field.is_some(), "field", "state")?;
                foreign(per.is_some(), "per", "state")?;
                foreign(cap.is_some(), "cap", "state")?;
                RuleKind::State {
                    when: when.ok_or_else(|| missing("when"))?,
                    points: single(points)?,
                }
            }
            RuleType::Lookup => {
                foreign(event.is_some(), "event", "lookup")?;
                foreign(when.is_some(), "when", "lookup")?;
                foreign(per.is_some(), "per", "lookup")?;
                foreign(cap.is_some(), "cap", "lookup")?;
                let PointsDocument::ByValue(points) = points else {
                    return Err(format!("rule {key}: points must map values to numbers"));
                };
                RuleKind::Lookup {
                    field: field.ok_or_else(|| missing("field"))?,
                    points: points
                        .into_iter()
                        .map(|(value, Points(points))| (value, points))
                        .collect(),
                }
            }
        };
        Ok(Self { key, category, label, level, decay, kind })
    }
}

impl From<Rule> for RuleDocument {
    fn from(rule: Rule) -> Self {
        let Rule { key, category, label, level, decay, kind } = rule;
        let empty = Self {
            key,
            category,
            label,
            kind: RuleType::Event,
            level,
            event: None,
            when: None,
            field: None,
            points: PointsDocument::ByValue(BTreeMap::new()),
            per: None,
            cap: None,
            decay,
        };
        match kind {
            RuleKind::Event { event, points, per, cap } => Self {
                event: Some(event),
                points: PointsDocument::One(Points(points)),
                per: Some(per),
                cap,
                ..empty
            },
            RuleKind::State { when, points } => Self {
                kind: RuleType::State,
                when: Some(when),
                points: PointsDocument::One(Points(points)),
                ..empty
            },
            RuleKind::Lookup { field, points } => Self {
                kind: RuleType::Lookup,
                field: Some(field),
                points: PointsDocument::ByValue(
                    points.into_iter().map(|(value, points)| (value, Points(points))).collect(),
                ),
                ..empty
            },
        }
    }
}
