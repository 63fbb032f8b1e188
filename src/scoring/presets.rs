//! The three models to start from (docs/scoring.md, "Presets"). The first is the default.

use std::collections::BTreeMap;

use super::model::{Cap, Category, Decay, Level, Model, Per, RoleFactor, Rule, RuleKind, Stage};
use crate::catalog::operator::Op;
use crate::usage::condition::{Clause, Condition};
use crate::usage::day::{EVENT_LOOP, NEW_ACTIVE_USER_DAY};
use crate::usage::signal::Value;

/// All presets, the default first.
#[must_use]
pub fn all() -> [Model; 3] {
    [published_recipe(), balanced(), checklist()]
}

/// Weights, caps, decay constants, role factors and thresholds exactly as the recipe publishes them.
#[must_use]
pub fn published_recipe() -> Model {
    let cap = |points: f64, days: i64| Some(Cap { points, days });
    Model {
        name: "Published recipe".to_owned(),
        lookback_days: 180,
        categories: categories(|days| Decay::Exponential { days }),
        rules: vec![
            event(
                "workspace_created",
                "activation",
                "Created the workspace",
                2.0,
                Per::Event,
                None,
            ),
            event(
                "key_action_completed",
                "activation",
                "Completed the key action",
                15.0,
                Per::Event,
                None,
            ),
            event("first_value_delivered", "activation", "Got first value", 8.0, Per::Event, None),
            event("core_feature_used", "depth", "Used a core feature", 2.0, Per::Day, cap(10.0, 7)),
            event("automation_run", "depth", "Ran an automation", 3.0, Per::Event, cap(12.0, 7)),
            event("invite_sent", "expansion", "Invite sent", 2.0, Per::Event, cap(10.0, 14)),
            event(
                "invite_accepted",
                "expansion",
                "Invite accepted",
                4.0,
                Per::Event,
                cap(12.0, 14),
            ),
            event(
                NEW_ACTIVE_USER_DAY,
                "expansion",
                "New active user",
                2.0,
                Per::Event,
                cap(10.0, 14),
            ),
            event("pricing_page_view", "intent", "Looked at pricing", 3.0, Per::Event, cap(6.0, 7)),
            event("upgrade_click", "intent", "Clicked upgrade", 8.0, Per::Event, None),
            event("usage_limit_hit", "intent", "Hit a usage limit", 10.0, Per::Event, None),
            Rule {
                level: Some(Level::Workspace),
                ..state(
                    "trial_ending",
                    "intent",
                    "Trial ends within 3 days",
                    &[("trial_days_remaining", Op::Ge, 0), ("trial_days_remaining", Op::Le, 3)],
                    5.0,
                )
            },
            Rule {
                key: "icp_fit".to_owned(),
                category: "fit".to_owned(),
                label: "ICP fit".to_owned(),
                level: None,
                decay: None,
                kind: RuleKind::Lookup {
                    field: "icp_fit_tier".to_owned(),
                    points: [("A", 10.0), ("B", 6.0), ("C", 2.0)]
                        .map(|(tier, points)| (tier.to_owned(), points))
                        .into_iter()
                        .collect::<BTreeMap<_, _>>(),
                },
            },
            event(
                "workspace_downgraded",
                "negative",
                "Downgraded the workspace",
                -15.0,
                Per::Event,
                None,
            ),
            event(
                "uninstall_integration",
                "negative",
                "Removed an integration",
                -6.0,
                Per::Event,
                None,
            ),
            state(
                "inactive",
                "negative",
                "No active day in 14 days",
                &[("active_days_14d", Op::Eq, 0), ("workspace_age_days", Op::Ge, 14)],
                -20.0,
            ),
        ],
        role_factors: role_factors(),
        stages: stages(&[("warm", 50.0), ("pql", 65.0), ("hot_pql", 80.0)]),
    }
}

/// The recipe with half-lives, an activation that stays, and caps where the recipe has none.
#[must_use]
pub fn balanced() -> Model {
    let mut model = published_recipe();
    model.name = "Balanced".to_owned();
    model.categories = categories(|days| Decay::HalfLife { days });
    for category in model.categories.iter_mut().filter(|category| category.key == "activation") {
        category.decay = Decay::None;
    }
    for rule in &mut model.rules {
        let RuleKind::Event { per, cap, .. } = &mut rule.kind else { continue };
        if rule.category == "activation" {
            *per = Per::Once;
        }
        match rule.key.as_str() {
            "usage_limit_hit" => (*per, *cap) = (Per::Day, Some(Cap { points: 20.0, days: 14 })),
            "upgrade_click" => *cap = Some(Cap { points: 16.0, days: 7 }),
            _ => {}
        }
    }
    let cap = Some(Cap { points: 15.0, days: 7 });
    model.rules.push(event(
        EVENT_LOOP,
        "negative",
        "Repeated one event in a loop",
        -5.0,
        Per::Event,
        cap,
    ));
    model
}

