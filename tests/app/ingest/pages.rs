//! Sources, keys, the health of ingestion and dead letters, as people see them.

use actix_web::http::Method;
use chrono::TimeDelta;
use diesel::prelude::*;
use ripen::db::Pool;
use ripen::ids::SourceId;
use ripen::ingest::endpoint::Endpoint;
use ripen::ingest::failure::BodyError;
use ripen::ingest::store_refusals::{self, Entry};
use ripen::ingest::{drain, intake, store_journal};
use ripen::schema::{dead_letters, ingest_minutes, journal_pending};
use ripen::sources::{ops, store};
use ripen::team::audit::Actor;
use ripen::team::member::Role;
use uuid::Uuid;

use crate::house::House;

fn add_source(house: &House, name: &str) -> SourceId {
    let now = house.clock.now();
    house.tx(|conn| ops::create_source(conn, &Actor::system(), name, "test", now)).id
}

fn add_letter(house: &House, source: SourceId, code: &str, raw: &str) -> Uuid {
    let (id, now) = (Uuid::now_v7(), house.clock.now());
    house.tx(|conn| {
        diesel::insert_into(dead_letters::table)
            .values((
                dead_letters::id.eq(id),
                dead_letters::source_id.eq(source),
                dead_letters::received_at.eq(now),
                dead_letters::refused_by.eq("parser"),
                dead_letters::code.eq(code),
                dead_letters::message.eq("why"),
                dead_letters::event_name.eq("<i>Name</i>"),
                dead_letters::raw.eq(raw),
            ))
            .execute(conn)?;
        Ok(())
    });
    id
}

fn is_open(house: &House, id: Uuid) -> bool {
    house.tx(|conn| ripen::ingest::store_dead_letters::find(conn, id)).is_open()
}

/// The key that a page shows, this once.
fn shown_key<'a>(body: &'a str, lead: &str) -> &'a str {
    let start = body.find(lead).unwrap_or_else(|| panic!("no key in {body}"));
    &body[start..start + 43]
}

fn open_keys(house: &House) -> Vec<(ripen::sources::key::KeyHash, store::OpenKey)> {
    let now = house.clock.now();
    house.db.read(Pool::Web, |conn| store::open_write_keys(conn, now)).unwrap()
}

#[actix_web::test]
async fn a_write_key_is_replaced_with_an_overlap() {
    let house = House::open().await;
    let admin = house.as_admin();
    admin.post("/settings/keys/sources", &[("name", "Web"), ("environment", "")]).await;
    let row = house.db.read(Pool::Web, store::list_write_keys).unwrap().remove(0);
    let path = format!("/settings/keys/write-keys/{}/rotation", row.id);
    let until =
        (house.clock.now() + chrono::TimeDelta::hours(24)).format("%Y-%m-%dT%H:%M").to_string();
    admin.get("/settings/keys").await.says(200, &until);
    admin.post(&path, &[("until", "")]).await.says(422, "a day and a time");
    admin.post(&path, &[("until", "2030-01-01T00:00")]).await.says(422, "30 days from now");
    assert_eq!(admin.post_without_token(&path, &[("until", &until)]).await.status, 403);
    let made = admin.post(&path, &[("until", &until)]).await;
    made.says(200, "the old one works until it ends");
    assert_ne!(&shown_key(&made.body, "wk_")[..11], row.prefix);
    assert_eq!(open_keys(&house).len(), 2, "both are taken");
    house.clock.advance(chrono::TimeDelta::hours(25));
    assert_eq!(open_keys(&house).len(), 1, "until the old one ends");
    assert_eq!(house.as_admin().post(&path, &[("until", &until)]).await.status, 409);
}

