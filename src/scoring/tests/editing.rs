//! Documents, presets, validation and warnings.

use std::collections::BTreeSet;

use serde_json::json;

use crate::scoring::lint::lint;
use crate::scoring::model::{Decay, Model};
use crate::scoring::presets::{self, published_recipe};
use crate::scoring::validate::{Surroundings, validate};

fn around() -> Surroundings {
    let events = [
        "workspace_created",
        "key_action_completed",
        "first_value_delivered",
        "core_feature_used",
        "automation_run",
        "invite_sent",
        "invite_accepted",
        "pricing_page_view",
        "upgrade_click",
        "usage_limit_hit",
        "workspace_downgraded",
        "uninstall_integration",
    ];
    let events: BTreeSet<String> = events.iter().map(|event| (*event).to_owned()).collect();
    Surroundings { events, ..Surroundings::default() }
}

/// The paths of the problems after one change of the recipe's document.
fn problems(path: &str, value: serde_json::Value) -> Vec<String> {
    let mut document = serde_json::to_value(published_recipe()).unwrap();
    *document.pointer_mut(path).unwrap() = value;
    let model: Model = serde_json::from_value(document).unwrap();
    validate(&model, &around()).err().unwrap_or_default().into_keys().collect()
}

#[test]
fn presets_are_valid_and_come_back_as_they_went() {
    for model in presets::all() {
        assert_eq!(validate(&model, &around()), Ok(()), "{}", model.name);
        let document = serde_json::to_value(&model).unwrap();
        assert_eq!(serde_json::from_value::<Model>(document).unwrap(), model);
    }
    let document = serde_json::to_value(published_recipe()).unwrap();
    assert_eq!(document["rules"][3]["cap"], json!({"points": 10, "days": 7}));
    assert_eq!(document["rules"][12]["points"], json!({"A": 10, "B": 6, "C": 2}));
    assert_eq!(document["categories"][4]["decay"], json!({"kind": "none"}));
    assert_eq!(
        presets::balanced().category("intent").unwrap().decay,
        Decay::HalfLife { days: 7.0 }
    );
}

#[test]
fn the_recipe_is_the_one_of_the_vectors() {
    let vectors = include_str!("../../../tests/fixtures/scoring_vectors.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    let theirs: Model = serde_json::from_value(vectors[0]["model"].clone()).unwrap();
    let mut ours = published_recipe();
    assert_eq!(ours.categories, theirs.categories);
    assert_eq!((&ours.role_factors, &ours.stages), (&theirs.role_factors, &theirs.stages));
    for (our, their) in
        ours.rules.iter_mut().zip(&theirs.rules).filter(|(our, _)| our.key != "trial_ending")
    {
        our.label.clone_from(&their.label);
        assert_eq!(our, their);
    }
}

#[test]
fn unknown_and_foreign_keys_are_refused() {
    let refused = |rule: &str, key: &str, value: serde_json::Value| {
        let mut document = serde_json::to_value(published_recipe()).unwrap();
        document["rules"]
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .find(|one| one["key"] == rule)
            .unwrap()[key] = value;
        serde_json::from_value::<Model>(document).unwrap_err().to_string()
    };
    assert!(refused("invite_sent", "pionts", json!(3)).contains("pionts"));
    assert!(refused("invite_sent", "when", json!([])).contains("does not belong in event rules"));
    assert!(refused("icp_fit", "points", json!(3)).contains("map values"));
}

#[test]
fn each_problem_stands_at_its_field() {
    assert_eq!(problems("/rules/0/event", json!("nothing")), ["rules.0.event"]);
    assert_eq!(problems("/rules/1/key", json!("workspace_created")), ["rules.1.key"]);
    assert_eq!(problems("/rules/0/category", json!("fun")), ["rules.0.category"]);
    assert_eq!(problems("/rules/3/cap/points", json!(1)), ["rules.3.cap.points"]);
    assert_eq!(problems("/rules/3/cap/days", json!(0)), ["rules.3.cap.days"]);
    assert_eq!(problems("/rules/3/per", json!("user_day")), ["rules.3.per"]);
    assert_eq!(problems("/rules/11/when/0/field", json!("trial_days")), ["rules.11.when.0.field"]);
    assert_eq!(problems("/rules/11/when/0/field", json!("pql_score")), ["rules.11.when.0.field"]);
    assert_eq!(problems("/rules/15/when/0/field", json!("role")), ["rules.15.when.0.field"]);
    assert_eq!(problems("/rules/11/when/0/value", json!("soon")), ["rules.11.when.0.value"]);
    assert_eq!(problems("/rules/12/points", json!({"A": 10, "Z": 1})), ["rules.12.points.Z"]);
    assert_eq!(problems("/categories/0/min", json!(30)), ["categories.0.min"]);
    assert_eq!(problems("/categories/0/decay/days", json!(0)), ["categories.0.decay.days"]);
    assert_eq!(problems("/stages/1/min", json!(40)), ["stages.1.min"]);
    assert_eq!(
        problems("/role_factors/3/when", json!([{"field": "role", "op": "is_set"}])),
        ["role_factors"]
    );
    assert_eq!(problems("/name", json!(" ")), ["name"]);
}

#[test]
fn warnings_do_not_block() {
    let mut around = around();
    around.unsent.insert("upgrade_click".to_owned());
    let warnings = lint(&published_recipe(), &around);
    let paths: Vec<&str> = warnings.iter().map(|warning| warning.path.as_str()).collect();
    assert!(paths.contains(&"rules.10.cap"), "limits hit count without a limit: {paths:?}");
    assert!(paths.contains(&"rules.9.event"), "nobody clicks upgrade: {paths:?}");
    assert!(!paths.iter().any(|path| path.starts_with("categories.3")), "{paths:?}");
    let mut model = published_recipe();
    model.rules.retain(|rule| rule.key != "icp_fit");
    model.categories[3].max = 13.0;
    let paths: Vec<String> =
        lint(&model, &around).into_iter().map(|warning| warning.path).collect();
    assert!(paths.contains(&"categories.4.max".to_owned()), "nothing gives fit: {paths:?}");
    assert!(
        paths.contains(&"categories.3.max".to_owned()),
        "an admin's limit hit gives 13: {paths:?}"
    );
}
