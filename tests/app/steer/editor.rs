//! The scoring form: who may do what, invalid input, conflicts, both with and without JavaScript.

use diesel::prelude::*;
use ripen::schema::{audit_entries, jobs, scoring_models};
use ripen::scoring::ops_models;

use crate::house::{Client, House};
use crate::scored;

/// The hidden state of a form.
fn seen(body: &str) -> String {
    let place = body.split("name=\"seen\"").nth(1).expect("the form names what it was made from");
    place.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn versions(house: &House) -> i64 {
    house.tx(|conn| {
        Ok(scoring_models::table
            .filter(scoring_models::published_at.is_not_null())
            .count()
            .get_result(conn)?)
    })
}

fn jobs_waiting(house: &House) -> i64 {
    house.tx(|conn| Ok(jobs::table.filter(jobs::finished_at.is_null()).count().get_result(conn)?))
}

async fn draft(client: &Client, name: &str, value: &str) -> String {
    let form = client.get("/scoring").await;
    let seen = seen(&form.body);
    let answer = client.post("/scoring/draft", &[("seen", &seen), (name, value)]).await;
    answer.leads_to("/scoring");
    self::seen(&client.get("/scoring").await.body)
}

#[actix_web::test]
async fn every_role_reads_revops_and_admin_edit_revops_publishes() {
    let house = scored::house().await;
    for path in ["/scoring", "/scoring/versions/1", "/scoring/versions/1/document"] {
        house
            .stranger()
            .get(path)
            .await
            .leads_to(&format!("/login?next={}", path.replace('/', "%2F")));
    }
    for (role, client) in house.one_of_each() {
        let page = client.get("/scoring").await;
        page.says(200, "Scores of all workspaces");
        let edits = ["revops", "admin"].contains(&role.key());
        assert_eq!(page.body.contains("id=\"save\""), edits, "{role}");
        assert_eq!(page.body.contains("id=\"publish\""), role.key() == "revops", "{role}");
        assert_eq!(client.get("/scoring/versions/1").await.status, 200);
        assert_eq!(client.get("/scoring/versions/9").await.status, 404);
        let document = client.get("/scoring/versions/1/document").await;
        let json: serde_json::Value = serde_json::from_str(&document.body).unwrap();
        assert_eq!(json["name"], "Published recipe");
        for path in [
            "/scoring/draft",
            "/scoring/preview",
            "/scoring/draft/removal",
            "/scoring/draft/document",
        ] {
            let wanted = if edits { [200, 303, 422] } else { [403; 3] };
            let status = client.post(path, &[("seen", "2.new")]).await.status;
            assert!(wanted.contains(&status), "{status} for {path} as {role}");
        }
        for path in ["/scoring/publication", "/scoring/versions/1/restoration"] {
            let status = client.post(path, &[("seen", "2.new"), ("reason", "")]).await.status;
            let wanted = if role.key() == "revops" { [409, 422] } else { [403; 2] };
            assert!(wanted.contains(&status), "{status} for {path} as {role}");
        }
    }
    assert_eq!((versions(&house), jobs_waiting(&house)), (1, 0));
}

#[actix_web::test]
async fn a_forged_form_is_refused() {
    let house = scored::house().await;
    let revops = house.as_revops();
    for path in [
        "/scoring/draft",
        "/scoring/preview",
        "/scoring/draft/removal",
        "/scoring/draft/document",
        "/scoring/publication",
        "/scoring/versions/1/restoration",
    ] {
        assert_eq!(
            revops.post_without_token(path, &[("seen", "2.new")]).await.status,
            403,
            "{path}"
        );
    }
}

#[actix_web::test]
async fn a_draft_saves_what_was_typed_and_shows_what_it_would_do() {
    let house = scored::house().await;
    let revops = house.as_revops();
    let state = draft(&revops, "stages.warm.min", "40").await;
    assert_eq!(state, "2.0");
    let page = revops.get("/scoring").await;
    page.says(200, "value=\"40\"");
    assert!(page.body.contains("in force: 50"), "what is in force stands beside it");
    assert!(page.body.contains("Warm begins at"), "the change is listed");
    assert!(
        page.body.contains("workspaces change stage")
            || page.body.contains("workspace changes stage")
    );
    let again = draft(&revops, "stages.warm.min", "40").await;
    assert_eq!(again, "2.0", "saving what is there changes nothing");
    let audited: i64 = house.tx(|conn| {
        Ok(audit_entries::table
            .filter(audit_entries::action.eq("scoring_model.draft_saved"))
            .count()
            .get_result(conn)?)
    });
    assert_eq!(audited, 1);
}

#[actix_web::test]
async fn htmx_saves_and_gets_the_impact_alone() {
    let house = scored::house().await;
    let revops = house.as_revops();
    let fields = [("seen", "2.new"), ("rules.core_feature_used.points", "0")];
    let answer = revops.htmx_post("/scoring/draft", "impact", &fields).await;
    answer.says(200, "id=\"impact\"");
    assert!(!answer.body.contains("<html"));
    assert_eq!(seen(&answer.body), "2.0");
    assert!(answer.body.contains("Most moved"), "{}", answer.body);
    assert!(answer.body.contains("chart__draft"));
}

#[actix_web::test]
async fn what_cant_be_is_named_and_nothing_typed_is_lost() {
    let house = scored::house().await;
    let revops = house.as_revops();
    let fields = [
        ("seen", "2.new"),
        ("stages.hot_pql.min", "60"),
        ("rules.invite_sent.cap.points", "1"),
        ("rules.invite_sent.cap.days", "14"),
        ("lookback_days", "180"),
    ];
    let page = revops.post("/scoring/draft", &fields).await;
    page.says(422, "There is a problem");
    assert!(page.body.contains("<title>Error: "));
    assert!(page.body.contains("href=\"#stages.hot_pql.min\""));
    assert!(page.body.contains("href=\"#rules.invite_sent.cap.points\""));
    assert!(page.body.contains("value=\"60\""), "what was typed stands in the form");
    let htmx = revops.htmx_post("/scoring/draft", "impact", &fields).await;
    htmx.says(422, "Not saved yet");
    assert!(!htmx.body.contains("data-focus"), "the cursor stays where it is");
    let unreadable =
        revops.post("/scoring/draft", &[("seen", "2.new"), ("stages.pql.min", "lots")]).await;
    unreadable.says(422, "at most two decimals");
    let stale = revops.post("/scoring/draft", &[("seen", "nonsense")]).await;
    assert_eq!(stale.status, 422);
    assert!(house.tx(ops_models::desk).draft.is_none());
}

#[actix_web::test]
async fn two_editors_notice_each_other_and_choose() {
    let house = scored::house().await;
    let (grace, ada) = (house.as_revops(), house.as_admin());
    let before = seen(&ada.get("/scoring").await.body);
    draft(&grace, "stages.hot_pql.min", "75").await;
    let fields = [("seen", before.as_str()), ("stages.hot_pql.min", "90")];
    let panel = ada.post("/scoring/draft", &fields).await;
    panel.says(409, "Rolf Revops changed Hot PQL begins at from 80 to 75 at 10:00 UTC.");
    assert!(panel.body.contains("theirs 75, yours 90"), "{}", panel.body);
    assert!(panel.body.contains("value=\"90\""), "what was typed is kept");
    assert_eq!(seen(&panel.body), before, "nothing is saved over without a choice");
    let fragment = ada.htmx_post("/scoring/draft", "impact", &fields).await;
    fragment.says(409, "id=\"keep-mine\"");
    let keep = [("seen", before.as_str()), ("keep", "2.0"), ("stages.hot_pql.min", "90")];
    ada.post("/scoring/draft", &keep).await.leads_to("/scoring");
    let desk = house.tx(ops_models::desk);
    assert_eq!(desk.model().stages.last().unwrap().min, 90.0);
    let discard = grace.post("/scoring/draft/removal", &[("seen", "2.0")]).await;
    assert_eq!(discard.status, 409, "{}", discard.body);
    assert!(discard.body.contains("Ada Admin"), "{}", discard.body);
}

#[actix_web::test]
async fn ones_own_newer_save_is_no_conflict() {
    let house = scored::house().await;
    let revops = house.as_revops();
    draft(&revops, "stages.hot_pql.min", "70").await;
    let late = [
        ("seen", "2.new"),
        ("stages.hot_pql.min", "75"),
        ("stages.warm.min", "50"),
        ("stages.pql.min", "65"),
    ];
    revops.post("/scoring/draft", &late).await.leads_to("/scoring");
}

#[actix_web::test]
async fn preview_saves_nothing_and_discard_ends_the_draft() {
    let house = scored::house().await;
    let revops = house.as_revops();
    let preview =
        revops.post("/scoring/preview", &[("seen", "2.new"), ("stages.warm.min", "30")]).await;
    preview.says(200, "it is not saved");
    assert!(house.tx(ops_models::desk).draft.is_none());
    let refused =
        revops.post("/scoring/preview", &[("seen", "2.new"), ("stages.warm.min", "-1")]).await;
    refused.says(422, "Begin a stage above 0");
    let state = draft(&revops, "stages.warm.min", "30").await;
    revops.post("/scoring/draft/removal", &[("seen", &state)]).await.leads_to("/scoring");
    assert!(house.tx(ops_models::desk).draft.is_none());
}

#[actix_web::test]
async fn a_document_comes_in_whole() {
    let house = scored::house().await;
    let revops = house.as_revops();
    let mut model = ripen::scoring::presets::balanced();
    model.name = "Ours".to_owned();
    let text = serde_json::to_string(&model).unwrap();
    let form = [("seen", "2.new"), ("document", text.as_str())];
    revops.post("/scoring/draft/document", &form).await.leads_to("/scoring");
    assert_eq!(house.tx(ops_models::desk).model().name, "Ours");
    let broken = [("seen", "2.0"), ("document", "{\"name\": <b>")];
    let page = revops.post("/scoring/draft/document", &broken).await;
    page.says(422, "This is not a model document");
    assert!(page.body.contains("{&#34;name&#34;: &#60;b&#62;"), "what was typed is kept, escaped");
}
