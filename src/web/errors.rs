//! How an error looks: a page to browsers, a fragment to htmx, `application/problem+json` under
//! `/api`, `{code, message}` to SDKs and webhooks. The cause of an unknown error is logged once with
//! the request's id and never shown.

use std::panic::AssertUnwindSafe;
use std::task::Poll;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use askama::Template;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::answer::{Htmx, safe_next};
use super::api_key::Credentials;
use super::permit;
use super::shell::Shell;
use crate::error::{Error, FieldErrors, panicked};

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(..) | Self::Contended(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Empty: [`render`] knows who asks and writes the body.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

/// An error in words, for whoever reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    status: StatusCode,
    /// A stable word for programs.
    code: &'static str,
    /// What happened.
    title: &'static str,
    /// Whose turn it is and how to mend it.
    text: String,
    /// Messages at fields.
    fields: FieldErrors,
    /// Seconds until it is worth trying again.
    retry_after: Option<u32>,
    request_id: String,
    shows_id: bool,
}

impl Said {
    fn of(error: &Error, request_id: &str) -> Self {
        let again = |seconds: u32| match seconds {
            0..=90 => format!("Try again in {seconds} s."),
            _ => format!("Try again in {} min.", seconds.div_ceil(60)),
        };
        let (code, title, text) = match error {
            Error::NotFound => (
                "not_found",
                "There is nothing here",
                "The address may be wrong, or what was here is gone, or it is not for your role."
                    .to_owned(),
            ),
            Error::SignedOut => (
                "unauthorized",
                "Not signed in",
                "A valid key or a session is needed for this.".to_owned(),
            ),
            Error::Forbidden(why) => ("forbidden", "This was refused", why.clone()),
            Error::Conflict(why) => ("conflict", "Somebody was faster", why.clone()),
            Error::Invalid(_) => (
                "invalid",
                "There is a problem",
                "Nothing was changed. Mend this and send it again:".to_owned(),
            ),
            Error::TooMany(seconds) => ("too_many", "Too many attempts", again(*seconds)),
            Error::Unavailable(seconds, _) => (
                "unavailable",
                "Ripen is not available for a moment",
                format!("Nothing was lost. {}", again(*seconds)),
            ),
            Error::Contended(_) => (
                "unavailable",
                "Ripen is busy for a moment",
                "Nothing was changed. Try again in a second.".to_owned(),
            ),
            Error::Internal(_) => (
                "internal",
                "Something went wrong in Ripen",
                "This is not your mistake, and it was written to the log. Nothing was changed."
                    .to_owned(),
            ),
        };
        Self {
            status: error.status_code(),
            code,
            title,
            text,
            fields: match error {
                Error::Invalid(fields) => fields.clone(),
                _ => FieldErrors::new(),
            },
            retry_after: match error {
                Error::TooMany(seconds) | Error::Unavailable(seconds, _) => Some(*seconds),
                Error::Contended(_) => Some(1),
                _ => None,
            },
            request_id: request_id.to_owned(),
            shows_id: matches!(error, Error::Internal(_)),
        }
    }

    /// What the framework itself refused: a method, a header, a length.
    fn of_status(status: StatusCode, request_id: &str) -> Self {
        let known = match status {
            StatusCode::NOT_FOUND => Error::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => {
                Error::Forbidden("This address can't be asked in this way.".to_owned())
            }
            _ if status.is_server_error() => Error::Internal(String::new()),
            _ => Error::invalid("", "The request could not be understood."),
        };
        Self { status, ..Self::of(&known, request_id) }
    }

    /// All messages at fields as one line, after the text.
    fn line(&self) -> String {
        let messages = self.fields.iter().flat_map(|(field, messages)| {
            messages.iter().map(move |message| match field.as_str() {
                "" => message.clone(),
                field => format!("{field}: {message}"),
            })
        });
        std::iter::once(self.text.clone()).chain(messages).collect::<Vec<_>>().join(" ")
    }
}

#[derive(Template)]
#[template(path = "errors/page.html", blocks = ["said"])]
struct ErrorPage {
    shell: Shell,
    said: Said,
}

/// Who asks, which decides how the answer looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Browser,
    Htmx,
    Api,
    Machine,
}

/// What is remembered of a request until its answer is there.
struct Asked {
    reader: Reader,
    request_id: String,
    /// Where to go on after signing in.
    next: Option<String>,
    /// How to sign in, for a script that did not.
    credentials: Credentials,
    now: DateTime<Utc>,
}

impl Asked {
    fn of(request: &ServiceRequest) -> Self {
        let path = request.path();
        let under =
            |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        let reader = if under("/api") {
            Reader::Api
        } else if ["/v1", "/beacon", "/webhooks"].iter().any(|folder| under(folder))
            || matches!(path, "/sourceConfig" | "/healthz" | "/readyz" | "/metrics")
        {
            Reader::Machine
        } else if Htmx::of(request.headers()).asks {
            Reader::Htmx
        } else {
            Reader::Browser
        };
        Self {
            reader,
            request_id: uuid::Uuid::now_v7().simple().to_string(),
            next: match reader {
                Reader::Browser | Reader::Htmx => next_of(request, reader),
                Reader::Api | Reader::Machine => None,
            },
            credentials: Credentials::of(request.headers()),
            now: permit::app(request.request()).map_or(DateTime::UNIX_EPOCH, |app| app.clock.now()),
        }
    }
}

