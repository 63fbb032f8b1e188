//! Stripe's webhooks over HTTP: what is believed, what becomes of it, in any order.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use hmac::{Hmac, KeyInit, Mac};
use ripen::ids::WorkspaceId;
use ripen::schema::{subscription_changes, subscriptions};
use ripen::sources::ops_webhooks::{self, Wanted};
use ripen::team::audit::Actor;
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use crate::house::{Answer, House};
use crate::scored;

pub const SECRET: &str = "whsec_of_the_dashboard";

/// A house with workspaces and an endpoint for Stripe's live mode.
pub struct Shop {
    pub house: House,
    pub endpoint: Uuid,
}

/// `Stripe-Signature` of a body.
pub fn signature(secret: &str, body: &str, at: DateTime<Utc>) -> String {
    let time = at.timestamp();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    format!("t={time},v1={}", hex::encode(mac.finalize().into_bytes()))
}

impl Shop {
    pub async fn open() -> Self {
        let house = scored::house().await;
        let now = house.clock.now();
        let wanted = Wanted::Stripe { secret: SECRET.to_owned(), livemode: true };
        let made =
            house.tx(|conn| ops_webhooks::create(conn, &Actor::system(), "Stripe", &wanted, now));
        Self { endpoint: made.0.id, house }
    }

    pub async fn post(&self, body: &str, signature: &str) -> Answer {
        let path = format!("/webhooks/stripe/{}", self.endpoint);
        let headers = [("Stripe-Signature", signature)];
        let method = actix_web::http::Method::POST;
        self.house.stranger().send(method, &path, &headers, Some(body.to_owned())).await
    }

    /// Delivers an event as Stripe does; what became of it.
    pub async fn deliver(&self, event: &Value) -> String {
        let body = event.to_string();
        let answer = self.post(&body, &signature(SECRET, &body, self.house.clock.now())).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let said: Value = serde_json::from_str(&answer.body).unwrap();
        said["outcome"].as_str().unwrap().to_owned()
    }

    pub fn standing(&self) -> Vec<(String, WorkspaceId, String, i64)> {
        self.house.tx(|conn| {
            Ok(subscriptions::table
                .filter(subscriptions::origin.eq("stripe"))
                .select((
                    subscriptions::id,
                    subscriptions::workspace_id,
                    subscriptions::status,
                    subscriptions::mrr_cents,
                ))
                .order(subscriptions::id)
                .load(conn)?)
        })
    }

    fn cell(&self, query: &str) -> String {
        #[derive(QueryableByName)]
        struct Cell {
            #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
            cell: Option<String>,
        }
        let query = format!("select ({query})::text as cell");
        self.house
            .tx(|conn| Ok(diesel::sql_query(&query).get_result::<Cell>(conn)?.cell))
            .unwrap_or_default()
    }

    /// All that Stripe told, without what says when Ripen heard it.
    fn dump(&self) -> String {
        self.cell(
            "(select string_agg(to_jsonb(s)::text, ' ' order by id) from subscriptions s where origin = 'stripe')
             || (select string_agg(to_jsonb(c)::text, ' ' order by at, place) from subscription_changes c where origin = 'stripe')
             || (select string_agg((to_jsonb(t) - 'heard_at')::text, ' ' order by id) from stripe_subscriptions t)",
        )
    }
}

/// An invoice for subscription `sub_1`, which repeats the metadata of the subscription.
pub fn invoice(id: &str, second: i64, workspace: &str) -> Value {
    let at = "2026-11-20T09:00:00Z".parse::<DateTime<Utc>>().unwrap().timestamp() + second;
    json!({
        "id": id, "object": "event", "api_version": "2026-10-28.endive", "created": at, "livemode": true,
        "type": "invoice.paid", "data": {"object": {
            "id": "in_1", "object": "invoice", "customer": "cus_1",
            "parent": {"type": "subscription_details", "subscription_details":
                {"subscription": "sub_1", "metadata": {"workspace_id": workspace}}}}}
    })
}

