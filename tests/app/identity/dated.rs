//! What was known on which day: scores of past days, whatever became of people and workspaces since.

use chrono::{NaiveDate, TimeDelta};
use diesel::PgConnection;
use ripen::db::Pool;
use ripen::identity::ops::{self, Word};
use ripen::ids::{UserId, WorkspaceId};
use ripen::ingest::aside;
use ripen::jobs::PROJECTIONS;
use ripen::sources::key::Scope;
use ripen::tasks::{handoff, store_handoff};
use ripen::team::audit::Actor;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{call, cell, house, score, send, standing};
use crate::api_client::Script;
use crate::house::House;

fn identify(user: &str, at: &str, traits: Value) -> Value {
    call("identify", at, json!({"userId": user, "traits": traits}))
}

fn group(user: &str, workspace: &str, at: &str, traits: Value) -> Value {
    call("group", at, json!({"userId": user, "groupId": workspace, "traits": traits}))
}

fn track(user: &str, workspace: &str, at: &str, event: &str) -> Value {
    call("track", at, json!({"userId": user, "event": event, "context": {"groupId": workspace}}))
}

async fn card(script: &Script, workspace: &str, day: &str) -> Value {
    script.json(&format!("/api/v1/workspaces/{workspace}/score?as_of={day}")).await
}

fn points(card: &Value, category: &str) -> i64 {
    let all = card["categories"].as_array().unwrap();
    all.iter().find(|one| one["key"] == category).unwrap()["points"].as_i64().unwrap()
}

/// The part of the change of this kind.
fn part(card: &Value, kind: &str) -> i64 {
    let parts = card["change"]["parts"].as_array().unwrap();
    parts.iter().filter(|one| one["kind"] == kind).map(|one| one["net"].as_i64().unwrap()).sum()
}

/// Every stored day is what `as_of` answers, and its change adds up.
async fn assert_history_is_as_of(script: &Script, workspace: &str, days: i64) {
    let first: NaiveDate = "2026-11-01".parse().unwrap();
    let last = first + TimeDelta::days(days - 1);
    let path = format!("/api/v1/workspaces/{workspace}/score/history?from={first}&to={last}");
    let history = script.json(&path).await;
    let rows = history["data"].as_array().unwrap();
    assert_eq!(i64::try_from(rows.len()).unwrap(), days, "{workspace}");
    for row in rows {
        let day = row["day"].as_str().unwrap();
        let card = card(script, workspace, day).await;
        assert_eq!((&row["score"], &row["stage"]), (&card["score"], &card["stage"]), "{day}");
        for category in card["categories"].as_array().unwrap() {
            let key = category["key"].as_str().unwrap();
            assert_eq!(row["categories"][key], category["points"], "{workspace} {day} {key}");
        }
        let change = &card["change"];
        let parts = change["parts"].as_array().unwrap();
        let sum: i64 = parts.iter().map(|part| part["net"].as_i64().unwrap()).sum();
        let from = change["from"].as_i64().unwrap();
        assert_eq!(from + sum, card["score"].as_i64().unwrap(), "{workspace} {day}: {change}");
    }
}

/// A workspace whose people, company, plan and age become known bit by bit.
fn story() -> Vec<Value> {
    let mut events = vec![
        identify(
            "u",
            "01T08",
            json!({"email": "u@acme.com", "company": {"employees": 5, "industry": "Retail"}}),
        ),
        group("u", "w", "01T08", json!({"name": "Acme", "role": "member"})),
        track("u", "w", "05T09", "usage_limit_hit"),
        group("u", "w", "20T08", json!({"role": "admin"})),
        identify("v", "02T08", json!({"email": "v@acme.com", "title": "Analyst"})),
        group("v", "w", "02T08", json!({"role": "viewer"})),
        track("v", "w", "06T09", "upgrade_click"),
        identify("v", "12T08", json!({"title": "VP Sales"})),
        group("v", "w", "14T08", json!({"persona": "champion"})),
        identify(
            "u",
            "16T08",
            json!({"email": "u@acme.com", "company": {"employees": 420, "industry": "Software"}}),
        ),
        group(
            "u",
            "w",
            "18T08",
            json!({"plan": "trial", "trial_ends_at": "2026-11-20", "created_at": "2025-01-01"}),
        ),
        group("x", "w", "03T08", json!({"role": "admin"})),
        track("x", "w", "03T09", "core_feature_used"),
        group("x", "w", "07T08", json!({"role": null})),
        group("x", "w", "10T08", json!({})),
        track("x", "w", "11T09", "core_feature_used"),
    ];
    events.extend((5..20).map(|day| track("u", "w", &format!("{day:02}T10"), "core_feature_used")));
    events
}

