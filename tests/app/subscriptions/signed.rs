//! Deliveries by Standard Webhooks: they go the way of the SDKs' events.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use hmac::{Hmac, KeyInit, Mac};
use ripen::ids::WorkspaceId;
use ripen::ingest::drain;
use ripen::schema::{memberships, subscriptions, workspaces};
use ripen::sources::ops;
use ripen::team::audit::Actor;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::house::{Answer, House};

struct Sender {
    house: House,
    path: String,
    secret: String,
}

impl Sender {
    /// An endpoint made through the page, which shows the secret once.
    async fn open() -> Self {
        let house = House::open().await;
        let now = house.clock.now();
        house.tx(|conn| ripen::catalog::ops::seed(conn, now));
        let source =
            house.tx(|conn| ops::create_source(conn, &Actor::system(), "Backend", "", now)).id;
        let admin = house.as_admin();
        let form = [("kind", "events"), ("name", "Our backend"), ("source", &source.to_string())];
        let made = admin.post("/settings/webhooks", &form).await;
        assert_eq!(made.status, 200, "{}", made.body);
        let after = |mark: &str| made.body.split(mark).nth(1).unwrap().to_owned();
        let secret = after("id=\"new-secret\">").split('<').next().unwrap().to_owned();
        let path = after("id=\"address\">").split('<').next().unwrap().to_owned();
        let path = path[path.find("/webhooks/").unwrap()..].to_owned();
        let again = admin.get(&path.replace("/webhooks/events", "/settings/webhooks")).await;
        assert!(again.status == 200 && !again.body.contains(&secret), "shown once");
        Self { house, path, secret }
    }

    async fn post(&self, id: &str, body: &Value, prefix: &str) -> Answer {
        self.signed(id, body, prefix, &self.secret, self.house.clock.now()).await
    }