/// An event about subscription `sub_1` of customer `cus_1`, at a second of the 20th of November 2026.
pub fn event(
    id: &str,
    kind: &str,
    second: i64,
    status: &str,
    seats: i64,
    previous: Value,
) -> Value {
    let at = "2026-11-20T09:00:00Z".parse::<DateTime<Utc>>().unwrap().timestamp() + second;
    json!({
        "id": id, "object": "event", "api_version": "2026-10-28.endive", "created": at, "livemode": true,
        "type": format!("customer.subscription.{kind}"), "pending_webhooks": 1, "request": {"id": null},
        "data": {"previous_attributes": previous, "object": {
            "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": status, "currency": "usd",
            "created": at - 86_400 * 3, "start_date": at - 86_400 * 3, "metadata": {},
            "cancel_at_period_end": false, "discounts": [],
            "ended_at": if status == "canceled" { Some(at) } else { None },
            "items": {"has_more": false, "data": [{"id": "si_1", "quantity": seats,
                "current_period_start": at, "current_period_end": at + 86_400 * 27,
                "price": {"id": "price_1", "nickname": "Team", "unit_amount": 1500, "billing_scheme": "per_unit",
                          "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"}}}]}
        }}
    })
}

fn named(mut event: Value, workspace: &str) -> Value {
    event["data"]["object"]["metadata"]["workspace_id"] = workspace.into();
    event
}

#[actix_web::test]
async fn a_signed_event_is_the_workspaces_subscription() {
    let shop = Shop::open().await;
    let created = named(event("evt_1", "created", 0, "active", 4, Value::Null), "shop");
    assert_eq!(shop.deliver(&created).await, "unmapped", "nobody has heard of the workspace");
    shop.house.tx(|conn| {
        diesel::sql_query(
            "insert into workspaces (id, external_id, name, created_at, first_seen_at)
             values ($1, 'shop', 'Shop', '2026-11-01Z', '2026-11-01Z')",
        )
        .bind::<diesel::sql_types::Uuid, _>(WorkspaceId::of("shop"))
        .execute(conn)?;
        Ok(())
    });
    let event = named(event("evt_2", "updated", 5, "active", 4, json!({"quantity": 4})), "shop");
    assert_eq!(shop.deliver(&event).await, "applied");
    assert_eq!(shop.deliver(&event).await, "duplicate");
    let standing = shop.standing();
    assert_eq!(standing.len(), 1);
    assert_eq!(
        (standing[0].1, standing[0].2.as_str(), standing[0].3),
        (WorkspaceId::of("shop"), "active", 6000)
    );
    let page = shop.house.as_admin().get(&format!("/settings/webhooks/{}", shop.endpoint)).await;
    page.says(200, "customer.subscription.created");
    page.says(200, "Duplicate");
    assert!(!page.body.contains(SECRET), "a secret is never shown again");
}

#[actix_web::test]
async fn forged_expired_and_replayed_deliveries_are_refused_and_listed() {
    let shop = Shop::open().await;
    let now = shop.house.clock.now();
    let body = event("evt_1", "created", 0, "active", 4, Value::Null).to_string();
    let forged = shop.post(&body, &signature("whsec_guess", &body, now)).await;
    forged.says(400, "wrong_signature");
    let old = signature(SECRET, &body, now - TimeDelta::seconds(301));
    shop.post(&body, &old).await.says(400, "expired");
    shop.post(&body.replace("active", "paused"), &signature(SECRET, &body, now))
        .await
        .says(400, "wrong_signature");
    shop.post(&body, "t=now,v1=zz").await.says(400, "malformed_signature");
    shop.post("[]", &signature(SECRET, "[]", now)).await.says(400, "unreadable");
    assert!(shop.standing().is_empty());
    assert_eq!(shop.cell("select count(*) from stripe_events"), "0");
    let page = shop.house.as_admin().get(&format!("/settings/webhooks/{}", shop.endpoint)).await;
    page.says(200, "No signature fits the secrets of this endpoint");
    page.says(200, "a replay, or one of the two clocks is wrong");
    page.says(200, "2 times");
}