#[actix_web::test]
async fn an_admin_adds_a_source_sees_its_key_once_and_revokes_it_by_typing() {
    let house = House::open().await;
    let admin = house.as_admin();
    admin.get("/settings/keys").await.says(200, "No source yet");
    let form = [("name", "Web <b>"), ("environment", "")];
    let made = admin.post("/settings/keys/sources", &form).await;
    made.says(200, "http://ripen.test/v1/track");
    assert!(made.body.contains("Listening for the first event") && !made.body.contains("Web <b>"));
    let key = shown_key(&made.body, "wk_").to_owned();
    assert_eq!(open_keys(&house).len(), 1);

    let list = admin.get("/settings/keys").await;
    list.says(200, &key[..11]);
    assert!(!list.body.contains(&key), "never shown again");
    admin.post("/settings/keys/sources", &form).await.says(422, "choose another");
    admin.post("/settings/keys/sources", &[("name", " ")]).await.says(422, "There is a problem");

    let row = house.db.read(Pool::Web, store::list_write_keys).unwrap().remove(0);
    let path = format!("/settings/keys/write-keys/{}/revocation", row.id);
    admin.post(&path, &[("confirm", "yes")]).await.says(422, "Nothing was revoked");
    assert_eq!(admin.post_without_token(&path, &[("confirm", &row.prefix)]).await.status, 403);
    assert_eq!(open_keys(&house).len(), 1);
    admin.post(&path, &[("confirm", &row.prefix)]).await.leads_to("/settings/keys");
    assert!(open_keys(&house).is_empty());
    assert_eq!(admin.post(&path, &[("confirm", &row.prefix)]).await.status, 409);

    let more = format!("/settings/keys/sources/{}/write-keys", row.source_id);
    admin.post(&more, &[]).await.says(200, "wk_");
    let gone = format!("/settings/keys/sources/{}/write-keys", SourceId::new());
    assert_eq!(admin.post(&gone, &[]).await.status, 404);
}

#[actix_web::test]
async fn an_api_key_opens_the_status_and_a_revoked_one_does_not() {
    let house = House::open().await;
    let admin = house.as_admin();
    let path = "/settings/keys/api-keys";
    admin.post(path, &[("key_name", "ci")]).await.says(422, "Choose what the key may do");
    let form = [("key_name", "ci"), ("scopes", "read"), ("scopes", "write")];
    let made = admin.post(path, &form).await;
    made.says(200, "rk_");
    let key = format!("Bearer {}", shown_key(&made.body, "rk_"));
    let script = house.stranger();
    let headers = [("Authorization", key.as_str())];
    let ask = || script.send(Method::GET, "/api/v1/ingest/status", &headers, None);
    ask().await.says(200, "\"settled\":true");
    let none = script.send(Method::GET, "/api/v1/ingest/status", &[], None).await;
    assert_eq!(none.status, 401);

    let row = house.db.read(Pool::Web, store::list_api_keys).unwrap().remove(0);
    let path = format!("/settings/keys/api-keys/{}/revocation", row.id);
    admin.post(&path, &[("confirm", "")]).await.says(422, "Nothing was revoked");
    admin.post(&path, &[("confirm", &row.prefix)]).await.leads_to("/settings/keys");
    assert_eq!(ask().await.status, 401);
}

#[actix_web::test]
async fn the_listening_box_waits_and_then_says_so() {
    let house = House::open().await;
    let (admin, source) = (house.as_admin(), add_source(&house, "Web"));
    let path = format!("/settings/keys/sources/{source}");
    admin.get(&path).await.says(200, "nothing has arrived");
    let polled = admin.htmx_get(&path, "listening").await;
    polled.says(200, "every 1s");
    assert!(!polled.body.contains("<html"));
    let next =
        polled.body.split("hx-get=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert_eq!(
        admin.htmx_get(next, "listening").await.status,
        204,
        "the same again is nothing new"
    );

    let now = house.clock.now();
    house.tx(|conn| {
        diesel::insert_into(ingest_minutes::table)
            .values((
                ingest_minutes::source_id.eq(source),
                ingest_minutes::minute.eq(now),
                ingest_minutes::accepted.eq(1234),
                ingest_minutes::rejected.eq(5),
            ))
            .execute(conn)?;
        Ok(())
    });
    house.clock.advance(TimeDelta::minutes(3));
    let polled = admin.htmx_get(next, "listening").await;
    polled.says(200, "is heard");

    let page = admin.get("/ingest").await;
    page.says(200, "1,234");
    assert!(page.body.contains("3 min ago") && page.body.contains("<rect"));
    let live = admin.htmx_get("/ingest", "numbers").await;
    live.says(200, "Everything that was acknowledged is stored and scored");
    assert!(!live.body.contains("<html"));
}

