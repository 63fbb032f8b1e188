//! Where events count that name no workspace, whatever people did before and after, and in whatever
//! order it is heard.

use ripen::ids::{UserId, WorkspaceId};
use serde_json::{Value, json};

use super::support::{Product, call, track};

/// Every order of these events.
fn orders(events: &[Value]) -> Vec<Vec<Value>> {
    if events.is_empty() {
        return vec![Vec::new()];
    }
    (0..events.len())
        .flat_map(|first| {
            let mut rest = events.to_vec();
            let event = rest.remove(first);
            orders(&rest).into_iter().map(move |mut order| {
                order.insert(0, event.clone());
                order
            })
        })
        .collect()
}

/// The products that heard this, each in another order: as one request, each event as its own, and two by two.
fn heard(events: &[Value], every: usize) -> Vec<Product> {
    let in_order = Product::new();
    in_order.send(events);
    let mut products = vec![in_order];
    for (number, order) in orders(events).into_iter().step_by(every).enumerate() {
        let product = Product::new();
        for part in order.chunks(1 + number % 2) {
            product.send(part);
        }
        product.send(events);
        products.push(product);
    }
    let expected = products[0].dump();
    for product in &products {
        let differs = crate::dump::difference(&expected, &product.dump());
        assert!(differs.is_empty(), "{differs}");
    }
    products
}

fn day(day: u32, hour: u32) -> String {
    format!("2026-11-{day:02}T{hour:02}:00:00Z")
}

fn group(id: &str, at: &str, workspace: &str) -> Value {
    call("group", id, at, json!({"userId": "c", "groupId": workspace}))
}

fn limit(id: &str, at: &str) -> Value {
    track(id, "usage_limit_hit", at, json!({"userId": "c"}))
}

/// The days on which the person's events count in a workspace.
fn days(product: &Product, workspace: &str) -> String {
    let id = WorkspaceId::of(workspace);
    product
        .cell(&format!(
            "select coalesce(string_agg(extract(day from day)::text, ',' order by day), '') from usage_days \
             where workspace_id = '{id}' and event_key = 'usage_limit_hit'"
        ))
        .unwrap()
}

#[test]
fn leaving_moves_no_history_to_the_next_workspace() {
    let story = [
        group("g1", &day(2, 9), "custA"),
        limit("e1", &day(8, 9)),
        track(
            "l1",
            "Account Removed User",
            &day(8, 20),
            json!({"userId": "c", "context": {"groupId": "custA"}}),
        ),
        group("g2", &day(9, 9), "custB"),
        limit("e2", &day(9, 10)),
    ];
    for product in heard(&story, 11) {
        assert_eq!((days(&product, "custA"), days(&product, "custB")), ("8".into(), "9".into()));
        let inferred = product.cell("select string_agg(distinct inferred, ',') from key_events where event_key = 'usage_limit_hit'");
        assert_eq!(inferred.as_deref(), Some("membership"));
    }
}

#[test]
fn who_comes_back_counts_where_they_were_each_time() {
    let role = |id: &str, at: &str, workspace: &str, role: Value| {
        call(
            "group",
            id,
            at,
            json!({"userId": "c", "groupId": workspace, "traits": {"role": role}}),
        )
    };
    let story = [
        role("g1", &day(1, 9), "custA", json!("admin")),
        role("l1", &day(3, 9), "custA", Value::Null),
        role("g2", &day(3, 10), "custB", json!("member")),
        role("l2", &day(6, 9), "custB", Value::Null),
        role("g3", &day(6, 10), "custA", json!("member")),
        limit("e1", &day(2, 0)),
        limit("e2", &day(4, 0)),
        limit("e3", &day(7, 0)),
    ];
    for product in heard(&story, 5_003) {
        assert_eq!((days(&product, "custA"), days(&product, "custB")), ("2,7".into(), "4".into()));
    }
}

#[test]
fn of_two_memberships_the_last_group_before_the_event_counts() {
    let story = [
        group("g1", &day(1, 9), "custA"),
        group("g2", &day(5, 9), "custB"),
        group("g3", &day(7, 9), "custA"),
        limit("e0", &day(1, 1)),
        limit("e1", &day(3, 0)),
        limit("e2", &day(6, 0)),
        limit("e3", &day(8, 0)),
    ];
    for product in heard(&story, 701) {
        assert_eq!(
            (days(&product, "custA"), days(&product, "custB")),
            ("1,3,8".into(), "6".into())
        );
    }
}

