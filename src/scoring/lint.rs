//! Warnings about a model that is valid but perhaps not meant; they never block.

use super::compiled::level_of;
use super::model::{Category, Decay, Level, Model, Per, Rule, RuleKind};
use super::validate::Surroundings;

/// A warning at a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Such as `rules.3.cap`.
    pub path: String,
    /// What may come as a surprise.
    pub message: String,
}

/// The warnings of a model.
#[must_use]
pub fn lint(model: &Model, around: &Surroundings) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |path: String, message: String| warnings.push(Warning { path, message });
    for (at, rule) in model.rules.iter().enumerate() {
        let RuleKind::Event { event, per, cap, .. } = &rule.kind else { continue };
        if cap.is_none() && *per != Per::Once {
            let message =
                "Repeats count without a limit: one busy day can outweigh everything else.";
            warn(format!("rules.{at}.cap"), message.to_owned());
        }
        if around.unsent.contains(event) {
            warn(format!("rules.{at}.event"), format!("Nobody sent {event} in the last 30 days."));
        }
    }
    for (at, category) in model.categories.iter().enumerate().filter(|(_, one)| one.max > 0.0) {
        let rules = || model.rules.iter().filter(|rule| rule.category == category.key);
        let reach: f64 = rules().map(|rule| reach(model, category, rule)).sum();
        if reach < category.max {
            let message = format!(
                "Its rules reach at most {reach:.1} of {} points: lower the limit or add a rule.",
                category.max
            );
            warn(format!("categories.{at}.max"), message);
        }
        for rule in rules().filter(|rule| single(model, category, rule) >= category.max) {
            let message = format!("One event of \"{}\" fills it alone.", rule.label);
            warn(format!("categories.{at}.max"), message);
        }
    }
    warnings
}

/// The most a member's points can be multiplied with; 1 for the workspace's.
fn best_factor(model: &Model, category: &Category, rule: &Rule) -> f64 {
    match level_of(rule, category.level) {
        Level::Workspace => 1.0,
        Level::User => model.role_factors.iter().map(|row| row.factor).fold(0.0, f64::max),
    }
}

/// What one event can give at most; nothing for states and lookups.
fn single(model: &Model, category: &Category, rule: &Rule) -> f64 {
    match rule.kind {
        RuleKind::Event { points, .. } => points * best_factor(model, category, rule),
        RuleKind::State { .. } | RuleKind::Lookup { .. } => 0.0,
    }
}

/// What a rule can give at most at any time: a full window of its cap now, and what is left of the
/// full windows before.
fn reach(model: &Model, category: &Category, rule: &Rule) -> f64 {
    match &rule.kind {
        RuleKind::State { points, .. } => points.max(0.0),
        RuleKind::Lookup { points, .. } => points.values().copied().fold(0.0, f64::max),
        RuleKind::Event { points, .. } if *points <= 0.0 => 0.0,
        RuleKind::Event { points, per, cap, .. } => {
            let factor = best_factor(model, category, rule);
            let decay = rule.decay.unwrap_or(category.decay);
            match (per, cap) {
                (Per::Once, _) => points * factor,
                (Per::Day, None) => points * factor * windows(model, decay, 1),
                (Per::Event | Per::UserDay, None) => f64::INFINITY,
                (_, Some(cap)) => cap.points * factor * windows(model, decay, cap.days),
            }
        }
    }
}

/// How many full windows of this many days add up, after decay.
fn windows(model: &Model, decay: Decay, days: i64) -> f64 {
    let mut sum = 0.0;
    let mut age = 0;
    while age <= model.lookback_days {
        sum += decay.left(age);
        age += days.max(1);
    }
    sum
}
