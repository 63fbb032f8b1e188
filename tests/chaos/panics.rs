//! A panic is our fault: it is answered as such, and the next request is served.

use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, test, web};
use ripen::db::Pool;
use ripen::error::{Error, Result};
use ripen::web::errors;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use ripen::clock::Clock;
use ripen::ingest::writer::{Limits, Submission, Writer};
use ripen::threads::Threads;

use crate::ledger::count;
use crate::serve::{SOURCE, furnish};
use crate::test_db::TestDb;

#[actix_web::test]
async fn a_handler_that_panics_answers_500_with_a_request_id() {
    let boom = || async {
        if true {
            panic!("boom");
        }
        HttpResponse::Ok().finish()
    };
    let app = App::new()
        .wrap(from_fn(errors::render))
        .route("/v1/boom", web::get().to(boom))
        .route("/v1/fine", web::get().to(|| async { HttpResponse::Ok().finish() }));
    let app = test::init_service(app).await;
    let request = test::TestRequest::with_uri("/v1/boom").to_request();
    let error = test::try_call_service(&app, request).await.expect_err("a failure");
    let response = error.error_response();
    assert_eq!(response.status(), 500);
    let body = actix_web::body::to_bytes(response.into_body()).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["code"], "internal");
    assert!(!body.to_string().contains("boom"), "the cause is for the log: {body}");
    let request = test::TestRequest::with_uri("/v1/fine").to_request();
    assert_eq!(test::call_service(&app, request).await.status(), 200);
}

#[actix_web::test]
async fn a_writer_that_panics_is_started_again_and_commits_what_comes_next() {
    let db = TestDb::new();
    furnish(&db);
    let threads = Threads::default();
    let fails = AtomicUsize::new(3);
    let committed = move || {
        let left = fails.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        assert!(left.is_err(), "after the commit");
    };
    let clock = Clock::system();
    let writer =
        Writer::start_among(&threads, db.clone(), clock.clone(), Limits::default(), committed);
    let writer = writer.unwrap();
    for _ in 0..6 {
        let submission = Submission {
            source_id: SOURCE,
            stored_at: clock.now(),
            events: 1,
            lines: b"{}\n".to_vec(),
            refused: Vec::new(),
        };
        let answer = writer.submit(submission).unwrap();
        tokio::time::timeout(Duration::from_secs(20), answer).await.unwrap().unwrap().unwrap();
    }
    assert_eq!(threads.running(), ["ingest writer"]);
    assert_eq!(count(&db, "journal"), Some(6));
    drop(writer);
    assert!(threads.running().is_empty());
}

#[actix_web::test]
async fn work_behind_a_handler_that_panics_is_a_failure_of_ours() {
    let db = TestDb::new();
    let outcome: Result<()> = db.read_web(|_| panic!("row 7")).await;
    assert!(matches!(outcome, Err(Error::Internal(words)) if words == "a panic: row 7"));
    db.read(Pool::Web, |_| Ok(())).unwrap();
}
