//! The scoring form as its template sees it: inputs with what was typed, what was published and
//! what is wrong.

use std::collections::BTreeMap;

use super::difference::Line;
use super::lint::Warning;
use super::model::{Cap, Category, Decay, Level, Model, Per, Rule, RuleKind, stage_label};
use super::{points, settings};
use crate::error::FieldErrors;
use crate::usage::condition::Clause;
use crate::usage::dictionary;

/// What was typed, by name.
pub(super) type Typed = BTreeMap<String, String>;

/// One number of the form.
pub(super) struct Input {
    pub name: String,
    /// For those who don't see the column.
    pub label: String,
    pub value: String,
    /// What is in force, where that is something else.
    pub was: Option<String>,
    pub errors: Vec<String>,
}

/// A rule's line.
pub(super) struct RuleLine {
    pub label: String,
    /// What it looks at, in words.
    pub what: String,
    /// The value that gives the points, for lookups; empty otherwise.
    pub points: Vec<(String, Input)>,
    /// For event rules.
    pub cap: Option<(Input, Input)>,
    pub decay: Option<String>,
    /// Whether it can give points at all.
    pub is_on: bool,
    pub warnings: Vec<String>,
}

/// A category with its rules.
pub(super) struct CategoryPanel {
    pub key: String,
    pub label: String,
    pub level: &'static str,
    pub min: Input,
    pub max: Input,
    pub takes_away: bool,
    pub decay: Input,
    pub days: Input,
    /// "37 % after 14 days" and so on.
    pub left: String,
    pub rules: Vec<RuleLine>,
    pub warnings: Vec<String>,
}

/// The whole form.
pub(super) struct FormView {
    pub stages: Vec<Input>,
    pub categories: Vec<CategoryPanel>,
    pub factors: Vec<Input>,
    pub lookback: Input,
    pub decays: [(&'static str, &'static str); 4],
    /// The sum of the categories' most points.
    pub sum: String,
}

/// Builds inputs.
pub(super) struct Maker<'a> {
    pub model: &'a Model,
    pub published: &'a Model,
    pub typed: &'a Typed,
    pub errors: &'a FieldErrors,
    pub warnings: &'a [Warning],
}

