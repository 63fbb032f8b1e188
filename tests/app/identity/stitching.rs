//! Stitches that people take back, in any order of arrival.

use ripen::ids::UserId;
use serde_json::{Value, json};

use super::{call, cell, house, score, send, standing};

fn visit() -> Vec<Value> {
    let mut events = vec![
        call(
            "group",
            "02T09",
            json!({"userId": "u1", "groupId": "w1", "traits": {"name": "Acme"}}),
        ),
        call("group", "02T09", json!({"userId": "u2", "groupId": "w1"})),
    ];
    for day in 10..20 {
        events.push(call(
            "track",
            &format!("{day}T08"),
            json!({"anonymousId": "pc", "event": "usage_limit_hit", "context": {"groupId": "w1"}}),
        ));
        events.push(call(
            "track",
            &format!("{day}T09"),
            json!({"userId": "u1", "event": "core_feature_used", "context": {"groupId": "w1"}}),
        ));
    }
    events
}

fn identify(at: &str, user: &str) -> Value {
    call("identify", at, json!({"userId": user, "anonymousId": "pc"}))
}

const WHO: &str =
    "select k.external_id from product_users v join product_users k on k.id = v.canonical_id
                   where v.external_id = 'pc'";

#[actix_web::test]
async fn an_undone_stitch_stays_undone_and_can_be_made_again() {
    let house = house().await;
    send(&house, &visit());
    let before = standing(&house);
    send(&house, &[identify("12T08", "u1")]);
    let stitched = standing(&house);
    assert_ne!(stitched[0], before[0], "the score follows");
    let client = house.as_manager();
    let visitor = UserId::anonymous("pc").to_string();
    let splits = format!("/users/{}/splits", UserId::known("u1"));
    let page = format!("/users/{}", UserId::known("u1"));
    client.get(&page).await.says(200, "Undo the stitch");
    assert!(!house.as_rep().get(&page).await.body.contains("Undo the stitch"));
    assert_eq!(client.post(&splits, &[("visitor", "nobody")]).await.status, 422);
    let nobody = UserId::anonymous("other").to_string();
    assert_eq!(client.post(&splits, &[("visitor", &nobody)]).await.status, 404);
    client
        .post(&splits, &[("visitor", &visitor), ("reason", "a shared screen")])
        .await
        .leads_to(&page);
    assert_eq!(client.post(&splits, &[("visitor", &visitor)]).await.status, 409);
    score(&house);
    assert_eq!(standing(&house), before, "as if nobody had said it");
    // The next call, and an earlier one, say it again in vain; an alias too.
    send(&house, &[identify("19T20", "u1")]);
    send(&house, &[identify("01T08", "u1")]);
    send(&house, &[call("alias", "01T07", json!({"userId": "u1", "previousId": "pc"}))]);
    assert_eq!(cell(&house, WHO).as_deref(), Some("pc"));
    // Somebody else may still be the visitor.
    send(&house, &[identify("18T20", "u2")]);
    assert_eq!(cell(&house, WHO).as_deref(), Some("u2"));
    // Made again, the earliest call stands as ever.
    let change = cell(&house, "select id from identity_changes").unwrap();
    client.post(&format!("/users/changes/{change}/undoing"), &[]).await.leads_to(&page);
    assert_eq!(cell(&house, WHO).as_deref(), Some("u1"));
    client.get(&page).await.says(200, "taken back");
}

#[actix_web::test]
async fn decisions_outlive_the_rows_of_people() {
    let house = house().await;
    send(&house, &visit());
    send(&house, &[identify("12T08", "u1"), identify("13T08", "u2")]);
    let client = house.as_manager();
    let (u1, u2) = (UserId::known("u1"), UserId::known("u2"));
    let visitor = UserId::anonymous("pc").to_string();
    client.post(&format!("/users/{u1}/splits"), &[("visitor", &visitor)]).await;
    house.tx(|conn| {
        use ripen::ingest::aside;
        use ripen::jobs::PROJECTIONS;
        let actor = ripen::team::audit::Actor::system();
        let now = "2026-11-20T10:00:00Z".parse().unwrap();
        let word = ripen::identity::ops::Word { actor: &actor, reason: "", now };
        aside::settle(conn, now, &PROJECTIONS, |conn, chunk| {
            ripen::identity::ops::merge(conn, chunk, u2, u1, word)
        })
    });
    let who = "select string_agg(concat_ws(' ', external_id, canonical_id), ',' order by external_id, kind) from product_users";
    let decided = cell(&house, who);
    assert_eq!(cell(&house, WHO).as_deref(), Some("u1"), "by way of u2, who is u1");
    // As a rebuild does: the rows of people are made anew from the same calls, in another order.
    house.tx(|conn| {
        use diesel::RunQueryDsl;
        for table in [
            "product_users",
            "identifiers",
            "identity_claims",
            "memberships",
            "usage_days",
            "visits",
        ] {
            diesel::sql_query(format!("delete from {table}")).execute(conn)?;
        }
        Ok(())
    });
    let mut again = vec![identify("13T08", "u2"), identify("12T08", "u1")];
    again.extend(visit());
    send(&house, &again[..1]);
    send(&house, &again[1..]);
    assert_eq!(cell(&house, who), decided);
}