#[actix_web::test]
async fn other_modes_other_types_and_thin_events_are_acknowledged() {
    let shop = Shop::open().await;
    let mut test_mode = named(event("evt_1", "created", 0, "active", 4, Value::Null), "ws3");
    test_mode["livemode"] = false.into();
    assert_eq!(shop.deliver(&test_mode).await, "other_mode");
    let charge = json!({"id": "evt_2", "object": "event", "type": "charge.succeeded", "created": 1, "livemode": true,
                        "data": {"object": {"id": "ch_1"}}});
    assert_eq!(shop.deliver(&charge).await, "ignored");
    let thin = json!({"id": "evt_3", "object": "v2.core.event", "type": "v1.billing.meter.error_report_triggered",
                      "created": "2026-11-20T09:00:00Z", "livemode": true});
    assert_eq!(shop.deliver(&thin).await, "ignored");
    assert!(shop.standing().is_empty());
}

/// A life of seven events, four of them within one second, and one duplicate under another id.
fn life() -> Vec<Value> {
    vec![
        named(event("evt_a", "created", 0, "incomplete", 1, Value::Null), "ws3"),
        named(event("evt_b", "updated", 0, "active", 1, json!({"status": "incomplete"})), "ws3"),
        named(
            event(
                "evt_c",
                "updated",
                0,
                "active",
                5,
                json!({"items": {"data": [{"quantity": 1}]}}),
            ),
            "ws3",
        ),
        named(
            event(
                "evt_c2",
                "updated",
                0,
                "active",
                5,
                json!({"items": {"data": [{"quantity": 1}]}}),
            ),
            "ws3",
        ),
        named(event("evt_d", "updated", 60, "past_due", 5, json!({"status": "active"})), "ws4"),
        named(event("evt_e", "deleted", 120, "canceled", 5, Value::Null), "ws4"),
        named(event("evt_late", "updated", 180, "active", 9, Value::Null), "ws5"),
    ]
}

#[actix_web::test]
async fn any_order_and_duplication_of_events_ends_the_same() {
    let shop = Shop::open().await;
    let clear = "delete from stripe_events; delete from stripe_subscriptions;
                 delete from subscription_changes; delete from subscriptions;";
    let mut expected: Option<String> = None;
    // Every rotation, forwards and backwards, with the first events once more at the end.
    for turn in 0..14 {
        let mut events = life();
        events.rotate_left(turn % 7);
        if turn >= 7 {
            events.reverse();
        }
        let again: Vec<Value> = events.iter().take(3).cloned().collect();
        for event in events.iter().chain(&again) {
            shop.deliver(event).await;
        }
        let dump = shop.dump();
        assert!(dump.contains("canceled") && !dump.contains("\"mrr_cents\": 13500"), "{dump}");
        assert_eq!(shop.standing()[0].1, WorkspaceId::of("ws4"));
        let first = expected.get_or_insert_with(|| dump.clone());
        assert_eq!(&dump, first, "turn {turn}");
        use diesel::connection::SimpleConnection;
        shop.house.db.checkout(ripen::db::Pool::Work).unwrap().batch_execute(clear).unwrap();
    }
}

