//! The form of an event: looking ahead, saving, refusing, deleting, going back.

use diesel::prelude::*;
use ripen::catalog::store;
use ripen::schema::audit_entries;
use ripen::team::member::Role;

use crate::house::{Client, House};
use crate::scored;

async fn house() -> House {
    let house = House::open().await;
    let now = house.clock.now();
    house.tx(|conn| ripen::jobs::furnish(conn, now));
    house
}

fn version(house: &House) -> i32 {
    house.tx(|conn| Ok(store::current(conn)?.0))
}

/// The form of a new event with these fields.
async fn add(client: &Client, seen: &str, fields: &[(&str, &str)]) -> crate::house::Answer {
    let mut all = vec![
        ("seen", seen),
        ("label", "Shared a report"),
        ("key", "report_shared"),
        ("category", "depth"),
        ("is_key", "yes"),
        ("names", "Report Shared"),
    ];
    all.extend(fields);
    client.post("/settings/events", &all).await
}

/// What stands in a form for the change that it shows.
fn looked(shown: &crate::house::Answer) -> String {
    shown.says(200, "What it would do");
    let after = shown.body.split("name=\"looked\" value=\"").nth(1).unwrap();
    let looked = after.split('"').next().unwrap().to_owned();
    assert_eq!(looked.len(), 64, "a preview carries what was looked at");
    looked
}

/// Looks at what these fields do, then saves it.
async fn look_and_save(
    client: &Client,
    path: &str,
    fields: &[(&str, &str)],
) -> crate::house::Answer {
    let looked = looked(&client.post(path, fields).await);
    client.post(path, &[fields, &[("do", "save"), ("looked", looked.as_str())]].concat()).await
}

#[actix_web::test]
async fn revops_and_admin_edit_and_nobody_else_sees_it() {
    let house = house().await;
    house.stranger().get("/settings/events").await.leads_to("/login?next=%2Fsettings%2Fevents");
    for (role, client) in house.one_of_each() {
        let status = client.get("/settings/events").await.status;
        let edits = [Role::Revops, Role::Admin].contains(&role);
        assert_eq!(status, if edits { 200 } else { 404 }, "{role}");
    }
}

#[actix_web::test]
async fn an_unknown_name_becomes_a_key_event_in_two_steps() {
    let house = house().await;
    let revops = house.as_revops();
    let form = revops.get("/settings/events/new?name=Report%20Shared").await;
    form.says(200, "value=\"report_shared\"");
    form.says(200, "Report Shared</textarea>");
    form.says(200, "It never changes afterwards");
    let shown = add(&revops, "1", &[]).await;
    shown.says(200, "Shared a report (report_shared) is new");
    shown.says(200, "would count as this event, now 0");
    assert_eq!(version(&house), 1, "looking ahead saves nothing");
    let looked = looked(&shown);
    let save =
        [("do", "save"), ("reason", "Reports are our key action"), ("looked", looked.as_str())];
    // Typed otherwise after looking: it is shown again, and nothing is saved.
    let unseen = add(&revops, "1", &[&save[..], &[("muted", "yes")]].concat()).await;
    unseen.says(200, "this is not what you looked at");
    unseen.says(200, "value=\"Reports are our key action\"");
    assert_ne!(self::looked(&unseen), looked);
    assert_eq!(version(&house), 1);
    let saved = add(&revops, "1", &save).await;
    saved.leads_to("/settings/events");
    assert_eq!(version(&house), 2);
    let list = revops.get("/settings/events").await;
    list.says(200, "/settings/events/report_shared");
    list.says(200, "Reports are our key action");
    let found = revops.htmx_get("/settings/events?q=report-sh", "events").await;
    found.says(200, "report_shared");
    assert!(!found.body.contains("invite_sent") && !found.body.contains("<html"));
    let detail: serde_json::Value = house.tx(|conn| {
        Ok(audit_entries::table
            .filter(audit_entries::action.eq("catalog.changed"))
            .select(audit_entries::detail)
            .first(conn)?)
    });
    assert_eq!(detail["events"][0]["after"]["label"], "Shared a report");
}

#[actix_web::test]
async fn what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost() {
    let house = house().await;
    let admin = house.as_admin();
    let shown = looked(&add(&admin, "1", &[]).await);
    let refused = add(&admin, "1", &[("do", "save"), ("looked", shown.as_str())]).await;
    refused.says(422, "Say in up to 500 letters why");
    // What was never looked at is not saved, but shown.
    let unseen = add(&admin, "1", &[("do", "save"), ("reason", "r")]).await;
    assert_eq!(looked(&unseen), shown);
    let fields = [("names", ""), ("reason", "r"), ("do", "save")];
    let refused = admin
        .post(
            "/settings/events",
            &[
                &[
                    ("seen", "1"),
                    ("label", "Asked a friend"),
                    ("key", "asked"),
                    ("category", "expansion"),
                ],
                &[
                    ("names", "Report\nuser invited"),
                    ("path", "plan"),
                    ("op", "<"),
                    ("value", "pro <b>"),
                ],
                &fields[1..],
            ]
            .concat(),
        )
        .await;
    refused.says(422, "<title>Error:");
    refused.says(422, "compares numbers and dates");
    refused.says(422, "Report\nuser invited</textarea>");
    refused.says(422, "value=\"pro &#60;b&#62;\"");
    let fields = [("seen", "1"), ("label", "Asked"), ("key", "asked"), ("category", "expansion")];
    let names = [("names", "user invited")];
    let refused = admin.post("/settings/events", &[&fields[..], &names].concat()).await;
    refused.says(422, "“user invited” belongs to Invited a teammate (invite_sent)");
    let refused = admin
        .post(
            "/settings/events",
            &[("seen", "1"), ("label", "x"), ("key", "x"), ("category", "no")],
        )
        .await;
    refused.says(422, "Choose one of the list");
    assert_eq!(admin.post_without_token("/settings/events", &[]).await.status, 403);
    assert_eq!(admin.get("/settings/events/nothing").await.status, 404);
    assert_eq!(version(&house), 1);
}

