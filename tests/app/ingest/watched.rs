//! Alerts: opened when ingestion is not as usual, told, acknowledged, closed; and the pages around.

use std::sync::atomic::AtomicBool;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use ripen::db::Pool;
use ripen::ids::SourceId;
use ripen::ingest::watch::{self, Raised};
use ripen::ingest::{endpoint::Endpoint, intake};
use ripen::ingest::{store_alerts, store_journal};
use ripen::schema::{audit_entries, notifications};
use ripen::sources::ops;
use ripen::team::audit::Actor;
use ripen::team::member::Role;
use serde_json::json;
use uuid::Uuid;

use crate::house::House;

fn add_source(house: &House, name: &str) -> SourceId {
    let now = house.clock.now();
    house.tx(|conn| {
        let source = ops::create_source(conn, &Actor::system(), name, "test", now)?;
        ops::create_write_key(conn, &Actor::system(), source.id, now)?;
        Ok(source.id)
    })
}

/// Five minutes of every hour from Monday to Friday, 8 to 18 h, for four weeks until the house opened on
/// a Friday at 10.
fn four_weeks(house: &House, source: SourceId) {
    let insert = format!(
        "insert into ingest_minutes (source_id, minute, accepted)
         select '{source}', at + n * interval '10 minutes', 7
         from generate_series('2026-10-23T08:00Z'::timestamptz, '2026-11-20T09:00Z', '1 hour') at,
              generate_series(0, 5) n
         where extract(isodow from at) < 6 and extract(hour from at) between 8 and 17"
    );
    house.db.checkout(Pool::Work).unwrap().batch_execute(&insert).unwrap();
}

fn look(house: &House) -> Vec<Raised> {
    let now = house.clock.now();
    house.tx(|conn| watch::look(conn, now))
}

fn minute(house: &House, source: SourceId, accepted: i64, rejected: i64) {
    let at = house.clock.now().to_rfc3339();
    let insert = format!(
        "insert into ingest_minutes (source_id, minute, accepted, rejected)
         values ('{source}', date_trunc('minute', '{at}'::timestamptz), {accepted}, {rejected})"
    );
    house.db.checkout(Pool::Work).unwrap().batch_execute(&insert).unwrap();
}

#[actix_web::test]
async fn a_source_that_falls_silent_is_told_of_acknowledged_and_over_with_its_next_event() {
    let house = House::open().await;
    let (admin, revops, rep) = (house.as_admin(), house.as_revops(), house.as_rep());
    let source = add_source(&house, "Web <b>");
    add_source(&house, "Never sent");
    four_weeks(&house, source);
    assert_eq!(look(&house), [], "ten minutes without an event are usual");

    house.clock.advance(TimeDelta::hours(2));
    let now = house.clock.now();
    house.tx(|conn| {
        ripen::queue::store::enqueue(conn, watch::WATCH, &json!({}), Some("scheduled"), now)
    });
    let stop = AtomicBool::new(false);
    ripen::queue::engine::drain(&house.db, &house.clock, &ripen::jobs::HANDLERS, &stop).unwrap();
    assert_eq!(look(&house), [], "it stands already");
    let alert = house.tx(store_alerts::open).remove(0);
    assert_eq!((alert.kind.as_str(), alert.source_id), ("silent", Some(source)));
    let url = format!("/ingest/alerts/{}", alert.id);
    let told: Vec<(ripen::ids::MemberId, String)> = house.tx(|conn| {
        Ok(notifications::table
            .filter(notifications::read_at.is_null())
            .select((notifications::member_id, notifications::url))
            .load(conn)?)
    });
    assert_eq!(told.len(), 2, "admins and RevOps");
    assert!(
        told.contains(&(admin.id(), url.clone())) && told.contains(&(revops.id(), url.clone()))
    );

    let page = admin.get("/ingest").await;
    page.says(200, "is silent");
    assert!(page.body.contains("id=\"count-Ingest\">1<") && !page.body.contains("Web <b>"));
    assert!(!rep.get("/inbox").await.body.contains("count-Ingest"));
    assert_eq!(rep.get(&url).await.status, 404);
    let shown = revops.get(&url).await;
    shown.says(200, "Nothing had come for 2 h");
    assert!(shown.body.contains("chart__marked") && shown.body.contains("chart__expected"));

    let acknowledge = format!("{url}/acknowledgement");
    revops.post(&acknowledge, &[("note", " ")]).await.says(422, "Say in up to 500");
    assert_eq!(revops.post_without_token(&acknowledge, &[("note", "x")]).await.status, 403);
    revops.post(&acknowledge, &[("note", "we deploy")]).await.leads_to(&url);
    assert_eq!(admin.post(&acknowledge, &[("note", "me too")]).await.status, 409);
    admin.get(&url).await.says(200, "we deploy");
    assert!(!admin.get("/ingest").await.body.contains("id=\"count-Ingest\">1<"));
    let audited: i64 = house.tx(|conn| {
        let wanted = audit_entries::action.eq("ingest_alert.acknowledged");
        Ok(audit_entries::table.filter(wanted).count().get_result(conn)?)
    });
    assert_eq!(audited, 1);

    house.clock.advance(TimeDelta::minutes(1));
    minute(&house, source, 1, 0);
    assert_eq!(look(&house), []);
    assert!(house.tx(store_alerts::open).is_empty(), "over");
    admin.get(&url).await.says(200, "This is over");
    admin.get("/ingest").await.says(200, "Earlier alerts");
}

