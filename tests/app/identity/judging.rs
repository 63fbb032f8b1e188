//! The page that judges candidates.

use ripen::ids::UserId;
use ripen::team::member::Role;

use super::{call, cell, house, pair, score, send, standing, two_danas};
use crate::house::{Client, House};
use serde_json::json;

const PAGE: &str = "/contacts/merges";

/// The hidden version of the first card.
fn version(body: &str) -> String {
    let field = body.split("name=\"version\" value=\"").nth(1).expect("a card with a form");
    field.split('"').next().unwrap().to_owned()
}

async fn judge(client: &Client, version: &str, decision: &str) -> crate::house::Answer {
    let (one, other) = pair("dana", "dana-2");
    let (one, other) = (one.to_string(), other.to_string());
    let keep = UserId::known("dana").to_string();
    client
        .post(
            PAGE,
            &[
                ("one", &one),
                ("other", &other),
                ("version", version),
                ("keep", &keep),
                ("reason", "same signature"),
                ("decision", decision),
            ],
        )
        .await
}

async fn stocked() -> House {
    let house = house().await;
    send(&house, &two_danas());
    house
}

#[actix_web::test]
async fn everybody_sees_the_evidence_and_reps_decide_nothing() {
    let house = stocked().await;
    for (role, client) in house.one_of_each() {
        let page = client.get(PAGE).await;
        for text in [
            "98 % sure",
            "The same verified e-mail, dana@acme.com",
            "An alias call from user id dana",
            "from Web app",
            "30 events on 10 days of the last 90",
        ] {
            page.says(200, text);
        }
        let may = role != Role::Rep;
        assert_eq!(page.body.contains("Not the same person</button>"), may, "{role}");
        let answer = judge(&client, "x", "merge").await;
        assert_eq!(answer.status, if may { 409 } else { 403 }, "{role}");
    }
    assert_eq!(house.stranger().get(PAGE).await.status, 303);
    assert_eq!(cell(&house, "select count(*) from identity_changes").as_deref(), Some("0"));
}

#[actix_web::test]
async fn a_merge_and_its_undo_move_scores_members_and_history_and_nothing_else() {
    let house = stocked().await;
    let before = standing(&house);
    let usage = before[2].clone();
    assert!(!before[0].is_empty() && !before[1].is_empty(), "there is a score to move");
    let client = house.as_manager();
    let shown = client.get(PAGE).await;
    let answer = judge(&client, &version(&shown.body), "merge").await;
    let page = format!("/users/{}", UserId::known("dana"));
    answer.leads_to(&page);
    score(&house);
    let merged = standing(&house);
    assert_ne!(merged[0], before[0], "two members count as one");
    assert_ne!(merged[1], before[1], "and did so all the time");
    assert_eq!(merged[2], usage, "no usage moved");
    assert_eq!(
        cell(&house, "select string_agg(decision, ',') from merge_candidates").as_deref(),
        Some("merged")
    );
    client.get(PAGE).await.says(200, "Nothing to decide");
    client.get(&format!("/users/{}", UserId::known("dana-2"))).await.leads_to(&page);
    client.get(&page).await.says(200, "User dana-2 was merged into dana");
    // A later event of the merged user counts for the one who was kept, and changes nothing back.
    let late = call(
        "track",
        "19T20",
        json!({"userId": "dana-2", "event": "login", "context": {"groupId": "w1"}}),
    );
    send(&house, &[late]);
    let canonical =
        "select canonical_id from product_users where external_id = 'dana-2' and kind = 'known'";
    assert_eq!(cell(&house, canonical), Some(UserId::known("dana").to_string()));

    let change = cell(&house, "select id from identity_changes").unwrap();
    let undoing = format!("/users/changes/{change}/undoing");
    assert_eq!(house.as_rep().post(&undoing, &[]).await.status, 403);
    assert_eq!(client.post_without_token(&undoing, &[]).await.status, 403);
    client.post(&undoing, &[]).await.leads_to(&page);
    assert_eq!(client.post(&undoing, &[]).await.status, 409, "once");
    score(&house);
    let undone = standing(&house);
    assert_eq!((&undone[1], &undone[3]), (&before[1], &before[3]), "to the hundredth");
    assert_eq!(undone[0], before[0]);
    client.get(PAGE).await.says(200, "Nothing to decide");
    client.get("/contacts/merges?show=kept").await.says(200, "Kept apart");
}