#[actix_web::test]
async fn who_saves_over_a_colleague_is_asked_first() {
    let house = house().await;
    let (one, other) = (house.as_revops(), house.as_admin());
    let shown = looked(&add(&one, "1", &[]).await);
    let save = [("do", "save"), ("reason", "first"), ("looked", shown.as_str())];
    add(&one, "1", &save).await.leads_to("/settings/events");
    let edit = |seen: &'static str| {
        vec![
            ("seen", seen),
            ("label", "Hit the wall"),
            ("category", "intent"),
            ("is_key", "yes"),
            ("names", "Limit Hit"),
            ("reason", "second"),
        ]
    };
    let path = "/settings/events/usage_limit_hit";
    let conflict = look_and_save(&other, path, &edit("1")).await;
    conflict.says(409, "changed by somebody else");
    conflict.says(409, "Shared a report (report_shared) is new");
    conflict.says(409, "value=\"Hit the wall\"");
    conflict.says(409, "name=\"seen\" value=\"2\"");
    look_and_save(&other, path, &edit("2")).await.leads_to("/settings/events");
    let (version, all) = house.tx(store::current);
    assert_eq!(version, 3);
    assert!(all.iter().any(|event| event.key == "report_shared"));
    let edited = all.iter().find(|event| event.key == "usage_limit_hit").unwrap();
    assert_eq!(
        (edited.label.as_str(), edited.names.as_slice()),
        ("Hit the wall", ["Limit Hit".to_owned()].as_slice())
    );
}

#[actix_web::test]
async fn what_is_read_elsewhere_stays_and_what_is_not_can_go_and_come_back() {
    let house = house().await;
    let revops = house.as_revops();
    let page = revops.get("/settings/events/upgrade_click").await;
    page.says(200, "It cannot be deleted");
    page.says(200, "of the scoring model in force");
    page.says(200, "A key never changes");
    let fields = [("seen", "1"), ("reason", "unused")];
    let refused = revops.post("/settings/events/upgrade_click/removal", &fields).await;
    refused.says(422, "upgrade_click stays");
    revops.get("/settings/events/user_signed_out").await.says(200, "Delete this event");
    revops
        .post("/settings/events/user_signed_out/removal", &fields)
        .await
        .leads_to("/settings/events");
    assert_eq!(revops.get("/settings/events/user_signed_out").await.status, 404);
    let page = revops.get("/settings/events/versions/2").await;
    page.says(200, "Signed out (user_signed_out) is gone");
    let back = "/settings/events/versions/1/restoration";
    revops.post(back, &[("seen", "2"), ("reason", "")]).await.says(422, "Say in up to 500");
    revops.post(back, &[("seen", "1"), ("reason", "why")]).await.says(409, "somebody else");
    revops.post(back, &[("seen", "2"), ("reason", "why")]).await.leads_to("/settings/events");
    assert_eq!(version(&house), 3);
    revops.get("/settings/events/user_signed_out").await.says(200, "Signed out");
}

#[actix_web::test]
async fn a_name_is_mapped_or_muted_by_a_click() {
    let house = scored::house().await;
    let now = house.clock.now();
    house.tx(|conn| ripen::catalog::ops::seed(conn, now));
    let revops = house.as_revops();
    let page = revops.get("/settings/events/mapping?name=Up%3CGrade").await;
    page.says(200, "/settings/events/usage_limit_hit?name=Up%3CGrade");
    let form = revops.get("/settings/events/usage_limit_hit?name=Up%3CGrade").await;
    form.says(200, "Up&#60;Grade</textarea>");
    let form = revops.get("/settings/events/new?name=heartbeat&muted=yes").await;
    form.says(200, "name=\"muted\" value=\"yes\" checked");
    form.says(200, "heartbeat says nothing about use");
}

#[actix_web::test]
async fn what_was_counted_by_an_older_catalog_can_be_counted_again() {
    let house = house().await;
    let revops = house.as_revops();
    assert!(!revops.get("/settings/events").await.body.contains("start-rebuild"));
    let nothing = revops.post("/settings/events/rebuild", &[]).await;
    nothing.leads_to("/settings/events");
    revops.get("/settings/events").await.says(200, "counts by this catalog already");
    house.tx(|conn| {
        let chunk = "insert into journal_chunks (catalog, journal_ids, days)
                     values (0, '{1,2}', '{2026-11-19}')";
        Ok(diesel::sql_query(chunk).execute(conn)?)
    });
    let page = revops.get("/settings/events").await;
    page.says(200, "<button class=\"btn btn--go\" id=\"start-rebuild\">");
    page.says(200, "2 requests in the journal");
    revops.post("/settings/events/rebuild", &[]).await.leads_to("/settings/events");
    revops.get("/settings/events").await.says(200, "id=\"cancel-rebuild\"");
    let part = revops.htmx_get("/settings/events/rebuild", "rebuild").await;
    part.says(200, "Counting the journal again");
    assert!(!part.body.contains("<html"));
    revops.get("/settings/events/rebuild").await.leads_to("/settings/events");
    let end = "/settings/events/rebuild/cancellation";
    revops.post(end, &[]).await.leads_to("/settings/events");
    let page = revops.get("/settings/events").await;
    page.says(200, "it can go on later");
    page.says(200, "id=\"start-rebuild\"");
}