/// The threshold checklist: states only, a PQL from 60 on.
#[must_use]
pub fn checklist() -> Model {
    let category = |key: &str, label: &str, max: f64| Category {
        key: key.to_owned(),
        label: label.to_owned(),
        min: 0.0,
        max,
        level: Level::Workspace,
        decay: Decay::None,
    };
    Model {
        name: "Checklist".to_owned(),
        lookback_days: 180,
        categories: vec![
            category("activation", "Activation", 20.0),
            category("depth", "Usage depth", 35.0),
            category("expansion", "Expansion", 45.0),
        ],
        rules: vec![
            state(
                "logins",
                "depth",
                "5 or more logins in 7 days",
                &[("logins_7d", Op::Ge, 5)],
                10.0,
            ),
            state(
                "features",
                "depth",
                "3 or more features used",
                &[("features_activated", Op::Ge, 3)],
                15.0,
            ),
            state(
                "invites",
                "expansion",
                "2 or more teammates invited",
                &[("team_invites", Op::Ge, 2)],
                20.0,
            ),
            state(
                "integration",
                "expansion",
                "An integration is connected",
                &[("integrations_installed", Op::Ge, 1)],
                25.0,
            ),
            state(
                "import",
                "activation",
                "100 or more records imported",
                &[("records_imported", Op::Ge, 100)],
                20.0,
            ),
            state(
                "active_days",
                "depth",
                "7 or more active days in 14",
                &[("active_days_14d", Op::Ge, 7)],
                10.0,
            ),
        ],
        role_factors: vec![RoleFactor {
            label: "Everyone".to_owned(),
            when: Vec::new(),
            factor: 1.0,
        }],
        stages: stages(&[("pql", 60.0)]),
    }
}

/// The recipe's categories, with its time constants read as `decay` reads them.
fn categories(decay: fn(f64) -> Decay) -> Vec<Category> {
    let category = |key: &str, label: &str, min: f64, max: f64, level: Level, decay: Decay| {
        Category { key: key.to_owned(), label: label.to_owned(), min, max, level, decay }
    };
    vec![
        category("activation", "Activation", 0.0, 25.0, Level::Workspace, decay(30.0)),
        category("depth", "Usage depth", 0.0, 25.0, Level::User, decay(14.0)),
        category("expansion", "Expansion", 0.0, 20.0, Level::Workspace, decay(21.0)),
        category("intent", "Intent", 0.0, 20.0, Level::User, decay(7.0)),
        category("fit", "ICP fit", 0.0, 10.0, Level::Workspace, Decay::None),
        category("negative", "Negative signals", -40.0, 0.0, Level::Workspace, decay(30.0)),
    ]
}

fn event(key: &str, category: &str, label: &str, points: f64, per: Per, cap: Option<Cap>) -> Rule {
    Rule {
        key: key.to_owned(),
        category: category.to_owned(),
        label: label.to_owned(),
        level: None,
        decay: None,
        kind: RuleKind::Event { event: key.to_owned(), points, per, cap },
    }
}

fn state(key: &str, category: &str, label: &str, when: &[(&str, Op, i64)], points: f64) -> Rule {
    let when =
        when.iter().map(|(field, op, value)| Clause::One(Condition::new(field, *op, *value)));
    Rule {
        key: key.to_owned(),
        category: category.to_owned(),
        label: label.to_owned(),
        level: None,
        decay: None,
        kind: RuleKind::State { when: when.collect(), points },
    }
}

fn stages(list: &[(&str, f64)]) -> Vec<Stage> {
    list.iter().map(|(key, min)| Stage { key: (*key).to_owned(), min: *min }).collect()
}

fn role_factors() -> Vec<RoleFactor> {
    let list = |items: &[&str]| Value::List(items.iter().map(|item| Value::from(*item)).collect());
    let row = |label: &str, when: Vec<Condition>, factor: f64| RoleFactor {
        label: label.to_owned(),
        when: when.into_iter().map(Clause::One).collect(),
        factor,
    };
    let managers = list(&["manager", "director", "vp", "c_level"]);
    let functions = list(&["engineering", "product", "operations"]);
    vec![
        row("Workspace admin", vec![Condition::new("role", Op::Eq, "admin")], 1.3),
        row("Manager, director, VP", vec![Condition::new("seniority", Op::In, managers)], 1.2),
        row(
            "IC in a target function",
            vec![
                Condition::new("department", Op::In, functions),
                Condition::new("email_kind", Op::Eq, "corporate"),
            ],
            1.0,
        ),
        row("Everyone else", Vec::new(), 0.6),
    ]
}
