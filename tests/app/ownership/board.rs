//! The assignment view over HTTP.

use diesel::PgConnection;
use ripen::error::Result;
use ripen::ids::{MemberId, WorkspaceId};
use ripen::ownership::store::{owner, set_account_owner};
use ripen::routing::ops::route_workspaces;
use ripen::team::member::Function;

use crate::house::House;
use crate::leads::{account_of, friday, hot, number, seed, seller};

struct Scene {
    house: House,
    ids: Vec<WorkspaceId>,
    mia: MemberId,
}

/// Three hot PQLs that routing gave to nobody, since Mia joined only afterwards.
async fn scene() -> Scene {
    let house = House::open().await;
    let (ids, mia) = house.tx(|conn| {
        seed(conn)?;
        let ids: Vec<_> = ["Acme", "Birch", "Cedar"]
            .into_iter()
            .map(|name| hot(conn, name))
            .collect::<Result<_>>()?;
        route_workspaces(conn, &ids, friday())?;
        Ok((ids, seller(conn, "Mia", Function::Sdr)?))
    });
    Scene { house, ids, mia }
}

fn owner_of(scene: &Scene, at: usize) -> Option<String> {
    let id = scene.ids[at];
    scene.house.tx(|conn| owner(conn, id)).map(|(_, name)| name)
}

fn text(id: impl std::fmt::Display) -> String {
    id.to_string()
}

#[actix_web::test]
async fn a_manager_sees_what_nobody_owns_and_why() {
    let scene = scene().await;
    let page = scene.house.as_manager().get("/assign").await;
    page.says(200, "Acme");
    page.says(200, "Hit a usage limit 2 times (+12.10)");
    page.says(200, "Nobody is eligible (SDR pool in turn).");
    page.says(200, "Give to <bdi>Mia</bdi>");
    page.says(200, "Rule Hot PQL: SDR pool in turn");
    page.says(200, "0 of 20");
    let rows = scene.house.as_manager().htmx_get("/assign?sort=wait", "rows").await;
    rows.says(200, "Birch");
    assert!(!rows.body.contains("<html"), "a fragment");
}

#[actix_web::test]
async fn without_javascript_the_chosen_rows_go_to_a_rep() {
    let scene = scene().await;
    let (a, b, mia) = (text(scene.ids[0]), text(scene.ids[1]), text(scene.mia));
    let manager = scene.house.as_manager();
    let form = [("workspace", a.as_str()), ("workspace", &b), ("member", &mia)];
    manager.post("/assign", &form).await.leads_to("/assign");
    let page = manager.get("/assign").await;
    page.says(200, "Mia has 2 workspaces now.");
    page.says(200, "Cedar");
    assert!(!page.body.contains(">Acme<"));
    assert_eq!(owner_of(&scene, 0).as_deref(), Some("Mia"));
    manager.get("/assign").await.says(200, "2 of 20");
}

#[actix_web::test]
async fn with_htmx_the_rows_come_back_with_counters() {
    let scene = scene().await;
    let hint = format!("{}:{}", scene.ids[2], scene.mia);
    let answer = scene.house.as_manager().htmx_post("/assign", "rows", &[("give", &hint)]).await;
    answer.says(200, "Mia has Cedar now.");
    answer.says(200, "count-Assign");
    assert!(!answer.body.contains("<html") && !answer.body.contains(">Cedar</bdi></a>"));
}

#[actix_web::test]
async fn the_suggestion_of_the_rules_is_taken() {
    let scene = scene().await;
    let (a, hint) = (text(scene.ids[0]), format!("{}:{}", scene.ids[0], scene.mia));
    let form = [("workspace", a.as_str()), ("hint", &hint), ("member", "suggested")];
    scene.house.as_manager().post("/assign", &form).await.leads_to("/assign");
    assert_eq!(owner_of(&scene, 0).as_deref(), Some("Mia"));
    let nobody = [("workspace", a.as_str()), ("member", "suggested")];
    scene.house.as_manager().htmx_post("/assign", "rows", &nobody).await.says(200, "no suggestion");
    scene.house.as_manager().htmx_post("/assign", "rows", &[]).await.says(200, "Choose 1 to 500");
}

#[actix_web::test]
async fn who_is_slower_hears_who_has_it_and_the_others_succeed() {
    let scene = scene().await;
    let (a, b, mia) = (text(scene.ids[0]), text(scene.ids[1]), text(scene.mia));
    let bob = text(scene.house.tx(|conn| seller(conn, "Bob", Function::Sdr)));
    let first = [("workspace", a.as_str()), ("member", mia.as_str())];
    scene.house.as_manager().post("/assign", &first).await.leads_to("/assign");
    let form = [("workspace", a.as_str()), ("workspace", &b), ("member", &bob)];
    let answer = scene.house.as_manager().htmx_post("/assign", "rows", &form).await;
    answer.says(200, "Bob has Birch now.");
    answer.says(200, "Acme: Mia has it already.");
    assert_eq!(
        (owner_of(&scene, 0).as_deref(), owner_of(&scene, 1).as_deref()),
        (Some("Mia"), Some("Bob"))
    );
}

