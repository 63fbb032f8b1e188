//! A rep finds the task, whom to call and why, and says what came out of it.

use chrono::TimeDelta;
use ripen::ids::{MemberId, WorkspaceId};
use ripen::ownership::store::{owner, standing};
use ripen::routing::ops::route_workspaces;
use ripen::tasks::store::{open_task, tasks_of};
use ripen::team::member::Function;

use crate::house::{Client, House};
use crate::leads::{admin_of, friday, hot, limit_hit, number, seed, seller};

struct Scene {
    house: House,
    rep: Client,
    mia: MemberId,
    id: WorkspaceId,
    task: String,
}

/// Mia has one routed hot PQL.
async fn scene() -> Scene {
    let house = House::open().await;
    let (mia, id, task) = house.tx(|conn| {
        seed(conn)?;
        let mia = seller(conn, "Mia", Function::Sdr)?;
        let id = hot(conn, "Acme")?;
        let sam = admin_of(conn, id, "Sam")?;
        limit_hit(conn, id, sam, friday())?;
        route_workspaces(conn, &[id], friday())?;
        Ok((mia, id, open_task(conn, id)?.unwrap().id))
    });
    let rep = house.signed_in(mia);
    Scene { house, rep, mia, id, task: format!("/tasks/{task}") }
}

fn outcomes(scene: &Scene) -> Vec<(Option<&'static str>, bool)> {
    let tasks = scene.house.tx(|conn| tasks_of(conn, scene.id));
    tasks
        .iter()
        .map(|task| (task.outcome.map(|outcome| outcome.key()), task.snoozed_until.is_some()))
        .collect()
}

#[actix_web::test]
async fn the_inbox_leads_to_whom_to_call_and_why() {
    let scene = scene().await;
    let inbox = scene.rep.get("/inbox").await;
    for text in ["My PQLs", "Acme", "Hit a usage limit 2 times", "1 admin or champion", "new"] {
        inbox.says(200, text);
    }
    let unread = "select count(*) as n from notifications where read_at is null";
    assert_eq!(scene.house.tx(|conn| number(conn, unread)), 1);
    let page = scene.rep.get(&scene.task).await;
    for text in [
        "Start with Sam. Lead with the limit they hit",
        "sam@acme.example",
        "Hi Sam,",
        "reached a usage limit twice this month",
        "Rule Hot PQL",
        "Trial ends",
        "75 %",
    ] {
        page.says(200, text);
    }
    assert_eq!(scene.house.tx(|conn| number(conn, unread)), 0);
    let pane = scene.rep.htmx_get(&scene.task, "pane").await;
    pane.says(200, "hx-target=\"#rows\"");
    assert!(!pane.body.contains("<html"));
}

#[actix_web::test]
async fn contacted_without_javascript() {
    let scene = scene().await;
    let done = format!("{}/completion", scene.task);
    scene
        .rep
        .post(&done, &[("outcome", "contacted"), ("note", "left a message")])
        .await
        .leads_to("/inbox");
    let inbox = scene.rep.get("/inbox").await;
    inbox.says(200, "Acme: contacted.");
    inbox.says(200, "Done today");
    assert_eq!(outcomes(&scene), [(Some("contacted"), false)]);
    let accepted = scene.house.tx(|conn| standing(conn, scene.id));
    assert_eq!(accepted, Some((scene.mia, true)), "working on it is a yes");
    scene.rep.get(&scene.task).await.says(200, "left a message");
    // Tomorrow it waits for an answer.
    scene.house.clock.advance(TimeDelta::days(1));
    let client = scene.house.signed_in(scene.mia);
    client.get("/inbox?bucket=waiting").await.says(200, "Contacted");
    let twice = client.post(&done, &[("outcome", "qualified")]).await;
    twice.says(409, "done already (contacted)");
}

#[actix_web::test]
async fn with_htmx_the_row_leaves_and_the_pane_empties() {
    let scene = scene().await;
    let done = format!("{}/completion", scene.task);
    let answer = scene.rep.htmx_post(&done, "rows", &[("outcome", "qualified")]).await;
    answer.says(200, "Acme: qualified.");
    answer.says(200, "id=\"pane\" hx-swap-oob");
    answer.says(200, "count-Inbox");
    assert!(!answer.body.contains("<html"));
}

