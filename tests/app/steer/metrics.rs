//! What machines look at: health, readiness, metrics, the reference.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web;
use ripen::app;
use ripen::sources::key::Scope;
use ripen::threads::Threads;

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
async fn a_thread_that_ended_makes_the_server_not_ready_until_it_runs_again() {
    let house = scored::house().await;
    let threads = Threads::default();
    let service = init_service(
        app::service(web::Data::new(house.app.clone())).app_data(web::Data::new(threads.clone())),
    )
    .await;
    let ready = async || {
        let answer = call_service(&service, TestRequest::with_uri("/readyz").to_request()).await;
        let (status, again) = (answer.status(), answer.headers().contains_key("retry-after"));
        let body = actix_web::body::to_bytes(answer.into_body()).await.unwrap();
        (status.as_u16(), again, String::from_utf8(body.to_vec()).unwrap())
    };
    let (fail, stop) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
    let (failing, stopping, asked) = (Arc::clone(&fail), Arc::clone(&stop), Arc::clone(&stop));
    let thread = threads
        .spawn(
            "scorer",
            move || asked.load(SeqCst),
            move || {
                assert!(!failing.load(SeqCst), "a fault of ours about mara@northwind.example");
                while !stopping.load(SeqCst) {
                    std::thread::sleep(Duration::from_millis(10));
                }
            },
        )
        .unwrap();
    let mut down = None;
    for _ in 0..400 {
        down = Some(ready().await).filter(|(status, ..)| *status == 503);
        if down.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (_, again, body) = down.expect("it is told");
    assert!(again && body.contains("scorer") && !body.contains("northwind"), "{body}");
    fail.store(false, SeqCst);
    let mut answer = ready().await;
    for _ in 0..1500 {
        if answer.0 == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        answer = ready().await;
    }
    assert_eq!(answer.0, 200, "{}", answer.2);
    stop.store(true, SeqCst);
    thread.join().unwrap();
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
