//! The paths that SDKs call, at the origin's root: events in, settings out.
//!
//! The answer to events is 200 exactly, and only once they are committed. Everything else is
//! `{"code","message"}` with a status that makes the SDKs do the right thing (`wire.md`, section 4).

use std::time::Duration;

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::answer::{self, Problem};
use super::body::{self, Budget, Unread};
use super::endpoint::{self, Endpoint};
use super::failure::BodyError;
use super::gzip::BODY_LIMIT;
use super::intake::{self, Prepared};
use super::recorder::Recorder;
use super::{cors, writer::Writer};
use crate::clock::Clock;
use crate::db::Database;
use crate::error::{Error, Result};
use crate::sources::keyring::KeyRing;
use crate::sources::store::OpenKey;

/// Bodies above this are parsed off the server's own threads, so that a big one does not hold up
/// the small ones behind it; a hop to another thread costs as much as parsing about so many bytes.
const INLINE: usize = 32 * 1024;

/// All that receiving needs; one for a server.
pub struct Intake {
    database: Database,
    keys: KeyRing,
    writer: Writer,
    recorder: Recorder,
    clock: Clock,
    budget: Budget,
    deadline: Duration,
}

impl Intake {
    /// Receives with this writer.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn new(database: Database, clock: Clock, writer: Writer) -> Result<Self> {
        Ok(Self {
            keys: KeyRing::new(database.clone(), clock.clone()),
            recorder: Recorder::start(database.clone())?,
            database,
            writer,
            clock,
            budget: Budget::default(),
            deadline: body::DEADLINE,
        })
    }

    /// Cuts slow bodies earlier, for a test that does not want to wait.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The open write keys; to be told when one is made or revoked.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }
}

/// Every path of `wire.md` section 1, with and without a slash at its end.
pub fn routes(config: &mut ServiceConfig) {
    let paths = [
        "/v1/batch",
        "/v1/import",
        "/v1/b",
        "/beacon/v1/batch",
        "/v1/m", //
        "/v1/identify",
        "/v1/track",
        "/v1/page",
        "/v1/screen",
        "/v1/group",
        "/v1/alias", //
        "/v1/i",
        "/v1/t",
        "/v1/p",
        "/v1/s",
        "/v1/g",
        "/v1/a",
    ];
    for path in paths {
        config.service(
            web::resource([path.to_owned(), format!("{path}/")])
                .route(web::post().to(receive))
                .route(web::method(Method::OPTIONS).to(preflight))
                .default_service(web::to(wrong_method)),
        );
    }
    for (path, handler) in [
        (
            ["/v1/projects/{write_key}/settings", "/v1/projects/{write_key}/settings/"],
            web::get().to(settings),
        ),
        (["/sourceConfig", "/sourceConfig/"], web::get().to(source_config)),
    ] {
        config.service(
            web::resource(path)
                .route(handler)
                .route(web::method(Method::OPTIONS).to(preflight))
                .default_service(web::to(wrong_method)),
        );
    }
    // An SDK that is set up wrongly should read why, rather than a page for people.
    config.service(
        web::resource(["/v1", "/v1/{rest:.*}", "/beacon/{rest:.*}"])
            .route(web::method(Method::OPTIONS).to(preflight))
            .default_service(web::to(wrong_path)),
    );
}

/// Why a request got something else than what it wanted.
enum Refusal {
    Body(BodyError),
    TooSlow,
    Path,
    Method,
    Fault,
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::TooMany(seconds) => BodyError::RateLimited(seconds).into(),
            Error::Unavailable(seconds, _) => BodyError::Overloaded(seconds).into(),
            Error::Contended(_) => BodyError::Overloaded(1).into(),
            // Logged by whoever found it; nothing of it concerns the sender.
            _ => Self::Fault,
        }
    }
}