#[actix_web::test]
async fn the_night_the_weekend_and_a_source_without_a_key_raise_no_alarm() {
    let house = House::open().await;
    let source = add_source(&house, "Web");
    four_weeks(&house, source);
    // The office day goes on until 18.
    for _ in 0..48 {
        minute(&house, source, 5, 0);
        house.clock.advance(TimeDelta::minutes(10));
    }
    for hours in [1, 8, 30, 20] {
        house.clock.advance(TimeDelta::hours(hours));
        assert_eq!(look(&house), [], "{}", house.clock.now());
    }
    house.clock.advance(TimeDelta::hours(8));
    assert_eq!(look(&house).len(), 1, "Monday at 13 it is missed");
    house.tx(|conn| {
        let key = ripen::sources::store::list_write_keys(conn)?.remove(0);
        ops::revoke_write_key(conn, &Actor::system(), key.id, house.clock.now())
    });
    assert_eq!(look(&house), []);
    assert!(house.tx(store_alerts::open).is_empty(), "silent for a reason");
}

#[actix_web::test]
async fn refusals_and_lag_raise_alerts_and_they_close_by_themselves() {
    let house = House::open().await;
    let source = add_source(&house, "Web");
    minute(&house, source, 900, 100);
    let raised = look(&house);
    assert_eq!(raised.len(), 1);
    assert!(raised[0].title.contains("many events are refused"));
    let admin = house.as_admin();
    let shown = admin.get(&format!("/ingest/alerts/{}", raised[0].id)).await;
    shown.says(200, "100 of 1,000 events");

    let body = r#"{"batch":[{"type":"track","event":"E","userId":"u"}]}"#;
    let now = house.clock.now();
    let prepared =
        intake::prepare(Endpoint::Batch, None, body.as_bytes(), now, Uuid::now_v7()).unwrap();
    let submission = prepared.of(source, now);
    let room = house.db.check_room().unwrap();
    house.tx(|conn| store_journal::append(conn, room, &[&submission]));
    house.clock.advance(TimeDelta::minutes(20));
    let raised = look(&house);
    assert_eq!(raised.len(), 1);
    assert!(raised[0].title.contains("wait"));
    assert_eq!(house.tx(store_alerts::open).len(), 1, "the refusals are over");
    let status = admin.get("/ingest").await;
    status.says(200, "1 acknowledged event waits, the oldest for 20 min");
    house.db.checkout(Pool::Work).unwrap().batch_execute("delete from journal_pending").unwrap();
    assert_eq!(look(&house), []);
    assert!(house.tx(store_alerts::open).is_empty());
}