#[actix_web::test]
async fn not_now_comes_back_on_its_day() {
    let scene = scene().await;
    let done = format!("{}/completion", scene.task);
    let form = |until| [("outcome", "not_now"), ("until", until), ("note", "budget in December")];
    scene.rep.post(&done, &form("")).await.says(422, "Say on which day to come back");
    scene.rep.post(&done, &form("2026-11-20")).await.says(422, "Choose a day after today.");
    scene.rep.post(&done, &form("2026-12-01")).await.leads_to("/inbox");
    assert_eq!(outcomes(&scene), [(None, true), (Some("not_now"), false)]);
    scene.rep.get("/inbox?bucket=waiting").await.says(200, "Acme");
    assert!(!scene.rep.get("/inbox?bucket=now").await.body.contains("Acme"));
    scene.house.clock.advance(TimeDelta::days(11));
    scene.house.signed_in(scene.mia).get("/inbox?bucket=now").await.says(200, "Acme");
}

#[actix_web::test]
async fn a_wrong_fit_needs_its_reason() {
    let scene = scene().await;
    let done = format!("{}/completion", scene.task);
    let answer = scene.rep.htmx_post(&done, "rows", &[("outcome", "wrong_fit")]).await;
    answer.says(422, "Say why it does not fit");
    assert_eq!(answer.header("hx-retarget"), "#pane");
    scene.rep.post(&done, &[("outcome", "nonsense")]).await.says(422, "There is a problem");
    scene
        .rep
        .post(&done, &[("outcome", "wrong_fit"), ("note", "a student")])
        .await
        .leads_to("/inbox");
    assert_eq!(outcomes(&scene), [(Some("wrong_fit"), false)]);
}

#[actix_web::test]
async fn snoozed_until_the_start_of_that_day() {
    let scene = scene().await;
    let snooze = format!("{}/snooze", scene.task);
    scene.rep.post(&snooze, &[("days", "1")]).await.leads_to("/inbox");
    let until = scene.house.tx(|conn| open_task(conn, scene.id)).unwrap().snoozed_until.unwrap();
    assert_eq!(until.to_rfc3339(), "2026-11-21T09:00:00+00:00");
    scene
        .rep
        .post(&snooze, &[("until", "2026-11-01")])
        .await
        .says(422, "Choose a day after today.");
    for day in ["2029-01-01", "9999-12-31", "+262142-12-31"] {
        scene.rep.post(&snooze, &[("until", day)]).await.says(422, "within the next two years");
    }
    scene.rep.post(&snooze, &[]).await.says(422, "Say on which day");
}

#[actix_web::test]
async fn yes_and_no() {
    let scene = scene().await;
    scene.rep.post(&format!("{}/acceptance", scene.task), &[]).await.leads_to("/inbox");
    assert_eq!(scene.house.tx(|conn| standing(conn, scene.id)), Some((scene.mia, true)));
    let reject = format!("{}/rejection", scene.task);
    scene.rep.post(&reject, &[("reason", " ")]).await.says(422, "Say in 1 to 500 characters");
    scene.rep.post(&reject, &[("reason", "a competitor")]).await.leads_to("/inbox");
    assert_eq!(scene.house.tx(|conn| owner(conn, scene.id)), None);
    scene.house.as_manager().get("/assign").await.says(200, "Acme");
    assert_eq!(outcomes(&scene), [(Some("withdrawn"), false)]);
}

#[actix_web::test]
async fn each_role_sees_and_does_what_is_theirs() {
    let scene = scene().await;
    let other = scene.house.as_rep();
    assert_eq!(other.get(&scene.task).await.status, 404);
    let done = format!("{}/completion", scene.task);
    let form = [("outcome", "contacted")];
    assert_eq!(other.post(&done, &form).await.status, 404);
    assert_eq!(scene.house.as_revops().post(&done, &form).await.status, 403);
    assert_eq!(scene.house.as_revops().get(&scene.task).await.status, 200);
    assert!(!scene.house.as_admin().get(&scene.task).await.body.contains("What came out of it"));
    scene.house.stranger().post(&done, &form).await.leads_to("/login");
    assert_eq!(scene.rep.post_without_token(&done, &form).await.status, 403);
    assert_eq!(outcomes(&scene), [(None, false)]);
    let manager = scene.house.as_manager();
    let theirs = format!("/inbox?rep={}", scene.mia);
    manager.get(&theirs).await.says(200, "Inbox of <bdi>Mia</bdi>");
    assert!(!other.get(&theirs).await.body.contains("Acme"), "a rep sees only their own");
    manager.post(&done, &form).await.leads_to(&theirs);
}

#[actix_web::test]
async fn an_empty_inbox_says_where_to_look() {
    let house = House::open().await;
    house.as_rep().get("/inbox").await.says(200, "See what nobody owns");
    let unknown = format!("/tasks/{}", uuid::Uuid::now_v7());
    assert_eq!(house.as_rep().get(&unknown).await.status, 404);
    assert_eq!(house.as_rep().get("/tasks/nonsense").await.status, 404);
}
