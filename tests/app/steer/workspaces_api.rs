//! Reading workspaces through the JSON API.

use diesel::connection::SimpleConnection;
use ripen::db::Pool;
use ripen::sources::key::Scope;
use serde_json::Value;

use crate::api_client::{Script, problem};
use crate::scored::{self, ODD};

fn encoded(id: &str) -> String {
    id.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn names(list: &Value) -> Vec<String> {
    let rows = list["data"].as_array().unwrap();
    rows.iter().map(|row| row["workspace_id"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn every_route_asks_for_a_key_and_knows_what_is_missing() {
    let house = scored::house().await;
    let reader = Script::new(&house, Scope::Read);
    let wrong = Script::with_key(&house, "rpn_nothing");
    for path in [
        "/api/v1/workspaces",
        "/api/v1/workspaces/ws2",
        "/api/v1/workspaces/ws2/score",
        "/api/v1/workspaces/ws2/score/history",
        "/api/v1/workspaces/ws2/usage",
        "/api/v1/workspaces/ws2/events",
        "/api/v1/workspaces/ws2/members",
        "/api/v1/scoring/model",
        "/metrics",
    ] {
        assert_eq!(house.stranger().get(path).await.status, 401, "{path}");
        assert_eq!(wrong.get(path).await.status, 401, "{path}");
        assert_eq!(house.as_admin().get(path).await.status, 401, "a session opens no API: {path}");
        assert_eq!(reader.get(path).await.status, 200, "{path}");
    }
    problem(&house.stranger().get("/api/v1/workspaces").await, 401, "unauthorized");
    for part in ["", "/score", "/score/history", "/usage", "/events", "/members", "/routing"] {
        let answer = reader.get(&format!("/api/v1/workspaces/nobody{part}")).await;
        problem(&answer, 404, "not_found");
    }
    problem(&reader.get("/api/v1/nothing").await, 404, "not_found");
}

#[actix_web::test]
async fn pages_of_the_list_meet_without_gaps_in_any_order() {
    let house = scored::house().await;
    let reader = Script::new(&house, Scope::Read);
    for sort in [
        "-score",
        "score",
        "name",
        "-name",
        "-last_active_at",
        "last_active_at",
        "-score_change_7d",
        "wau",
        "-created_at",
    ] {
        let whole = names(&reader.json(&format!("/api/v1/workspaces?sort={sort}")).await);
        assert_eq!(whole.len(), 14, "{sort}");
        let (mut pages, mut next) = (Vec::new(), String::new());
        loop {
            let page = reader.json(&format!("/api/v1/workspaces?sort={sort}&limit=3{next}")).await;
            pages.extend(names(&page));
            let Some(cursor) = page["next"].as_str() else { break };
            next = format!("&after={cursor}");
        }
        assert_eq!(pages, whole, "{sort}");
    }
    let rows = reader.json("/api/v1/workspaces").await;
    let scores: Vec<i64> =
        rows["data"].as_array().unwrap().iter().map(|row| row["score"].as_i64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
}

#[actix_web::test]
async fn filters_hold_and_refusals_name_what_is_possible() {
    let house = scored::house().await;
    let reader = Script::new(&house, Scope::Read);
    let all = reader.json("/api/v1/workspaces").await;
    let middle = all["data"][7]["score"].as_i64().unwrap();
    let above = reader.json(&format!("/api/v1/workspaces?filter[score][%3E]={middle}")).await;
    assert_eq!(names(&above).len(), 7);
    let acme = reader.json("/api/v1/workspaces?filter[account][=]=acme.example").await;
    assert_eq!(names(&acme), ["ws14"]);
    assert_eq!(acme["data"][0]["account"]["territory"], "emea");
    let others = reader.json("/api/v1/workspaces?filter[territory][not_in]=emea,na").await;
    assert_eq!(names(&others).len(), 13, "a missing value is in no list");
    let unowned = reader
        .json("/api/v1/workspaces?filter[owner][is_not_set]=&filter[name][contains]=SPACE%201")
        .await;
    assert_eq!(names(&unowned).len(), 6);
    let odd =
        reader.json(&format!("/api/v1/workspaces?filter[workspace_id][=]={}", encoded(ODD))).await;
    assert_eq!(names(&odd), [ODD]);
    for (query, says) in [
        ("filter[mood][=]=good", "icp_fit_tier"),
        ("filter[score][=]=high", "whole number"),
        ("filter[stage][%3E]=pql", "not_in"),
        ("sort=owner", "last_active_at"),
        ("limit=501", "1 to 500"),
        ("after=abc", "cursor"),
        ("page=2", "filter[field][op]"),
    ] {
        let answer = reader.get(&format!("/api/v1/workspaces?{query}")).await;
        let detail = problem(&answer, 400, "bad_parameter");
        assert!(detail.contains(says), "{query}: {detail}");
    }
}

#[actix_web::test]
async fn one_workspace_is_found_by_whatever_the_product_calls_it() {
    let house = scored::house().await;
    let reader = Script::new(&house, Scope::Read);
    let path = format!("/api/v1/workspaces/{}", encoded(ODD));
    let workspace = reader.json(&path).await;
    assert_eq!(workspace["workspace_id"], ODD);
    assert!(workspace["signals"].as_object().unwrap().len() > 20, "{workspace}");
    assert_eq!(workspace["owner"], Value::Null);
    let members = reader.json(&format!("{path}/members")).await;
    let member = &members["data"][0];
    assert_eq!((member["user_id"].as_str(), member["role"].as_str()), (Some("u1"), Some("admin")));
    assert_eq!(member["invitation_source"], "founder");
    assert_eq!(member["active_days_14d"], 3);
    let usage = reader.json(&format!("{path}/usage?from=2026-11-20&to=2026-11-20")).await;
    assert_eq!(usage["data"][0]["event"], "core_feature_used");
    assert_eq!(usage["data"][0]["count"], 3);
}

#[actix_web::test]
async fn a_scorecard_adds_up_on_any_day_and_under_any_version() {
    let house = scored::house().await;
    let reader = Script::new(&house, Scope::Read);
    let path = format!("/api/v1/workspaces/{}/score", encoded(ODD));
    let mut scores = Vec::new();
    for query in [
        "",
        "?as_of=2026-11-20",
        "?as_of=2026-11-19",
        "?model_version=1",
        "?as_of=2026-11-01&model_version=1",
    ] {
        let card = reader.json(&format!("{path}{query}")).await;
        assert_eq!(card["workspace_id"], ODD);
        let ledger = card["ledger"].as_array().unwrap();
        let sum: i64 = ledger.iter().map(|row| row["net"].as_i64().unwrap()).sum();
        assert_eq!(card["score"].as_i64(), Some(sum), "{query}");
        if let Some(lead) = card["lead_user"].as_object() {
            assert_eq!(lead["user_id"], "u1", "people have the product's ids");
        }
        scores.push(sum);
    }
    assert_eq!(scores[0], scores[1]);
    assert_eq!(scores[0], scores[3], "the engine says what the scorer stored");
    assert_ne!(scores[0], scores[2]);
    let history = reader.json(&format!("{path}/history?from=2026-11-19&to=2026-11-20")).await;
    let days = history["data"].as_array().unwrap();
    assert_eq!(days.len(), 2);
    assert_eq!(days[0]["score"], scores[2], "history and engine agree about yesterday");
    for (query, status, code) in [
        ("?as_of=tomorrow", 400, "bad_parameter"),
        ("?as_of=2026-11-21", 400, "bad_parameter"),
        ("?model_version=x", 400, "bad_parameter"),
        ("?model_version=9", 404, "not_found"),
        ("?when=now", 400, "bad_parameter"),
    ] {
        problem(&reader.get(&format!("{path}{query}")).await, status, code);
    }
    for query in ["?from=2026-11-20&to=2026-11-01", "?from=2020-01-01", "?to=x"] {
        problem(&reader.get(&format!("{path}/history{query}")).await, 400, "bad_parameter");
    }
}

#[actix_web::test]
async fn key_events_come_newest_first_page_by_page() {
    let house = scored::house().await;
    let reader = Script::new(&house, Scope::Read);
    let path = format!("/api/v1/workspaces/{}/events", encoded(ODD));
    let whole = reader.json(&path).await;
    let times = |list: &Value| -> Vec<String> {
        let rows = list["data"].as_array().unwrap().iter();
        rows.map(|row| row["occurred_at"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(times(&whole).len(), 5);
    assert!(times(&whole).is_sorted_by(|a, b| a > b));
    assert_eq!(whole["data"][0]["properties"]["plan"], "pro");
    assert_eq!(whole["data"][0]["user_id"], "u1");
    let first = reader.json(&format!("{path}?limit=2")).await;
    let next = first["next"].as_str().unwrap();
    let second = reader.json(&format!("{path}?limit=3&after={next}")).await;
    assert_eq!([times(&first), times(&second)].concat(), times(&whole));
    problem(&reader.get(&format!("{path}?after=x")).await, 400, "bad_parameter");
    problem(&reader.get(&format!("{path}?limit=0")).await, 400, "bad_parameter");
}

#[actix_web::test]
async fn the_routing_decision_shows_its_trace() {
    let house = scored::house().await;
    let reader = Script::new(&house, Scope::Read);
    let none = reader.get("/api/v1/workspaces/ws2/routing").await;
    assert!(problem(&none, 404, "not_found").contains("not decided"));
    house
        .db
        .checkout(Pool::Work)
        .unwrap()
        .batch_execute(
            "insert into routing_decisions (id, workspace_id, rule_set_version, model_version, score,
               rule_name, destination, unowned_reason, sla_hours, trace, facts, decided_at)
             select gen_random_uuid(), id, 1, 1, 8100, 'Hot', 'ae', 'nobody is free', 4,
               '[{\"rule\": \"Hot\"}]', '{}', '2026-11-20T09:00Z' from workspaces where external_id = 'ws2'",
        )
        .unwrap();
    let decision = reader.json("/api/v1/workspaces/ws2/routing").await;
    assert_eq!(decision["rule"], "Hot");
    assert_eq!(decision["trace"][0]["rule"], "Hot");
    assert_eq!(decision["owner"], Value::Null);
}