#[test]
fn in_one_request_of_one_moment_the_place_of_the_call_decides() {
    let at = day(9, 9);
    let product = Product::new();
    product.send(&[
        group("g1", &at, "custA"),
        track("e1", "upgrade_click", &at, json!({"userId": "c"})),
        group("g2", &at, "custB"),
        track("e2", "invite_sent", &at, json!({"userId": "c"})),
        call("group", "g3", &at, json!({"userId": "c", "groupId": "custB", "traits": {"plan": "trial", "role": "admin"}})),
        call("group", "g4", &at, json!({"userId": "c", "groupId": "custB", "traits": {"plan": "pro", "role": "viewer"}})),
        call("identify", "i1", &at, json!({"userId": "c", "traits": {"plan": "trial", "seats": 9}})),
        call("identify", "i2", &at, json!({"userId": "c", "traits": {"plan": "pro", "seats": 10}})),
    ]);
    let place = |event: &str| {
        product.cell(&format!(
            "select w.external_id from usage_days d join workspaces w on w.id = d.workspace_id where d.event_key = '{event}'"
        ))
    };
    assert_eq!(place("upgrade_click").as_deref(), Some("custA"));
    assert_eq!(place("invite_sent").as_deref(), Some("custB"));
    assert_eq!(
        product.count("group_calls"),
        4,
        "every call of the moment, not the last of each workspace"
    );
    let traits = "select (traits -> 'plan')::text || (traits -> 'seats')::text from product_users";
    assert_eq!(product.cell(traits).as_deref(), Some("\"pro\"10"));
    let tier = "select plan_tier from workspaces where external_id = 'custB'";
    assert_eq!(product.cell(tier).as_deref(), Some("pro"));
    let paying = "select status || plan from subscriptions";
    assert_eq!(product.cell(paying).as_deref(), Some("activepro"));
    let role =
        format!("select role from memberships where workspace_id = '{}'", WorkspaceId::of("custB"));
    assert_eq!(product.cell(&role).as_deref(), Some("viewer"));
    // The same request again, and its parts, change nothing.
    let before = product.dump();
    product.send(&[
        call(
            "identify",
            "i1",
            &at,
            json!({"userId": "c", "traits": {"plan": "trial", "seats": 9}}),
        ),
        call(
            "group",
            "g3",
            &at,
            json!({"userId": "c", "groupId": "custB", "traits": {"plan": "trial"}}),
        ),
    ]);
    assert_eq!(product.dump(), before);
    // Received later, another call of the same moment is the newer word.
    product.clock.advance(chrono::TimeDelta::seconds(1));
    product.send(&[call(
        "identify",
        "i3",
        &at,
        json!({"userId": "c", "traits": {"plan": "free"}}),
    )]);
    assert_eq!(product.cell(traits).as_deref(), Some("\"free\"10"));
}

#[test]
fn requests_that_take_their_time_reorder_nothing() {
    let product = Product::new();
    let sent = |second: u32, latency: i64, plan: &str| {
        let at = format!("2026-11-20T11:59:{second:02}.{:03}Z", second * 7);
        let call = call(
            "identify",
            plan,
            &at,
            json!({"userId": "c", "traits": {"plan": plan}, "sentAt": at}),
        );
        (
            chrono::DateTime::parse_from_rfc3339(&at).unwrap().to_utc()
                + chrono::TimeDelta::milliseconds(latency),
            call,
        )
    };
    // In parallel: the first takes four seconds; the second comes again after four minutes with its first sentAt.
    for (received, call) in [sent(1, 4_000, "one"), sent(2, 240_000, "two"), sent(3, 5, "three")] {
        let body = json!({ "batch": [call] }).to_string();
        product.journal_body(ripen::ingest::endpoint::Endpoint::Batch, body.as_bytes(), received);
    }
    product.drain();
    assert_eq!(
        product.cell("select traits ->> 'plan' from product_users").as_deref(),
        Some("three")
    );
}

fn visit() -> Vec<Value> {
    let visitor = json!({"anonymousId": "v"});
    let mut named = visitor.clone();
    named["context"] = json!({"groupId": "side"});
    vec![
        call("group", "g1", &day(5, 9), json!({"anonymousId": "v", "groupId": "w"})),
        track("e1", "usage_limit_hit", &day(6, 9), visitor),
        track("e2", "upgrade_click", &day(7, 9), named),
        call("identify", "i1", &day(8, 9), json!({"userId": "c", "anonymousId": "v"})),
        limit("e3", &day(9, 9)),
    ]
}

