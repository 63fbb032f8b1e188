//! The list of workspaces: complete, without overlap, honest about filters.

use std::collections::BTreeSet;

use ripen::team::member::Role;

use crate::house::House;
use crate::world;

/// The ids of the rows on a page, in their order.
fn ids(html: &str) -> Vec<String> {
    html.split("<tr id=\"w-")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

/// Where "Load more" leads.
fn next(html: &str) -> Option<String> {
    let link = html.split("id=\"load-more\"").nth(1)?;
    let href = link.split("href=\"").nth(1)?.split('"').next()?;
    Some(href.replace("&#38;", "&").replace("&amp;", "&"))
}

#[actix_web::test]
async fn every_role_sees_the_list() {
    let house = House::open().await;
    world::listed(&house.db, house.clock.now(), 60);
    for (role, client) in house.one_of_each() {
        let page = client.get("/workspaces").await;
        page.says(200, "60 workspaces, sorted by score, high to low");
        assert_eq!(ids(&page.body).len(), 50);
        assert_eq!(page.body.contains("name=\"workspace\""), role != Role::Rep, "{role:?}");
        assert!(page.header("vary").contains("HX-Request"), "{}", page.header("vary"));
    }
    let stranger = house.stranger().get("/workspaces?stage=hot_pql").await;
    assert_eq!(stranger.status, 303);
}

#[actix_web::test]
async fn pages_are_complete_and_do_not_overlap_in_any_order() {
    let house = House::open().await;
    world::listed(&house.db, house.clock.now(), 233);
    let client = house.as_manager();
    let keys = ["score", "change", "name", "active", "wau", "intent", "trial_end"];
    for sort in keys.iter().flat_map(|key| [(*key).to_owned(), format!("-{key}")]) {
        let mut href = Some(format!("/workspaces?sort={sort}"));
        let (mut seen, mut rows) = (BTreeSet::new(), 0);
        while let Some(at) = href {
            let page = client.get(&at).await;
            assert_eq!(page.status, 200);
            let found = ids(&page.body);
            rows += found.len();
            seen.extend(found);
            href = next(&page.body);
            assert!(rows <= 233, "{sort} goes on for ever");
        }
        assert_eq!((rows, seen.len()), (233, 233), "sorted by {sort}");
    }
}

#[actix_web::test]
async fn filters_hold_for_every_row_and_counts_agree() {
    let house = House::open().await;
    world::listed(&house.db, house.clock.now(), 200);
    let client = house.as_rep();
    let page = client.get("/workspaces?stage=hot_pql&plan=trial").await;
    assert_eq!(page.status, 200);
    let rows = ids(&page.body);
    assert!(!rows.is_empty() && rows.len() < 50);
    let words = if rows.len() == 1 { "1 workspace," } else { "workspaces," };
    assert!(page.body.contains(words));
    page.says(200, &format!("{} workspace", rows.len()));
    assert_eq!(page.body.matches("stage--hot_pql\"").count(), rows.len());
    let account = client.get("/workspaces?q=account3.example").await;
    assert!(!ids(&account.body).is_empty());
    for query in [
        "owner=none",
        "owner=me",
        "tier=none",
        "trial=7",
        "admin=no",
        "type=sandbox",
        "q=%25",
        "q=ws-7",
    ] {
        assert_eq!(client.get(&format!("/workspaces?{query}")).await.status, 200, "{query}");
    }
}

#[actix_web::test]
async fn what_means_nothing_is_said_and_left_out() {
    let house = House::open().await;
    world::listed(&house.db, house.clock.now(), 3);
    let page =
        house.as_rep().get("/workspaces?stage=boiling&owner=somebody&after=x&sort=%27--").await;
    page.says(200, "stage=boiling");
    assert_eq!(page.body.matches("means nothing here").count(), 4);
    assert_eq!(ids(&page.body).len(), 3);
}

#[actix_web::test]
async fn htmx_gets_the_rows_and_what_changes_beside_them() {
    let house = House::open().await;
    world::listed(&house.db, house.clock.now(), 120);
    let client = house.as_manager();
    let rows = client.htmx_get("/workspaces?q=&stage=pql&owner=&sort=-score", "rows").await;
    assert_eq!(rows.status, 200);
    assert!(!rows.body.contains("<html") && !rows.body.contains("id=\"filters\""));
    for id in ["demands", "said", "live", "sort", "stage-pql-count"] {
        assert!(rows.body.contains(&format!("id=\"{id}\"")), "{id}");
    }
    assert_eq!(rows.header("hx-push-url"), "/workspaces?stage=pql");
    let href = next(&client.get("/workspaces").await.body).unwrap();
    let more = client.htmx_get(&href, "more").await;
    assert!(more.body.trim_start().starts_with("<tbody>") && more.body.contains("data-focus"));
    assert_eq!(ids(&more.body).len(), 50);
    let unknown = client.htmx_get("/workspaces", "elsewhere").await;
    assert!(unknown.body.contains("<html"));
}

#[actix_web::test]
async fn an_empty_list_says_why() {
    let house = House::open().await;
    let client = house.as_rep();
    client.get("/workspaces").await.says(200, "Send your first event");
    world::listed(&house.db, house.clock.now(), 40);
    let page = client.get("/workspaces?q=Workspace&plan=pro&type=sandbox").await;
    page.says(200, "No workspace is left");
    page.says(200, "Type: Sandbox");
    assert!(page.body.contains("href=\"/workspaces?q=Workspace&#38;plan=pro\""), "{}", page.body);
}

#[actix_web::test]
async fn the_list_is_small_enough() {
    let house = House::open().await;
    world::listed(&house.db, house.clock.now(), 100);
    let page = house.as_manager().get("/workspaces").await;
    assert!(page.body.len() <= 100_000, "{} bytes", page.body.len());
}

#[actix_web::test]
async fn chosen_rows_go_to_the_chosen_member() {
    let house = House::open().await;
    world::populate(&house.db, &house.clock, 3);
    let manager = house.as_manager();
    let rep = house.member("Rosa Rep", Role::Rep).to_string();
    let page = manager.get("/workspaces").await;
    page.says(200, "Rosa Rep</option>");
    let chosen = ids(&page.body);
    let fields = [
        ("workspace", chosen[0].as_str()),
        ("workspace", chosen[1].as_str()),
        ("member", rep.as_str()),
    ];
    assert!(manager.post("/assign", &fields).await.status < 400);
    let owned = manager.get(&format!("/workspaces?owner={rep}")).await;
    owned.says(200, "2 workspaces, sorted by score");
    owned.says(200, "Owner: <bdi>Rosa Rep</bdi>");
    assert_eq!(ids(&manager.get("/workspaces?owner=none").await.body).len(), 1);
    let head = manager.get(&format!("/workspaces/{}", chosen[0])).await;
    head.says(200, "<bdi class=\"clip\">Rosa Rep</bdi>");
}
