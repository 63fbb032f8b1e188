//! Users and contacts by the API.

use ripen::sources::key::Scope;
use serde_json::{Value, json};

use super::{call, house, send};
use crate::api_client::{Script, problem};

#[actix_web::test]
async fn users_and_contacts_are_listed_page_by_page_and_one_by_one() {
    let house = house().await;
    let events: Vec<Value> = (0..7)
        .map(|n| {
            let traits = json!({"email": format!("P{n}@acme.com"), "name": format!("P {n}"), "sso_id": format!("s{n}")});
            call("identify", "02T08", json!({"userId": format!("u{n}"), "anonymousId": format!("a{n}"), "traits": traits}))
        })
        .collect();
    send(&house, &events);
    send(
        &house,
        &[call(
            "identify",
            "03T08",
            json!({"userId": "other", "traits": {"email": "p0@acme.com"}}),
        )],
    );
    let script = Script::new(&house, Scope::Read);
    for (list, key, all) in [("users", "user_id", 8), ("contacts", "email", 7)] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = script.json(&format!("/api/v1/{list}?limit=3&after={after}")).await;
            seen.extend(page["data"].as_array().unwrap().iter().map(|row| row[key].clone()));
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => break,
            }
            assert!(seen.len() < 20, "{list} goes on for ever");
        }
        assert_eq!(seen.len(), all, "{seen:?}");
        assert!(seen.windows(2).all(|two| two[0].as_str() < two[1].as_str()), "{seen:?}");
        for bad in ["limit=0", "limit=many", "after=x", "page=2"] {
            problem(&script.get(&format!("/api/v1/{list}?{bad}")).await, 400, "bad_parameter");
        }
    }
    let user = script.json("/api/v1/users/u3").await;
    assert_eq!((&user["email"], &user["merged_into"]), (&json!("p3@acme.com"), &Value::Null));
    let kinds: Vec<&Value> =
        user["identifiers"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["user_id", "sso", "email", "anonymous_id"]);
    assert_eq!(user["identifiers"][2]["call"], "identify");
    assert_eq!(user["identifiers"][2]["source"], "Web app");
    let contact = script.json("/api/v1/contacts/P0@Acme.com").await;
    assert_eq!(contact["user_ids"], json!(["other", "u0"]));
    assert_eq!(contact["account"]["domain"], "acme.com");
    for nothing in ["/api/v1/users/nobody", "/api/v1/contacts/nobody", "/api/v1/users/%00"] {
        assert_eq!(script.get(nothing).await.status, 404, "{nothing}");
    }
}
