//! Input that nobody types: every route answers it with something of its own, never with a failure.

use actix_web::http::Method;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ripen::sources::key::Scope;
use ripen::web::role::Verdict;

use super::every_route::{self, Needs};
use crate::api_client::Script;

const NAMES: [&str; 52] = [
    "q",
    "stage",
    "owner",
    "plan",
    "tier",
    "account",
    "trial",
    "admin",
    "type",
    "sort",
    "after",
    "before",
    "kind",
    "person",
    "as_of",
    "bucket",
    "rep",
    "code",
    "since",
    "next",
    "days",
    "until",
    "outcome",
    "note",
    "reason",
    "confirm",
    "document",
    "seen",
    "keep",
    "email",
    "name",
    "role",
    "function",
    "capacity",
    "territories",
    "time_zone",
    "environment",
    "key_name",
    "member",
    "to",
    "lookback_days",
    "key",
    "label",
    "category",
    "names",
    "path",
    "op",
    "value",
    "value_property",
    "milestone",
    "muted",
    "do",
];

fn values() -> Vec<String> {
    let cursor = |value: &str| {
        let id = "00000000-0000-0000-0000-000000000000";
        URL_SAFE_NO_PAD.encode(format!(r#"{{"s":"-score","v":"{value}","i":"{id}"}}"#))
    };
    let mut values: Vec<String> = [
        "a\0b",
        "-262143-01-01",
        "+262142-12-31",
        "0000-01-01",
        "99999999999999999999",
        "-1",
        "NaN",
        "1e999",
        "';drop table jobs;--\"\\%_",
        "\u{202e}\u{feff}🦀",
        "{\"name\":\"\\u0000\",\"rules\":[[[[[[",
        "-8334632851200000001~00000000-0000-0000-0000-000000000000",
    ]
    .map(str::to_owned)
    .to_vec();
    values.extend([cursor("x"), cursor("99999999999999999999"), "x".repeat(1_000)]);
    values
}

fn encoded(names: &[&str], value: &str) -> String {
    let pairs: Vec<(&str, &str)> = names.iter().map(|name| (*name, value)).collect();
    serde_urlencoded::to_string(pairs).unwrap()
}

#[actix_web::test]
async fn no_page_and_no_form_fails_over_what_is_typed() {
    let stocked = every_route::stocked().await;
    let everybody = stocked.house.one_of_each();
    for route in every_route::all() {
        let (Needs::Right(right) | Needs::Own(right)) = route.needs else { continue };
        let granted = |role: &ripen::web::role::Role| role.verdict(right) == Verdict::Granted;
        let (_, client) = everybody.iter().rev().find(|(role, _)| granted(role)).unwrap();
        let path = stocked.address(&route.pattern);
        for value in values() {
            let answer = if route.method == Method::GET {
                // One name at a time where it matters: the first that can't be may hide the others.
                for name in ["as_of", "after", "before"] {
                    let one = format!("{path}?{}", encoded(&[name], &value));
                    assert!(client.get(&one).await.status < 500, "{one}");
                }
                client.get(&format!("{path}?{}", encoded(&NAMES, &value))).await
            } else {
                let fields: Vec<(&str, &str)> =
                    NAMES.iter().map(|name| (*name, value.as_str())).collect();
                client.post(&path, &fields).await
            };
            let start: String = value.chars().take(60).collect();
            assert!(answer.status < 500, "{} {path} {start:?}", route.method);
        }
    }
}

#[actix_web::test]
async fn the_door_takes_anything() {
    let stocked = every_route::stocked().await;
    for value in values() {
        let stranger = stocked.house.stranger();
        stranger.get("/login").await;
        let fields = [("email", value.as_str()), ("password", &value), ("next", &value)];
        let status = stranger.post("/login", &fields).await.status;
        assert!([422, 429].contains(&status), "{status} for {value:?}");
        for path in ["/setup/", "/invite/", "/"] {
            let name = serde_urlencoded::to_string([("", &value)]).unwrap();
            let path = format!("{path}{}", name.trim_start_matches('='));
            assert_eq!(stranger.get(&path).await.status, 404, "{path}");
        }
    }
}

#[actix_web::test]
async fn the_api_names_what_it_cant_read() {
    let stocked = every_route::stocked().await;
    let script = Script::new(&stocked.house, Scope::Admin);
    let names = [
        "limit",
        "after",
        "sort",
        "as_of",
        "model_version",
        "from",
        "to",
        "filter[name][contains]",
        "filter[score][>]",
        "filter[score][in]",
        "filter[trial_end_on][<]",
        "filter[created_at][>]",
        "filter[last_active_at][<=]",
    ];
    for route in every_route::all() {
        let Needs::Key(_) = route.needs else { continue };
        let path = stocked.address(&route.pattern);
        for value in values() {
            if route.method == Method::GET {
                for name in names {
                    let path = format!("{path}?{}", encoded(&[name], &value));
                    let answer = script.get(&path).await;
                    assert!(answer.status < 500, "{path}: {}", answer.body);
                }
            } else {
                let document = serde_json::json!({"draft": value, "reason": value}).to_string();
                for body in [document, value] {
                    let body = Some(body);
                    let answer = script.send(route.method.clone(), &path, &[], body).await;
                    assert!(answer.status < 500, "{path}: {}", answer.body);
                }
            }
        }
    }
    let mut model = serde_json::to_value(ripen::scoring::presets::balanced()).unwrap();
    model["name"] = "a\0b".into();
    let body = Some(model.to_string());
    let answer = script.send(Method::PUT, "/api/v1/scoring/model", &[], body).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
}

/// Microseconds around the ends of what PostgreSQL, chrono and 64 bits know, and of what may be asked.
const FORGED: [i64; 10] = [
    i64::MIN,
    -8_334_632_851_200_000_001,
    -210_895_747_200_000_001,
    -210_866_803_200_000_001,
    -62_135_596_800_000_001,
    -1,
    0,
    253_402_300_800_000_000,
    8_210_298_326_400_000_000,
    i64::MAX,
];

#[actix_web::test]
async fn a_forged_place_in_a_list_begins_it_anew() {
    let stocked = every_route::stocked().await;
    let admin = stocked.house.as_admin();
    let id = "00000000-0000-0000-0000-000000000000";
    let mut lists = vec![
        "/accounts?",
        "/accounts?sort=name&",
        "/contacts?",
        "/contacts/merges?",
        "/ingest/dead-letters?",
        "/notifications?",
        "/routing/log?",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect::<Vec<_>>();
    for sort in ["score", "change", "name", "active", "wau", "intent", "trial_end"] {
        lists.extend([format!("/workspaces?sort={sort}&"), format!("/workspaces?sort=-{sort}&")]);
    }
    let events = stocked.address("/workspaces/{id}/events");
    lists.push(format!("{events}?"));
    for list in lists {
        for number in FORGED {
            for place in
                [format!("{number}~{id}"), format!("{number}_{id}"), format!("{number}~{id}~{id}")]
            {
                for name in ["after", "before"] {
                    let path = format!("{list}{name}={place}");
                    let answer = admin.get(&path).await;
                    // 400: a place that is no id at all.
                    assert!([200, 400].contains(&answer.status), "{path}: {}", answer.status);
                }
            }
        }
    }
}
