//! `/settings/data`: who sees it, what it says, what a change of it drops.

use std::sync::atomic::AtomicBool;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use ripen::db::Pool;
use ripen::jobs::HANDLERS;
use ripen::queue::{engine, store};
use ripen::retention;
use ripen::schema::{audit_entries, journal, key_events};
use ripen::team::member::Role;

use crate::house::{Answer, House};

const PATH: &str = "/settings/data";

/// A house with a month of key events and of the journal, a day a row.
async fn house() -> House {
    let house = House::open().await;
    let now = house.clock.now();
    house.tx(|conn| {
        ripen::jobs::furnish(conn, now)?;
        Ok(conn.batch_execute(
            "do $$ declare day date; begin
                 for day in select generate_series(date '2026-10-22', date '2026-11-20', '1 day') loop
                     execute format('create table %I partition of journal for values from (%L) to (%L)',
                         'journal_' || to_char(day, 'YYYYMMDD'), day, day + 1);
                     execute format('create table %I partition of key_events for values from (%L) to (%L)',
                         'key_events_' || to_char(day, 'YYYYMMDD'), day::timestamptz, (day + 1)::timestamptz);
                 end loop;
             end $$;
             insert into journal (received_on, received_at, source_id, events, payload)
             select day, day, md5('s')::uuid, 1, 'x' from generate_series(timestamptz '2026-10-22Z', '2026-11-20Z', '1 day') day;
             insert into key_events (workspace_id, occurred_at, id, user_id, event_key, name, properties, source_id)
             select md5('w')::uuid, day, gen_random_uuid(), md5('u')::uuid, 'login', 'Login', '{}', md5('s')::uuid
             from generate_series(timestamptz '2026-10-22 08:00Z', '2026-11-20 08:00Z', '1 day') day",
        )?)
    });
    house
}

fn tidy(house: &House) {
    let now = house.clock.now();
    house.tx(|conn| store::enqueue(conn, "tidy", &serde_json::json!({}), None, now));
    engine::drain(&house.db, &house.clock, &HANDLERS, &AtomicBool::new(false)).unwrap();
}

fn rows(house: &House) -> (i64, i64) {
    house.tx(|conn| {
        Ok((journal::table.count().get_result(conn)?, key_events::table.count().get_result(conn)?))
    })
}

fn looked(shown: &Answer) -> String {
    let after = shown.body.split("name=\"looked\" value=\"").nth(1).unwrap();
    after.split('"').next().unwrap().to_owned()
}

const SEEN: [(&str, &str); 2] = [("seen_journal", "90"), ("seen_key_events", "400")];

fn days<'a>(journal: &'a str, key_events: &'a str) -> Vec<(&'a str, &'a str)> {
    [&SEEN[..], &[("journal_days", journal), ("key_event_days", key_events)]].concat()
}

#[actix_web::test]
async fn admins_change_it_revops_read_it_and_for_others_it_is_not_there() {
    let house = house().await;
    for (role, client) in house.one_of_each() {
        let page = client.get(PATH).await;
        let reads = [Role::Revops, Role::Admin].contains(&role);
        assert_eq!(page.status, if reads { 200 } else { 404 }, "{role}");
        assert_eq!(page.body.contains("retention-form"), role == Role::Admin, "{role}");
        let posted = client.post(PATH, &days("90", "400")).await.status;
        let expected = match role {
            Role::Admin => 200,
            Role::Revops => 403,
            _ => 404,
        };
        assert_eq!(posted, expected, "{role}");
    }
    house.stranger().get(PATH).await.leads_to("/login?next=%2Fsettings%2Fdata");
    assert_eq!(house.as_admin().post_without_token(PATH, &[]).await.status, 403);
    house.as_admin().get("/inbox").await.says(200, "href=\"/settings/data\"");
}

