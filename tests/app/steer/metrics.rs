//! What machines look at: health, readiness, metrics, the reference.

use ripen::sources::key::Scope;

use crate::api_client::Script;
use crate::scored;

#[actix_web::test]
async fn health_is_told_to_everybody_and_figures_to_keys() {
    let house = scored::house().await;
    house.stranger().get("/healthz").await.says(200, "ok");
    house.stranger().get("/readyz").await.says(200, "ready");
    let page = Script::new(&house, Scope::Read).get("/metrics").await;
    assert_eq!(page.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    page.says(200, "ripen_scored_workspaces 14\n");
    page.says(200, "ripen_http_requests_total{class=\"2xx\"}");
    page.says(200, "ripen_ingest_lag_seconds 0.000\n");
    page.says(200, "ripen_db_connections{pool=\"web\",state=\"busy\"}");
    for line in page.body.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("ripen_") && value.parse::<f64>().is_ok(), "{line}");
    }
}

#[actix_web::test]
async fn the_reference_is_open() {
    let house = scored::house().await;
    let document = house.stranger().get("/api/openapi.json").await;
    document.says(200, "\"3.1.0\"");
    let page = house.stranger().get("/api/docs").await;
    page.says(200, "/api/v1/workspaces/{workspace_id}/score/history");
    page.says(200, "http://ripen.test/api/v1/workspaces?limit=5");
}
