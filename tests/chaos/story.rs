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
    busy_weeks(&mut story);
    comings_and_goings(&mut story);
    odd_ones(&mut story);
    story
}

fn day_at(day: u32, hour: u32, minute: u32) -> String {
    format!("2026-11-{day:02}T{hour:02}:{minute:02}:00Z")
}

/// Two workspaces of one company that work every day until today, under changing owners, plans, roles
/// and billing contacts: what scores ask about.
fn busy_weeks(story: &mut Vec<Value>) {
    let mut next = 0;
    let mut tell = |kind: &str, at: String, extra: Value| {
        next += 1;
        story.push(call(kind, &format!("b{next}"), &at, extra));
    };
    let names =
        ["core_feature_used", "automation_run", "invite_sent", "upgrade_click", "data_imported"];
    let people = [
        ("p1", "w4", "initech.com"),
        ("p2", "w4", "initech.com"),
        ("p3", "w4", "initech.com"),
        ("p4", "w5", "initech.com"),
        ("p5", "w5", "globex.com"),
    ];
    for (number, (user, workspace, domain)) in (0_u32..).zip(people) {
        let (visitor, email) = (format!("v-{user}"), format!("{user}@{domain}"));
        let title = if number == 0 { "CEO" } else { "Engineer" };
        tell(
            "identify",
            day_at(8, 9, number),
            json!({"userId": user, "anonymousId": visitor, "traits": {"email": email, "title": title}}),
        );
        let role = if number % 3 == 0 { "admin" } else { "member" };
        tell(
            "group",
            day_at(8, 10, number),
            json!({"userId": user, "groupId": workspace, "traits": {"role": role}}),
        );
        let visit = json!({"anonymousId": visitor, "event": "pricing_page_view"});
        tell("track", day_at(7, 10, number), visit);
        for day in 8..=20 {
            let event = names[(day + number) as usize % 5];
            let properties =
                json!({"feature": format!("F{}", day % 4), "records": 0.1 * f64::from(day)});
            let mut track = json!({"userId": user, "event": event, "properties": properties});
            if day % 2 == 0 {
                track["context"] = json!({ "groupId": workspace });
            }
            tell("track", day_at(day, 1 + (day + number) % 9, number), track);
        }
    }
    // The company is known in parts, and late.
    let said = |email: &str, company: Value| json!({ "email": email, "company": company });
    for (day, user, company) in [
        (19, "p2", json!({"name": "Initech", "employees": 900, "industry": "Software"})),
        (20, "p3", json!({"name": "Initech Inc.", "employees": 1200})),
    ] {
        let traits = said(&format!("{user}@initech.com"), company);
        tell("identify", day_at(day, 8, 0), json!({"userId": user, "traits": traits}));
    }
    // Who pays changes, and with that whose the second workspace is.
    for (day, payer) in [(9, "initech"), (12, "globex"), (15, "hooli"), (18, "globex")] {
        let plan = if day > 12 { "pro" } else { "trial" };
        let traits = json!({"billing_email": format!("pay@{payer}.com"), "plan": plan,
            "mrr": day * 10, "trial_ends_at": "2026-11-22", "seats": 5});
        tell(
            "group",
            day_at(day, 11, 0),
            json!({"userId": "p4", "groupId": "w5", "traits": traits}),
        );
    }
    let traits =
        json!({"sso_domain": "initech.com", "plan": "trial", "trial_ends_at": "2026-11-22"});
    tell("group", day_at(9, 12, 0), json!({"userId": "p1", "groupId": "w4", "traits": traits}));
    // Joining by invitation, leaving, being admin elsewhere.
    let place = json!({"groupId": "w4"});
    let invitation = json!({"invitation_source": "email", "invited_by": "p1"});
    tell(
        "track",
        day_at(9, 13, 0),
        json!({"userId": "p2", "event": "invite_accepted", "context": place, "properties": invitation}),
    );
    let removed = json!({"userId": "p3", "event": "Account Removed User", "context": place});
    tell("track", day_at(16, 13, 0), removed);
    for (day, user, workspace, role) in [(17, "p3", "w5", "admin"), (18, "p1", "w4", "viewer")] {
        let traits = json!({ "role": role });
        tell(
            "group",
            day_at(day, 13, 0),
            json!({"userId": user, "groupId": workspace, "traits": traits}),
        );
    }
    tell("alias", day_at(20, 9, 0), json!({"userId": "p5", "previousId": "v-p1"}));
}

