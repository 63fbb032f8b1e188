//! What an editor must mend before a model can be published: each message names its field by a path
//! such as `rules.3.cap.points` and says how to mend it. Warnings that do not block are in `lint`.

use std::collections::BTreeSet;

use super::compiled::level_of;
use super::model::{Cap, Decay, Level, Model, NOT_PQL, Per, Rule, RuleKind};
use crate::error::FieldErrors;
use crate::usage::condition::{Clause, Condition};
use crate::usage::day::{EVENT_LOOP, NEW_ACTIVE_USER_DAY};
use crate::usage::dictionary::{self, FieldLevel, FieldType};

/// What a model may refer to.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The keys of the catalog's events; the derived ones need not be among them.
    pub events: BTreeSet<String>,
    /// Custom signals: key, kind, and whether members have them too.
    pub custom_fields: Vec<(String, FieldType, FieldLevel)>,
    /// Events that nobody sent in the last 30 days.
    pub unsent: BTreeSet<String>,
}

/// Checks a model.
///
/// # Errors
/// Every problem at its field, in words for the person who edits the model.
pub fn validate(model: &Model, around: &Surroundings) -> Result<(), FieldErrors> {
    let mut check = Check { around, errors: FieldErrors::new() };
    check.head(model);
    check.categories(model);
    for (at, rule) in model.rules.iter().enumerate() {
        check.rule(model, &format!("rules.{at}"), rule);
    }
    check.unique("rules", model.rules.iter().map(|rule| rule.key.as_str()));
    check.role_factors(model);
    check.stages(model);
    if check.errors.is_empty() { Ok(()) } else { Err(check.errors) }
}

struct Check<'a> {
    around: &'a Surroundings,
    errors: FieldErrors,
}