#[actix_web::test]
async fn whoever_connects_a_product_reads_what_arrived_and_what_was_wrong() {
    let house = House::open().await;
    let (admin, source) = (house.as_admin(), add_source(&house, "Web"));
    let now = house.clock.now();
    let body = r#"{"batch":[{"type":"track","event":"<b>Signed Up","userId":"u-7"},
        {"type":"track","event":"No one"}]}"#;
    let prepared = intake::prepare(Endpoint::Batch, None, body.as_bytes(), now, Uuid::nil());
    let submission = prepared.unwrap().of(source, now);
    let room = house.db.check_room().unwrap();
    house.tx(|conn| store_journal::append(conn, room, &[&submission]));
    let unknown = BodyError::UnknownWriteKey.to_string();
    let entry = |source_id, code: &str, key_start: Option<&str>| Entry {
        source_id,
        code: code.into(),
        message: match code {
            "invalid_write_key" => unknown.clone(),
            _ => "What the sender heard.".into(),
        },
        method: "POST".into(),
        path: "/v1/batch".into(),
        key_start: key_start.map(str::to_owned),
        sender: Some("<i>analytics-python/2.4.0".into()),
        requests: 12_345,
        first_at: now,
        // After the events, in a source that was in use before them.
        last_at: now + TimeDelta::seconds(1),
    };
    let other = add_source(&house, "Other");
    let entries = [
        entry(None, "invalid_write_key", Some("YOUR_WRITE_KEY")),
        entry(Some(source), "invalid_gzip", None),
        entry(Some(other), "of_another_source", None),
    ];
    house.tx(|conn| store_refusals::add(conn, &entries));
    let page = admin.get(&format!("/settings/keys/sources/{source}")).await;
    assert!(!page.body.contains("names no workspace"), "while it waits nobody knows");
    house.tx(|conn| Ok(diesel::delete(journal_pending::table).execute(conn)?));
    let page = admin.get(&format!("/settings/keys/sources/{source}")).await;
    for said in [
        "is heard",
        "&#60;b&#62;Signed Up",
        "u-7",
        "names no workspace",
        "no messageId",
        "The sample was sent as it is",
        "What the sender heard.",
        "&#60;i&#62;analytics-python/2.4.0",
        "12,345",
        "Neither userId nor anonymousId",
        "missing_identity",
        "cargo add segment",
    ] {
        page.says(200, said);
    }
    assert!(!page.body.contains("of_another_source"));
    let page = admin.get(&format!("/settings/keys/sources/{other}")).await;
    page.says(200, "of_another_source");
    assert!(!page.body.contains("Signed Up</") && !page.body.contains("invalid_gzip"));
}