#[actix_web::test]
async fn a_past_day_has_the_roles_titles_tiers_and_trials_of_that_day() {
    let house = house().await;
    send(&house, &story());
    let script = Script::new(&house, Scope::Read);
    let lead = |card: &Value| {
        (
            card["lead_user"]["user_id"].clone(),
            card["lead_user"]["why"].clone(),
            card["lead_user"]["factor"].clone(),
        )
    };
    // The admin x was away from the 7th to the 9th; the role stays theirs when they come back.
    assert_eq!(
        lead(&card(&script, "w", "2026-11-04").await),
        (json!("x"), json!("admin"), json!(1.3))
    );
    assert_eq!(
        lead(&card(&script, "w", "2026-11-08").await),
        (json!("u"), json!("best_member"), json!(0.6))
    );
    assert_eq!(lead(&card(&script, "w", "2026-11-10").await).1, json!("admin"));
    // The champion is one from the 14th on, with the factor of a VP from the 12th on.
    let champions = |card: &Value| {
        let buyers = card["buyers"].as_array().unwrap();
        buyers.iter().filter(|one| one["why"] == "champion").count()
    };
    assert_eq!(champions(&card(&script, "w", "2026-11-13").await), 0);
    assert_eq!(champions(&card(&script, "w", "2026-11-14").await), 1);
    // Tier C until the 15th, A from the 16th on, told as fit.
    assert_eq!(points(&card(&script, "w", "2026-11-15").await, "fit"), 200);
    let grown = card(&script, "w", "2026-11-16").await;
    assert_eq!((points(&grown, "fit"), part(&grown, "fit")), (1000, 800));
    assert_eq!(part(&grown, "identity"), 0);
    // The trial was told on the 18th: no day before knows that it ends.
    let trial = |card: &Value| {
        card["ledger"].as_array().unwrap().iter().any(|row| row["rule"] == "trial_ending")
    };
    assert!(!trial(&card(&script, "w", "2026-11-17").await));
    assert!(trial(&card(&script, "w", "2026-11-18").await));
    // Today u is an admin, too.
    let today = card(&script, "w", "2026-11-20").await;
    assert_eq!(lead(&today), (json!("u"), json!("admin"), json!(1.3)));
    assert!(part(&today, "role") > 0, "{}", today["change"]);
    assert_eq!(part(&today, "identity"), 0, "{}", today["change"]);
    assert_history_is_as_of(&script, "w", 20).await;
}

#[actix_web::test]
async fn a_new_role_changes_no_day_before_it_and_is_told_as_such() {
    let house = house().await;
    send(
        &house,
        &[
            group("u", "w", "01T08", json!({"role": "member"})),
            track("u", "w", "05T09", "usage_limit_hit"),
            track("u", "w", "19T09", "login"),
        ],
    );
    send(&house, &[group("u", "w", "20T08", json!({"role": "admin"}))]);
    let script = Script::new(&house, Scope::Read);
    // 10 * 0.6 * e^(-5/7) on the 10th, 10 * 1.3 * e^(-15/7) on the 20th, 10 * 0.6 * e^(-2) before.
    let then = card(&script, "w", "2026-11-10").await;
    assert_eq!((&then["score"], &then["lead_user"]["factor"]), (&json!(294), &json!(0.6)));
    let today = card(&script, "w", "2026-11-20").await;
    assert_eq!((&today["score"], &today["change"]["from"]), (&json!(153), &json!(81)));
    assert_eq!((part(&today, "decay"), part(&today, "role")), (-11, 83));
}

