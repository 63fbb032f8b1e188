//! The paths that SDKs call, at the origin's root: events in, settings out.
//!
//! The answer to events is 200 exactly, and only once they are committed. Everything else is
//! `{"code","message"}` with a status that makes the SDKs do the right thing (`wire.md`, section 4).

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, guard};
use chrono::{DateTime, Utc};
use tokio::sync::Semaphore;
use url::Url;
use uuid::Uuid;

use super::endpoint::{self, Endpoint};
use super::failure::BodyError;
use super::gzip::{self, BODY_LIMIT};
use super::intake::{self, Prepared};
use super::message::Kind;
use super::recorder::Recorder;
use super::refusal::{Allowed, NO_SUCH_PATH, Refusal};
use super::refusals::{Caller, Refusals};
use super::writer::Writer;
use super::{cors, pixel, setup};
use crate::clock::Clock;
use crate::db::Database;
use crate::error::{Error, Result, caught};
use crate::ids::SourceId;
use crate::sources::keyring::KeyRing;
use crate::sources::store::OpenKey;
use crate::web::body::{self, Budget, Unread};

/// Bodies that are more than this, unpacked, are parsed off the server's own threads, so that a big one
/// does not hold up the small ones behind it; a hop to another thread costs as much as parsing about so
/// many bytes.
const INLINE: usize = 32 * 1024;

/// Big bodies that are parsed at once, at least; one for each processor, if there are more. Each may
/// inflate to 5 MB and needs as much again while it is parsed: many gzip bombs must not add up.
const PARSING: usize = 4;

const SEND: Allowed = Allowed { methods: "POST, OPTIONS", advice: "Send events with POST." };
const LOOK: Allowed =
    Allowed { methods: "GET, HEAD, OPTIONS", advice: "Ask for settings with GET." };
const GET: Allowed =
    Allowed { methods: "GET, OPTIONS", advice: "A pixel is a picture: load it with GET." };

/// All that receiving needs; one for a server.
pub struct Intake {
    pub(super) database: Database,
    keys: Arc<KeyRing>,
    writer: Writer,
    recorder: Recorder,
    clock: Clock,
    budget: Budget,
    parsing: Arc<Semaphore>,
    refusals: Refusals,
    deadline: Duration,
    /// Where browsers reach this server, if the operator named it.
    pub(super) public: Option<Reached>,
}

/// Where browsers send to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    /// Host and port.
    pub host: String,
    pub https: bool,
}

impl Intake {
    /// Receives with this writer.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn new(
        database: Database,
        clock: Clock,
        keys: Arc<KeyRing>,
        writer: Writer,
    ) -> Result<Self> {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            recorder: Recorder::start(database.clone(), Arc::clone(&keys), writer.threads())?,
            keys,
            writer,
            budget: Budget::default(),
            parsing: Arc::new(Semaphore::new(cpus.max(PARSING))),
            refusals: Refusals::new(database.clone(), clock.clone()),
            deadline: body::DEADLINE,
            public: None,
            database,
            clock,
        })
    }

    /// Cuts slow bodies earlier, for a test that does not want to wait.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Has browsers send to this address, whatever a request says of where it was sent to.
    #[must_use]
    pub fn reached_at(mut self, public: &Url) -> Self {
        let port = public.port().map(|port| format!(":{port}")).unwrap_or_default();
        self.public = public.host_str().map(|host| Reached {
            host: format!("{host}{port}"),
            https: public.scheme() == "https",
        });
        self
    }
}