#[actix_web::test]
async fn dead_letters_are_listed_shown_replayed_and_discarded() {
    let house = House::open().await;
    let revops = house.as_revops();
    revops.get("/ingest/dead-letters").await.says(200, "No dead letters");
    let source = add_source(&house, "Web");
    let good = r#"{"batch":[{"type":"track","event":"E","userId":"u","messageId":"m"}]}"#;
    let bad = r#"{"batch":[{"type":"track","event":"<script>"}]}"#;
    let (mended, broken) = (
        add_letter(&house, source, "missing_identity", good),
        add_letter(&house, source, "too_deep", bad),
    );
    let page = revops.get("/ingest/dead-letters").await;
    page.says(200, "Missing identity");
    assert!(!page.body.contains("<i>Name"), "customers' text is escaped");
    let one = format!("/ingest/dead-letters/{broken}");
    let shown = revops.get(&one).await;
    shown.says(200, "script");
    assert!(!shown.body.contains("<script>\""), "{}", shown.body);
    let filtered = revops.get("/ingest/dead-letters?code=too_deep").await;
    filtered.says(200, "<bdi>Too deep</bdi>");
    assert!(filtered.body.contains(&one) && !filtered.body.contains(&mended.to_string()));
    revops.get("/ingest/dead-letters?since=soon").await.says(200, "cannot be read");

    let replays = "/ingest/dead-letters/replays";
    let done = revops.post(replays, &[("code", "missing_identity")]).await;
    assert!(done.header("location").starts_with(replays), "{:?}", done.headers);
    assert!(!is_open(&house, mended));
    let waiting = revops.get(done.header("location")).await;
    waiting.says(200, "every 2s");
    house.tx(|conn| Ok(diesel::delete(journal_pending::table).execute(conn)?));
    revops.get(done.header("location")).await.says(200, "Replayed 1: 1 stored.");

    let again = revops.post(replays, &[("id", &broken.to_string())]).await;
    assert!(is_open(&house, broken), "refused again");
    let told = revops.htmx_get(again.header("location"), "standing").await;
    told.says(200, "1 refused again");
    assert!(!told.body.contains("<html") && !told.body.contains("every 2s"), "it stops asking");
    let left = again.header("location").rsplit('/').next().unwrap();
    let left = revops.get(&format!("/ingest/dead-letters?replay={left}")).await;
    left.says(200, &one);
    revops.get(&one).await.says(200, "What was tried");

    revops.post(replays, &[("since", "soon")]).await.says(422, "Choose the day");
    revops.post(replays, &[]).await.says(422, "Choose the day");
    assert_eq!(revops.post(replays, &[("since", "2026-11-20")]).await.status, 303);
    assert_eq!(revops.post_without_token(replays, &[("since", "2026-11-20")]).await.status, 403);
    let done = revops.htmx_post(replays, "x", &[("since", "2026-11-20")]).await;
    assert!(done.header("hx-location").starts_with(replays));

    let discards = "/ingest/dead-letters/discards";
    let id = broken.to_string();
    revops.post(discards, &[("id", &id), ("reason", "")]).await.says(422, "Say in up to 500");
    revops
        .post(discards, &[("id", &id), ("reason", "a test")])
        .await
        .leads_to("/ingest/dead-letters");
    assert!(!is_open(&house, broken));
    revops.get(&one).await.says(200, "a test");
}

#[actix_web::test]
async fn ingestion_is_for_revops_and_admins_and_keys_for_admins() {
    let house = House::open().await;
    let source = add_source(&house, "Web");
    let letter = add_letter(&house, source, "too_deep", "{}");
    let first_event = format!("/settings/keys/sources/{source}");
    let letter = format!("/ingest/dead-letters/{letter}");
    for (role, client) in house.one_of_each() {
        let ingest = if matches!(role, Role::Revops | Role::Admin) { 200 } else { 404 };
        for path in ["/ingest", "/ingest/dead-letters", &letter] {
            assert_eq!(client.get(path).await.status, ingest, "{path} for {role:?}");
        }
        let keys = if role == Role::Admin { 200 } else { 404 };
        for path in ["/settings/keys", &first_event] {
            assert_eq!(client.get(path).await.status, keys, "{path} for {role:?}");
        }
        if role != Role::Admin {
            for path in ["/settings/keys/sources", "/settings/keys/api-keys"] {
                assert_eq!(client.post(path, &[("name", "x")]).await.status, 404, "{path}");
            }
        }
    }
    house.stranger().get("/settings/keys").await.leads_to("/login?next=%2Fsettings%2Fkeys");
    house.stranger().get("/ingest").await.leads_to("/login?next=%2Fingest");
}

#[actix_web::test]
async fn a_key_that_is_made_or_revoked_here_holds_at_once() {
    let house = House::open().await;
    let admin = house.as_admin();
    let keys = std::sync::Arc::clone(&house.app.keys);
    let opens = |key: &str| keys.open(key).unwrap().is_some();
    assert!(!opens("wk_unknown"), "the snapshot is fresh");
    let made = admin.post("/settings/keys/sources", &[("name", "Web"), ("environment", "")]).await;
    let first = shown_key(&made.body, "wk_").to_owned();
    assert!(opens(&first), "the first key of a source");
    let row = house.db.read(Pool::Web, store::list_write_keys).unwrap().remove(0);
    let more = format!("/settings/keys/sources/{}/write-keys", row.source_id);
    let server = admin.post(&more, &[("holder", "server")]).await;
    assert!(opens(shown_key(&server.body, "sk_")), "a server key");
    let rotation = format!("/settings/keys/write-keys/{}/rotation", row.id);
    let now = house.clock.now().format("%Y-%m-%dT%H:%M").to_string();
    let new = admin.post(&rotation, &[("until", &now)]).await;
    assert!(opens(shown_key(&new.body, "wk_")), "one in the place of another");
    assert!(!opens(&first), "which ended");
    let second = shown_key(&new.body, "wk_").to_owned();
    let prefix = &second[..11];
    let rows = house.db.read(Pool::Web, store::list_write_keys).unwrap();
    let id = rows.iter().find(|row| row.prefix == prefix).unwrap().id;
    let revocation = format!("/settings/keys/write-keys/{id}/revocation");
    admin.post(&revocation, &[("confirm", prefix)]).await.leads_to("/settings/keys");
    assert!(!opens(&second), "a revoked one");
    assert_eq!(keys.glance(&second), Some(None), "without another look");
}

