//! The catalog for scripts: read, look ahead, put, and who was faster.

use actix_web::http::Method;
use diesel::prelude::*;
use ripen::catalog::store;
use ripen::schema::audit_entries;
use ripen::sources::key::Scope;
use serde_json::{Value, json};

use crate::api_client::{Script, problem};
use crate::house::{Answer, House};

const CATALOG: &str = "/api/v1/catalog";

async fn house() -> House {
    let house = House::open().await;
    let now = house.clock.now();
    house.tx(|conn| ripen::jobs::furnish(conn, now));
    house
}

fn version(house: &House) -> i32 {
    house.tx(|conn| Ok(store::current(conn)?.0))
}

fn parsed(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

/// The document in force with one more event.
async fn with_one_more(script: &Script) -> Value {
    let mut document = script.json(CATALOG).await["document"].clone();
    let new = json!({"key": "report_shared", "label": "Shared a report", "category": "depth", "is_key": true});
    document.as_array_mut().unwrap().push(new);
    document
}

#[actix_web::test]
async fn a_script_looks_ahead_puts_and_may_repeat_itself() {
    let house = house().await;
    let (reader, admin) = (Script::new(&house, Scope::Read), Script::new(&house, Scope::Admin));
    let shown = reader.get(CATALOG).await;
    assert_eq!((parsed(&shown)["version"].as_i64(), shown.header("etag")), (Some(1), "\"1\""));
    let put = async |query: &str, headers: &[(&str, &str)], body: Value| {
        admin.send(Method::PUT, &format!("{CATALOG}{query}"), headers, Some(body.to_string())).await
    };
    let document = with_one_more(&admin).await;
    let ahead =
        parsed(&put("?dry_run=true", &[], json!({"version": 1, "document": document})).await);
    assert_eq!((&ahead["status"], &ahead["version"]), (&json!("dry_run"), &json!(1)));
    assert_eq!(ahead["changes"], json!(["Shared a report (report_shared) is new"]));
    assert_eq!(
        (&ahead["forecast"]["events"], &ahead["forecast"]["moved_up"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(version(&house), 1, "looking ahead saves nothing");

    let body = json!({"version": 1, "reason": "Reports matter", "document": document});
    let saved = parsed(&put("", &[], body.clone()).await);
    assert_eq!((&saved["status"], &saved["version"]), (&json!("saved"), &json!(2)));
    let again = parsed(&put("", &[], body).await);
    assert_eq!((&again["status"], &again["version"]), (&json!("unchanged"), &json!(2)));
    assert_eq!(version(&house), 2, "a lost answer may be asked for again");
    let (actor, subject): (String, String) = house.tx(|conn| {
        Ok(audit_entries::table
            .filter(audit_entries::action.eq("catalog.changed"))
            .select((audit_entries::actor, audit_entries::subject_id))
            .first(conn)?)
    });
    assert_eq!((actor.as_str(), subject.as_str()), ("API key a test", "2"));

    let mut other = document.clone();
    other[0]["label"] = json!("Otherwise");
    let body = json!({"reason": "Late", "document": other});
    let late = put("", &[("If-Match", "\"1\"")], body.clone()).await;
    assert!(problem(&late, 409, "conflict").contains("version 2 is in force"));
    let late = put("?dry_run=true", &[("If-Match", "\"1\"")], body.clone()).await;
    problem(&late, 409, "conflict");
    let fresh = parsed(&put("", &[("If-Match", "\"2\"")], body).await);
    assert_eq!((&fresh["status"], &fresh["version"]), (&json!("saved"), &json!(3)));
}

#[actix_web::test]
async fn what_cant_be_put_is_refused_at_its_place() {
    let house = house().await;
    let admin = Script::new(&house, Scope::Admin);
    let put = async |query: &str, body: String| {
        admin.send(Method::PUT, &format!("{CATALOG}{query}"), &[], Some(body)).await
    };
    let document = with_one_more(&admin).await;
    let refused = |answer: &Answer, field: &str| {
        problem(answer, 422, "invalid");
        let said: Value = serde_json::from_str(&answer.body).unwrap();
        assert!(said["errors"].get(field).is_some(), "{field}: {said}");
    };
    problem(&put("", "{".to_owned()).await, 400, "bad_json");
    problem(&put("?dry=true", "{}".to_owned()).await, 400, "bad_parameter");
    refused(&put("", "{}".to_owned()).await, "");
    refused(&put("", json!({"document": document, "reason": "x"}).to_string()).await, "version");
    refused(&put("", json!({"document": document, "version": 1}).to_string()).await, "reason");
    let mut twice = document.clone();
    let last = twice.as_array().unwrap().len() - 1;
    twice[last]["key"] = json!("Not a key");
    let body = json!({"document": twice, "version": 1, "reason": "x"}).to_string();
    refused(&put("", body).await, &format!("document.{last}.key"));
    let kept = |one: &Value| one["key"] != "invite_accepted";
    let less: Vec<Value> =
        document.as_array().unwrap().iter().filter(|one| kept(one)).cloned().collect();
    let body = json!({"document": less, "version": 1, "reason": "x"}).to_string();
    let answer = put("", body).await;
    refused(&answer, "document");
    assert!(answer.body.contains("invite_accepted stays"), "{}", answer.body);
    assert_eq!(version(&house), 1);
}
