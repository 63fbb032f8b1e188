//! The addresses to which webhooks are posted.

use std::sync::LazyLock;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use diesel::PgConnection;
use serde_json::json;
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use super::ops::{self, Answer, Signed};
use crate::app::App;
use crate::error::{Error, Result};
use crate::sources::store_webhooks::Kind;
use crate::web::body::{self, Budget, DEADLINE, Unread};

/// More than any event of Stripe's has.
const LONGEST: usize = 1024 * 1024;

static BUDGET: LazyLock<Budget> = LazyLock::new(Budget::default);

/// So many deliveries are with the database at once: the others of its connections are the events'.
static TURNS: Semaphore = Semaphore::const_new(2);
/// Stripe gives up after 10 seconds at the earliest.
const PATIENCE: Duration = Duration::from_secs(8);

/// `POST /webhooks/stripe/{id}`
///
/// # Errors
/// When the database fails, after which Stripe tries again.
pub async fn stripe(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let (id, now) = (id.into_inner(), app.clock.now());
    let signature = header(&request, "stripe-signature");
    deliver(&app, (id, Kind::Stripe), &request, payload, move |conn, body| {
        ops::stripe(conn, id, signature.as_deref(), body, now)
    })
    .await
}

/// `POST /webhooks/events/{id}`
///
/// # Errors
/// When the database fails, after which senders try again.
pub async fn events(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let (id, now) = (id.into_inner(), app.clock.now());
    // Svix's names for the same three headers.
    let either = |name: &str| {
        header(&request, &format!("webhook-{name}"))
            .or_else(|| header(&request, &format!("svix-{name}")))
    };
    let signed =
        Signed { id: either("id"), timestamp: either("timestamp"), signature: either("signature") };
    let room = app.db.check_room()?;
    deliver(&app, (id, Kind::Events), &request, payload, move |conn, body| {
        ops::events(conn, room, id, &signed, body, now)
    })
    .await
}

/// Reads the body only for an endpoint that is open: whoever tries addresses holds no memory.
async fn deliver(
    app: &App,
    (id, kind): (Uuid, Kind),
    request: &HttpRequest,
    payload: web::Payload,
    mut take: impl FnMut(&mut PgConnection, &[u8]) -> Result<Answer> + Send + 'static,
) -> Result<HttpResponse> {
    let is_open = {
        let _turn = turn().await?;
        app.db.tx_ingest(move |conn| ops::is_open(conn, id, kind)).await
    };
    match is_open {
        Ok(true) => {}
        Ok(false) => return Ok(respond(&Answer::Closed)),
        Err(Error::NotFound) => return Ok(nowhere()),
        Err(error) => return Err(error),
    }
    let body = match read(request, payload).await {
        Ok(body) => body,
        Err(answer) => return Ok(answer),
    };
    let turn = turn().await?;
    let answer = app.db.tx_ingest(move |conn| {
        // Whoever hangs up meanwhile does not give it away.
        let _turn = &turn;
        take(conn, body.bytes())
    });
    Ok(respond(&answer.await?))
}

/// The turn to talk to the database, until it is dropped.
async fn turn() -> Result<SemaphorePermit<'static>> {
    match tokio::time::timeout(PATIENCE, TURNS.acquire()).await {
        Ok(Ok(turn)) => Ok(turn),
        _ => Err(Error::TooMany(2)),
    }
}

fn header(request: &HttpRequest, name: &str) -> Option<String> {
    request.headers().get(name)?.to_str().ok().map(str::to_owned)
}

async fn read(
    request: &HttpRequest,
    payload: web::Payload,
) -> std::result::Result<body::Body, HttpResponse> {
    let length = header(request, "content-length").and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > LONGEST) {
        return Err(too_large());
    }
    match body::read_at_most(LONGEST, payload, &BUDGET, DEADLINE).await {
        Ok(body) => Ok(body),
        Err(Unread::TooLarge) => Err(too_large()),
        Err(Unread::TooSlow) => {
            Err(refusal(StatusCode::REQUEST_TIMEOUT, "request_timeout", "The body did not arrive within 30 s."))
        }
        Err(Unread::NoRoom) => Err(HttpResponse::TooManyRequests()
            .force_close()
            .insert_header(("Retry-After", "1"))
            .json(json!({"code": "rate_limited", "message": "Too much at once. Send it again in a second."}))),
        Err(Unread::Broken) => {
            Err(refusal(StatusCode::BAD_REQUEST, "invalid_body", "The body ended before its end."))
        }
    }
}

fn too_large() -> HttpResponse {
    refusal(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "A delivery has at most 1 MB.")
}

fn nowhere() -> HttpResponse {
    refusal(
        StatusCode::NOT_FOUND,
        "not_found",
        "No webhook endpoint has this address. Copy it from Settings, Webhooks.",
    )
}

/// What was not read to its end cannot be followed by another request.
fn refusal(status: StatusCode, code: &str, message: &str) -> HttpResponse {
    HttpResponse::build(status).force_close().json(json!({"code": code, "message": message}))
}

fn respond(answer: &Answer) -> HttpResponse {
    match answer {
        Answer::Taken(outcome) => {
            HttpResponse::Ok().json(json!({"received": true, "outcome": outcome}))
        }
        Answer::Closed => refusal(
            StatusCode::GONE,
            "closed",
            "Somebody closed this endpoint. Remove it where you set it up.",
        ),
        Answer::Refused { code, message } => {
            HttpResponse::BadRequest().json(json!({"code": code, "message": message}))
        }
    }
}