/// The page that somebody is on: the one asked for, or the one that holds the form or the fragment.
fn next_of(request: &ServiceRequest, reader: Reader) -> Option<String> {
    if reader == Reader::Browser && request.method() == actix_web::http::Method::GET {
        let asked = request.uri().path_and_query().map(ToString::to_string)?;
        return safe_next(&asked).filter(|next| *next != "/").map(str::to_owned);
    }
    let header = if reader == Reader::Htmx { "hx-current-url" } else { "referer" };
    let page = url::Url::parse(request.headers().get(header)?.to_str().ok()?).ok()?;
    let path = match page.query() {
        Some(query) => format!("{}?{query}", page.path()),
        None => page.path().to_owned(),
    };
    safe_next(&path).filter(|next| *next != "/").map(str::to_owned)
}

/// Middleware: gives every request an id (`X-Request-Id`), turns errors into what the reader
/// understands, and sends those who are signed out to the login and back.
///
/// # Errors
/// The framework's, as a finished answer.
pub async fn render(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let asked = Asked::of(&request);
    match unless_it_panics(next.call(request)).await.unwrap_or_else(|error| Err(error.into())) {
        Ok(response) => {
            let route = response.request().match_pattern().unwrap_or_default();
            let Some(rendered) = rendered(&asked, response.response(), &route) else {
                return Ok(tagged(response, &asked));
            };
            let response = response.map_body(|_, _| BoxBody::new(()));
            let (request, _) = response.into_parts();
            Ok(tagged(ServiceResponse::new(request, rendered), &asked))
        }
        Err(error) => {
            let status = error.as_response_error().status_code();
            let response = match error.as_error::<Error>() {
                Some(ours) => answer(&asked, ours, ""),
                None => present(&asked, Said::of_status(status, &asked.request_id)),
            };
            Err(InternalError::from_response(error, response).into())
        }
    }
}

/// A handler that panics is our fault: the answer says so, rather than a connection that breaks.
async fn unless_it_panics<T>(handling: impl Future<Output = T>) -> Result<T, Error> {
    let mut handling = std::pin::pin!(handling);
    std::future::poll_fn(|context| {
        let poll = AssertUnwindSafe(|| handling.as_mut().poll(context));
        match std::panic::catch_unwind(poll) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panicked(&*panic))),
        }
    })
    .await
}

fn tagged(mut response: ServiceResponse, asked: &Asked) -> ServiceResponse {
    if let Ok(value) = asked.request_id.parse() {
        response
            .headers_mut()
            .insert(actix_web::http::header::HeaderName::from_static("x-request-id"), value);
    }
    response
}

/// The answer in place of `response`, if that is a bare error.
fn rendered(asked: &Asked, response: &HttpResponse, route: &str) -> Option<HttpResponse> {
    let status = response.status();
    if let Some(error) = response.error() {
        return Some(match error.as_error::<Error>() {
            Some(ours) => answer(asked, ours, route),
            None => present(asked, Said::of_status(status, &asked.request_id)),
        });
    }
    let is_bare = matches!(response.body().size(), BodySize::None | BodySize::Sized(0));
    (is_bare && status.is_client_error())
        .then(|| present(asked, Said::of_status(status, &asked.request_id)))
}

/// Logs what is worth it and answers. `route` is the pattern, never the path: paths hold tokens.
fn answer(asked: &Asked, error: &Error, route: &str) -> HttpResponse {
    match error {
        Error::Internal(cause) => {
            tracing::error!(request_id = %asked.request_id, route, %cause, "request failed");
        }
        Error::Unavailable(_, cause) | Error::Contended(cause) => {
            tracing::warn!(request_id = %asked.request_id, route, %cause, "request put off");
        }
        Error::SignedOut => match asked.reader {
            Reader::Browser => return super::answer::see_other(&login(asked)),
            Reader::Htmx => {
                return HttpResponse::Unauthorized()
                    .insert_header(("HX-Redirect", login(asked)))
                    .finish();
            }
            Reader::Api | Reader::Machine => {
                let text = asked.credentials.advice();
                return present(asked, Said { text, ..Said::of(error, &asked.request_id) });
            }
        },
        _ => {}
    }
    present(asked, Said::of(error, &asked.request_id))
}

fn login(asked: &Asked) -> String {
    match &asked.next {
        Some(next) => {
            let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
            format!("/login?next={next}")
        }
        None => "/login".to_owned(),
    }
}

fn present(asked: &Asked, said: Said) -> HttpResponse {
    let mut response = HttpResponse::build(said.status);
    if let Some(seconds) = said.retry_after {
        response.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    if said.status == StatusCode::UNAUTHORIZED {
        response.insert_header((WWW_AUTHENTICATE, "Bearer"));
    }
    match asked.reader {
        Reader::Api => problem(&mut response, &said),
        Reader::Machine => response.json(json!({"code": said.code, "message": said.line()})),
        Reader::Browser | Reader::Htmx => html(&mut response, asked, said),
    }
}

/// RFC 9457.
fn problem(response: &mut HttpResponseBuilder, said: &Said) -> HttpResponse {
    let mut body = json!({
        "type": "about:blank",
        "title": said.title,
        "status": said.status.as_u16(),
        "code": said.code,
        "detail": said.text,
        // SDKs that were pointed here by mistake read `code` and `message`, and throw without.
        "message": said.line(),
        "request_id": said.request_id,
    });
    if let (false, Some(body)) = (said.fields.is_empty(), body.as_object_mut()) {
        body.insert("errors".to_owned(), json!(said.fields));
    }
    response.content_type("application/problem+json").body(body.to_string())
}

fn html(response: &mut HttpResponseBuilder, asked: &Asked, said: Said) -> HttpResponse {
    let text = format!("{}. {}", said.title, said.text);
    let page = ErrorPage { shell: Shell::new(said.title, asked.now), said };
    let body = match asked.reader {
        Reader::Htmx => page.as_said().render(),
        _ => page.render(),
    };
    match body {
        Ok(body) => response.content_type("text/html; charset=utf-8").body(body),
        Err(_) => response.content_type("text/plain; charset=utf-8").body(text),
    }
}
