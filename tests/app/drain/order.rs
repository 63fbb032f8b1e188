//! The same events in any order, batching and duplication give byte-equal projections.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::support::{Product, call, track};

/// Some sixty calls of four people in three workspaces, with everything that could depend on order:
/// late stitches, a shared computer, two claims, joining, leaving, coming back, changing traits,
/// events without a workspace before, between and after group calls.
fn story() -> Vec<Value> {
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

#[test]
fn any_order_batching_and_duplication_ends_the_same() {
    let story = story();
    assert!(story.len() >= 60);
    let reference = Product::new();
    reference.send(&story);
    let expected = reference.dump();
    assert!(expected.len() > 100);
    for seed in 0..12 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut shuffled: Vec<Value> = story.clone();
        shuffled
            .extend(story.iter().filter(|_| random.random_bool(0.2)).cloned().collect::<Vec<_>>());
        shuffled.shuffle(&mut random);
        let product = Product::new();
        let mut rest = shuffled.as_slice();
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(random.random_range(1..=rest.len().min(12)));
            product.journal(batch);
            if random.random_bool(0.7) {
                product.drain();
            }
            rest = after;
        }
        product.drain();
        let got = product.dump();
        let missing: Vec<&String> = expected.iter().filter(|line| !got.contains(line)).collect();
        let surplus: Vec<&String> = got.iter().filter(|line| !expected.contains(line)).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "seed {seed}\nmissing {missing:#?}\nsurplus {surplus:#?}"
        );
        assert_eq!(product.cell("select string_agg(message_id, ',' order by message_id) from dead_letters where replayed_at is null"),
            reference.cell("select string_agg(message_id, ',' order by message_id) from dead_letters where replayed_at is null"), "seed {seed}");
    }
}

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