#[actix_web::test]
async fn what_a_membership_places_needs_no_workspace_of_its_own() {
    let house = House::open().await;
    let admin = house.as_admin();
    let (source, now) = (add_source(&house, "Web"), house.clock.now());
    house.tx(|conn| ripen::catalog::ops::seed(conn, now));
    let send = |body: &str| {
        let prepared = intake::prepare(Endpoint::Batch, None, body.as_bytes(), now, Uuid::now_v7());
        let submission = prepared.unwrap().of(source, now);
        let room = house.db.check_room().unwrap();
        house.tx(|conn| store_journal::append(conn, room, &[&submission]));
        let (projections, limits) = (&ripen::jobs::PROJECTIONS, drain::Limits::default());
        drain::until_empty(&house.db, &house.clock, projections, limits).unwrap();
    };
    let path = format!("/settings/keys/sources/{source}");
    send(
        r#"{"batch":[
            {"type":"group","userId":"u1","groupId":"ws1","messageId":"g","traits":{"name":"Acme Works"}},
            {"type":"track","userId":"u1","event":"Signed Up","messageId":"t1"}]}"#,
    );
    let page = admin.get(&path).await;
    page.says(200, "by membership");
    assert!(page.body.contains("Acme Works") && !page.body.contains("names no workspace"));
    send(r#"{"batch":[{"type":"track","userId":"u2","event":"Signed Up","messageId":"t2"}]}"#);
    admin.get(&path).await.says(200, "names no workspace");
}

#[actix_web::test]
async fn one_bad_key_is_one_line_until_events_are_accepted() {
    let house = House::open().await;
    let admin = house.as_admin();
    let (source, now) = (add_source(&house, "Web"), house.clock.now());
    let entry = |path: &str, message: String| Entry {
        source_id: None,
        code: "invalid_write_key".into(),
        message,
        method: "POST".into(),
        path: path.into(),
        key_start: Some("wk_01234567".into()),
        sender: None,
        requests: 2,
        first_at: now,
        last_at: now,
    };
    let cut = BodyError::unknown_key("wk_01234567aabbccdd0").to_string();
    let entries =
        ["/v1/batch", "/v1/t", "/v1/projects/…/settings"].map(|one| entry(one, cut.clone()));
    house.tx(|conn| store_refusals::add(conn, &entries));
    let path = format!("/settings/keys/sources/{source}");
    let page = admin.get(&path).await;
    page.says(200, "cut off: 20 of 43 characters");
    assert_eq!(page.body.matches("cut off: 20 of 43").count(), 1);
    assert!(page.body.contains("and 2 more") && !page.body.contains("another Ripen"));

    house.clock.advance(TimeDelta::seconds(2));
    let (body, at) =
        (r#"{"batch":[{"type":"page","userId":"u","messageId":"m"}]}"#, house.clock.now());
    let prepared = intake::prepare(Endpoint::Batch, None, body.as_bytes(), at, Uuid::now_v7());
    let submission = prepared.unwrap().of(source, at);
    let room = house.db.check_room().unwrap();
    house.tx(|conn| store_journal::append(conn, room, &[&submission]));
    let page = admin.get(&path).await;
    page.says(200, "is heard");
    assert!(!page.body.contains("Rejected requests"), "{}", page.body);
}