impl Maker<'_> {
    pub fn form(&self) -> FormView {
        let model = self.model;
        let sum: f64 = model.categories.iter().map(|one| one.max.max(0.0)).sum();
        FormView {
            stages: model
                .stages
                .iter()
                .map(|stage| {
                    let was = self.published.stages.iter().find(|one| one.key == stage.key);
                    let label = stage_label(&stage.key);
                    self.number(
                        format!("stages.{}.min", stage.key),
                        label,
                        stage.min,
                        was.map(|s| s.min),
                    )
                })
                .collect(),
            categories: model.categories.iter().map(|one| self.category(one)).collect(),
            factors: model
                .role_factors
                .iter()
                .enumerate()
                .map(|(at, row)| {
                    let was = self.published.role_factors.get(at).map(|row| row.factor);
                    self.number(
                        format!("role_factors.{at}.factor"),
                        row.label.clone(),
                        row.factor,
                        was,
                    )
                })
                .collect(),
            lookback: self.number(
                "lookback_days".to_owned(),
                "Days looked back".to_owned(),
                points::as_factor(model.lookback_days),
                Some(points::as_factor(self.published.lookback_days)),
            ),
            decays: settings::DECAYS,
            sum: settings::text(sum),
        }
    }

    fn input(&self, name: String, label: String, value: String, was: Option<String>) -> Input {
        let value = self.typed.get(&name).cloned().unwrap_or(value);
        Input {
            was: was.filter(|was| *was != value),
            errors: self.errors.get(&name).cloned().unwrap_or_default(),
            name,
            label,
            value,
        }
    }

    fn number(&self, name: String, label: String, value: f64, was: Option<f64>) -> Input {
        self.input(name, label, settings::text(value), was.map(settings::text))
    }

    fn warnings_at(&self, place: &str) -> Vec<String> {
        let at = |path: &str| path == place || path.starts_with(&format!("{place}."));
        self.warnings.iter().filter(|one| at(&one.path)).map(|one| one.message.clone()).collect()
    }

    fn category(&self, category: &Category) -> CategoryPanel {
        let place = format!("categories.{}", category.key);
        let was = self.published.category(&category.key);
        let label = |what: &str| format!("{}: {what}", category.label);
        let days = |decay: Decay| decay.days().map(settings::text).unwrap_or_default();
        let kind = |decay: Decay| settings::kind_of(decay).to_owned();
        let rules = self.model.rules.iter().filter(|rule| rule.category == category.key);
        CategoryPanel {
            key: category.key.clone(),
            label: category.label.clone(),
            level: match category.level {
                Level::Workspace => "of the workspace",
                Level::User => "of the lead user",
            },
            min: self.number(
                format!("{place}.min"),
                label("least points"),
                category.min,
                was.map(|c| c.min),
            ),
            max: self.number(
                format!("{place}.max"),
                label("most points"),
                category.max,
                was.map(|c| c.max),
            ),
            takes_away: category.max <= 0.0,
            decay: self.input(
                format!("{place}.decay.kind"),
                label("decay"),
                kind(category.decay),
                was.map(|c| kind(c.decay)),
            ),
            days: self.input(
                format!("{place}.decay.days"),
                label("days of decay"),
                days(category.decay),
                was.map(|c| days(c.decay)).filter(|days| !days.is_empty()),
            ),
            left: left(category.decay),
            rules: rules.map(|rule| self.rule(rule)).collect(),
            warnings: self.warnings_at(&place),
        }
    }

    fn rule(&self, rule: &Rule) -> RuleLine {
        let place = format!("rules.{}", rule.key);
        let was = self.published.rule(&rule.key);
        let label = |what: &str| format!("{}: {what}", rule.label);
        let one = |points: f64, was: Option<f64>| {
            let input = self.number(format!("{place}.points"), label("points"), points, was);
            vec![(String::new(), input)]
        };
        let (points, cap, is_on) = match &rule.kind {
            RuleKind::Event { points, cap, .. } => {
                let was = was.and_then(|rule| match &rule.kind {
                    RuleKind::Event { points, cap, .. } => Some((*points, *cap)),
                    _ => None,
                });
                let inputs = one(*points, was.map(|(points, _)| points));
                let cap = self.cap(&place, &rule.label, *cap, was.map(|(_, cap)| cap));
                (inputs, Some(cap), *points != 0.0)
            }
            RuleKind::State { points, .. } => {
                let was = was.and_then(|rule| match &rule.kind {
                    RuleKind::State { points, .. } => Some(*points),
                    _ => None,
                });
                (one(*points, was), None, *points != 0.0)
            }
            RuleKind::Lookup { points, .. } => {
                let inputs = points.iter().map(|(value, points)| {
                    let was = was.and_then(|rule| match &rule.kind {
                        RuleKind::Lookup { points, .. } => points.get(value).copied(),
                        _ => None,
                    });
                    let name = format!("{place}.points.{value}");
                    (
                        value.clone(),
                        self.number(name, label(&format!("points for {value}")), *points, was),
                    )
                });
                (inputs.collect(), None, points.values().any(|points| *points != 0.0))
            }
        };
        RuleLine {
            label: rule.label.clone(),
            what: what(rule),
            points,
            cap,
            decay: rule.decay.map(|decay| decay.words()),
            is_on,
            warnings: self.warnings_at(&place),
        }
    }

    fn cap(
        &self,
        place: &str,
        rule: &str,
        cap: Option<Cap>,
        was: Option<Option<Cap>>,
    ) -> (Input, Input) {
        let points =
            |cap: Option<Cap>| cap.map(|cap| settings::text(cap.points)).unwrap_or_default();
        let days = |cap: Option<Cap>| cap.map(|cap| cap.days.to_string()).unwrap_or_default();
        let none = |text: String| if text.is_empty() { "no cap".to_owned() } else { text };
        let input = |what: &str, label: &str, value: String, was: Option<String>| {
            let was = was.filter(|was| *was != value).map(none);
            self.input(format!("{place}.cap.{what}"), format!("{rule}: {label}"), value, was)
        };
        (
            input("points", "most points in the window", points(cap), was.map(points)),
            input("days", "days of the window", days(cap), was.map(days)),
        )
    }
}

/// What is left of a day's points after 7, 14 and 30 days.
fn left(decay: Decay) -> String {
    if decay == Decay::None {
        return "Points stay as they are.".to_owned();
    }
    let percent = |age: i64| format!("{:.0} % after {age} days", decay.left(age) * 100.0);
    format!("Left: {}, {}, {}.", percent(7), percent(14), percent(30))
}

fn what(rule: &Rule) -> String {
    let words = |clauses: &[Clause]| {
        let clause = |clause: &Clause| {
            let conditions = clause.conditions().iter();
            let words = conditions.map(|one| one.to_words(&dictionary::label(&one.field)));
            words.collect::<Vec<_>>().join(" or ")
        };
        clauses.iter().map(clause).collect::<Vec<_>>().join(" and ")
    };
    match &rule.kind {
        RuleKind::Event { event, per, .. } => {
            let per = match per {
                Per::Event => "each time",
                Per::Day => "once a day",
                Per::UserDay => "once a member and day",
                Per::Once => "the first time only",
            };
            format!("{event}, {per}")
        }
        RuleKind::State { when, .. } => format!("while {}", words(when)),
        RuleKind::Lookup { field, .. } => format!("by {}", dictionary::label(field)),
    }
}

/// What somebody else changed meanwhile, beside what is typed here.
pub(super) struct ConflictView {
    /// "Grace changed Hot PQL begins at from 80 to 75 at 14:03 UTC."
    pub text: String,
    /// The places where the two differ: theirs, yours.
    pub lines: Vec<Line>,
    /// The state to save over.
    pub keep: String,
}
