//! What a machine can check of the plan of the house (ARCHITECTURE.md).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Features in the order in which data flows through them: calls go up this list. Routing stands
/// last: it decides and, in the same transaction, calls ownership, which calls tasks.
const FEATURES: [&str; 19] = [
    "team",
    "sources",
    "catalog",
    "plans",
    "retention",
    "ingest",
    "identity",
    "accounts",
    "workspaces",
    "contacts",
    "subscriptions",
    "webhooks",
    "usage",
    "bulk",
    "imports",
    "scoring",
    "tasks",
    "ownership",
    "routing",
];
/// The platform, which knows no feature.
const PLATFORM: [&str; 7] = ["clock", "db", "error", "ids", "queue", "schema", "values"];
/// Faces of a feature: they may read any feature, and nobody but the tables of contents imports them.
const FACES: [&str; 4] = ["pages", "actions", "api", "endpoint"];

struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// The text before the file's own tests, without comments.
    fn code(&self) -> String {
        let code = self.text.split("#[cfg(test)]").next().unwrap_or_default();
        code.lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn parts(&self) -> Vec<&str> {
        self.path.iter().skip(1).filter_map(|part| part.to_str()).collect()
    }

    /// The first folder or file below `src`.
    fn room(&self) -> &str {
        self.parts()[0].trim_end_matches(".rs")
    }

    fn is_test(&self) -> bool {
        self.parts()
            .iter()
            .any(|part| *part == "tests" || *part == "tests.rs" || *part == "testing.rs")
    }

    fn is_face(&self) -> bool {
        self.parts().iter().skip(1).any(|part| {
            let part = part.trim_end_matches(".rs");
            FACES.iter().any(|face| part == *face || part.starts_with(&format!("{face}_")))
        })
    }

    fn is_store(&self) -> bool {
        self.parts().iter().any(|part| part.starts_with("store"))
    }
}

fn read(folder: &str, extension: &str) -> Vec<Source> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<Source>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(Source { text: fs::read_to_string(&path).unwrap(), path });
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new(folder), extension, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no .{extension} below {folder}");
    found
}

fn assert_none(problems: &[String], rule: &str) {
    assert!(problems.is_empty(), "{rule}\n  {}", problems.join("\n  "));
}

/// Every `crate::x` that a text names.
fn crate_rooms(code: &str) -> Vec<String> {
    code.split("crate::")
        .skip(1)
        .flat_map(|rest| {
            let word = |text: &str| -> String {
                text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
            };
            match rest.strip_prefix('{') {
                Some(list) => {
                    let list = list.split("};").next().unwrap_or_default();
                    list.split(',').map(|part| word(part.trim())).collect::<Vec<_>>()
                }
                None => vec![word(rest)],
            }
        })
        .collect()
}

fn rank(room: &str) -> Option<usize> {
    FEATURES.iter().position(|feature| *feature == room)
}

#[test]
fn calls_go_up_the_list_of_features() {
    let mut problems = Vec::new();
    for source in read("src", "rs").iter().filter(|s| !s.is_face() && !s.is_test()) {
        let Some(own) = rank(source.room()) else { continue };
        for room in crate_rooms(&source.code()) {
            if rank(&room).is_some_and(|other| other > own) {
                problems.push(format!("{} imports {room}", source.path.display()));
            }
        }
    }
    assert_none(&problems, "a feature's core calls only features above it in lib.rs");
}

#[test]
fn the_map_lists_the_features_in_their_order() {
    let map = fs::read_to_string("src/lib.rs").unwrap();
    let listed: Vec<&str> = map
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .filter(|module| rank(module).is_some())
        .collect();
    assert_eq!(listed, FEATURES, "lib.rs is the map of the house");
}

#[test]
fn the_platform_knows_no_feature() {
    let mut problems = Vec::new();
    for source in read("src", "rs").iter().filter(|s| PLATFORM.contains(&s.room()) && !s.is_test())
    {
        for room in crate_rooms(&source.code()) {
            if rank(&room).is_some() {
                problems.push(format!("{} imports {room}", source.path.display()));
            }
        }
    }
    assert_none(&problems, "clock, db, error, ids and queue know no feature");
}

#[test]
fn nobody_imports_a_face() {
    let contents = ["routes", "app", "cli", "demo", "main", "lib", "jobs"];
    let mut problems = Vec::new();
    for source in read("src", "rs").iter().filter(|s| !contents.contains(&s.room())) {
        for feature in FEATURES.iter().filter(|f| **f != source.room()) {
            for face in ["pages", "actions", "api"] {
                if source.code().contains(&format!("{feature}::{face}::")) {
                    problems.push(format!("{} imports {feature}::{face}", source.path.display()));
                }
            }
        }
    }
    assert_none(&problems, "pages, actions and api are imported by the tables of contents alone");
}

#[test]
fn sql_stands_in_stores() {
    let words = [
        "sql_query(",
        "insert_into(",
        "diesel::update(",
        "diesel::delete(",
        "diesel::prelude",
        "batch_execute(",
    ];
    let mut problems = Vec::new();
    for source in
        read("src", "rs").iter().filter(|s| !s.is_store() && !s.is_test() && s.room() != "db")
    {
        let code = source.code();
        for word in words.iter().filter(|word| code.contains(**word)) {
            problems.push(format!("{} has {word}", source.path.display()));
        }
    }
    assert_none(&problems, "SQL stands in store*.rs alone");
}

