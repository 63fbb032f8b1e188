//! What the calls of one sign-up leave behind, and what a second delivery of them does not.

use serde_json::{Value, json};

use super::support::{Product, call, track};

fn sign_up() -> Vec<Value> {
    let dana = json!({"userId": "u1"});
    vec![
        call("page", "m1", "2026-11-19T08:00:00Z", json!({"anonymousId": "a1", "name": "Pricing"})),
        call(
            "identify",
            "m2",
            "2026-11-19T08:01:00Z",
            json!({"userId": "u1", "anonymousId": "a1", "traits": {
            "email": "Dana@Acme.com", "name": "Dana", "title": "VP Engineering",
            "company": {"name": "ACME Inc.", "employee_count": 420, "industry": "Software"}}}),
        ),
        call(
            "group",
            "m3",
            "2026-11-19T08:02:00Z",
            json!({"userId": "u1", "groupId": "ws1", "traits": {
            "name": "Acme Engineering", "plan": "trial", "trial_ends_at": "2026-12-01", "seats": 10,
            "createdAt": "2026-11-19T08:01:30Z"}}),
        ),
        track("m4", "workspace_created", "2026-11-19T08:02:01Z", dana.clone()),
        track("m5", "Invite Sent", "2026-11-19T08:03:00Z", dana.clone()),
        track(
            "m6",
            "Core Feature Used",
            "2026-11-19T08:04:00Z",
            json!({"userId": "u1", "properties": {"feature": "Boards"}}),
        ),
        track(
            "m7",
            "Data Imported",
            "2026-11-19T08:05:00Z",
            json!({"userId": "u1", "properties": {"records": 12.5}}),
        ),
        track(
            "m8",
            "data_imported",
            "2026-11-19T08:06:00Z",
            json!({"userId": "u1", "properties": {"records": 100}}),
        ),
        track(
            "m9",
            "Something Else",
            "2026-11-19T08:07:00Z",
            json!({"userId": "u1", "context": {"groupId": "ws1"}}),
        ),
    ]
}

#[test]
fn a_sign_up_becomes_people_workspace_account_and_usage() {
    let product = Product::new();
    product.send(&sign_up());
    let cell = |query: &str| product.cell(query);
    assert_eq!(cell("select email || ' ' || seniority || ' ' || department || ' ' || email_kind from product_users where kind = 'known'").as_deref(), Some("dana@acme.com vp engineering corporate"));
    assert_eq!(cell("select a.canonical_id = k.id from product_users a, product_users k where a.kind = 'anonymous' and k.kind = 'known'").as_deref(), Some("true"));
    assert_eq!(
        cell("select name || ' ' || plan_tier || ' ' || seats_purchased from workspaces")
            .as_deref(),
        Some("Acme Engineering trial 10")
    );
    assert_eq!(
        cell("select status || ' ' || trial_end_on from subscriptions").as_deref(),
        Some("trialing 2026-12-01")
    );
    assert_eq!(
        cell("select role || ' ' || (last_active_at = '2026-11-19T08:07:00Z') from memberships")
            .as_deref(),
        Some("admin true")
    );
    assert_eq!(cell("select a.name || ' ' || a.icp_fit_tier || ' ' || l.confidence from accounts a join account_links l on l.account_id = a.id").as_deref(), Some("ACME Inc. A 86"));
    assert_eq!(
        cell("select events || ' ' || value from usage_days where event_key = 'data_imported'")
            .as_deref(),
        Some("2 112.5")
    );
    assert_eq!(
        cell("select feature from key_events where event_key = 'core_feature_used'").as_deref(),
        Some("boards")
    );
    // The visitor's look at the pricing page counts for the workspace to which the visitor turned out to belong.
    assert_eq!(
        cell("select events from usage_days where event_key = 'pricing_page_view'").as_deref(),
        Some("1")
    );
    assert_eq!(
        cell("select string_agg(name || events, ',') from unknown_event_names").as_deref(),
        Some("something_else1")
    );
    assert_eq!(product.count("dead_letters"), 0);
    assert_eq!(product.count("journal_pending"), 0);
    // Its account is found: whose a workspace is has no date, so every day is scored.
    assert_eq!(cell("select min(since_on) from touched_workspaces").as_deref(), Some("1970-01-01"));
    assert_eq!(
        cell("select count(distinct inferred) || ' ' || count(inferred) from key_events")
            .as_deref(),
        Some("2 6")
    );
    // Only the visitor's look was before the person was a member; the other events found the membership of their time.
    let others = "select string_agg(event_key, ',') from key_events where inferred <> 'membership'";
    assert_eq!(cell(others).as_deref(), Some("pricing_page_view"));
}

