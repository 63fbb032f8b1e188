//! `POST /v1/workspaces` and its like: records by server key, from warehouses and scripts.
//!
//! The keys of SDKs stand in every browser, so they open nothing here; and no answer may be read by a
//! page of another origin.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde_json::json;
use tokio::sync::SemaphorePermit;

use super::call::Sender;
use super::kind::Kind;
use super::ops::{self, Outcome};
use super::{answer, gate};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::SourceId;
use crate::ingest::endpoint::write_key;
use crate::ingest::failure::BodyError;
use crate::ingest::gzip::{self, BODY_LIMIT};
use crate::jobs::PROJECTIONS;
use crate::sources::key::KeyHash;
use crate::sources::store;
use crate::web::body::{self, Unread};

/// Why a request with records was refused as a whole.
#[derive(Debug)]
pub(super) enum Refusal {
    /// As on ingestion.
    Body(BodyError),
    /// Its body came too slowly.
    TooSlow,
    /// The key is one for SDKs.
    PublicKey,
    /// It was sent by a web page.
    Browser,
    /// The house's own.
    Other(Error),
    /// Some of it was written, the rest was not.
    CutOff(Vec<Outcome>, Error),
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// A refusal in words: status, code, message, seconds to wait.
pub(super) type Said = (u16, &'static str, String, Option<u32>);

impl Refusal {
    /// What to tell the sender; `None` where the house's own words will do.
    pub(super) fn said(&self) -> Option<Said> {
        let records = |error: &BodyError| match error {
            BodyError::TooLarge => {
                "The body is larger than 5 MB, decompressed. Send it in parts.".to_owned()
            }
            BodyError::NoWriteKey => {
                "No server key. Send it as the user name of HTTP Basic authentication.".to_owned()
            }
            BodyError::UnknownWriteKey => {
                "This key is unknown or revoked. Make a server key in Settings, Keys.".to_owned()
            }
            BodyError::OddWriteKey(how) => format!("This server key {how}"),
            other => other.to_string(),
        };
        Some(match self {
            Self::Body(error) => {
                (error.status(), error.code(), records(error), error.retry_after())
            }
            Self::TooSlow => (
                408,
                "request_timeout",
                "The body did not arrive within 30 s. Send it again.".to_owned(),
                None,
            ),
            Self::PublicKey => {
                let text = "This is a write key for SDKs, which show it to the world. Records take a server key: make one \
                            in Settings, Keys.";
                (403, "public_key", text.to_owned(), None)
            }
            Self::Browser => {
                let text = "A web page sent this. Records are sent by servers: a server key in a page is everybody's. Revoke it.";
                (403, "browser", text.to_owned(), None)
            }
            Self::CutOff(outcomes, error) => {
                let status = if error.passes() { 503 } else { 500 };
                let code = if error.passes() { "overloaded" } else { "internal" };
                (status, code, answer::cut_off(outcomes), error.passes().then_some(2))
            }
            Self::Other(Error::TooMany(seconds)) => {
                let text = "Other records are being written. Nothing of this request was stored; send it again.";
                (429, "rate_limited", text.to_owned(), Some(*seconds))
            }
            Self::Other(_) => return None,
        })
    }

    fn response(self) -> Result<HttpResponse> {
        if let Self::CutOff(_, error) = &self {
            tracing::warn!(%error, "records were cut off");
        }
        let Some((status, code, message, retry_after)) = self.said() else {
            return Err(match self {
                Self::Other(error) => error,
                _ => Error::internal("a refusal without words"),
            });
        };
        let mut document = match &self {
            Self::CutOff(outcomes, _) => answer::document(outcomes),
            _ => serde_json::Map::new(),
        };
        document.insert("code".to_owned(), code.into());
        document.insert("message".to_owned(), message.into());
        let mut response = HttpResponse::build(
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        );
        if let Some(seconds) = retry_after {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if matches!(self, Self::TooSlow | Self::Body(BodyError::TooLarge)) {
            response.force_close();
        }
        Ok(response.json(document))
    }
}

/// `POST /v1/workspaces`.
pub async fn workspaces(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse> {
    answered(Kind::Workspaces, &app, &request, body).await
}

/// `POST /v1/accounts`.
pub async fn accounts(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse> {
    answered(Kind::Accounts, &app, &request, body).await
}

/// `POST /v1/users`.
pub async fn users(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse> {
    answered(Kind::Users, &app, &request, body).await
}

/// `POST /v1/memberships`.
pub async fn memberships(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse> {
    answered(Kind::Memberships, &app, &request, body).await
}

/// `POST /v1/subscriptions`.
pub async fn subscriptions(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse> {
    answered(Kind::Subscriptions, &app, &request, body).await
}

async fn answered(
    kind: Kind,
    app: &web::Data<App>,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let now = app.clock.now();
    let taken = async {
        let source = source(app, request.headers(), now).await?;
        take(kind, app, request.headers(), payload, source, now).await
    };
    match taken.await {
        Ok(outcomes) => {
            let mut document = answer::document(&outcomes);
            document.insert("success".to_owned(), true.into());
            Ok(HttpResponse::Ok().json(json!(document)))
        }
        Err(refusal) => refusal.response(),
    }
}

/// Whose key it is: a stranger's body is not read.
async fn source(
    app: &web::Data<App>,
    headers: &HeaderMap,
    now: DateTime<Utc>,
) -> std::result::Result<SourceId, Refusal> {
    if headers.contains_key(header::ORIGIN) {
        return Err(Refusal::Browser);
    }
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = authorization
        .and_then(|value| value.trim().split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim().to_owned());
    let key = write_key(authorization, None, None).or(bearer).ok_or(BodyError::NoWriteKey)?;
    let (hash, odd) = (KeyHash::of(&key), BodyError::unknown_key(&key));
    let found = app.db.tx_web(move |conn| store::use_write_key(conn, &hash, now)).await?;
    match found {
        None => Err(odd.into()),
        Some(key) if !key.for_servers => Err(Refusal::PublicKey),
        Some(key) => Ok(key.source_id),
    }
}

/// Reads, checks and writes the records of a body; all of them are committed when it answers.
pub(super) async fn take(
    kind: Kind,
    app: &web::Data<App>,
    headers: &HeaderMap,
    payload: web::Payload,
    source: SourceId,
    now: DateTime<Utc>,
) -> std::result::Result<Vec<Outcome>, Refusal> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_LIMIT) {
        return Err(BodyError::TooLarge.into());
    }
    let encoding = text(header::CONTENT_ENCODING).map(str::to_owned);
    let body =
        body::read(payload, gate::budget(), body::DEADLINE).await.map_err(
            |unread| match unread {
                Unread::TooLarge => BodyError::TooLarge.into(),
                Unread::TooSlow => Refusal::TooSlow,
                Unread::NoRoom => BodyError::RateLimited(2).into(),
                Unread::Broken => {
                    BodyError::Json("The body ended before its end. Send it again.".into()).into()
                }
            },
        )?;
    // Inflated and parsed, records take many times the memory of their body: one request at a time. The
    // others wait with their bodies, which count against the budget until then.
    let turn = gate::turn().await?;
    let read = web::block(move || {
        let plain = gzip::decode(encoding.as_deref(), body.bytes())?;
        ops::read(kind, &plain, now).map_err(BodyError::Json)
    });
    let entries = read.await.map_err(|_| BodyError::Overloaded(2))??;
    write_in(turn, app, source, entries, now).await
}

/// Writes records when their turn comes.
pub(super) async fn write(
    app: &web::Data<App>,
    source: SourceId,
    entries: Vec<ops::Entry>,
    now: DateTime<Utc>,
) -> std::result::Result<Vec<Outcome>, Refusal> {
    write_in(gate::turn().await?, app, source, entries, now).await
}

async fn write_in(
    turn: SemaphorePermit<'static>,
    app: &web::Data<App>,
    source: SourceId,
    entries: Vec<ops::Entry>,
    now: DateTime<Utc>,
) -> std::result::Result<Vec<Outcome>, Refusal> {
    let db = app.db.clone();
    let written = web::block(move || {
        let _turn = turn;
        ops::write(&db, Sender { source, received_at: now }, &PROJECTIONS, entries)
    });
    match written.await.map_err(|_| BodyError::Overloaded(2))? {
        (outcomes, None) => Ok(outcomes),
        (outcomes, Some(error)) => Err(Refusal::CutOff(outcomes, error)),
    }
}
