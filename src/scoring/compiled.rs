//! A model made ready: names interned, levels and decays resolved, limits in hundredths.

use std::sync::Arc;

use super::model::{Decay, Level, Model, Rule, RuleKind};
use super::points::hundredths;
use crate::error::{Error, Result};
use crate::usage::condition::Clause;
use crate::usage::day::{NEW_ACTIVE_USER_DAY, Name, Names};
use crate::usage::dictionary::{self, FieldLevel};

/// A model that can score any number of worlds whose usage days share its `Names`.
#[derive(Clone, Debug)]
pub struct CompiledModel {
    pub(super) model: Arc<Model>,
    pub(super) version: i64,
    /// One per rule of the document, in its order.
    pub(super) rules: Vec<CompiledRule>,
    /// One per category of the document, in its order.
    pub(super) limits: Vec<Limits>,
    /// By event name: the event rules that count it.
    by_event: Vec<Vec<usize>>,
    pub(super) new_active: Name,
    pub(super) invite_sent: Name,
}

/// A rule with what its category adds.
#[derive(Clone, Copy, Debug)]
pub(super) struct CompiledRule {
    pub category: usize,
    pub level: Level,
    pub decay: Decay,
}

/// A category's limits in hundredths.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub min: i64,
    pub max: i64,
}

impl Limits {
    /// The points within the limits; a floor above the ceiling wins.
    pub fn clamp(self, points: i64) -> i64 {
        points.min(self.max).max(self.min)
    }
}

impl CompiledModel {
    /// Compiles a model; `version` is 0 for a draft.
    ///
    /// # Errors
    /// `Invalid` when a rule names a category that the model lacks.
    pub fn new(model: Model, version: i64, names: &mut Names) -> Result<Self> {
        let mut rules = Vec::with_capacity(model.rules.len());
        let mut by_event: Vec<Vec<usize>> = Vec::new();
        for (at, rule) in model.rules.iter().enumerate() {
            let category = model.categories.iter().position(|one| one.key == rule.category);
            let Some((index, category)) =
                category.and_then(|index| Some((index, model.categories.get(index)?)))
            else {
                let message = format!("There is no category {}.", rule.category);
                return Err(Error::invalid(&format!("rules.{at}.category"), message));
            };
            let level = level_of(rule, category.level);
            let decay = rule.decay.unwrap_or(category.decay);
            rules.push(CompiledRule { category: index, level, decay });
            if let RuleKind::Event { event, .. } = &rule.kind {
                let name = names.intern(event);
                by_event.resize_with(by_event.len().max(name.index() + 1), Vec::new);
                if let Some(list) = by_event.get_mut(name.index()) {
                    list.push(at);
                }
            }
        }
        let limits = model
            .categories
            .iter()
            .map(|one| Limits { min: hundredths(one.min), max: hundredths(one.max) })
            .collect();
        let new_active = names.intern(NEW_ACTIVE_USER_DAY);
        let invite_sent = names.intern("invite_sent");
        Ok(Self {
            model: Arc::new(model),
            version,
            rules,
            limits,
            by_event,
            new_active,
            invite_sent,
        })
    }

    /// The document.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The version of the document, 0 for a draft.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.version
    }

    /// Whether a rule or a role factor asks about members more than their attributes.
    pub(super) fn asks_member_signals(&self) -> bool {
        let is_signal =
            |key: &str| dictionary::find(key).is_none_or(|field| field.level == FieldLevel::Both);
        let asks = |clauses: &[Clause]| {
            clauses.iter().flat_map(Clause::conditions).any(|condition| is_signal(&condition.field))
        };
        let mut rules = self.each_rule().filter(|(_, _, compiled)| compiled.level == Level::User);
        let by_rule = rules.any(|(_, rule, _)| match &rule.kind {
            RuleKind::Event { .. } => false,
            RuleKind::State { when, .. } => asks(when),
            RuleKind::Lookup { field, .. } => is_signal(field),
        });
        by_rule || self.model.role_factors.iter().any(|row| asks(&row.when))
    }

    /// The rules that count an event, by their place in the document.
    pub(super) fn rules_of(&self, event: Name) -> &[usize] {
        self.by_event.get(event.index()).map_or(&[], Vec::as_slice)
    }

    /// The document's rules with what was compiled of them.
    pub(super) fn each_rule(&self) -> impl Iterator<Item = (usize, &Rule, CompiledRule)> {
        let pairs = self.model.rules.iter().zip(&self.rules).enumerate();
        pairs.map(|(at, (rule, compiled))| (at, rule, *compiled))
    }
}

/// The rule's own level, else its category's; but a state or lookup rule that asks only about the
/// workspace is the workspace's, or every member would be granted the same points.
#[must_use]
pub fn level_of(rule: &Rule, category: Level) -> Level {
    let level = rule.level.unwrap_or(category);
    let about_workspace = |key: &str| {
        dictionary::find(key)
            .is_some_and(|field| matches!(field.level, FieldLevel::Workspace | FieldLevel::Account))
    };
    let workspace = match &rule.kind {
        RuleKind::Event { .. } => false,
        RuleKind::State { when, .. } => when
            .iter()
            .flat_map(Clause::conditions)
            .all(|condition| about_workspace(&condition.field)),
        RuleKind::Lookup { field, .. } => about_workspace(field),
    };
    if workspace { Level::Workspace } else { level }
}