#[actix_web::test]
async fn a_sources_page_shows_its_newest_events_names_clocks_and_keys() {
    let house = House::open().await;
    let revops = house.as_revops();
    let source = add_source(&house, "Web");
    let path = format!("/ingest/sources/{source}");
    revops.get(&path).await.says(200, "Nothing from this source");
    let gone = format!("/ingest/sources/{}", SourceId::new());
    assert_eq!(revops.get(&gone).await.status, 404);

    let now: DateTime<Utc> = house.clock.now();
    let body = json!({ "batch": [
        { "type": "group", "userId": "u1", "groupId": "w1", "messageId": "g", "traits": { "name": "Acme <i>" } },
        { "type": "track", "event": "Unheard <Of>", "userId": "u1", "messageId": "t" },
    ] });
    let body = body.to_string();
    let prepared =
        intake::prepare(Endpoint::Batch, None, body.as_bytes(), now, Uuid::now_v7()).unwrap();
    let submission = prepared.of(source, now);
    let room = house.db.check_room().unwrap();
    house.tx(|conn| store_journal::append(conn, room, &[&submission]));
    let tail = revops.htmx_get(&path, "tail").await;
    tail.says(200, "Waits, ");
    assert!(tail.body.contains("Unheard &#60;Of&#62;") && !tail.body.contains("<html"));

    let limits = ripen::ingest::drain::Limits::default();
    ripen::ingest::drain::until_empty(&house.db, &house.clock, &ripen::jobs::PROJECTIONS, limits)
        .unwrap();
    let page = revops.get(&path).await;
    page.says(200, "✓ Stored");
    assert!(page.body.contains("Acme &#60;i&#62;") && !page.body.contains("Acme <i>"));
    assert!(
        page.body.contains("/settings/events/new?name=unheard_of"),
        "one click from the catalog"
    );
    assert!(page.body.contains("wk_") && page.body.contains("Senders’ clocks"));
    for (role, client) in house.one_of_each() {
        let wanted = if matches!(role, Role::Revops | Role::Admin) { 200 } else { 404 };
        assert_eq!(client.get(&path).await.status, wanted, "{role:?}");
    }
    house.tx(|conn| {
        use diesel::RunQueryDsl;
        Ok(diesel::sql_query("update journal set payload = 'damaged'::bytea").execute(conn)?)
    });
    for path in [path, format!("/settings/keys/sources/{source}")] {
        let page = house.as_admin().get(&path).await;
        assert_eq!(page.status, 200, "one damaged row leaves the page as it is");
    }
}

#[actix_web::test]
async fn a_letters_page_marks_what_was_wrong_and_keeps_what_was_typed() {
    let house = House::open().await;
    let revops = house.as_revops();
    let source = add_source(&house, "Web");
    let insert = format!(
        "insert into dead_letters (id, source_id, received_at, refused_by, code, message, event_name, raw)
         select gen_random_uuid(), '{source}', '2026-11-20T09:00Z'::timestamptz - n * interval '1 minute', 'parser',
                'bad_timestamp', 'why', 'E' || n % 3,
                '{{\"batch\":[{{\"type\":\"track\",\"event\":\"E\",\"userId\":\"ada@acme.com\",\"timestamp\":\"<soon>\"}}]}}'
         from generate_series(1, 60) n"
    );
    house.db.checkout(Pool::Work).unwrap().batch_execute(&insert).unwrap();
    let list = revops.get("/ingest/dead-letters").await;
    list.says(200, "Bad timestamp</a>: 60");
    assert!(list.body.contains("a•••@acme.com") && !list.body.contains("ada@acme.com"), "masked");
    assert!(list.body.contains("Load more") && list.body.contains("The sender’s turn"));
    let more = list.body.split("id=\"load-more\"").nth(1).unwrap();
    let more = more.split("hx-get=\"").nth(1).unwrap().split('"').next().unwrap();
    let more = more.replace("&#38;", "&");
    let rest = revops.htmx_get(&more, "more").await;
    assert_eq!(
        (
            rest.status,
            rest.body.matches("data-row ").count() + rest.body.matches("data-row>").count()
        ),
        (200, 10)
    );
    assert!(!rest.body.contains("<html") && !rest.body.contains("Load more"));
    let kind = format!("/ingest/dead-letters?code=bad_timestamp&source={source}&event=E1");
    let kind = revops.get(&kind).await;
    kind.says(200, "Event: E1");
    let one = kind.body.split("data-row-link id=\"open-").nth(1).unwrap();
    let one = format!("/ingest/dead-letters/{}", &one[..36]);
    let shown = revops.get(&one).await;
    shown.says(200, "<mark>&#34;timestamp&#34;:&#34;&#60;soon&#62;&#34;</mark>");

    let mend = format!("{one}/text");
    let typed = "{\"batch\":[{\"type\":\"track\",\"event\":\"still no time";
    let refused = revops.post(&mend, &[("text", typed)]).await;
    refused.says(422, "There is a problem");
    assert!(refused.body.contains("still no time"), "what was typed stays");
    assert_eq!(revops.post_without_token(&mend, &[("text", typed)]).await.status, 403);
    assert_eq!(house.as_manager().post(&mend, &[("text", typed)]).await.status, 404);
    let mended = "{\"batch\":[{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\"}]}";
    let done = revops.post(&mend, &[("text", mended)]).await;
    assert!(done.header("location").starts_with("/ingest/dead-letters/replays/"));
    revops.get(&one).await.says(200, "As it was mended");
}