/// Where events are posted.
pub const POSTED: [&str; 17] = [
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
/// What SDKs fetch: settings, and pictures whose address is an event.
pub const FETCHED: [&str; 4] =
    ["/v1/projects/{write_key}/settings", "/sourceConfig", "/v1/pixel/{call}", "/pixel/v1/{call}"];

/// Every path of `wire.md` section 1, with and without a slash at its end.
pub fn routes(config: &mut ServiceConfig) {
    for path in POSTED {
        config.service(
            web::resource([path.to_owned(), format!("{path}/")])
                .route(web::post().to(receive))
                .route(web::method(Method::OPTIONS).to(preflight))
                .default_service(web::to(|request: HttpRequest| wrong_method(request, SEND))),
        );
    }
    let look = || guard::Any(guard::Get()).or(guard::Head());
    let handlers = [
        (web::route().guard(look()).to(setup::settings), LOOK),
        (web::route().guard(look()).to(setup::source_config), LOOK),
        (web::get().to(pixel), GET),
        (web::get().to(pixel), GET),
    ];
    for (path, (handler, allowed)) in FETCHED.into_iter().zip(handlers) {
        config.service(
            web::resource([path.to_owned(), format!("{path}/")])
                .route(handler)
                .route(web::method(Method::OPTIONS).to(preflight))
                .default_service(web::to(move |request: HttpRequest| {
                    wrong_method(request, allowed)
                })),
        );
    }
}

/// What is left below the SDKs' roots: one that is set up wrongly should read why, rather than a page
/// for people.
pub fn astray(config: &mut ServiceConfig) {
    config.service(
        web::resource(["/v1", "/v1/{rest:.*}", "/beacon/{rest:.*}"])
            .route(web::method(Method::OPTIONS).to(preflight))
            .default_service(web::to(wrong_path)),
    );
    config.service(
        web::resource("/{rest:.*}")
            .guard(guard::fn_guard(|context| endpoint::advice(context.head().uri.path()).is_some()))
            .route(web::method(Method::OPTIONS).to(preflight))
            .default_service(web::to(wrong_path)),
    );
}

async fn receive(
    request: HttpRequest,
    payload: web::Payload,
    intake: web::Data<Intake>,
) -> HttpResponse {
    let mut caller = Caller::default();
    match accept(&request, payload, &intake, &mut caller).await {
        Ok(answer) => with_cors(HttpResponse::Ok().content_type("application/json").body(answer)),
        Err(refusal) => refuse(&request, &caller, &refusal),
    }
}

/// Tells the sender, and whoever looks at the page of the first event.
pub(super) fn refuse(request: &HttpRequest, caller: &Caller, refusal: &Refusal) -> HttpResponse {
    let sender = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let (method, path) = (request.method().as_str(), request.path());
    if let Some(intake) = request.app_data::<web::Data<Intake>>() {
        intake.refusals.note(method, path, sender, caller, refusal);
    }
    refusal.response()
}

async fn accept(
    request: &HttpRequest,
    payload: web::Payload,
    intake: &web::Data<Intake>,
    caller: &mut Caller,
) -> Result<String, Refusal> {
    let endpoint = Endpoint::of_path(request.path()).ok_or(Refusal::Path(NO_SUCH_PATH))?;
    let head = request.headers();
    let text = |name| head.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_LIMIT) {
        return Err(BodyError::TooLarge.into());
    }
    if endpoint == Endpoint::Metrics {
        read(payload, intake, &intake.budget.of_strangers()).await?;
        return Ok("{\"success\":true}".into());
    }
    // A key in the header or the address is looked at first: strangers' bodies are not read.
    let key = endpoint::write_key(text(header::AUTHORIZATION), Some(request.query_string()), None);
    let mut source = match key {
        Some(key) => Some(open(intake, key, caller).await?),
        None => None,
    };
    let received_at = intake.clock.now();
    let encoding = text(header::CONTENT_ENCODING).map(str::to_owned);
    gzip::check(encoding.as_deref())?;
    let budget =
        if source.is_some() { intake.budget.clone() } else { intake.budget.of_strangers() };
    let body = read(payload, intake, &budget).await?;
    let is_small = gzip::is_at_most(body.bytes(), INLINE);
    let prepare = move || {
        intake::prepare(endpoint, encoding.as_deref(), body.bytes(), received_at, Uuid::now_v7())
    };
    let prepared: Prepared = if is_small {
        prepare()?
    } else {
        let turn = Arc::clone(&intake.parsing).acquire_owned().await;
        // A closed semaphore does not happen; it would be a fault of ours.
        let turn = turn.map_err(|_| BodyError::Overloaded(1))?;
        let turned = move || {
            // Until it is parsed, also when the sender has hung up by then.
            let _turn = turn;
            Ok(prepare())
        };
        aside(turned).await??
    };
    if source.is_none() {
        let key = prepared.write_key.clone().ok_or(BodyError::NoWriteKey)?;
        source = Some(open(intake, key, caller).await?);
    }
    let source = source.ok_or(BodyError::NoWriteKey)?;
    store(intake, prepared, source.source_id, received_at).await
}

