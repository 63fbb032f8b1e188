//! The other tabs of a workspace, and what hostile data does to them: nothing.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;

use crate::house::House;
use crate::world::{self, workspace};

const TABS: [&str; 6] = ["", "/events", "/members", "/billing", "/tasks", "/history"];

#[actix_web::test]
async fn every_tab_opens_for_every_role_and_for_nobody_else() {
    let house = House::open().await;
    world::populate(&house.db, &house.clock, 3);
    let path = format!("/workspaces/{}", workspace(&house.db, 3));
    for (_, client) in house.one_of_each() {
        for tab in TABS {
            let page = client.get(&format!("{path}{tab}")).await;
            page.says(200, "aria-current=\"page\"");
        }
    }
    for tab in TABS {
        assert_eq!(house.stranger().get(&format!("{path}{tab}")).await.status, 303, "{tab}");
        let gone = format!("/workspaces/00000000-0000-0000-0000-000000000000{tab}");
        assert_eq!(house.as_rep().get(&gone).await.status, 404, "{tab}");
    }
}

#[actix_web::test]
async fn the_timeline_is_complete_and_can_be_filtered() {
    let house = House::open().await;
    world::populate(&house.db, &house.clock, 1);
    house.tx(|conn| {
        Ok(conn.batch_execute(
            "insert into key_events (workspace_id, occurred_at, id, user_id, event_key, name, properties, source_id)
             select md5('w1')::uuid, timestamptz '2026-11-19 10:00' + make_interval(secs => i / 3), md5('e' || i)::uuid, md5('u1.1')::uuid,
                 'export_done', 'Export done', jsonb_build_object('<script>', 'row ' || i), md5('s')::uuid
             from generate_series(1, 120) i",
        )?)
    });
    let client = house.as_rep();
    let path = format!("/workspaces/{}/events", workspace(&house.db, 1));
    let mut href = Some(format!("{path}?kind=export_done"));
    let mut seen = BTreeSet::new();
    let mut pages = 0;
    while let Some(at) = href {
        let page = client.get(&at).await;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("<script>"));
        seen.extend(
            page.body
                .split("<bdi>row ")
                .skip(1)
                .filter_map(|rest| rest.split('<').next())
                .map(str::to_owned),
        );
        let link = page.body.split("id=\"load-more\"").nth(1);
        href = link.and_then(|rest| {
            rest.split("href=\"").nth(1)?.split('"').next().map(|at| at.replace("&#38;", "&"))
        });
        pages += 1;
        assert!(pages < 9, "the timeline goes on for ever");
    }
    assert_eq!((seen.len(), pages), (120, 3));
    let more = client.htmx_get(&format!("{path}?kind=export_done"), "more").await;
    assert!(!more.body.contains("<html") && more.body.contains("data-focus"), "{}", more.body);
    client.get(&format!("{path}?kind=nothing&person=x&before=y")).await.says(200, "No such event");
}

#[actix_web::test]
async fn hostile_names_stay_text() {
    let house = House::open().await;
    world::populate(&house.db, &house.clock, 2);
    let long = "x".repeat(500);
    house.tx(|conn| {
        Ok(conn.batch_execute(&format!(
            "update workspaces set name = '<script>alert(1)</script>' || chr(8238) || 'gpj.exe {long}' where external_id = 'ws-1';
             update product_users set name = '\"><img src=x onerror=alert(1)>';
             update accounts set name = '<b>{long}';"
        ))?)
    });
    let client = house.as_manager();
    let id = workspace(&house.db, 1);
    let mut paths: Vec<String> = TABS.iter().map(|tab| format!("/workspaces/{id}{tab}")).collect();
    paths.extend([
        "/workspaces".to_owned(),
        "/accounts".to_owned(),
        format!("/accounts/{}", world::account_of(&house.db, 1)),
    ]);
    for path in paths {
        let page = client.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        for raw in ["<script>alert", "<img src=x", "<b>x"] {
            assert!(!page.body.contains(raw), "{raw} in {path}");
        }
    }
}