/// Somebody who leaves one customer for another and comes back, and visitors who say where they are before
/// they say who they are; with events that name no workspace before, between and after.
fn comings_and_goings(story: &mut Vec<Value>) {
    let mut next = 0;
    let mut tell = |kind: &str, at: String, extra: Value| {
        next += 1;
        story.push(call(kind, &format!("c{next}"), &at, extra));
    };
    let removed = |workspace: &str| json!({"userId": "n1", "event": "Account Removed User", "context": {"groupId": workspace}});
    let there = |workspace: &str| json!({"userId": "n1", "groupId": workspace});
    tell("group", day_at(9, 8, 0), there("w7"));
    tell("track", day_at(11, 8, 0), removed("w7"));
    tell("group", day_at(12, 8, 0), there("w8"));
    tell(
        "group",
        day_at(14, 8, 0),
        json!({"userId": "n1", "groupId": "w8", "traits": {"role": null}}),
    );
    tell("group", day_at(15, 8, 0), there("w7"));
    tell("group", day_at(16, 8, 0), there("w8"));
    for day in 8..=17 {
        let track = json!({"userId": "n1", "event": "usage_limit_hit"});
        tell("track", day_at(day, 20, 0), track);
    }
    for (visitor, user, day) in [("x1", "n1", 13), ("x2", "n2", 10), ("x3", "", 0)] {
        let anonymous = json!({ "anonymousId": visitor });
        let mut named = anonymous.clone();
        named["context"] = json!({"groupId": "w8"});
        named["event"] = json!("invite_sent");
        tell("track", day_at(9, 21, 0), named);
        let role = json!({"anonymousId": visitor, "groupId": "w9", "traits": {"role": "member"}});
        tell("group", day_at(10, 21, 0), role);
        for day in 8..=12 {
            let mut track = anonymous.clone();
            track["event"] = json!("upgrade_click");
            tell("track", day_at(day, 22, 0), track);
        }
        if !user.is_empty() {
            let both = json!({"userId": user, "anonymousId": visitor});
            tell("identify", day_at(day, 23, 0), both);
        }
    }
    let place =
        json!({"userId": "n2", "event": "Account Removed User", "context": {"groupId": "w9"}});
    tell("track", day_at(18, 8, 0), place);
}

/// A customer about to buy more, within its last three days: four people, an admin among them, who do all that a
/// product hopes for.
pub fn ripe() -> Vec<Value> {
    let mut story = Vec::new();
    let mut next = 0;
    let mut tell = |kind: &str, at: String, extra: Value| {
        next += 1;
        story.push(call(kind, &format!("r{next}"), &at, extra));
    };
    let names = [
        "workspace_created",
        "key_action_completed",
        "first_value_delivered",
        "core_feature_used",
        "automation_run",
        "invite_sent",
        "invite_accepted",
        "integration_installed",
        "pricing_page_view",
        "upgrade_click",
        "usage_limit_hit",
    ];
    for (number, user) in (0_u32..).zip(["q1", "q2", "q3", "q4"]) {
        let traits = json!({"email": format!("{user}@umbrella.com"), "title": "CTO"});
        tell("identify", day_at(18, 9, number), json!({"userId": user, "traits": traits}));
        let traits = json!({"role": "admin", "plan": "pro", "mrr": 400});
        tell(
            "group",
            day_at(18, 10, number),
            json!({"userId": user, "groupId": "w6", "traits": traits}),
        );
        for (hour, name) in (0..).zip(names) {
            for day in 18..=20 {
                let properties = json!({"feature": format!("F{hour}"), "integration": "slack"});
                let track = json!({"userId": user, "event": name, "properties": properties,
                    "context": {"groupId": "w6"}});
                tell("track", day_at(day, 11 - hour, number), track);
            }
        }
    }
    story
}

/// Events that are refused, muted, undefined, from a wrong clock, or from nowhere.
fn odd_ones(story: &mut Vec<Value>) {
    let mut next = 0;
    let mut tell = |at: String, extra: Value| {
        next += 1;
        let kind = extra["type"].as_str().unwrap_or("track").to_owned();
        story.push(call(&kind, &format!("o{next}"), &at, extra));
    };
    let place = json!({"groupId": "w4"});
    for number in 0..6 {
        let name = format!("Unheard Of {number}");
        tell(day_at(14, 10, number), json!({"userId": "p1", "event": name, "context": place}));
        // Muted by the test.
        tell(day_at(14, 11, number), json!({"userId": "p1", "event": "login", "context": place}));
    }
    // Refused by the parser, by the drainer, and by nobody until somebody says where they are.
    tell(day_at(14, 12, 0), json!({"event": "upgrade_click"}));
    tell(day_at(14, 12, 1), json!({"userId": "undefined", "event": "upgrade_click"}));
    tell(day_at(14, 12, 2), json!({"userId": "nowhere", "event": "upgrade_click"}));
    // Two days fast, by its own account, and a month without one.
    tell(
        "2026-11-22T10:00:00Z".to_owned(),
        json!({"userId": "p1", "event": "upgrade_click", "sentAt": "2026-11-22T12:00:00Z", "context": place}),
    );
    tell(
        "2026-12-20T10:00:00Z".to_owned(),
        json!({"userId": "p2", "event": "invite_sent", "context": place}),
    );
    // A visitor who comes, is placed, and turns out to be somebody.
    tell(day_at(10, 1, 0), json!({"anonymousId": "v-late", "event": "usage_limit_hit"}));
    tell(day_at(10, 2, 0), json!({"type": "group", "anonymousId": "v-late", "groupId": "w5"}));
    tell(day_at(20, 10, 0), json!({"type": "identify", "userId": "p2", "anonymousId": "v-late"}));
}