#[actix_web::test]
async fn kept_apart_is_remembered_until_something_new_speaks_for_it() {
    let house = stocked().await;
    let client = house.as_revops();
    let shown = client.get(PAGE).await;
    judge(&client, &version(&shown.body), "apart").await.leads_to(PAGE);
    let again = call("alias", "05T09", json!({"userId": "dana-2", "previousId": "dana"}));
    let same = call(
        "identify",
        "06T09",
        json!({"userId": "dana-2", "traits": {"email": "dana@acme.com"}}),
    );
    send(&house, &[again, same]);
    client.get(PAGE).await.says(200, "Nothing to decide");
    let sso = |user: &str| {
        call("identify", "07T09", json!({"userId": user, "traits": {"sso_subject": "okta|dana"}}))
    };
    send(&house, &[sso("dana"), sso("dana-2")]);
    client.get(PAGE).await.says(200, "The same SSO subject, okta|dana");
    // And by hand.
    let shown = client.get(PAGE).await;
    judge(&client, &version(&shown.body), "apart").await.leads_to(PAGE);
    let (one, other) = pair("dana", "dana-2");
    let fields = [("one", one.to_string()), ("other", other.to_string())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (*a, b.as_str())).collect();
    assert_eq!(house.as_rep().post("/contacts/merges/reopenings", &fields).await.status, 403);
    client.post("/contacts/merges/reopenings", &fields).await.leads_to(PAGE);
    client.get(PAGE).await.says(200, "99 % sure");
    assert_eq!(client.post("/contacts/merges/reopenings", &fields).await.status, 404);
    assert_eq!(
        cell(&house, "select string_agg(action, ',' order by at, id) from audit_entries where action like 'user.%'")
            .as_deref(),
        Some("user.kept_apart,user.kept_apart,user.asked_again")
    );
}

#[actix_web::test]
async fn what_changed_since_is_shown_before_anything_is_decided() {
    let house = stocked().await;
    let client = house.as_admin();
    let stale = version(&client.get(PAGE).await.body);
    let renamed =
        call("identify", "18T09", json!({"userId": "dana", "traits": {"name": "Daniela"}}));
    send(&house, &[renamed]);
    for decision in ["merge", "apart"] {
        let answer = judge(&client, &stale, decision).await;
        answer.says(409, "This pair changed since you opened the page.");
        answer.says(409, "Daniela");
        answer.says(409, "same signature");
    }
    // What was only active again is the same pair.
    let fresh = version(&client.get(PAGE).await.body);
    let active = call(
        "track",
        "19T21",
        json!({"userId": "dana", "event": "login", "context": {"groupId": "w1"}}),
    );
    send(&house, &[active]);
    judge(&client, &fresh, "nonsense").await.says(422, "Merge");
    assert_eq!(judge(&client, &fresh, "merge").await.status, 303);
    judge(&client, &fresh, "merge").await.says(409, "Nothing was decided");
    assert_eq!(client.post(PAGE, &[("one", "a"), ("other", "b")]).await.status, 422);
}

#[actix_web::test]
async fn the_list_goes_on_and_says_when_it_is_empty() {
    let house = house().await;
    let client = house.as_manager();
    client.get(PAGE).await.says(200, "Nothing to decide");
    client.get("/contacts/merges?show=kept").await.says(200, "Nobody was kept apart");
    client.get("/contacts/merges?after=x~y~z").await.says(200, "Nothing to decide");
    let events: Vec<_> = (0..24)
        .map(|n| call("identify", "02T08", json!({"userId": format!("u{n}"), "traits": {"email": format!("p{}@acme.com", n / 2)}})))
        .collect();
    send(&house, &events);
    let first = client.get(PAGE).await;
    assert_eq!(first.body.matches("id=\"pair-").count() / 2, 10);
    let href = first.body.split("id=\"more-pairs\"").nth(1).unwrap();
    let href = href.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    let second = client.get(href).await;
    assert_eq!(second.body.matches("id=\"pair-").count() / 2, 2);
    assert!(!second.body.contains("more-pairs"));
}
