//! Events that nobody could place, and what heals them.

use serde_json::{Value, json};

use super::support::{Product, call, track};

fn open_letters(product: &Product) -> i64 {
    product.count("dead_letters where replayed_at is null")
}

#[test]
fn a_later_group_call_places_what_waited() {
    let product = Product::new();
    product.send(&[
        track(
            "m1",
            "usage_limit_hit",
            "2026-11-19T08:00:00Z",
            json!({"userId": "u1", "properties": {"limit": "seats"}}),
        ),
        track("m2", "Unknown Thing", "2026-11-19T08:00:00Z", json!({"userId": "u1"})),
        call("page", "m3", "2026-11-19T08:00:00Z", json!({"userId": "u1", "name": "Pricing"})),
        call(
            "identify",
            "m4",
            "2026-11-19T08:00:00Z",
            json!({"userId": "u1", "traits": {"plan": "x"}}),
        ),
    ]);
    assert_eq!(open_letters(&product), 2, "a page and an identify are no letters");
    assert_eq!(product.count("usage_days"), 0);
    product.send(&[call(
        "group",
        "m5",
        "2026-11-19T09:00:00Z",
        json!({"userId": "u1", "groupId": "w"}),
    )]);
    assert_eq!(open_letters(&product), 0);
    assert_eq!(product.cell("select sum(events) from usage_days").as_deref(), Some("3"));
    assert_eq!(
        product
            .cell(
                "select properties ->> 'limit' from key_events where event_key = 'usage_limit_hit'"
            )
            .as_deref(),
        Some("seats")
    );
    assert_eq!(product.count("inferred_events where payload is not null"), 0);
}

#[test]
fn a_retry_of_a_waiting_event_is_one_letter_and_a_vain_replay_opens_it_again() {
    let product = Product::new();
    let event = track("m1", "upgrade_click", "2026-11-19T08:00:00Z", json!({"userId": "u1"}));
    product.send(std::slice::from_ref(&event));
    product.send(std::slice::from_ref(&event));
    assert_eq!(product.count("dead_letters"), 1);
    product.execute("update dead_letters set replayed_at = now()");
    let raw: Value =
        serde_json::from_str(&product.cell("select raw from dead_letters").unwrap()).unwrap();
    product.send(raw["batch"].as_array().unwrap());
    assert_eq!(open_letters(&product), 1);
    assert_eq!(product.count("inferred_events"), 1);
}

#[test]
fn a_late_stitch_moves_the_past_and_touches_its_workspaces() {
    let product = Product::new();
    product.send(&[
        track(
            "m1",
            "pricing_page_view",
            "2026-11-10T08:00:00Z",
            json!({"anonymousId": "a1", "context": {"groupId": "w"}}),
        ),
        track("m2", "upgrade_click", "2026-11-10T08:00:00Z", json!({"anonymousId": "a1"})),
        call("group", "m3", "2026-11-18T08:00:00Z", json!({"userId": "u1", "groupId": "w2"})),
        track("m5", "upgrade_click", "2026-11-18T09:00:00Z", json!({"anonymousId": "a1"})),
    ]);
    assert_eq!(open_letters(&product), 2);
    product.execute("delete from touched_workspaces");
    product.send(&[call(
        "alias",
        "m4",
        "2026-11-19T08:00:00Z",
        json!({"userId": "u1", "previousId": "a1"}),
    )]);
    let touched = "select string_agg(w.external_id || ' ' || t.since_on, ',' order by w.external_id) from touched_workspaces t join workspaces w on w.id = t.workspace_id";
    assert_eq!(product.cell(touched).as_deref(), Some("w 2026-11-10,w2 2026-11-18"));
    assert_eq!(open_letters(&product), 0, "where the user was then places the visitor's events");
    let places = "select string_agg(w.external_id || d.day, ',' order by d.day) from usage_days d join workspaces w on w.id = d.workspace_id where d.event_key = 'upgrade_click'";
    assert_eq!(product.cell(places).as_deref(), Some("w2026-11-10,w22026-11-18"));
}

#[test]
fn nobody_is_blocked_and_can_be_sent_again() {
    let product = Product::new();
    product.send(&[track(
        "m1",
        "upgrade_click",
        "2026-11-19T08:00:00Z",
        json!({"userId": "undefined"}),
    )]);
    assert_eq!(product.cell("select code from dead_letters").as_deref(), Some("blocked_identity"));
    product.send(&[track(
        "m1",
        "upgrade_click",
        "2026-11-19T08:00:00Z",
        json!({"userId": "u1", "context": {"groupId": "w"}}),
    )]);
    assert_eq!(product.count("key_events"), 1);
}