#[actix_web::test]
async fn the_age_of_a_workspace_is_what_was_said_of_it_by_then() {
    let house = house().await;
    send(
        &house,
        &[
            group("u", "w", "03T08", json!({})),
            group("u", "w", "18T08", json!({"createdAt": "2025-01-01T00:00:00Z"})),
        ],
    );
    let script = Script::new(&house, Scope::Read);
    // Idle for 14 days takes 20, from the 14th day of its age on: the 17th as far as was known.
    for (day, negative) in
        [("2026-11-10", 0), ("2026-11-16", 0), ("2026-11-17", -2000), ("2026-11-20", -2000)]
    {
        assert_eq!(points(&card(&script, "w", day).await, "negative"), negative, "{day}");
    }
}

#[actix_web::test]
async fn any_order_and_batching_of_a_story_gives_one_history() {
    let story = story();
    let facts = "select string_agg(concat_ws(' ', day, role, persona, grouped_at, left_at), ', ' order by workspace_id, user_id, day) from membership_days";
    let traits = "select string_agg(concat_ws(' ', subject_id, day, traits), ', ' order by subject_id, day) from trait_days";
    let mut expected: Option<Vec<String>> = None;
    let mut seed = 7_u64;
    for round in 0..5 {
        let mut events = story.clone();
        if round > 0 {
            events.sort_by_cached_key(|_| {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                seed >> 33
            });
        }
        let house = house().await;
        for batch in events.chunks(if round == 0 { events.len() } else { 1 + round * 2 }) {
            send(&house, batch);
        }
        let script = Script::new(&house, Scope::Read);
        assert_history_is_as_of(&script, "w", 20).await;
        let mut all = standing(&house);
        all.extend([facts, traits].map(|query| cell(&house, query).unwrap()));
        match &expected {
            None => expected = Some(all),
            Some(expected) => assert_eq!(&all, expected, "round {round}"),
        }
    }
}

#[actix_web::test]
async fn history_goes_back_further_than_what_is_stored() {
    let house = house().await;
    send(&house, &story());
    house.clock.advance(TimeDelta::days(120));
    send(&house, &[track("u", "w", "20T11", "login")]);
    let script = Script::new(&house, Scope::Read);
    assert_eq!(cell(&house, "select count(*) from score_history where day < '2026-11-20' and scored_on > '2026-12-01'").as_deref(), Some("0"));
    house.tx(|conn: &mut PgConnection| {
        use diesel::prelude::*;
        Ok(diesel::sql_query("delete from score_history where day < '2026-11-20'").execute(conn)?)
    });
    assert_history_is_as_of(&script, "w", 20).await;
}

/// Judges that two users are one, or that they are not after all.
fn decide(house: &House, undo: Option<Uuid>, away: &str, keep: &str) {
    let now = house.clock.now();
    let actor = Actor::system();
    house
        .db
        .tx(Pool::Work, |conn| {
            aside::settle(conn, now, &PROJECTIONS, |conn, chunk| {
                let word = Word { actor: &actor, reason: "", now };
                match undo {
                    None => ops::merge(conn, chunk, UserId::known(away), UserId::known(keep), word)
                        .map(|_| ()),
                    Some(change) => ops::undo(conn, chunk, change, word).map(|_| ()),
                }
            })
        })
        .unwrap();
    score(house);
}

fn newest_change(house: &House) -> Uuid {
    cell(house, "select id from identity_changes order by decided_at desc limit 1")
        .unwrap()
        .parse()
        .unwrap()
}

#[actix_web::test]
async fn admins_of_two_workspaces_who_are_one_person_lead_both() {
    let house = house().await;
    let mail = json!({"email": "mt@acme.com", "email_verified": true});
    send(
        &house,
        &[
            identify("mta", "02T08", mail.clone()),
            identify("mtb", "02T08", mail),
            group("mta", "w1", "02T09", json!({"role": "admin"})),
            group("mtb", "w2", "02T09", json!({"role": "admin"})),
            track("mta", "w1", "19T09", "usage_limit_hit"),
            track("mtb", "w2", "18T09", "usage_limit_hit"),
        ],
    );
    let before = standing(&house);
    assert!(before[0].contains(" 1 1 "), "wau and member_count: {}", before[0]);
    decide(&house, None, "mtb", "mta");
    let merged = standing(&house);
    assert_eq!(merged[0], before[0], "scores, weekly users and members stay");
    assert_eq!(merged[1], before[1], "and did so on every day");
    let account = "select score || ' ' || (card->'lead_user'->>'why') from account_scores";
    assert!(cell(&house, account).unwrap().ends_with(" admin"));
    decide(&house, Some(newest_change(&house)), "", "");
    assert_eq!(standing(&house), before);
}

