//! Places that depend on each other, one case at a time; `tests/chaos` shuffles whole streams.

use serde_json::json;

use super::support::{Product, call, track};

#[test]
fn a_switch_of_workspaces_in_one_chunk_or_two() {
    let group = |id: &str, minute: u32, workspace: &str| {
        call(
            "group",
            id,
            &format!("2026-11-19T08:{minute:02}:00Z"),
            json!({"userId": "u", "groupId": workspace}),
        )
    };
    let click = |id: &str, minute: u32| {
        track(
            id,
            "upgrade_click",
            &format!("2026-11-19T08:{minute:02}:00Z"),
            json!({"userId": "u"}),
        )
    };
    let product = Product::new();
    product.send(&[group("g1", 10, "w1"), click("c1", 5), click("c2", 15), click("c3", 25)]);
    assert_eq!(
        product.count(
            "key_events k join workspaces w on w.id = k.workspace_id where w.external_id = 'w1'"
        ),
        3
    );
    product.send(&[group("g2", 20, "w2")]);
    assert_eq!(
        product.count(
            "key_events k join workspaces w on w.id = k.workspace_id where w.external_id = 'w2'"
        ),
        1
    );
    assert_eq!(product.count("usage_days where events <= 0"), 0);
}
