//! `GET /metrics` for Prometheus: a few numbers that say whether Ripen does its work. Written by
//! hand: the text format is a line a number, and nothing here needs a registry.
//!
//! Needs an API key with the scope `read` (Prometheus: `authorization: credentials`): volumes are
//! business figures.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};

use super::store_metrics::{self, Figures};
use crate::app::App;
use crate::db::{Database, Pool};
use crate::error::Result;
use crate::web::api_key::{ApiKey, Read};

/// Answers by the first digit of their status, 1 to 5, of this process.
static ANSWERS: [AtomicU64; 5] = [const { AtomicU64::new(0) }; 5];
static MICROSECONDS: AtomicU64 = AtomicU64::new(0);

/// Middleware: counts answers and the time they took.
///
/// # Errors
/// None of its own.
pub async fn count(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let began = Instant::now();
    let answer = next.call(request).await;
    let status = match &answer {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let class = usize::from(status.as_u16() / 100).saturating_sub(1);
    if let Some(counter) = ANSWERS.get(class) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
    let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    MICROSECONDS.fetch_add(took, Ordering::Relaxed);
    answer
}

/// `GET /metrics`.
pub async fn show(app: web::Data<App>, _key: ApiKey<Read>) -> Result<HttpResponse> {
    let figures = app.db.read_web(store_metrics::figures).await?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text(
        &figures,
        &app.db,
        app.clock.now(),
    )))
}

fn text(figures: &Figures, db: &Database, now: DateTime<Utc>) -> String {
    let mut page = Page(String::new());
    page.family(
        "ripen_http_requests_total",
        "counter",
        "Answers of this process by class of status.",
    );
    let mut answers = 0;
    for (class, counter) in ANSWERS.iter().enumerate() {
        let value = counter.load(Ordering::Relaxed);
        answers += value;
        page.line("ripen_http_requests_total", &format!("{{class=\"{}xx\"}}", class + 1), value);
    }
    page.family("ripen_http_request_seconds", "summary", "Time that answers took.");
    let micros = MICROSECONDS.load(Ordering::Relaxed);
    let seconds = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    page.line("ripen_http_request_seconds_sum", "", seconds);
    page.line("ripen_http_request_seconds_count", "", answers);
    page.family("ripen_ingest_events_total", "counter", "Events since the beginning, by outcome.");
    for (outcome, value) in [
        ("accepted", figures.accepted),
        ("rejected", figures.rejected),
        ("duplicate", figures.duplicates),
    ] {
        page.line("ripen_ingest_events_total", &format!("{{outcome=\"{outcome}\"}}"), value);
    }
    page.gauge(
        "ripen_ingest_pending_events",
        "Events acknowledged and not yet projected.",
        figures.pending,
    );
    let lag = figures.oldest_pending_at.map_or(0, |at| (now - at).num_milliseconds().max(0));
    page.family("ripen_ingest_lag_seconds", "gauge", "Age of the oldest event not yet projected.");
    page.line("ripen_ingest_lag_seconds", "", format!("{}.{:03}", lag / 1_000, lag % 1_000));
    if let Some(at) = figures.processed_to {
        page.gauge(
            "ripen_ingest_processed_timestamp_seconds",
            "Everything received up to here is projected, in seconds since 1970.",
            at.timestamp(),
        );
    }
    page.gauge("ripen_ingest_alerts", "Alerts of ingestion that stand.", figures.alerts);
    page.gauge(
        "ripen_dead_letters",
        "Refused events that wait for a person.",
        figures.dead_letters,
    );
    page.gauge("ripen_scoring_waiting", "Changes that wait for a new score.", figures.touched);
    page.gauge("ripen_scored_workspaces", "Workspaces with a score.", figures.scored);
    page.gauge(
        "ripen_jobs_waiting",
        "Jobs that are neither finished nor dead.",
        figures.jobs_waiting,
    );
    page.gauge("ripen_jobs_dead", "Jobs that failed too often.", figures.jobs_dead);
    page.family("ripen_db_connections", "gauge", "Connections of this process by pool and state.");
    for (pool, name) in [(Pool::Web, "web"), (Pool::Ingest, "ingest"), (Pool::Work, "work")] {
        let (open, idle) = db.connections(pool);
        let busy = open.saturating_sub(idle);
        page.line("ripen_db_connections", &format!("{{pool=\"{name}\",state=\"busy\"}}"), busy);
        page.line("ripen_db_connections", &format!("{{pool=\"{name}\",state=\"idle\"}}"), idle);
    }
    page.0
}

/// The text format, family by family.
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: i64) {
        self.family(name, "gauge", help);
        self.line(name, "", value);
    }
}
