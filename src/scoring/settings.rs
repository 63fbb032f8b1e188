//! The numbers of a model that people tune, by name: what the scoring form shows and reads. Pure.
//!
//! A name is the place in the document with keys instead of positions, such as
//! `rules.core_feature_used.cap.points`, so that it still means the same after somebody else moved
//! a rule. What the form cannot change (conditions, new rules) is changed in the document itself.

use super::model::{Cap, Category, Decay, Model, RuleKind};
use super::points;
use crate::error::FieldErrors;

/// The kinds of decay: the word in the document and what people read.
pub const DECAYS: [(&str, &str); 4] = [
    ("exponential", "Exponential"),
    ("half_life", "Half-life"),
    ("linear", "Linear"),
    ("none", "No decay"),
];

/// The model with the typed numbers in place of its own. `typed` gives the text of a name, `None`
/// where the form did not send it: that number stays.
///
/// # Errors
/// What can't be read, at its name, with how to mend it. Whether the numbers make sense together is
/// for `validate`.
pub fn apply<'a>(
    model: &Model,
    typed: impl Fn(&str) -> Option<&'a str>,
) -> Result<Model, FieldErrors> {
    let mut model = model.clone();
    let mut form = Reader { typed, errors: FieldErrors::new() };
    form.whole("lookback_days", &mut model.lookback_days);
    for category in &mut model.categories {
        form.category(category);
    }
    for rule in &mut model.rules {
        let at = format!("rules.{}", rule.key);
        match &mut rule.kind {
            RuleKind::Event { points, cap, .. } => {
                form.number(&format!("{at}.points"), points);
                form.cap(&at, cap);
            }
            RuleKind::State { points, .. } => form.number(&format!("{at}.points"), points),
            RuleKind::Lookup { points, .. } => {
                for (value, points) in points {
                    form.number(&format!("{at}.points.{value}"), points);
                }
            }
        }
    }
    for (at, row) in model.role_factors.iter_mut().enumerate() {
        form.number(&format!("role_factors.{at}.factor"), &mut row.factor);
    }
    for stage in &mut model.stages {
        form.number(&format!("stages.{}.min", stage.key), &mut stage.min);
    }
    if form.errors.is_empty() { Ok(model) } else { Err(form.errors) }
}

/// A name for a path of `validate` or `lint`, which count positions: `rules.3.points` becomes
/// `rules.core_feature_used.points`.
#[must_use]
pub fn name_of_path(model: &Model, path: &str) -> String {
    let mut parts: Vec<&str> = path.split('.').collect();
    let key = match parts.as_slice() {
        [list, position, ..] => position.parse::<usize>().ok().and_then(|at| match *list {
            "rules" => model.rules.get(at).map(|rule| rule.key.as_str()),
            "categories" => model.categories.get(at).map(|category| category.key.as_str()),
            "stages" => model.stages.get(at).map(|stage| stage.key.as_str()),
            _ => None,
        }),
        _ => None,
    };
    if let (Some(key), Some(part)) = (key, parts.get_mut(1)) {
        *part = key;
    }
    parts.join(".")
}

/// Errors by path as errors by name.
#[must_use]
pub fn named(model: &Model, errors: FieldErrors) -> FieldErrors {
    errors.into_iter().map(|(path, messages)| (name_of_path(model, &path), messages)).collect()
}

/// A number as the form shows it: `2`, `0.6`.
#[must_use]
pub fn text(number: f64) -> String {
    format!("{number}")
}

struct Reader<F> {
    typed: F,
    errors: FieldErrors,
}

impl<'a, F: Fn(&str) -> Option<&'a str>> Reader<F> {
    fn refuse(&mut self, name: &str, message: &str) {
        self.errors.entry(name.to_owned()).or_default().push(message.to_owned());
    }

    fn number(&mut self, name: &str, number: &mut f64) {
        let Some(typed) = (self.typed)(name) else { return };
        match read(typed) {
            Some(read) => *number = read,
            None => {
                self.refuse(name, "Enter a number with at most two decimals, such as 2 or 0.75.");
            }
        }
    }

    fn whole(&mut self, name: &str, number: &mut i64) {
        let Some(typed) = (self.typed)(name) else { return };
        match typed.trim().parse() {
            Ok(read) => *number = read,
            Err(_) => self.refuse(name, "Enter a whole number of days."),
        }
    }

    fn category(&mut self, category: &mut Category) {
        let at = format!("categories.{}", category.key);
        self.number(&format!("{at}.min"), &mut category.min);
        self.number(&format!("{at}.max"), &mut category.max);
        let kind_name = format!("{at}.decay.kind");
        let kind = (self.typed)(&kind_name).unwrap_or(kind_of(category.decay));
        let mut days = category.decay.days().unwrap_or(30.0);
        if kind != "none" {
            self.number(&format!("{at}.decay.days"), &mut days);
        }
        category.decay = match kind {
            "exponential" => Decay::Exponential { days },
            "half_life" => Decay::HalfLife { days },
            "linear" => Decay::Linear { days },
            "none" => Decay::None,
            _ => {
                self.refuse(&kind_name, "Choose one of the list.");
                category.decay
            }
        };
    }

