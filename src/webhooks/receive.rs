//! The addresses to which webhooks are posted.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use uuid::Uuid;

use super::ops::{self, Answer, Signed};
use crate::app::App;
use crate::error::Result;
use crate::ingest::body::{self, Budget, DEADLINE, Unread};

/// More than any event of Stripe's has.
const LONGEST: usize = 1024 * 1024;

static BUDGET: LazyLock<Budget> = LazyLock::new(Budget::default);

/// `POST /webhooks/stripe/{id}`
///
/// # Errors
/// `NotFound` without such an endpoint; when the database fails, after which Stripe tries again.
pub async fn stripe(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let (id, now) = (id.into_inner(), app.clock.now());
    let body = match read(&request, payload).await {
        Ok(body) => body,
        Err(answer) => return Ok(answer),
    };
    let signature = header(&request, "stripe-signature");
    let answer = app
        .db
        .tx_web(move |conn| ops::stripe(conn, id, signature.as_deref(), body.bytes(), now))
        .await?;
    Ok(respond(&answer))
}

/// `POST /webhooks/events/{id}`
///
/// # Errors
/// `NotFound` without such an endpoint; when the database fails, after which senders try again.
pub async fn events(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let (id, now) = (id.into_inner(), app.clock.now());
    let body = match read(&request, payload).await {
        Ok(body) => body,
        Err(answer) => return Ok(answer),
    };
    // Svix's names for the same three headers.
    let either = |name: &str| {
        header(&request, &format!("webhook-{name}"))
            .or_else(|| header(&request, &format!("svix-{name}")))
    };
    let signed =
        Signed { id: either("id"), timestamp: either("timestamp"), signature: either("signature") };
    let answer =
        app.db.tx_web(move |conn| ops::events(conn, id, &signed, body.bytes(), now)).await?;
    Ok(respond(&answer))
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
    match body::read(payload, &BUDGET, DEADLINE).await {
        Ok(body) if body.bytes().len() > LONGEST => Err(too_large()),
        Ok(body) => Ok(body),
        Err(Unread::TooLarge) => Err(too_large()),
        Err(Unread::TooSlow) => {
            Err(refusal(StatusCode::REQUEST_TIMEOUT, "request_timeout", "The body did not arrive within 30 s."))
        }
        Err(Unread::NoRoom) => Err(HttpResponse::TooManyRequests()
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

fn refusal(status: StatusCode, code: &str, message: &str) -> HttpResponse {
    HttpResponse::build(status).force_close().json(json!({"code": code, "message": message}))
}

fn respond(answer: &Answer) -> HttpResponse {
    match answer {
        Answer::Taken(outcome) => {
            HttpResponse::Ok().json(json!({"received": true, "outcome": outcome}))
        }
        Answer::Refused { code, message } => {
            HttpResponse::BadRequest().json(json!({"code": code, "message": message}))
        }
    }
}
