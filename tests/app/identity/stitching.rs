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

/// Who is a member, as which person, since when.
const MEMBERS: &str = "select string_agg(concat_ws(' ', w.external_id, p.external_id, m.joined_at::date), ', ' \
     order by w.external_id, p.external_id, m.joined_at)
     from memberships m join product_users u on u.id = m.user_id join product_users p on p.id = u.canonical_id
     join workspaces w on w.id = m.workspace_id where m.left_at is null";

#[actix_web::test]
async fn the_group_call_of_a_visitor_is_the_users_until_somebody_undoes_the_stitch() {
    let house = house().await;
    let used = |at: &str, who: &str, id: &str| {
        call("track", at, json!({who: id, "event": "core_feature_used"}))
    };
    send(
        &house,
        &[
            call("group", "15T09", json!({"anonymousId": "pc", "groupId": "w1"})),
            used("16T09", "anonymousId", "pc"),
        ],
    );
    assert_eq!(cell(&house, MEMBERS), None, "a visitor is no member");
    send(&house, &[identify("18T09", "u1"), used("19T09", "userId", "u1")]);
    let member = Some("w1 u1 2026-11-15".to_owned());
    assert_eq!(cell(&house, MEMBERS), member);
    let stitched = standing(&house);
    let (page, visitor) = (format!("/users/{}", UserId::known("u1")), UserId::anonymous("pc"));
    let client = house.as_manager();
    client
        .post(&format!("{page}/splits"), &[("visitor", &visitor.to_string())])
        .await
        .leads_to(&page);
    assert_eq!(cell(&house, MEMBERS), None);
    let days = "select string_agg(extract(day from day)::text, ',' order by day) from usage_days";
    assert_eq!(cell(&house, days).as_deref(), Some("16"), "the user was nowhere then");
    let change = cell(&house, "select id from identity_changes").unwrap();
    client.post(&format!("/users/changes/{change}/undoing"), &[]).await.leads_to(&page);
    assert_eq!(cell(&house, MEMBERS), member);
    score(&house);
    assert_eq!(standing(&house), stitched, "as if nobody had undone it");
}
