//! Accounts: the list, one account, and links that people decide.

use std::collections::BTreeSet;

use diesel::prelude::*;
use ripen::schema::{account_links, audit_entries, touched_workspaces};
use ripen::team::member::Role;

use crate::house::House;
use crate::world::{self, account_of, workspace};

fn ids(html: &str) -> Vec<String> {
    html.split("<tr id=\"a-")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

fn next(html: &str) -> Option<String> {
    let link = html.split("id=\"load-more\"").nth(1)?;
    let href = link.split("href=\"").nth(1)?.split('"').next()?;
    Some(href.replace("&#38;", "&"))
}

#[actix_web::test]
async fn the_list_is_complete_in_both_orders() {
    let house = House::open().await;
    // 121 accounts, of which a few workspaces' have a score.
    world::populate(&house.db, &house.clock, 6);
    world::listed_accounts(&house.db, 119);
    let client = house.as_rep();
    for sort in ["", "sort=name&"] {
        let mut href = Some(format!("/accounts?{sort}"));
        let (mut seen, mut rows) = (BTreeSet::new(), 0);
        while let Some(at) = href {
            let page = client.get(&at).await;
            assert_eq!(page.status, 200);
            let found = ids(&page.body);
            rows += found.len();
            seen.extend(found);
            href = next(&page.body);
            assert!(rows <= 121, "{sort} goes on for ever");
        }
        assert_eq!((rows, seen.len()), (121, 121), "{sort}");
    }
    let found = client.htmx_get("/accounts?q=account1.example", "rows").await;
    assert_eq!(ids(&found.body).len(), 1);
    assert_eq!(found.header("hx-push-url"), "/accounts?q=account1.example");
    client.get("/accounts?q=%25&after=nothing").await.says(200, "No such account");
}

#[actix_web::test]
async fn an_account_shows_its_score_with_the_rule_and_its_workspaces_with_the_evidence() {
    let house = House::open().await;
    world::populate(&house.db, &house.clock, 6);
    let path = format!("/accounts/{}", account_of(&house.db, 1));
    for (role, client) in house.one_of_each() {
        let page = client.get(&path).await;
        for text in [
            "account score",
            "scored as one",
            "96 % sure",
            "billing domain account1.example (90 %)",
            "ICP fit",
            "People",
        ] {
            page.says(200, text);
        }
        assert_eq!(page.body.contains("/owner\""), role != Role::Rep, "{role:?}");
    }
    let client = house.as_rep();
    for path in ["/accounts/nothing", "/accounts/00000000-0000-0000-0000-000000000000"] {
        assert_eq!(client.get(path).await.status, 404);
    }
    assert_eq!(house.stranger().get(&path).await.status, 303);
}

#[actix_web::test]
async fn a_person_decides_whose_a_workspace_is() {
    let house = House::open().await;
    world::populate(&house.db, &house.clock, 12);
    let (undecided, account) = (workspace(&house.db, 11), account_of(&house.db, 1));
    let manager = house.as_manager();
    manager.get("/accounts").await.says(200, "1 workspace has evidence");
    manager.get("/accounts/links").await.says(200, "website account3.example (60 %)");
    let path = format!("/workspaces/{undecided}/account");
    let fields = [("account", account.to_string()), ("from", "review".to_owned())];
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(key, value)| (*key, value.as_str())).collect();
    assert_eq!(house.as_rep().post(&path, &fields).await.status, 403);
    assert_eq!(manager.post_without_token(&path, &fields).await.status, 403);
    manager.post(&path, &fields).await.leads_to("/accounts/links");
    let linked: (Option<uuid::Uuid>, Option<uuid::Uuid>) = house.tx(|conn| {
        Ok(account_links::table
            .find(undecided)
            .select((account_links::account_id, account_links::pinned_by))
            .first(conn)?)
    });
    assert_eq!(linked, (Some(account.0), Some(manager.id().0)));
    let waits: i64 = house.tx(|conn| {
        Ok(touched_workspaces::table
            .filter(touched_workspaces::workspace_id.eq(undecided))
            .count()
            .get_result(conn)?)
    });
    assert_eq!(waits, 1);
    let audited: i64 = house.tx(|conn| {
        Ok(audit_entries::table
            .filter(audit_entries::action.eq("workspace.linked"))
            .count()
            .get_result(conn)?)
    });
    assert_eq!(audited, 1);
    manager.get("/accounts/links").await.says(200, "Nothing to decide");
    manager
        .get(&format!("/workspaces/{undecided}/history"))
        .await
        .says(200, "evidence does not change that");
    manager
        .post(&path, &[("account", "")])
        .await
        .leads_to(&format!("/workspaces/{undecided}/history"));
    assert_eq!(manager.post(&path, &[("account", "x")]).await.status, 422);
    let gone = "00000000-0000-0000-0000-000000000000";
    assert_eq!(manager.post(&path, &[("account", gone)]).await.status, 422);
    assert_eq!(manager.post(&format!("/workspaces/{gone}/account"), &[]).await.status, 404);
}

#[actix_web::test]
async fn an_account_gets_an_owner() {
    let house = House::open().await;
    world::populate(&house.db, &house.clock, 3);
    let path = format!("/accounts/{}", account_of(&house.db, 1));
    let rep = house.member("Rosa Rep", Role::Rep).to_string();
    let manager = house.as_manager();
    assert_eq!(house.as_rep().post(&format!("{path}/owner"), &[("to", &rep)]).await.status, 403);
    manager.post(&format!("{path}/owner"), &[("to", &rep)]).await.leads_to(&path);
    manager.get(&path).await.says(200, "<bdi class=\"clip\">Rosa Rep</bdi>");
    manager.post(&format!("{path}/owner"), &[("to", "")]).await.leads_to(&path);
    assert_eq!(manager.post(&format!("{path}/owner"), &[("to", "x")]).await.status, 422);
}