    /// Both fields empty: no cap.
    fn cap(&mut self, at: &str, cap: &mut Option<Cap>) {
        let (points_name, days_name) = (format!("{at}.cap.points"), format!("{at}.cap.days"));
        let (Some(points), Some(days)) = ((self.typed)(&points_name), (self.typed)(&days_name))
        else {
            return;
        };
        if points.trim().is_empty() && days.trim().is_empty() {
            *cap = None;
            return;
        }
        let mut read = cap.unwrap_or(Cap { points: 0.0, days: 0 });
        if points.trim().is_empty() {
            self.refuse(&points_name, "Enter the most points, or empty the days too for no cap.");
        } else {
            self.number(&points_name, &mut read.points);
        }
        if days.trim().is_empty() {
            self.refuse(&days_name, "Enter the days, or empty the points too for no cap.");
        } else {
            self.whole(&days_name, &mut read.days);
        }
        *cap = Some(read);
    }
}

/// The word of a decay in the document.
#[must_use]
pub fn kind_of(decay: Decay) -> &'static str {
    match decay {
        Decay::Exponential { .. } => "exponential",
        Decay::HalfLife { .. } => "half_life",
        Decay::Linear { .. } => "linear",
        Decay::None => "none",
    }
}

/// A finite number of at most a million with at most two decimals; a decimal comma is read as one.
fn read(typed: &str) -> Option<f64> {
    let number: f64 = typed.trim().replace(',', ".").parse().ok()?;
    let exact = points::as_points(points::hundredths(number));
    (number.is_finite() && number.abs() <= 1e6 && (number - exact).abs() < 1e-9).then_some(number)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::presets;
    use super::*;

    fn with(typed: &[(&'static str, &'static str)]) -> Result<Model, FieldErrors> {
        let typed: BTreeMap<_, _> = typed.iter().copied().collect();
        apply(&presets::published_recipe(), |name| typed.get(name).copied())
    }

    #[test]
    fn an_empty_form_changes_nothing() {
        assert_eq!(with(&[]).unwrap(), presets::published_recipe());
    }

    #[test]
    fn each_kind_of_number_is_read() {
        let model = with(&[
            ("stages.hot_pql.min", " 75 "),
            ("rules.core_feature_used.points", "2,5"),
            ("rules.core_feature_used.cap.points", "12"),
            ("rules.core_feature_used.cap.days", "14"),
            ("rules.invite_sent.cap.points", ""),
            ("rules.invite_sent.cap.days", ""),
            ("rules.icp_fit.points.B", "7"),
            ("role_factors.0.factor", "1.4"),
            ("categories.depth.decay.kind", "half_life"),
            ("categories.depth.decay.days", "10"),
            ("lookback_days", "90"),
        ])
        .unwrap();
        assert_eq!(model.stages.last().unwrap().min, 75.0);
        let RuleKind::Event { points, cap, .. } = &model.rule("core_feature_used").unwrap().kind
        else {
            panic!("an event rule");
        };
        assert_eq!((*points, cap.unwrap()), (2.5, Cap { points: 12.0, days: 14 }));
        let RuleKind::Event { cap, .. } = &model.rule("invite_sent").unwrap().kind else {
            panic!("an event rule");
        };
        assert_eq!(*cap, None);
        assert_eq!(model.role_factors[0].factor, 1.4);
        assert_eq!(model.category("depth").unwrap().decay, Decay::HalfLife { days: 10.0 });
        assert_eq!(model.lookback_days, 90);
    }

    #[test]
    fn what_cant_be_read_is_named() {
        let errors = with(&[
            ("stages.pql.min", "many"),
            ("stages.warm.min", "NaN"),
            ("rules.invite_sent.points", "1.234"),
            ("rules.invite_sent.cap.points", ""),
            ("rules.invite_sent.cap.days", "14"),
            ("categories.fit.decay.kind", "sudden"),
        ])
        .unwrap_err();
        let names: Vec<&str> = errors.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "categories.fit.decay.kind",
                "rules.invite_sent.cap.points",
                "rules.invite_sent.points",
                "stages.pql.min",
                "stages.warm.min"
            ]
        );
    }

    #[test]
    fn paths_become_names() {
        let model = presets::published_recipe();
        assert_eq!(name_of_path(&model, "stages.0.min"), "stages.warm.min");
        assert_eq!(name_of_path(&model, "rules.99.min"), "rules.99.min");
        assert_eq!(name_of_path(&model, "role_factors.1.factor"), "role_factors.1.factor");
        assert_eq!(name_of_path(&model, "name"), "name");
    }
}
