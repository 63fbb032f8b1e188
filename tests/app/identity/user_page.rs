//! The page of a user.

use ripen::ids::UserId;
use serde_json::json;

use super::{call, house, send, two_danas};

#[actix_web::test]
async fn a_user_shows_where_everything_came_from() {
    let house = house().await;
    let mut events = two_danas();
    events.push(call("identify", "11T09", json!({"userId": "dana", "anonymousId": "pc", "traits": {"title": "<b>CTO</b>", "ssoId": "okta|7"}})));
    events.push(call("identify", "12T09", json!({"userId": "eve", "anonymousId": "pc"})));
    send(&house, &events);
    let path = format!("/users/{}", UserId::known("dana"));
    for (_, client) in house.one_of_each() {
        let page = client.get(&path).await;
        for text in [
            "dana@acme.com",
            "SSO subject",
            "okta|7",
            "Anonymous id",
            "identify call from Web app",
            "Anonymous pc is user dana",
            "came second",
            "Acme",
            "Admin",
            "email_verified",
            "&#60;b&#62;CTO",
        ] {
            page.says(200, text);
        }
    }
    let client = house.as_rep();
    let visitor = format!("/users/{}", UserId::anonymous("pc"));
    client.get(&visitor).await.leads_to(&path);
    for nobody in ["/users/x", "/users/00000000-0000-0000-0000-000000000000"] {
        assert_eq!(client.get(nobody).await.status, 404);
    }
    assert_eq!(house.stranger().get(&path).await.status, 303);
    let members = client.get("/workspaces?q=Acme").await;
    let workspace = members.body.split("href=\"/workspaces/").nth(1).unwrap();
    let workspace = workspace.split(['"', '/', '?']).next().unwrap();
    client.get(&format!("/workspaces/{workspace}/members")).await.says(200, &path);
}
