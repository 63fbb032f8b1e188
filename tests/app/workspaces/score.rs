//! One workspace: every tab for every role, the past, and hostile names.

use crate::house::House;
use crate::world::{self, workspace};

#[actix_web::test]
async fn the_score_explains_itself() {
    let house = House::open().await;
    world::populate(&house.db, &house.clock, 6);
    for (_, client) in house.one_of_each() {
        let page = client.get(&format!("/workspaces/{}", workspace(&house.db, 6))).await;
        for text in [
            "Why",
            "Whole ledger",
            "All rows together are the score",
            "Who decides",
            "Last key events",
            "Do next",
            "Score, 90 days",
        ] {
            page.says(200, text);
        }
    }
}

#[actix_web::test]
async fn the_past_can_be_seen() {
    let house = House::open().await;
    world::populate(&house.db, &house.clock, 2);
    let client = house.as_rep();
    let path = format!("/workspaces/{}", workspace(&house.db, 1));
    client
        .get(&format!("{path}?as_of=2026-11-10"))
        .await
        .says(200, "This is the score of <strong>10 Nov");
    client.get(&format!("{path}?as_of=1999-01-01")).await.says(200, "No score for this day");
    client.get(&format!("{path}?as_of=2030-01-01")).await.says(200, "is not a day up to today");
    client.get(&format!("{path}?as_of=%3Cscript%3E")).await.says(200, "&#60;script&#62;");
}

#[actix_web::test]
async fn a_workspace_is_found_by_the_products_own_id() {
    let house = House::open().await;
    world::populate(&house.db, &house.clock, 1);
    let client = house.as_rep();
    client
        .get("/workspaces/ws-1")
        .await
        .leads_to(&format!("/workspaces/{}", workspace(&house.db, 1)));
    for path in [
        "/workspaces/nothing",
        "/workspaces/%00",
        "/workspaces/00000000-0000-0000-0000-000000000000",
    ] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
}

#[actix_web::test]
async fn a_workspace_without_a_score_says_what_is_awaited() {
    let house = House::open().await;
    world::raw(&house.db, house.clock.now(), 2);
    let page = house.as_rep().get(&format!("/workspaces/{}", workspace(&house.db, 1))).await;
    page.says(200, "The first score is on its way");
    page.says(200, "a score follows within seconds");
}