#[actix_web::test]
async fn a_rep_takes_one_but_gives_none() {
    let scene = scene().await;
    let rep = scene.house.signed_in(scene.mia);
    let page = rep.get("/assign").await;
    page.says(200, "Take");
    assert!(!page.body.contains("name=\"give\"") && !page.body.contains("row__select"));
    let (a, b) = (text(scene.ids[0]), text(scene.ids[1]));
    rep.post("/assign", &[("take", &a)]).await.leads_to("/assign");
    assert_eq!(owner_of(&scene, 0).as_deref(), Some("Mia"));
    let bob = text(scene.house.tx(|conn| seller(conn, "Bob", Function::Sdr)));
    let refused = rep.post("/assign", &[("workspace", &b), ("member", &bob)]).await;
    assert_eq!(refused.status, 403);
    let path = format!("/workspaces/{b}/assignment");
    assert_eq!(rep.post(&path, &[("to", &bob)]).await.status, 403);
    rep.post(&path, &[("to", "me")]).await.leads_to(&format!("/workspaces/{b}"));
    assert_eq!(scene.house.as_revops().post("/assign", &[("take", &a)]).await.status, 303);
}

#[actix_web::test]
async fn a_rep_takes_nothing_from_a_colleague() {
    let scene = scene().await;
    let path = format!("/workspaces/{}/assignment", scene.ids[0]);
    let mia = text(scene.mia);
    let given = scene.house.as_manager().post(&path, &[("to", &mia), ("owner", "")]).await;
    assert_eq!(given.status, 303);
    let other = scene.house.as_rep();
    let taken = other.post(&path, &[("to", "me"), ("owner", &mia)]).await;
    taken.says(409, "Mia has it already.");
    assert_eq!(owner_of(&scene, 0).as_deref(), Some("Mia"));
}

#[actix_web::test]
async fn one_workspace_is_given_moved_and_taken_back() {
    let scene = scene().await;
    let manager = scene.house.as_manager();
    let path = format!("/workspaces/{}/assignment", scene.ids[0]);
    let own = format!("/workspaces/{}", scene.ids[0]);
    let (mia, bob) =
        (text(scene.mia), text(scene.house.tx(|conn| seller(conn, "Bob", Function::Sdr))));
    manager.get(&own).await.says(200, "Unowned");
    manager.post(&path, &[("to", &mia)]).await.leads_to(&own);
    let shown = manager.get(&own).await;
    shown.says(200, "Mia has it now.");
    shown.says(200, &format!("name=\"owner\" value=\"{mia}\""));
    shown.says(200, "Nobody, back to the assignment view");
    manager
        .post(&path, &[("to", &bob), ("owner", &mia), ("next", "/assign")])
        .await
        .leads_to("/assign");
    let late = manager.htmx_post(&path, "owner", &[("to", &mia), ("owner", &mia)]).await;
    late.says(409, "Bob has it already.");
    manager.post(&path, &[("to", "nobody"), ("owner", &bob)]).await.leads_to(&own);
    assert_eq!(owner_of(&scene, 0), None);
    assert_eq!(manager.post(&path, &[("to", "nobody we know")]).await.status, 422);
    let unknown = format!("/workspaces/{}/assignment", uuid::Uuid::now_v7());
    assert_eq!(manager.post(&unknown, &[("to", &mia)]).await.status, 404);
}

#[actix_web::test]
async fn strangers_and_forgers_change_nothing() {
    let scene = scene().await;
    let (a, mia) = (text(scene.ids[0]), text(scene.mia));
    let form = [("workspace", a.as_str()), ("member", mia.as_str())];
    scene.house.stranger().post("/assign", &form).await.leads_to("/login");
    let forged = scene.house.as_manager().post_without_token("/assign", &form).await;
    assert_eq!(forged.status, 403);
    assert_eq!(owner_of(&scene, 0), None);
}

#[actix_web::test]
async fn an_admin_who_deactivates_a_rep_gets_everything_back() {
    let scene = scene().await;
    let (a, mia) = (text(scene.ids[0]), scene.mia);
    let form = [("workspace", a.as_str()), ("member", &text(mia))];
    scene.house.as_manager().post("/assign", &form).await.leads_to("/assign");
    scene.house.tx(|conn: &mut PgConnection| {
        let account = account_of(conn, scene.ids[1], None)?;
        set_account_owner(conn, account, Some(mia), friday())
    });
    let admin = scene.house.as_admin();
    admin.post(&format!("/settings/team/{mia}/deactivation"), &[]).await;
    admin.get("/settings/team").await.says(200, "1 workspace is back in the assignment view.");
    assert_eq!(owner_of(&scene, 0), None);
    let left = scene.house.tx(|conn| number(conn, "select count(*) as n from account_owners"));
    assert_eq!(left, 0);
    scene.house.as_manager().get("/assign").await.says(200, "Acme");
}

#[actix_web::test]
async fn nothing_to_assign_is_said_calmly() {
    let house = House::open().await;
    let page = house.as_manager().get("/assign").await;
    page.says(200, "Everything is assigned");
    page.says(200, "Nobody has a sales function yet.");
}