#[actix_web::test]
async fn an_admin_merged_into_a_plain_member_is_one_admin() {
    let house = house().await;
    send(
        &house,
        &[
            group("boss", "w", "02T09", json!({"role": "admin"})),
            group("worker", "w", "01T09", json!({"role": "member"})),
            track("boss", "w", "19T09", "usage_limit_hit"),
            track("worker", "w", "18T09", "core_feature_used"),
        ],
    );
    let before = standing(&house);
    decide(&house, None, "boss", "worker");
    let script = Script::new(&house, Scope::Read);
    let card = card(&script, "w", "2026-11-20").await;
    assert_eq!(card["lead_user"], json!({"user_id": "worker", "why": "admin", "factor": 1.3}));
    // 13 * e^(-1/7) + 2.6 * e^(-2/14)
    assert_eq!(card["score"], json!(1127 + 225));
    let counts = "select concat_ws(' ', wau, member_count) from workspace_scores";
    assert_eq!(cell(&house, counts).as_deref(), Some("1 1"));
    let members = script.json("/api/v1/workspaces/w/members").await;
    let rows = members["data"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{members}");
    assert_eq!(
        (&rows[0]["role"], &rows[0]["joined_at"]),
        (&json!("admin"), &json!("2026-11-01T09:00:00Z"))
    );
    let manager = house.as_manager();
    let page = manager.get(&format!("/workspaces/{}/members", WorkspaceId::of("w"))).await;
    assert!(!page.body.contains("No admin or champion seen"), "{}", page.body);
    decide(&house, Some(newest_change(&house)), "", "");
    assert_eq!(standing(&house), before);
}

#[actix_web::test]
async fn a_suggested_champion_is_a_buyer_on_every_page_and_in_tasks() {
    let house = house().await;
    let mut events = vec![group("u", "w", "01T08", json!({"role": "member"}))];
    for day in 12..19 {
        events.push(track("u", "w", &format!("{day}T09"), "invite_sent"));
    }
    send(&house, &events);
    let script = Script::new(&house, Scope::Read);
    let card = card(&script, "w", "2026-11-20").await;
    assert_eq!(card["lead_user"]["why"], "suggested_champion");
    assert_eq!(
        (&card["flags"], &card["buyers"]),
        (&json!([]), &json!([{"user_id": "u", "why": "suggested_champion"}]))
    );
    let signals = "select concat_ws(' ', signals->>'champion_present', signals->>'no_buyer_coverage') from workspace_scores";
    assert_eq!(cell(&house, signals).as_deref(), Some("true false"));
    let manager = house.as_manager();
    for tab in ["", "/members"] {
        let page = manager.get(&format!("/workspaces/{}{tab}", WorkspaceId::of("w"))).await;
        page.says(200, "champion, suggested");
        assert!(!page.body.contains("No admin or champion seen"), "{tab}");
    }
    let now = house.clock.now();
    let known = house.tx(|conn| store_handoff::knowledge(conn, WorkspaceId::of("w"), now));
    let occasion = handoff::Occasion { play: "ae", because: String::new(), assignee: "Ana" };
    let made = handoff::handoff(known, &occasion);
    assert!(made.has_buyer);
    assert_eq!(made.people[0].why(), "champion, suggested");
    assert!(!made.approach.contains("No admin or champion is known"), "{}", made.approach);
}

#[actix_web::test]
async fn equal_leads_are_told_apart_by_the_products_own_id() {
    for (one, other) in [("a-1", "a-2"), ("u10", "u9"), ("alpha", "beta"), ("x", "y")] {
        let house = house().await;
        let mut events = Vec::new();
        for user in [other, one] {
            events.push(group(user, "w", "01T08", json!({"role": "admin"})));
            events.push(track(user, "w", "19T09", "usage_limit_hit"));
        }
        send(&house, &events);
        let script = Script::new(&house, Scope::Read);
        assert_eq!(card(&script, "w", "2026-11-20").await["lead_user"]["user_id"], one);
    }
}