impl Refusal {
    fn response(&self) -> HttpResponse {
        let (status, problem, retry_after) = match self {
            Self::Body(error) => (error.status(), Problem::from(error), error.retry_after()),
            Self::TooSlow => {
                let message = "The body did not arrive within 30 s. Send it again.".into();
                (408, Problem { code: "request_timeout", message }, None)
            }
            Self::Path => {
                let message = "There is nothing under this path. Events go to /v1/batch.".into();
                (404, Problem { code: "not_found", message }, None)
            }
            Self::Method => {
                let message = "Send events with POST.".into();
                (405, Problem { code: "method_not_allowed", message }, None)
            }
            Self::Fault => {
                let message =
                    "The events could not be stored. Nothing of this request was kept.".into();
                (500, Problem { code: "internal", message }, None)
            }
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        if let Some(seconds) = retry_after {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if matches!(self, Self::Method) {
            response.insert_header((header::ALLOW, "POST, OPTIONS"));
        }
        // What is left of an unread body is not worth reading; the connection goes with it.
        if matches!(self, Self::TooSlow | Self::Body(BodyError::TooLarge)) {
            response.force_close();
        }
        with_cors(response.json(problem))
    }
}

async fn receive(
    request: HttpRequest,
    payload: web::Payload,
    intake: web::Data<Intake>,
) -> HttpResponse {
    match accept(&request, payload, &intake).await {
        Ok(answer) => with_cors(HttpResponse::Ok().content_type("application/json").body(answer)),
        Err(refusal) => refusal.response(),
    }
}

async fn accept(
    request: &HttpRequest,
    payload: web::Payload,
    intake: &web::Data<Intake>,
) -> Result<String, Refusal> {
    let endpoint = Endpoint::of_path(request.path()).ok_or(Refusal::Path)?;
    let head = request.headers();
    let text = |name| head.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_LIMIT) {
        return Err(BodyError::TooLarge.into());
    }
    if endpoint == Endpoint::Metrics {
        read(payload, intake).await?;
        return Ok("{\"success\":true}".into());
    }
    // A key in the header or the address is looked at first: strangers' bodies are not read.
    let key = endpoint::write_key(text(header::AUTHORIZATION), Some(request.query_string()), None);
    let mut source = match key {
        Some(key) => Some(open(intake, key).await?),
        None => None,
    };
    let received_at = intake.clock.now();
    let encoding = text(header::CONTENT_ENCODING).map(str::to_owned);
    let body = read(payload, intake).await?;
    let prepare = move || {
        intake::prepare(endpoint, encoding.as_deref(), body.bytes(), received_at, Uuid::now_v7())
    };
    let prepared: Prepared = if length.is_some_and(|length| length <= INLINE) {
        prepare()?
    } else {
        web::block(prepare).await.map_err(|_| BodyError::Overloaded(1))??
    };
    if source.is_none() {
        let key = prepared.write_key.clone().ok_or(BodyError::NoWriteKey)?;
        source = Some(open(intake, key).await?);
    }
    let source = source.ok_or(BodyError::NoWriteKey)?;
    let (answer, sent_at) = (prepared.answer.clone(), prepared.sent_at);
    let committed = intake.writer.submit(prepared.of(source.source_id, received_at))?;
    committed.await.map_err(|_| BodyError::Overloaded(2))??;
    intake.recorder.committed(source.source_id, received_at, sent_at, intake.clock.now());
    Ok(answer)
}

async fn read(payload: web::Payload, intake: &web::Data<Intake>) -> Result<body::Body, Refusal> {
    body::read(payload, &intake.budget, intake.deadline).await.map_err(|unread| match unread {
        Unread::TooLarge => BodyError::TooLarge.into(),
        Unread::TooSlow => Refusal::TooSlow,
        Unread::NoRoom => BodyError::RateLimited(1).into(),
        Unread::Broken => {
            BodyError::Json("The body ended before its end. Send it again.".into()).into()
        }
    })
}

async fn open(intake: &web::Data<Intake>, key: String) -> Result<OpenKey, Refusal> {
    let found = match intake.keys.glance(&key) {
        Some(found) => found,
        None => {
            let intake = intake.clone();
            web::block(move || intake.keys.open(&key))
                .await
                .map_err(|_| BodyError::Overloaded(2))??
        }
    };
    Ok(found.ok_or(BodyError::UnknownWriteKey)?)
}

async fn preflight(request: HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::Ok().finish();
    cors::allow_request(&request, response.headers_mut());
    response
}

async fn wrong_path() -> HttpResponse {
    Refusal::Path.response()
}

async fn wrong_method() -> HttpResponse {
    Refusal::Method.response()
}

/// Without this analytics-next, Swift and Kotlin never start.
async fn settings(
    request: HttpRequest,
    key: web::Path<String>,
    intake: web::Data<Intake>,
) -> HttpResponse {
    let key = key.into_inner();
    if let Err(refusal) = open(&intake, key.clone()).await {
        return refusal.response();
    }
    let connection = request.connection_info();
    let settings = answer::settings(&key, Some(connection.host()), connection.scheme() == "https");
    with_cors(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(settings))
}

/// The same for RudderStack's browser SDK.
async fn source_config(request: HttpRequest, intake: web::Data<Intake>) -> HttpResponse {
    let authorization =
        request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(key) = endpoint::write_key(authorization, Some(request.query_string()), None) else {
        return Refusal::Body(BodyError::NoWriteKey).response();
    };
    let named = async {
        let open = open(&intake, key.clone()).await?;
        let source = intake
            .database
            .read_web(move |conn| crate::sources::store::find(conn, open.source_id))
            .await?;
        Ok::<_, Refusal>(source)
    };
    match named.await {
        Ok(source) => with_cors(
            HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .json(answer::source_config(&key, &source.id.to_string(), &source.name)),
        ),
        Err(refusal) => refusal.response(),
    }
}

fn with_cors(mut response: HttpResponse) -> HttpResponse {
    cors::allow_origin(response.headers_mut());
    response
}