#[test]
fn duplicates_change_nothing_and_are_counted() {
    let product = Product::new();
    let story = sign_up();
    let twice: Vec<Value> = story.iter().chain(&story).cloned().collect();
    product.send(&twice);
    let once = product.dump();
    product.send(&story);
    assert_eq!(product.dump(), once);
    assert_eq!(product.cell("select sum(duplicates) from ingest_minutes").as_deref(), Some("18"));
    let other = Product::new();
    other.send(&story);
    assert_eq!(other.dump(), once);
}

#[test]
fn one_hundred_times_an_hour_is_a_loop() {
    let product = Product::new();
    let clicks: Vec<Value> = (0..250)
        .map(|n| {
            let at = format!("2026-11-19T{:02}:{:02}:00Z", 8 + n / 120, n % 60);
            track(
                &format!("m{n}"),
                "automation_run",
                &at,
                json!({"userId": "u1", "groupId": "w", "context": {"groupId": "w"}}),
            )
        })
        .collect();
    for part in clicks.chunks(90) {
        product.send(part);
    }
    assert_eq!(product.loops("w").into_values().sum::<i64>(), 2);
    assert_eq!(
        product.cell("select events from usage_days where event_key = 'automation_run'").as_deref(),
        Some("250")
    );
}

#[test]
fn nobody_is_stitched_to_two_users_and_users_never_to_each_other() {
    let product = Product::new();
    let identify = |id: &str, user: &str, at: &str| {
        call(
            "identify",
            id,
            at,
            json!({"userId": user, "anonymousId": "shared", "traits": {"email": "a@acme.com"}}),
        )
    };
    product.send(&[identify("m2", "second", "2026-11-19T09:00:00Z")]);
    product.send(&[identify("m1", "first", "2026-11-19T08:00:00Z")]);
    product.send(&[
        call(
            "alias",
            "m3",
            "2026-11-19T10:00:00Z",
            json!({"userId": "first", "previousId": "second"}),
        ),
        call(
            "alias",
            "m4",
            "2026-11-19T10:00:00Z",
            json!({"userId": "first", "previousId": "first"}),
        ),
        call(
            "identify",
            "m5",
            "2026-11-19T10:00:00Z",
            json!({"userId": "first", "anonymousId": "undefined"}),
        ),
    ]);
    let owner = "select k.external_id from product_users a join product_users k on k.id = a.canonical_id where a.external_id = 'shared'";
    assert_eq!(product.cell(owner).as_deref(), Some("first"));
    assert_eq!(product.count("product_users where kind = 'known' and canonical_id <> id"), 0);
    assert_eq!(product.count("product_users where external_id = 'undefined'"), 0);
    assert_eq!(
        product.cell("select string_agg(reason, ',') from merge_candidates").as_deref(),
        Some("alias")
    );
}

#[test]
fn people_leave_and_come_back() {
    let product = Product::new();
    let group = |id: &str, at: &str, traits: Value| {
        call("group", id, at, json!({"userId": "u1", "groupId": "w", "traits": traits}))
    };
    product.send(&[group("m1", "2026-11-01T00:00:00Z", json!({"role": "Owner"}))]);
    product.send(&[group("m2", "2026-11-02T00:00:00Z", json!({"role": null}))]);
    assert_eq!(product.count("memberships where role = 'admin' and left_at is not null"), 1);
    product.send(&[group("m3", "2026-11-03T00:00:00Z", json!({"role": "viewer"}))]);
    assert_eq!(product.count("memberships where role = 'viewer' and left_at is null"), 1);
    product.send(&[track(
        "m4",
        "Account Removed User",
        "2026-11-04T00:00:00Z",
        json!({"userId": "u1", "context": {"groupId": "w"}}),
    )]);
    assert_eq!(product.count("memberships where left_at = '2026-11-04T00:00:00Z'"), 1);
}