#[actix_web::test]
async fn a_customer_named_by_a_trait_needs_no_metadata() {
    let shop = Shop::open().await;
    let event = event("evt_1", "created", 0, "active", 4, Value::Null);
    assert_eq!(shop.deliver(&event).await, "unmapped");
    assert!(shop.standing().is_empty());
    // The trait comes later, with a group() call.
    use crate::drain::support::call;
    let group = call(
        "group",
        "m1",
        "2026-11-20T09:30:00Z",
        json!({
        "userId": "u", "groupId": "new", "traits": {"stripeCustomerId": "cus_1"}}),
    );
    let (house, now) = (&shop.house, shop.house.clock.now());
    let source =
        house.tx(|conn| ripen::sources::ops::ensure_source(conn, &Actor::system(), "app", now)).id;
    let body = json!({"batch": [group]}).to_string();
    let prepared = ripen::ingest::intake::prepare(
        ripen::ingest::endpoint::Endpoint::Batch,
        None,
        body.as_bytes(),
        now,
        Uuid::now_v7(),
    );
    let submission = prepared.unwrap().of(source, now);
    let room = house.db.check_room().unwrap();
    house.tx(|conn| ripen::ingest::store_journal::append(conn, room, &[&submission]));
    let limits = ripen::ingest::drain::Limits::default();
    ripen::ingest::drain::until_empty(&house.db, &house.clock, &ripen::jobs::PROJECTIONS, limits)
        .unwrap();
    assert_eq!(shop.standing()[0].1, WorkspaceId::of("new"));
}

#[actix_web::test]
async fn a_person_maps_what_nobody_knows_and_the_past_applies() {
    let shop = Shop::open().await;
    let house = &shop.house;
    let customer = json!({"id": "evt_0", "object": "event", "type": "customer.created", "created": 1, "livemode": true,
        "data": {"object": {"id": "cus_1", "name": "Workspace 5", "email": "billing@acme.example"}}});
    assert_eq!(shop.deliver(&customer).await, "noted");
    assert_eq!(
        shop.deliver(&event("evt_1", "created", 0, "active", 4, Value::Null)).await,
        "unmapped"
    );
    assert_eq!(
        shop.deliver(&event("evt_2", "updated", 60, "active", 6, Value::Null)).await,
        "unmapped"
    );

    house.tx(|conn| {
        let domain = "insert into account_domains (domain, account_id)
                      values ('acme.example', '00000000-0000-0000-0000-00000000000a')";
        Ok(diesel::sql_query(domain).execute(conn)?)
    });
    let revops = house.as_revops();
    let page = revops.get("/ingest/unmapped").await;
    page.says(200, "Workspace 5");
    page.says(200, "acme.example");
    page.says(200, "$90");
    let page = revops.get("/ingest/unmapped/cus_1").await;
    page.says(200, "It has the same name");
    page.says(200, "Its account Acme has the domain acme.example");
    revops.get("/ingest/unmapped/cus_1?q=space+7").await.says(200, "Workspace 7");
    revops
        .post("/ingest/unmapped/cus_1/mapping", &[("workspace", "nothing")])
        .await
        .says(422, "Choose one of the workspaces");
    revops
        .post("/ingest/unmapped/cus_1/mapping", &[("workspace", "nothing"), ("q", "space 7")])
        .await
        .says(422, "Workspace 7");
    assert_eq!(revops.get("/ingest/unmapped/cus_9").await.status, 404);
    assert_eq!(house.as_rep().get("/ingest/unmapped").await.status, 404);

    let five: WorkspaceId = house.tx(|conn| {
        use ripen::schema::workspaces as w;
        Ok(w::table.filter(w::external_id.eq("ws5")).select(w::id).first(conn)?)
    });
    let id = five.to_string();
    revops
        .post("/ingest/unmapped/cus_1/mapping", &[("workspace", &id)])
        .await
        .leads_to("/ingest/unmapped");
    assert_eq!(shop.standing()[0].1, five);
    assert_eq!(shop.standing()[0].3, 9000);
    let touched = shop.cell(&format!(
        "select min(since_on) from touched_workspaces where workspace_id = '{five}'"
    ));
    assert_eq!(touched, "2026-11-17", "from the day the subscription began");
    assert_eq!(
        shop.deliver(&event("evt_3", "updated", 120, "active", 8, Value::Null)).await,
        "applied"
    );
    revops.get("/ingest/unmapped").await.says(200, "Mapped by people");
    revops.get(&format!("/workspaces/{five}/billing")).await.says(200, "Team");

    revops.post("/ingest/unmapped/cus_1/mapping/removal", &[]).await.leads_to("/ingest/unmapped");
    assert!(shop.standing().is_empty());
    let changes: i64 = house.tx(|conn| Ok(subscription_changes::table.count().get_result(conn)?));
    assert_eq!(changes, 3, "what Stripe told stays");
    assert_eq!(shop.cell("select string_agg(action, ' ' order by id) from audit_entries where action like 'stripe%'"),
        "stripe_customer.mapped stripe_customer.unmapped");
}

