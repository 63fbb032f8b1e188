//! Every page in a world that looks like a real one: clean markup, and files to look at.

use std::collections::BTreeSet;

use super::show;
use crate::house::House;
use crate::world::{self, workspace};

/// What the content security policy and the house rules forbid in any page.
#[track_caller]
fn assert_clean(path: &str, html: &str) {
    for forbidden in [" style=", "hx-on", "<style", "onclick", "javascript:", "<script>", "<b>Dev"]
    {
        assert!(!html.contains(forbidden), "{forbidden} in {path}");
    }
    let mut seen = BTreeSet::new();
    for id in html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(seen.insert(id), "the id {id} stands twice in {path}");
    }
}

#[actix_web::test]
async fn every_page_is_clean() {
    let house = House::open().await;
    world::populate(&house.db, &house.clock, 48);
    let client = house.as_manager();
    let one = workspace(&house.db, 36);
    let account = world::account_of(&house.db, 36);
    for (name, path) in [
        ("list", "/workspaces".to_owned()),
        ("list-filtered", "/workspaces?stage=pql&owner=none&trial=14&plan=nope".to_owned()),
        ("score", format!("/workspaces/{one}")),
        ("events", format!("/workspaces/{one}/events")),
        ("members", format!("/workspaces/{one}/members")),
        ("billing", format!("/workspaces/{one}/billing")),
        ("tasks", format!("/workspaces/{one}/tasks")),
        ("history", format!("/workspaces/{one}/history")),
        ("accounts", "/accounts".to_owned()),
        ("account", format!("/accounts/{account}")),
        ("links", "/accounts/links".to_owned()),
        ("score-past", format!("/workspaces/{one}?as_of=2026-11-12")),
    ] {
        let page = client.get(&path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        assert_clean(&path, &page.body);
        show(&format!("{name}.html"), &page.body);
    }
}
