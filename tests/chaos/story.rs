//! A stream with everything that could depend on the order in which it arrives.

use serde_json::{Value, json};

use super::product::call;

/// Some sixty calls of four people in three workspaces, with everything that could depend on order:
/// late stitches, a shared computer, two claims, joining, leaving, coming back, changing traits,
/// events without a workspace before, between and after group calls.
pub fn story() -> Vec<Value> {
    let mut story = Vec::new();
    let mut next = 0;
    let mut id = || {
        next += 1;
        format!("m{next}")
    };
    let at = |minute: usize| {
        format!("2026-11-{:02}T{:02}:{:02}:00Z", 1 + minute / 1440, minute / 60 % 24, minute % 60)
    };
    let mut tell =
        |kind: &str, minute: usize, extra: Value| story.push(call(kind, &id(), &at(minute), extra));
    let event = |who: Value, name: &str| {
        let mut call = json!({"event": name, "properties": {"feature": "Boards", "records": 1.25, "integration": "slack"}});
        call.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
        call
    };
    let (u1, u2, u3, a1, a2) = (
        json!({"userId": "u1"}),
        json!({"userId": "u2"}),
        json!({"userId": "u3"}),
        json!({"anonymousId": "a1"}),
        json!({"anonymousId": "a2"}),
    );
    // A visitor who becomes u1, on a computer that u2 uses later.
    tell("page", 10, json!({"anonymousId": "a1", "name": "Pricing"}));
    tell("track", 20, event(a1.clone(), "upgrade_click"));
    tell(
        "identify",
        30,
        json!({"userId": "u1", "anonymousId": "a1", "traits": {"email": "dana@acme.com", "title": "CTO", "plan": "a"}}),
    );
    tell(
        "identify",
        2000,
        json!({"userId": "u2", "anonymousId": "a1", "traits": {"email": "eve@acme.com", "company": {"name": "Acme", "employees": 300}}}),
    );
    tell(
        "identify",
        40,
        json!({"userId": "u1", "traits": {"title": "VP Engineering", "email": "dana@other.org"}}),
    );
    tell(
        "identify",
        50,
        json!({"userId": "u1", "traits": {"title": null, "email": "dana@acme.com"}}),
    );
    tell(
        "identify",
        60,
        json!({"userId": "u3", "traits": {"email": "dana@acme.com", "name": "Dana again"}}),
    );
    tell("alias", 70, json!({"userId": "u3", "previousId": "a2"}));
    tell("alias", 75, json!({"userId": "u3", "previousId": "u1"}));
    tell("alias", 71, json!({"userId": "u2", "previousId": "a2"}));
    // u1 founds w1, then switches between w1 and w2; u2 leaves and comes back; u3 is in w1 alone.
    tell("track", 99, event(u1.clone(), "workspace_created"));
    for (minute, user, workspace) in [
        (100, "u1", "w1"),
        (300, "u1", "w2"),
        (500, "u1", "w1"),
        (700, "u1", "w2"),
        (200, "u2", "w1"),
        (900, "u2", "w1"),
        (150, "u3", "w1"),
    ] {
        tell(
            "group",
            minute,
            json!({"userId": user, "groupId": workspace, "traits": {
            "name": format!("{workspace} {minute}"), "plan": if minute > 400 { "pro" } else { "trial" },
            "mrr": minute, "website": "https://acme.com", "employees": minute}}),
        );
    }
    tell("group", 210, json!({"userId": "u2", "groupId": "w1", "traits": {"role": "viewer"}}));
    tell(
        "group",
        215,
        json!({"userId": "u2", "groupId": "w1", "traits": {"role": "admin", "persona": "champion"}}),
    );
    tell("group", 800, json!({"userId": "u2", "groupId": "w1", "traits": {"role": null}}));
    tell(
        "group",
        650,
        json!({"anonymousId": "a2", "groupId": "w3", "traits": {"billing_email": "pay@other.org"}}),
    );
    for minute in (0..1000).step_by(60) {
        tell(
            "track",
            minute + 5,
            event(
                u1.clone(),
                if minute % 120 == 0 { "core_feature_used" } else { "Change Shipped" },
            ),
        );
    }
    for minute in (0..1000).step_by(150) {
        tell("track", minute + 7, event(u2.clone(), "data_imported"));
        tell("track", minute + 8, event(u3.clone(), "login"));
        tell("track", minute + 9, event(a2.clone(), "integration_installed"));
    }
    tell(
        "track",
        220,
        event(json!({"userId": "u2", "context": {"groupId": "w1"}}), "invite_accepted"),
    );
    tell(
        "track",
        230,
        event(json!({"userId": "u3", "context": {"groupId": "w3"}}), "workspace_downgraded"),
    );
    tell(
        "track",
        950,
        event(json!({"userId": "u3", "context": {"groupId": "w1"}}), "Account Removed User"),
    );
    tell("track", 960, event(json!({"userId": "u4"}), "upgrade_click"));
    story
}