#[test]
fn time_is_an_argument() {
    let mut problems = Vec::new();
    for source in read("src", "rs").iter().filter(|s| s.room() != "clock" && !s.is_test()) {
        for word in ["Utc::now", "Local::now", "SystemTime::now"] {
            if source.code().contains(word) {
                problems.push(format!("{} reads {word}", source.path.display()));
            }
        }
    }
    assert_none(&problems, "only clock.rs reads the clock");
}

#[test]
fn the_engines_are_pure() {
    let pure = [
        "src/scoring/engine.rs",
        "src/scoring/caps.rs",
        "src/scoring/decay.rs",
        "src/scoring/lead.rs",
        "src/scoring/model.rs",
        "src/routing/engine.rs",
        "src/routing/rule.rs",
        "src/subscriptions/agreement.rs",
        "src/subscriptions/terms.rs",
        "src/subscriptions/timeline.rs",
        "src/subscriptions/told.rs",
        "src/subscriptions/input.rs",
        "src/subscriptions/stripe/event.rs",
        "src/subscriptions/stripe/order.rs",
        "src/subscriptions/stripe/price.rs",
        "src/subscriptions/stripe/snapshot.rs",
        "src/sources/signature.rs",
        "src/webhooks/meaning.rs",
        "src/bulk/answer.rs",
        "src/imports/errors.rs",
        "src/imports/escape.rs",
        "src/imports/known_names.rs",
        "src/imports/mapping.rs",
        "src/imports/record.rs",
        "src/imports/sheet.rs",
        "src/bulk/field.rs",
        "src/bulk/kind.rs",
        "src/bulk/lines.rs",
        "src/bulk/row.rs",
        "src/bulk/value.rs",
        "src/usage/condition.rs",
        "src/usage/compute.rs",
        "src/usage/signal.rs",
        "src/accounts/matching.rs",
        "src/accounts/icp.rs",
        "src/ownership/eligibility.rs",
        "src/ownership/round_robin.rs",
        "src/ownership/strategy.rs",
        "src/routing/plan.rs",
        "src/routing/offers.rs",
        "src/tasks/handoff.rs",
        "src/tasks/opener.rs",
        "src/tasks/business_hours.rs",
    ];
    let sources = read("src", "rs");
    let mut problems = Vec::new();
    for name in pure {
        let Some(source) = sources.iter().find(|s| s.path == Path::new(name)) else {
            problems.push(format!("{name} is gone: name its successor here"));
            continue;
        };
        for word in ["diesel", "actix", "askama", "Clock"] {
            if source.code().contains(word) {
                problems.push(format!("{name} sees {word}"));
            }
        }
    }
    assert_none(&problems, "pure code sees no Diesel, actix, askama or clock");
}

#[test]
fn files_fit_a_reader() {
    let mut problems = Vec::new();
    for source in read("src", "rs").iter().filter(|s| s.room() != "schema") {
        let lines = source.code().lines().count();
        if lines > 400 {
            problems.push(format!(
                "{} has {lines} lines of code: perhaps two rooms",
                source.path.display()
            ));
        }
    }
    assert_none(&problems, "files stay under 400 lines");
}

#[test]
fn templates_have_nothing_that_the_content_security_policy_refuses() {
    let mut problems = Vec::new();
    for template in read("templates", "html") {
        let text = &template.text;
        for word in [
            "hx-on",
            " style=\"",
            "<style",
            "<script>",
            "javascript:",
            "onclick=",
            "onchange=",
            "hx-vals=\"js:",
        ] {
            if text.contains(word) {
                problems.push(format!("{} has {word}", template.path.display()));
            }
        }
        for trigger in text.split("hx-trigger=\"").skip(1) {
            if trigger.split('"').next().unwrap_or_default().contains('[') {
                problems.push(format!("{} has a trigger filter", template.path.display()));
            }
        }
    }
    assert_none(&problems, "no inline script, style or trigger filter in templates");
}

#[test]
fn addresses_of_people_are_encoded_in_links() {
    let mut problems = Vec::new();
    for template in read("templates", "html") {
        for scheme in ["mailto:", "tel:", "sms:"] {
            for link in template.text.split(scheme).skip(1) {
                let value = link.split('"').next().unwrap_or_default();
                if value.contains("{{") && !value.contains("|urlencode") {
                    problems.push(format!("{}: {scheme}{value}", template.path.display()));
                }
            }
        }
    }
    assert_none(&problems, "what a customer wrote can't add fields to a link");
}

#[test]
fn every_template_is_used() {
    let code: String = read("src", "rs").iter().map(|s| s.text.as_str()).collect();
    let templates = read("templates", "html");
    let markup: String = templates.iter().map(|t| t.text.as_str()).collect();
    let mut problems = Vec::new();
    for template in &templates {
        let name = template.path.strip_prefix("templates").unwrap().to_str().unwrap();
        let quoted = format!("\"{name}\"");
        if !code.contains(&quoted) && !markup.contains(&quoted) {
            problems.push(name.to_owned());
        }
    }
    assert_none(&problems, "templates that no page renders");
}
