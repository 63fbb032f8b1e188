//! Contacts: who they are, the list, and one of them.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::{call, cell, house, send};
use crate::house::House;

fn identify(user: &str, at: &str, traits: Value) -> Value {
    call("identify", at, json!({"userId": user, "traits": traits}))
}

/// Users with changing, shared, private and unusable addresses.
fn people() -> Vec<Value> {
    vec![
        identify("dana", "01T08", json!({"email": "Dana@Acme.com", "name": "Dana"})),
        identify("dana-work", "02T08", json!({"email": "dana@acme.com", "title": "CTO"})),
        identify("tagged", "03T08", json!({"email": "dana+test@acme.com"})),
        identify("eve", "04T08", json!({"email": "eve@gmail.com", "name": "Eve"})),
        identify("mover", "05T08", json!({"email": "old@acme.com"})),
        identify("mover", "06T08", json!({"email": "new@acme.com"})),
        identify("gone", "07T08", json!({"email": "gone@acme.com"})),
        identify("gone", "08T08", json!({"email": null})),
        identify("inbox", "09T08", json!({"email": "info@acme.com"})),
        identify("trash", "10T08", json!({"email": "x@mailinator.com"})),
        call(
            "identify",
            "11T08",
            json!({"anonymousId": "visitor", "traits": {"email": "v@acme.com"}}),
        ),
        call(
            "group",
            "11T09",
            json!({"userId": "dana", "groupId": "w1", "traits": {"name": "Acme", "role": "admin"}}),
        ),
        call(
            "track",
            "19T09",
            json!({"userId": "dana", "event": "core_feature_used", "context": {"groupId": "w1"}}),
        ),
    ]
}

const MAPPED: &str = "select string_agg(c.email || '=' || u.external_id, ' ' order by c.email, u.external_id)
    from contacts c left join contact_users cu on cu.contact_id = c.id left join product_users u on u.id = cu.user_id";

#[actix_web::test]
async fn users_are_contacts_by_their_current_address_in_any_order() {
    let expected = "dana+test@acme.com=tagged dana@acme.com=dana dana@acme.com=dana-work \
                    eve@gmail.com=eve new@acme.com=mover";
    for seed in 0..6 {
        let mut random = StdRng::seed_from_u64(seed);
        let house = house().await;
        let mut events = people();
        events.shuffle(&mut random);
        while !events.is_empty() {
            let rest = events.split_off(random.random_range(1..=events.len()));
            send(&house, &events);
            events = rest;
        }
        assert_eq!(cell(&house, MAPPED).as_deref(), Some(expected), "seed {seed}");
    }
}

fn link(html: &str, start: &str) -> String {
    let href = html.split(start).nth(1).expect("a link");
    format!("{start}{}", href.split('"').next().unwrap())
}

async fn filled() -> House {
    let house = house().await;
    send(&house, &people());
    house
}

#[actix_web::test]
async fn the_list_finds_and_goes_on() {
    let house = filled().await;
    let client = house.as_rep();
    let page = client.get("/contacts").await;
    for text in
        ["dana@acme.com", "CTO", "eve@gmail.com", "private address", "Last seen", "/accounts/"]
    {
        page.says(200, text);
    }
    client.get("/contacts?q=eve").await.says(200, "eve@gmail.com");
    client.get("/contacts?q=DANA%2Btest").await.says(200, "dana+test@acme.com");
    client.get("/contacts?q=%25").await.says(200, "No such contact");
    let found = client.htmx_get("/contacts?q=eve", "rows").await;
    assert!(!found.body.contains("<h1") && !found.body.contains("dana@"), "{}", found.body);
    assert_eq!(found.header("hx-push-url"), "/contacts?q=eve");
    assert_eq!(house.stranger().get("/contacts").await.status, 303);
    let many: Vec<Value> = (0..120)
        .map(|n| identify(&format!("p{n}"), "12T08", json!({"email": format!("p{n:03}@many.com")})))
        .collect();
    send(&house, &many);
    let (mut href, mut seen) = ("/contacts?q=many.com".to_owned(), 0);
    for _ in 0..3 {
        let page = client.get(&href).await;
        seen += page.body.matches("<tr id=\"c-").count();
        if let Some(rest) = page.body.split("id=\"load-more\"").nth(1) {
            href = rest
                .split("href=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap()
                .replace("&#38;", "&");
        }
    }
    assert_eq!(seen, 120);
}

#[actix_web::test]
async fn a_contact_shows_its_users_workspaces_and_account() {
    let house = filled().await;
    for (_, client) in house.one_of_each() {
        let list = client.get("/contacts?q=dana%40").await;
        let path = link(&list.body, "/contacts/");
        let path = if path == "/contacts/merges" {
            format!(
                "/contacts/{}",
                list.body.split("<tr id=\"c-").nth(1).unwrap().split('"').next().unwrap()
            )
        } else {
            path
        };
        let page = client.get(&path).await;
        for text in
            ["dana@acme.com", "dana-work", "/users/", "Acme", "Admin", "By the domain acme.com"]
        {
            page.says(200, text);
        }
    }
    let client = house.as_rep();
    let list = client.get("/contacts?q=eve").await;
    let id = list.body.split("<tr id=\"c-").nth(1).unwrap().split('"').next().unwrap();
    client.get(&format!("/contacts/{id}")).await.says(200, "never leads to an account");
    for nothing in ["/contacts/x", "/contacts/00000000-0000-0000-0000-000000000000"] {
        assert_eq!(client.get(nothing).await.status, 404);
    }
}

#[actix_web::test]
async fn no_contacts_say_how_to_get_some() {
    let house = house().await;
    house.as_rep().get("/contacts").await.says(200, "No contacts yet");
}