/// Once this returns with the answer, the events are committed.
async fn store(
    intake: &Intake,
    prepared: Prepared,
    source: SourceId,
    received_at: DateTime<Utc>,
) -> Result<String, Refusal> {
    let (answer, sent_at) = (prepared.answer.clone(), prepared.sent_at);
    let committed = intake.writer.submit(prepared.of(source, received_at))?;
    committed.await.map_err(|_| BodyError::Overloaded(2))??;
    intake.recorder.committed(source, received_at, sent_at, intake.clock.now());
    Ok(answer)
}

async fn read(
    payload: web::Payload,
    intake: &Intake,
    budget: &Budget,
) -> Result<body::Body, Refusal> {
    body::read(payload, budget, intake.deadline).await.map_err(|unread| match unread {
        Unread::TooLarge => BodyError::TooLarge.into(),
        Unread::TooSlow => Refusal::TooSlow,
        Unread::NoRoom => BodyError::RateLimited(1).into(),
        Unread::Broken => {
            BodyError::Json("The body ended before its end. Send it again.".into()).into()
        }
    })
}

pub(super) async fn open(
    intake: &web::Data<Intake>,
    key: String,
    caller: &mut Caller,
) -> Result<OpenKey, Refusal> {
    caller.key = Some(key.clone());
    let found = match intake.keys.glance(&key) {
        Some(found) => found,
        None => {
            let (intake, key) = (intake.clone(), key.clone());
            aside(move || intake.keys.open(&key)).await?
        }
    };
    let found = found.ok_or_else(|| BodyError::unknown_key(&key))?;
    caller.source_id = Some(found.source_id);
    Ok(found)
}

/// Does a piece of work off the server's own threads. A panic in it is our fault, not a busy server.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T, Refusal> {
    match web::block(move || caught(work)).await {
        Ok(Err(Error::Internal(cause))) => {
            tracing::error!(%cause, "a request of events failed");
            Err(Refusal::Fault)
        }
        Ok(done) => Ok(done?),
        Err(_) => Err(BodyError::Overloaded(2).into()),
    }
}

async fn preflight(request: HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::Ok().finish();
    cors::allow_request(&request, response.headers_mut());
    response
}

async fn wrong_path(request: HttpRequest) -> HttpResponse {
    let instead = endpoint::advice(request.path()).unwrap_or(NO_SUCH_PATH);
    let mut caller = Caller::default();
    let authorization =
        request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = endpoint::write_key(authorization, Some(request.query_string()), None);
    if let (Some(key), Some(intake)) = (key, request.app_data::<web::Data<Intake>>()) {
        // Only to name the source whose page shows it; the path is what the sender has to mend first.
        let _ = open(intake, key, &mut caller).await;
    }
    refuse(&request, &caller, &Refusal::Path(instead))
}

async fn wrong_method(request: HttpRequest, allowed: Allowed) -> HttpResponse {
    refuse(&request, &Caller::default(), &Refusal::Method(allowed))
}

/// An event by the address of a picture, for e-mails and pages without scripts.
async fn pixel(
    request: HttpRequest,
    call: web::Path<String>,
    intake: web::Data<Intake>,
) -> HttpResponse {
    let mut caller = Caller::default();
    match see(&request, &call, &intake, &mut caller).await {
        Ok(()) => with_cors(
            HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "no-store"))
                // It is shown in mails and on pages of others.
                .insert_header(("cross-origin-resource-policy", "cross-origin"))
                .content_type("image/gif")
                .body(pixel::GIF),
        ),
        Err(refusal) => refuse(&request, &caller, &refusal),
    }
}

async fn see(
    request: &HttpRequest,
    call: &str,
    intake: &web::Data<Intake>,
    caller: &mut Caller,
) -> Result<(), Refusal> {
    let kind = Kind::named(call).ok_or(Refusal::Path(NO_SUCH_PATH))?;
    let body = pixel::body(request.query_string())?;
    let received_at = intake.clock.now();
    let endpoint = Endpoint::One(kind);
    let prepared = intake::prepare(endpoint, None, body.as_bytes(), received_at, Uuid::now_v7())?;
    let key = prepared.write_key.clone().ok_or(BodyError::NoWriteKey)?;
    let source = open(intake, key, caller).await?;
    store(intake, prepared, source.source_id, received_at).await?;
    Ok(())
}

pub(super) fn with_cors(mut response: HttpResponse) -> HttpResponse {
    cors::allow_origin(response.headers_mut());
    response
}