impl Check<'_> {
    fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.errors.entry(path.into()).or_default().push(message.into());
    }

    fn require(&mut self, holds: bool, path: &str, message: &str) {
        if !holds {
            self.add(path, message);
        }
    }

    fn unique<'k>(&mut self, list: &str, keys: impl Iterator<Item = &'k str>) {
        let mut seen = BTreeSet::new();
        for (at, key) in keys.enumerate() {
            let path = format!("{list}.{at}.key");
            if key.trim().is_empty() {
                self.add(path, "Enter a key.");
            } else if !seen.insert(key) {
                self.add(path, format!("The key {key} is taken: choose another one."));
            }
        }
    }

    fn head(&mut self, model: &Model) {
        self.require(!model.name.trim().is_empty(), "name", "Enter a name.");
        let lookback = (1..=3650).contains(&model.lookback_days);
        self.require(lookback, "lookback_days", "Look back between 1 and 3650 days.");
    }

    fn categories(&mut self, model: &Model) {
        self.require(
            !model.categories.is_empty(),
            "categories",
            "Add a category for points to go to.",
        );
        self.unique("categories", model.categories.iter().map(|category| category.key.as_str()));
        for (at, category) in model.categories.iter().enumerate() {
            let path = |field: &str| format!("categories.{at}.{field}");
            self.require(!category.label.trim().is_empty(), &path("label"), "Enter a label.");
            let finite = category.min.is_finite() && category.max.is_finite();
            self.require(finite, &path("max"), "Enter numbers as limits.");
            let ordered = category.min <= category.max;
            self.require(
                ordered,
                &path("min"),
                "The least points must not be above the most points.",
            );
            self.decay(&path("decay.days"), category.decay);
        }
    }

    fn decay(&mut self, path: &str, decay: Decay) {
        let valid = decay.days().is_none_or(|days| days.is_finite() && days > 0.0);
        self.require(valid, path, "Decay needs more than 0 days; choose \"none\" for no decay.");
    }

    fn rule(&mut self, model: &Model, path: &str, rule: &Rule) {
        self.require(!rule.label.trim().is_empty(), &format!("{path}.label"), "Enter a label.");
        let category = model.category(&rule.category);
        if category.is_none() {
            let message =
                format!("There is no category {}: choose one of the list.", rule.category);
            self.add(format!("{path}.category"), message);
        }
        if let Some(decay) = rule.decay {
            self.decay(&format!("{path}.decay.days"), decay);
        }
        let level = level_of(rule, category.map_or(Level::Workspace, |category| category.level));
        let points_path = format!("{path}.points");
        match &rule.kind {
            RuleKind::Event { event, points, per, cap } => {
                self.points(&points_path, *points);
                self.event(&format!("{path}.event"), event);
                if *per == Per::UserDay && level == Level::User {
                    let message =
                        "Counting members a day needs the level workspace: use \"day\" here.";
                    self.add(format!("{path}.per"), message);
                }
                if let Some(cap) = cap {
                    self.cap(&format!("{path}.cap"), *cap, *points);
                }
            }
            RuleKind::State { when, points } => {
                self.points(&points_path, *points);
                let path = format!("{path}.when");
                self.require(
                    !when.is_empty(),
                    &path,
                    "Add a condition, or the points are always granted.",
                );
                self.clauses(&path, when, level);
            }
            RuleKind::Lookup { field, points } => {
                self.require(!points.is_empty(), &points_path, "Add a value that gives points.");
                for (value, points) in points {
                    self.points(&format!("{points_path}.{value}"), *points);
                }
                let path = format!("{path}.field");
                let Some((_, values)) = self.field(&path, field, level) else { return };
                for value in points.keys() {
                    if !values.is_empty() && !values.contains(&value.as_str()) {
                        let message =
                            format!("{value} never occurs: use one of {}.", values.join(", "));
                        self.add(format!("{points_path}.{value}"), message);
                    }
                }
            }
        }
    }

    fn points(&mut self, path: &str, points: f64) {
        let sane = points.is_finite() && points.abs() <= 1_000_000.0;
        self.require(sane, path, "Enter points between -1000000 and 1000000.");
    }

    fn event(&mut self, path: &str, event: &str) {
        let known = self.around.events.contains(event)
            || [NEW_ACTIVE_USER_DAY, EVENT_LOOP].contains(&event);
        if !known {
            self.add(
                path,
                format!("The catalog has no event {event}: choose one, or add it there first."),
            );
        }
    }

    fn cap(&mut self, path: &str, cap: Cap, points: f64) {
        let days = cap.days >= 1;
        self.require(days, &format!("{path}.days"), "A cap needs a window of at least 1 day.");
        let enough = cap.points.is_finite() && cap.points >= points.abs() && cap.points > 0.0;
        let message = format!(
            "A cap below one event's points cuts every event: enter at least {}.",
            points.abs()
        );
        self.require(enough, &format!("{path}.points"), &message);
    }

    fn clauses(&mut self, path: &str, clauses: &[Clause], level: Level) {
        for (at, clause) in clauses.iter().enumerate() {
            let path = format!("{path}.{at}");
            match clause {
                Clause::One(condition) => self.condition(&path, condition, level),
                Clause::Any { any } => {
                    self.require(
                        !any.is_empty(),
                        &path,
                        "Add a condition to the group or remove it.",
                    );
                    for (at, condition) in any.iter().enumerate() {
                        self.condition(&format!("{path}.any.{at}"), condition, level);
                    }
                }
            }
        }
    }

    fn condition(&mut self, path: &str, condition: &Condition, level: Level) {
        let Some((kind, values)) = self.field(&format!("{path}.field"), &condition.field, level)
        else {
            return;
        };
        if let Err(message) = condition.check(kind, values) {
            self.add(format!("{path}.value"), message);
        }
    }

    /// The field's kind and values, or `None` after saying why a rule of this level can't use it.
    fn field(
        &mut self,
        path: &str,
        key: &str,
        level: Level,
    ) -> Option<(FieldType, &'static [&'static str])> {
        let (kind, of, values) = match dictionary::find(key) {
            Some(field) if !field.is_scorable() => {
                self.add(
                    path,
                    format!("{} follows from the score, so it can't lead to it.", field.label),
                );
                return None;
            }
            Some(field) => (field.kind, field.level, field.values),
            None => match self.around.custom_fields.iter().find(|(custom, ..)| custom == key) {
                Some((_, kind, level)) => (*kind, *level, &[][..]),
                None => {
                    self.add(
                        path,
                        format!("There is no signal {key}: choose one of the dictionary."),
                    );
                    return None;
                }
            },
        };
        if of == FieldLevel::User && level == Level::Workspace {
            self.add(path, "This is a member's field: give the rule the level user.");
            return None;
        }
        Some((kind, values))
    }

    fn role_factors(&mut self, model: &Model) {
        let catch_all = model.role_factors.last().is_some_and(|row| row.when.is_empty());
        self.require(
            catch_all,
            "role_factors",
            "End with a row without conditions, for everyone else.",
        );
        for (at, row) in model.role_factors.iter().enumerate() {
            let path = format!("role_factors.{at}");
            self.require(!row.label.trim().is_empty(), &format!("{path}.label"), "Enter a label.");
            let sane = (0.0..=100.0).contains(&row.factor);
            self.require(sane, &format!("{path}.factor"), "Enter a factor between 0 and 100.");
            let last = at + 1 == model.role_factors.len();
            let reachable = last || !row.when.is_empty();
            self.require(
                reachable,
                &format!("{path}.when"),
                "Without conditions this row hides those below it: move it to the end.",
            );
            self.clauses(&format!("{path}.when"), &row.when, Level::User);
        }
    }

    fn stages(&mut self, model: &Model) {
        self.require(!model.stages.is_empty(), "stages", "Add a stage.");
        self.unique("stages", model.stages.iter().map(|stage| stage.key.as_str()));
        let mut before = None;
        for (at, stage) in model.stages.iter().enumerate() {
            let path = format!("stages.{at}.min");
            self.require(
                stage.key != NOT_PQL,
                &format!("stages.{at}.key"),
                "not_pql is the stage below all others.",
            );
            self.require(
                stage.min > 0.0 && stage.min <= 100.0,
                &path,
                "Begin a stage above 0 and at most at 100.",
            );
            let ascending = before.is_none_or(|before| stage.min > before);
            self.require(ascending, &path, "Stages must ascend: begin above the stage before.");
            before = Some(stage.min);
        }
    }
}