#[actix_web::test]
async fn the_page_says_how_much_there_is_and_what_a_rebuild_cannot_reach() {
    let house = house().await;
    let admin = house.as_admin();
    let page = admin.get(PATH).await;
    page.says(200, "it has not happened yet");
    page.says(200, "looks back 180 days, the journal reaches back 90");
    page.says(200, "22 Oct");
    assert!(!page.body.contains(">0 B<"), "every table has its size");
    page.says(200, "data-label=\"Days\">30<");
    page.says(200, "Not less than the 30 days that SDKs rely on");
    tidy(&house);
    admin.get(PATH).await.says(200, "was last dropped");
    assert_eq!(rows(&house), (30, 30));
}

#[actix_web::test]
async fn what_would_go_is_shown_first_and_goes_with_the_next_turn_of_the_job() {
    let house = house().await;
    // Key events are kept at least as long as the model looks back.
    house.tx(|conn| {
        Ok(diesel::sql_query(
            "update scoring_models set document = jsonb_set(document, '{lookback_days}', '30')",
        )
        .execute(conn)?)
    });
    house.clock.advance(chrono::TimeDelta::days(20));
    let admin = house.as_admin();
    let form = days("20", "30");
    // Not seen: shown, not saved.
    let unseen = admin.post(PATH, &[&form[..], &[("do", "save")]].concat()).await;
    unseen.says(200, "this is not what you looked at");
    let shown = admin.post(PATH, &form).await;
    shown.says(200, "Drops 29 days of the journal: everything before 20 Nov, 29 rows,");
    shown.says(200, "Drops 19 days of key events: everything before 10 Nov, 19 rows,");
    shown.says(200, "older days keep the meaning they had");
    shown.says(200, "too short to hold a month against the same month of last year");
    let looked = looked(&shown);
    let save = [("do", "save"), ("looked", looked.as_str())];
    // Typed otherwise after looking.
    let other = admin.post(PATH, &[&days("21", "30")[..], &save].concat()).await;
    other.says(200, "this is not what you looked at");
    assert_eq!(house.tx(retention::store::load).policy.journal_days, 90);
    admin.post(PATH, &[&form[..], &save].concat()).await.leads_to(PATH);
    assert_eq!(rows(&house), (30, 30), "saving drops nothing");
    tidy(&house);
    assert_eq!(rows(&house), (1, 11));
    let detail: serde_json::Value = house.tx(|conn| {
        Ok(audit_entries::table
            .filter(audit_entries::action.eq("retention.changed"))
            .select(audit_entries::detail)
            .get_result(conn)?)
    });
    assert_eq!(detail["before"]["journal_days"], 90);
    assert_eq!(detail["after"]["key_event_days"], 30);
    // Somebody else still has the old page open.
    let late = house.as_admin();
    let shown = self::looked(&late.post(PATH, &days("90", "400")).await);
    let save = [("do", "save"), ("looked", shown.as_str())];
    let conflict = late.post(PATH, &[&days("90", "400")[..], &save].concat()).await;
    conflict.says(409, "Somebody else changed this");
}

#[actix_web::test]
async fn what_cannot_be_is_refused_at_its_field_and_stays_typed() {
    let house = house().await;
    let admin = house.as_admin();
    let refused = admin.post(PATH, &days("six", "179")).await;
    refused.says(422, "A whole number of days");
    refused.says(422, "value=\"six\"");
    refused.says(422, "<title>Error:");
    let refused = admin.post(PATH, &days("6", "179")).await;
    refused.says(422, "Between 7 and 800 days");
    refused.says(422, "points older than 179 days would stand without the events behind them");
    refused.says(422, "value=\"179\"");
    let save = [("do", "save"), ("looked", "6/179")];
    let forged = admin.post(PATH, &[&days("6", "179")[..], &save].concat()).await;
    forged.says(422, "Between 7 and 800 days");
    admin.post(PATH, &days("801", "801")).await.says(422, "Between 30 and 800 days");
    admin.post(PATH, &[("do", "save")]).await.says(422, "The form is incomplete");
    assert_eq!(house.db.read(Pool::Work, retention::store::load).unwrap().policy.journal_days, 90);
}
