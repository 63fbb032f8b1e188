//! From a changed number to new stages: the preview says what publishing then does.

use diesel::prelude::*;
use ripen::schema::{audit_entries, jobs, scoring_models, workspace_scores};
use ripen::scoring::{ops_models, ops_preview};

use crate::house::House;
use crate::scored;

fn standings(house: &House) -> Vec<(uuid::Uuid, i32, String)> {
    use workspace_scores as s;
    house.tx(|conn| {
        let rows: Vec<(ripen::ids::WorkspaceId, i32, String)> = s::table
            .order(s::workspace_id)
            .select((s::workspace_id, s::score, s::stage))
            .load(conn)?;
        Ok(rows.into_iter().map(|(id, score, stage)| (id.0, score, stage)).collect())
    })
}

/// Publishes these numbers and asserts that scores and stages become what the preview said.
async fn publish_and_compare(numbers: &[(&str, &str)]) {
    let house = scored::house().await;
    let revops = house.as_revops();
    let mut form = numbers.to_vec();
    form.push(("seen", "2.new"));
    form.push(("do", "publish"));
    revops.post("/scoring/draft", &form).await.leads_to("/scoring/publication");
    let before = standings(&house);
    let today = house.clock.today();
    let foreseen = house.tx(|conn| {
        let desk = ops_models::desk(conn)?;
        ops_preview::preview(conn, &desk.current.model, desk.model(), today)
    });
    assert!(foreseen.changing() > 10, "the test is about a big change: {foreseen:?}");

    let page = revops.get("/scoring/publication").await;
    page.says(200, "Type publish to confirm");
    let form = [("seen", "2.0"), ("reason", "SDRs have time"), ("confirm", "")];
    revops.post("/scoring/publication", &form).await.says(422, "so many workspaces change stage");
    let form = [("seen", "2.0"), ("reason", " "), ("confirm", "publish")];
    revops.post("/scoring/publication", &form).await.says(422, "Say why");
    let form = [("seen", "2.0"), ("reason", "SDRs have time"), ("confirm", "Publish")];
    revops.post("/scoring/publication", &form).await.leads_to("/scoring");
    let twice = revops.post("/scoring/publication", &form).await;
    assert_eq!(twice.status, 409, "{}", twice.body);

    let (versions, waiting, audited): (i64, i64, i64) = house.tx(|conn| {
        let audited =
            audit_entries::table.filter(audit_entries::action.eq("scoring_model.published"));
        Ok((
            scoring_models::table.count().get_result(conn)?,
            jobs::table.count().get_result(conn)?,
            audited.filter(audit_entries::subject_id.eq("2")).count().get_result(conn)?,
        ))
    });
    assert_eq!((versions, waiting, audited), (2, 1, 1));
    revops.get("/scoring").await.says(200, "Scoring everything again begins in a moment");
    revops.htmx_get("/scoring/rescore", "rescore").await.says(200, "every 2s");
    revops.get("/scoring/rescore").await.leads_to("/scoring");
    assert_eq!(standings(&house), before, "nothing moves before the job runs");

    scored::rescore(&house);
    let after = standings(&house);
    let scores: Vec<i32> = after.iter().map(|(_, score, _)| *score).collect();
    assert_eq!(scores, foreseen.then);
    let changed = before.iter().zip(&after).filter(|(old, new)| old.2 != new.2).count();
    assert_eq!(changed, foreseen.changing());
    for stage in &foreseen.stages {
        let count = after.iter().filter(|(_, _, one)| *one == stage.stage).count();
        assert_eq!(count, stage.then, "{}", stage.stage);
    }
    let done = revops.htmx_get("/scoring/rescore", "rescore").await;
    done.says(200, "Every workspace is scored by version 2.");
    assert!(!done.body.contains("hx-trigger"), "a finished job is not asked for again");
}

#[actix_web::test]
async fn thresholds_do_what_the_preview_said() {
    publish_and_compare(&[
        ("stages.warm.min", "10"),
        ("stages.pql.min", "20"),
        ("stages.hot_pql.min", "30"),
    ])
    .await;
}

#[actix_web::test]
async fn points_caps_decays_and_factors_do_what_the_preview_said() {
    publish_and_compare(&[
        ("rules.core_feature_used.points", "4"),
        ("rules.core_feature_used.cap.points", "30"),
        ("rules.core_feature_used.cap.days", "7"),
        ("rules.invite_accepted.points", "11.5"),
        ("categories.expansion.decay.kind", "half_life"),
        ("role_factors.0.factor", "1.75"),
        ("stages.warm.min", "20"),
        ("stages.pql.min", "40"),
        ("stages.hot_pql.min", "79"),
    ])
    .await;
}

#[actix_web::test]
async fn an_old_version_comes_back_as_a_new_one() {
    let house = scored::house().await;
    let revops = house.as_revops();
    let form = [("seen", "2.new"), ("stages.hot_pql.min", "99")];
    revops.post("/scoring/draft", &form).await.leads_to("/scoring");
    let early = [("reason", "Too few hot ones")];
    let refused = revops.post("/scoring/versions/1/restoration", &early).await;
    refused.says(409, "has begun a draft");
    let form = [("seen", "2.0"), ("reason", "Fewer hot ones"), ("confirm", "publish")];
    revops.post("/scoring/publication", &form).await.leads_to("/scoring");
    revops.get("/scoring/versions/2").await.says(200, "Hot PQL begins at");
    revops.get("/scoring/versions/1").await.says(200, "Roll back to this");
    revops.post("/scoring/versions/1/restoration", &[("reason", "")]).await.says(422, "Say why");
    revops.post("/scoring/versions/1/restoration", &early).await.leads_to("/scoring");
    revops.post("/scoring/versions/7/restoration", &early).await.says(404, "");
    let desk = house.tx(ops_models::desk);
    assert_eq!(desk.current.version, 3);
    assert_eq!(desk.current.model, ripen::scoring::presets::published_recipe());
    let page = revops.get("/scoring").await;
    assert!(page.body.contains("Too few hot ones") && page.body.contains("Fewer hot ones"));
    scored::rescore(&house);
}