    async fn signed(
        &self,
        id: &str,
        body: &Value,
        prefix: &str,
        secret: &str,
        at: DateTime<Utc>,
    ) -> Answer {
        let (time, body) = (at.timestamp().to_string(), body.to_string());
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{id}.{time}.{body}").as_bytes());
        let signature = format!("v1a,x v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let names =
            [format!("{prefix}-id"), format!("{prefix}-timestamp"), format!("{prefix}-signature")];
        let headers =
            [(names[0].as_str(), id), (names[1].as_str(), &time), (names[2].as_str(), &signature)];
        let method = actix_web::http::Method::POST;
        self.house.stranger().send(method, &self.path, &headers, Some(body)).await
    }

    async fn say(&self, id: &str, kind: &str, data: Value) -> Answer {
        let body = json!({"type": kind, "timestamp": "2026-11-20T09:00:00Z", "data": data});
        self.post(id, &body, "webhook").await
    }

    fn drain(&self) {
        let limits = drain::Limits::default();
        let (db, clock) = (&self.house.db, &self.house.clock);
        drain::until_empty(db, clock, &ripen::jobs::PROJECTIONS, limits).unwrap();
    }
}

#[actix_web::test]
async fn types_become_workspaces_people_memberships_and_events() {
    let sender = Sender::open().await;
    let house = &sender.house;
    let w1 = WorkspaceId::of("w1");
    sender
        .say(
            "m1",
            "workspace.updated",
            json!({"workspace_id": "w1", "name": "Acme", "plan": "pro"}),
        )
        .await
        .says(200, "accepted");
    sender
        .say("m2", "user.updated", json!({"user_id": "u1", "email": "ada@acme.example"}))
        .await
        .says(200, "accepted");
    sender
        .say(
            "m3",
            "membership.updated",
            json!({"workspace_id": "w1", "user_id": "u1", "role": "admin"}),
        )
        .await
        .says(200, "accepted");
    sender
        .say("m4", "invite.sent", json!({"workspace_id": "w1", "user_id": "u1"}))
        .await
        .says(200, "accepted");
    sender
        .say("m4", "invite.sent", json!({"workspace_id": "w1", "user_id": "u1"}))
        .await
        .says(200, "accepted");
    sender.drain();
    let name: String =
        house.tx(|conn| Ok(workspaces::table.find(w1).select(workspaces::name).first(conn)?));
    assert_eq!(name, "Acme");
    let roles: Vec<Option<String>> = house.tx(|conn| {
        let of = memberships::table.filter(memberships::workspace_id.eq(w1));
        Ok(of.select(memberships::role).load(conn)?)
    });
    assert_eq!(roles, [Some("admin".to_owned())], "the workspace's own word makes nobody a member");
    let events: i64 = house.tx(|conn| {
        use ripen::schema::key_events as e;
        Ok(e::table.filter(e::workspace_id.eq(w1)).count().get_result(conn)?)
    });
    assert_eq!(events, 1, "a delivery that comes twice counts once");
}

#[actix_web::test]
async fn a_subscription_is_written_and_a_bad_one_refused() {
    let sender = Sender::open().await;
    let seats = json!({"subscription_id": "s1", "workspace_id": "w1", "seats": 5});
    sender.say("m-1", "subscription.created", seats).await.says(200, "waiting");
    let good =
        json!({"subscription_id": "s1", "workspace_id": "w1", "status": "active", "mrr": 49});
    sender.say("m0", "subscription.updated", good.clone()).await.says(200, "waiting");
    let page = sender.path.replace("/webhooks/events", "/settings/webhooks");
    let page = sender.house.as_admin().get(&page).await;
    page.says(200, "once its status is told");
    page.says(200, "once something is heard of the workspace w1");
    sender.say("m", "workspace.created", json!({"workspace_id": "w1"})).await.says(200, "accepted");
    sender.drain();
    sender.say("m1", "subscription.updated", good).await.says(200, "applied");
    sender
        .say(
            "m2",
            "subscription.updated",
            json!({"subscription_id": "s1", "workspace_id": "w1", "status": "fine"}),
        )
        .await
        .says(400, "one of trialing");
    sender
        .say("m3", "subscription.deleted", json!({"subscription_id": "s1", "workspace_id": "w1"}))
        .await
        .says(200, "applied");
    let one: (String, String) = sender.house.tx(|conn| {
        Ok(subscriptions::table
            .select((subscriptions::status, subscriptions::origin))
            .first(conn)?)
    });
    assert_eq!(one, ("canceled".to_owned(), "api".to_owned()));
}

/// Undated, as a delivery may be: it holds from when it came.
fn undated(status: &str) -> Value {
    json!({"type": "subscription.updated",
           "data": {"subscription_id": "s1", "workspace_id": "w1", "status": status}})
}

#[actix_web::test]
async fn a_delivery_that_comes_again_takes_no_newer_word_back() {
    let sender = Sender::open().await;
    let status = || {
        let status = subscriptions::table.select(subscriptions::status);
        sender.house.tx(|conn| Ok(status.first::<String>(conn)?))
    };
    // The sender timed out on the first one and tries again after the second.
    sender.post("m1", &undated("active"), "webhook").await.says(200, "waiting");
    sender.house.clock.advance(TimeDelta::seconds(20));
    sender.post("m2", &undated("canceled"), "webhook").await.says(200, "waiting");
    sender.house.clock.advance(TimeDelta::seconds(20));
    sender.post("m1", &undated("active"), "webhook").await.says(200, "duplicate");
    assert_eq!(status(), "canceled");
    sender.post("m1", &undated("active"), "svix").await.says(200, "duplicate");
    let long = "m".repeat(3000);
    sender.post(&long, &undated("past_due"), "webhook").await.says(200, "waiting");
    sender.post(&long, &undated("past_due"), "webhook").await.says(200, "duplicate");
    // What was refused was not taken: mended, it comes under its own id.
    sender.post("m3", &undated("fine"), "webhook").await.says(400, "one of trialing");
    sender.post("m3", &undated("paused"), "webhook").await.says(200, "waiting");
    assert_eq!(status(), "paused");
}

#[actix_web::test]
async fn a_secret_is_taken_while_it_holds_and_a_signature_while_it_is_fresh() {
    let sender = Sender::open().await;
    let (house, old) = (&sender.house, sender.secret.as_str());
    let body = json!({"type": "x", "data": {"user_id": "u1", "workspace_id": "w1"}});
    let at = |seconds: i64| house.clock.now() + TimeDelta::seconds(seconds);
    for (seconds, status, said) in [
        (-301, 400, "expired"),
        (301, 400, "from_the_future"),
        (-299, 200, "accepted"),
        (299, 200, "accepted"),
    ] {
        let id = format!("t{seconds}");
        let answer = sender.signed(&id, &body, "webhook", old, at(seconds)).await;
        answer.says(status, said);
    }
    let page = sender.path.replace("/webhooks/events", "/settings/webhooks");
    let until = at(7200).format("%Y-%m-%dT%H:%M").to_string();
    let form = [("until", until.as_str())];
    let rotated = house.as_admin().post(&format!("{page}/secrets"), &form).await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    let shown = rotated.body.split("id=\"new-secret\">").nth(1).unwrap();
    let new = shown.split('<').next().unwrap();
    assert_ne!(new, old);
    for (id, secret) in [("r1", old), ("r2", new)] {
        sender.signed(id, &body, "webhook", secret, at(0)).await.says(200, "accepted");
    }
    house.clock.advance(TimeDelta::hours(3));
    sender.signed("r3", &body, "webhook", old, at(0)).await.says(400, "wrong_signature");
    sender.signed("r4", &body, "webhook", new, at(0)).await.says(200, "accepted");

    let admin = house.as_admin();
    let closed = admin.post(&format!("{page}/revocation"), &[("confirm", "Our backend")]).await;
    closed.leads_to("/settings/webhooks");
    let gone = sender.signed("r5", &body, "webhook", new, at(0)).await;
    gone.says(410, "closed");
}

#[actix_web::test]
async fn no_body_is_read_for_an_address_that_nobody_gave_out() {
    let sender = Sender::open().await;
    let large = "x".repeat(2 * 1024 * 1024);
    let post = |path: String| {
        let body = Some(large.clone());
        let stranger = sender.house.stranger();
        async move { stranger.send(actix_web::http::Method::POST, &path, &[], body).await }
    };
    for kind in ["events", "stripe"] {
        let answer = post(format!("/webhooks/{kind}/{}", uuid::Uuid::now_v7())).await;
        answer.says(404, "not_found");
    }
    let of_another_kind = sender.path.replace("/events/", "/stripe/");
    post(of_another_kind).await.says(404, "not_found");
    post(sender.path.clone()).await.says(413, "at most 1 MB");
}

#[actix_web::test]
async fn what_is_not_believed_or_not_understood_is_said_and_listed() {
    let sender = Sender::open().await;
    let body = json!({"type": "x", "data": {"user_id": "u1", "workspace_id": "w1"}});
    sender.post("m1", &body, "svix").await.says(200, "accepted");
    sender.post("m2", &json!({"data": {}}), "webhook").await.says(400, "no type");
    sender.say("m3", "nobody.did", json!({"workspace_id": "w1"})).await.says(200, "dead_letter");
    let unsigned = sender
        .house
        .stranger()
        .send(actix_web::http::Method::POST, &sender.path, &[], Some("{}".into()))
        .await;
    unsigned.says(400, "unsigned");
    let page = sender.path.replace("/webhooks/events", "/settings/webhooks");
    let page = sender.house.as_admin().get(&page).await;
    for said in ["Accepted", "Dead letter", "The request carries no signature", "no type"] {
        page.says(200, said);
    }
    let nowhere = format!("/webhooks/events/{}", uuid::Uuid::nil());
    let answer = sender
        .house
        .stranger()
        .send(actix_web::http::Method::POST, &nowhere, &[], Some("{}".into()))
        .await;
    assert_eq!(answer.status, 404);
}