#[test]
fn a_visitor_who_becomes_a_user_is_a_member_from_the_group_call_on() {
    for product in heard(&visit(), 17) {
        let members = "select string_agg(w.external_id || m.joined_at::date || (p.external_id), ',' order by w.external_id)
            from memberships m join product_users u on u.id = m.user_id join product_users p on p.id = u.canonical_id
            join workspaces w on w.id = m.workspace_id where m.left_at is null";
        assert_eq!(product.cell(members).as_deref(), Some("side2026-11-07c,w2026-11-05c"));
        assert_eq!(days(&product, "w"), "6,9");
    }
}

#[test]
fn a_visitor_who_is_nobody_else_is_no_member() {
    let story: Vec<Value> = visit().into_iter().take(3).collect();
    for product in heard(&story, 1) {
        assert_eq!((product.count("memberships"), days(&product, "w")), (0, "6".into()));
    }
}

#[test]
fn who_left_as_a_user_left_as_the_visitor_too() {
    let leave = |id: &str, at: &str| {
        let place = json!({"userId": "c", "context": {"groupId": "w"}});
        track(id, "Account Removed User", at, place)
    };
    let mut story: Vec<Value> =
        visit().into_iter().filter(|call| call["messageId"] != "e2").collect();
    story.push(leave("l1", &day(10, 9)));
    for product in heard(&story, 29) {
        assert_eq!(product.count("memberships where left_at is null"), 0);
    }
    story.push(call("group", "g2", &day(11, 9), json!({"anonymousId": "v", "groupId": "w"})));
    for product in heard(&story, 233) {
        assert_eq!(product.count("memberships where left_at is null"), 1);
    }
}

/// What older rules made, as they would have left it; then the update's job.
#[test]
fn an_update_projects_the_journal_again_once() {
    use ripen::db::Pool;
    use ripen::jobs::{HANDLERS, furnish};
    use ripen::queue::engine;

    let product = Product::new();
    let start = |product: &Product| {
        product.db.tx(Pool::Work, |conn| furnish(conn, product.clock.now())).unwrap();
    };
    start(&product);
    assert_eq!(product.count("jobs"), 0, "a new installation has nothing to bring up");
    let mut story = visit();
    story.push(group("g8", &day(2, 9), "custA"));
    story.push(track(
        "l8",
        "Account Removed User",
        &day(4, 20),
        json!({"userId": "c", "context": {"groupId": "custA"}}),
    ));
    story.push(limit("e8", &day(3, 9)));
    let at = day(12, 9);
    for (id, plan) in [("t1", "trial"), ("t2", "pro")] {
        story.push(call("identify", id, &at, json!({"userId": "c", "traits": {"plan": plan}})));
    }
    product.send(&story);
    let expected = product.dump();
    let wrong = WorkspaceId::of("w");
    let person = UserId::known("c");
    for statement in [
        "delete from rules_updates".to_owned(),
        "update journal_chunks set rules = 0".to_owned(),
        "delete from visitor_memberships".to_owned(),
        "delete from membership_changes".to_owned(),
        "delete from memberships m using product_users p where p.id = m.user_id and p.kind = 'anonymous'".to_owned(),
        "update group_calls set seq = 0".to_owned(),
        "update product_users set traits = traits || '{\"plan\": \"trial\"}', trait_times = jsonb_set(trait_times, '{plan}', trait_times -> 'plan' -> 0) where kind = 'known'".to_owned(),
        // The event of the third counted for the next customer.
        format!("update inferred_events set workspace_id = '{wrong}' where user_id = '{person}'"),
        format!("update usage_days set workspace_id = '{wrong}' where user_id = '{person}' and event_key = 'usage_limit_hit' and day = '2026-11-03'"),
        format!("update key_events set workspace_id = '{wrong}' where user_id = '{person}' and event_key = 'usage_limit_hit'"),
    ] {
        product.execute(&statement);
    }
    assert_ne!(product.dump(), expected);
    start(&product);
    start(&product);
    assert_eq!(
        product.cell("select string_agg(kind, ',' order by kind) from jobs").as_deref(),
        Some("rebuild,rescore")
    );
    let noted =
        "rules_updates r join jobs b on b.id = r.rebuild_job join jobs s on s.id = r.rescore_job";
    assert_eq!(product.count(noted), 1);
    let stop = std::sync::atomic::AtomicBool::new(false);
    assert_eq!(engine::drain(&product.db, &product.clock, &HANDLERS, &stop).unwrap(), 2);
    assert_eq!(product.count("jobs where finished_at is null"), 0);
    assert_eq!(product.count("journal_chunks where rules = 0"), 0);
    let differs = crate::dump::difference(&expected, &product.dump());
    assert!(differs.is_empty(), "{differs}");
    start(&product);
    assert_eq!(product.count("jobs"), 2, "once");
}