#[actix_web::test]
async fn both_secrets_are_taken_until_the_old_one_ends() {
    let shop = Shop::open().await;
    let (house, admin) = (&shop.house, shop.house.as_admin());
    let path = format!("/settings/webhooks/{}", shop.endpoint);
    let until = (house.clock.now() + TimeDelta::hours(2)).format("%Y-%m-%dT%H:%M").to_string();
    let form = [("secret", "whsec_the_new_one"), ("until", until.as_str())];
    admin
        .post(&format!("{path}/secrets"), &[("secret", "sk_live_1"), ("until", &until)])
        .await
        .says(422, "begins with whsec_");
    admin
        .post(&format!("{path}/secrets"), &[("secret", "whsec_the_new_one"), ("until", "soon")])
        .await
        .says(422, "day and a time");
    admin.post(&format!("{path}/secrets"), &form).await.leads_to(&path);
    let body = event("evt_1", "created", 0, "active", 4, Value::Null).to_string();
    for secret in [SECRET, "whsec_the_new_one"] {
        let answer = shop.post(&body, &signature(secret, &body, house.clock.now())).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    house.clock.advance(TimeDelta::hours(3));
    let now = house.clock.now();
    shop.post(&body, &signature(SECRET, &body, now)).await.says(400, "wrong_signature");
    assert_eq!(shop.post(&body, &signature("whsec_the_new_one", &body, now)).await.status, 200);
    let admin = house.as_admin();
    admin.get(&path).await.says(200, "Over since");
    admin
        .post(&format!("{path}/revocation"), &[("confirm", "stripe?")])
        .await
        .says(422, "Nothing was revoked");
    admin
        .post(&format!("{path}/revocation"), &[("confirm", "Stripe")])
        .await
        .leads_to("/settings/webhooks");
    shop.post(&body, &signature("whsec_the_new_one", &body, now)).await.says(410, "closed");
    assert_eq!(shop.cell("select string_agg(secret, '') from webhook_secrets"), "");
}

#[actix_web::test]
async fn deliveries_wait_neither_for_pages_nor_for_forged_ones() {
    use ripen::db::Pool;
    let shop = Shop::open().await;
    let db = &shop.house.db;
    let pages: Vec<_> = (0..4).map(|_| db.checkout(Pool::Web).unwrap()).collect();
    let event = event("evt_1", "created", 0, "active", 4, Value::Null);
    assert_eq!(shop.deliver(&event).await, "unmapped", "every connection of the pages is taken");
    drop(pages);

    // Somebody else's forged delivery of this minute is being noted.
    let (now, body) = (shop.house.clock.now(), event.to_string());
    let note = |conn: &mut PgConnection| {
        let store = ripen::sources::store_webhooks::refused;
        store(conn, shop.endpoint, "wrong_signature", "Forged.", now)
    };
    let mut noting = db.checkout(Pool::Work).unwrap();
    diesel::sql_query("begin").execute(&mut noting).unwrap();
    note(&mut noting).unwrap();
    diesel::sql_query("set lock_timeout = '1s'").execute(&mut noting).unwrap();
    let forged = shop.post(&body, &signature("whsec_guess", &body, now)).await;
    forged.says(400, "wrong_signature");
    diesel::sql_query("commit").execute(&mut noting).unwrap();
    shop.house.tx(note);
    let times = "select times from webhook_deliveries where outcome = 'wrong_signature'";
    assert_eq!(shop.cell(times), "2", "at least so many");
}

/// A completed checkout of subscription `sub_1`.
fn session(id: &str, second: i64, reference: Option<&str>, metadata: Value) -> Value {
    let at = "2026-11-20T09:00:00Z".parse::<DateTime<Utc>>().unwrap().timestamp() + second;
    json!({
        "id": id, "object": "event", "api_version": "2026-10-28.endive", "created": at, "livemode": true,
        "type": "checkout.session.completed", "data": {"object": {
            "id": "cs_1", "object": "checkout.session", "mode": "subscription", "customer": "cus_1",
            "subscription": "sub_1", "client_reference_id": reference, "metadata": metadata}}
    })
}

fn customer(id: &str, second: i64, metadata: Value) -> Value {
    let at = "2026-11-20T09:00:00Z".parse::<DateTime<Utc>>().unwrap().timestamp() + second;
    json!({
        "id": id, "object": "event", "api_version": "2026-10-28.endive", "created": at, "livemode": true,
        "type": "customer.updated", "data": {"object": {"id": "cus_1", "object": "customer", "metadata": metadata}}
    })
}

/// The workspaces of all subscriptions after these events, delivered in this order and in the opposite one.
async fn found(events: &[Value]) -> Vec<WorkspaceId> {
    let mut answers = Vec::new();
    for turned in [false, true] {
        let shop = Shop::open().await;
        for id in ["own2", "own3", "own4", "own5"] {
            shop.house.tx(|conn| {
                Ok(diesel::sql_query(
                    "insert into workspaces (id, external_id, name, created_at, first_seen_at)
                     values ($1, $2, $2, '2026-10-01Z', '2026-10-01Z')",
                )
                .bind::<diesel::sql_types::Uuid, _>(WorkspaceId::of(id))
                .bind::<diesel::sql_types::Text, _>(id)
                .execute(conn)?)
            });
        }
        let mut order: Vec<&Value> = events.iter().collect();
        if turned {
            order.reverse();
        }
        for event in order {
            shop.deliver(event).await;
        }
        answers.push(shop.standing());
    }
    assert_eq!(answers[0], answers[1]);
    answers.remove(0).into_iter().map(|one| one.1).collect()
}

#[actix_web::test]
async fn a_session_and_a_customer_say_whose_a_subscription_is() {
    let plain = || event("evt_1", "created", 0, "active", 5, json!({}));
    let w = |id: &str| vec![WorkspaceId::of(id)];
    for (words, expected) in [
        (vec![session("evt_2", 1, Some("own2"), json!({}))], w("own2")),
        (vec![session("evt_2", 1, None, json!({"workspaceId": "own3"}))], w("own3")),
        (vec![session("evt_2", 1, Some("own2"), json!({"workspace_id": "own3"}))], w("own3")),
        (vec![session("evt_2", 1, Some("a user's id"), json!({}))], vec![]),
        (vec![customer("evt_2", 1, json!({"WorkspaceID": "own4"}))], w("own4")),
        (
            vec![
                customer("evt_2", 1, json!({"workspace_id": "own4"})),
                session("evt_3", 1, Some("own2"), json!({})),
            ],
            w("own4"),
        ),
        (
            vec![
                customer("evt_2", 1, json!({"workspace_id": "own4"})),
                customer("evt_3", 2, json!({})),
            ],
            vec![],
        ),
    ] {
        let events: Vec<Value> = [vec![plain()], words].concat();
        assert_eq!(found(&events).await, expected, "{events:?}");
    }
    let named = named(plain(), "own5");
    let all = [named, session("evt_2", 1, Some("own2"), json!({"workspaceId": "own3"}))];
    assert_eq!(found(&all).await, w("own5"), "the subscription's own word goes first");
}
