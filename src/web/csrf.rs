//! Forms only from our own pages: three checks, each of which would do in a current browser.
//!
//! 1. `Sec-Fetch-Site` must not speak of another site.
//! 2. `Origin`, if sent, must be our host.
//! 3. The form's `csrf_token` (or the header `X-CSRF-Token`) must be the one derived from the cookie.
//!
//! A browser without our cookie has no authority to borrow, except for signing in, where the page
//! before the form has set one.

use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{HttpRequest, web};

use super::body::{self, Body, Held, Reader, Unread};
use super::{permit, session, token};
use crate::error::{Error, Result};

/// The name of the hidden input.
pub const FIELD: &str = "csrf_token";
/// The name of the header that htmx requests carry.
pub const HEADER: &str = "x-csrf-token";

/// Largest form of somebody who is signed in.
pub(super) const LARGEST_FORM: usize = 1024 * 1024;
/// Largest form of somebody who is not: far above any of signing in.
const LARGEST_OF_STRANGERS: usize = 64 * 1024;
/// A form of which nothing comes for so long is dropped, as is one that is slower than 16 KB a second by
/// then: actix itself would wait for ever.
const DEADLINE: Duration = Duration::from_secs(15);

/// The token for the forms of whoever holds this session token.
#[must_use]
pub fn token(session_token: &str) -> String {
    token::derived(session_token, "csrf")
}

/// Middleware for everything that browsers post to: refuses a forged request with 403 and hands on
/// the rest with the body already read, within a limit and a deadline.
///
/// # Errors
/// None of its own: refusals are answers.
pub async fn guard(
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.call(request).await;
    }
    match checked(&mut request).await {
        // Counted as in memory until the handler is done with it.
        Ok(_held) => next.call(request).await,
        Err(error) => Ok(request.error_response(error)),
    }
}

/// Where a form brings a file: its body is too large to be held, so its handler reads it, and has
/// [`verify`] look at the token, which must be the form's first field.
const UPLOADS: [&str; 1] = ["/imports"];

fn is_upload(request: &HttpRequest) -> bool {
    let kind = request.headers().get("content-type").and_then(|value| value.to_str().ok());
    UPLOADS.contains(&request.path())
        && kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("multipart/form-data"))
}

async fn checked(request: &mut ServiceRequest) -> Result<Option<Held>> {
    if !is_same_site(request.request()) {
        return Err(Error::Forbidden("This form was sent from another site.".to_owned()));
    }
    if is_upload(request.request()) {
        return Ok(None);
    }
    let payload = request.extract::<web::Payload>().await.map_err(Error::internal)?;
    let (body, held) = read(request.request(), payload).await?.into_parts();
    let verdict = has_token(request.request(), &body);
    request.set_payload(Payload::from(body));
    verdict.map(|()| Some(held))
}

/// Reads a form: its beginning, and the rest only of somebody who is signed in.
async fn read(request: &HttpRequest, payload: web::Payload) -> Result<Body> {
    let length = request.headers().get("content-length").and_then(|value| value.to_str().ok());
    let length = length.and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > LARGEST_FORM) {
        return Err(too_large());
    }
    let mut reader = Reader::new(payload, body::forms().of_strangers(), DEADLINE);
    let is_small = length.is_none_or(|length| length <= LARGEST_OF_STRANGERS);
    if is_small && reader.read_to(LARGEST_OF_STRANGERS).await.map_err(unread)? {
        return Ok(reader.into_body());
    }
    if !permit::is_signed_in(request).await? {
        return Err(Error::invalid(
            "",
            "The form is larger than 64 KB, which only people who are signed in may send. Sign in and send it again.",
        ));
    }
    reader.is_known();
    if reader.read_to(LARGEST_FORM).await.map_err(unread)? {
        Ok(reader.into_body())
    } else {
        Err(too_large())
    }
}

fn too_large() -> Error {
    Error::invalid("", "The form is larger than 1 MB.")
}

fn unread(unread: Unread) -> Error {
    match unread {
        Unread::TooLarge => too_large(),
        Unread::TooSlow => Error::invalid("", "The form took too long to arrive. Send it again."),
        Unread::NoRoom => Error::Unavailable(2, "too many forms are in memory".to_owned()),
        Unread::Broken => Error::invalid("", "The form did not arrive whole. Send it again."),
    }
}

/// What the browser itself says about where the request comes from.
fn is_same_site(request: &HttpRequest) -> bool {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or(""));
    if let Some(site) = header("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match header("origin") {
        None => true,
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == header("host")
        }
    }
}

fn has_token(request: &HttpRequest, body: &[u8]) -> Result<()> {
    let app = permit::app(request)?;
    let Some(session_token) = session::token_of(request, &app) else {
        if needs_cookie(request.path()) {
            return Err(Error::Forbidden(
                "Your browser sent no cookie with the form. Allow cookies for this site, \
                 reload the page and try again."
                    .to_owned(),
            ));
        }
        return Ok(());
    };
    let from_header = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
    let from_form = || {
        serde_urlencoded::from_bytes::<Vec<(String, String)>>(body)
            .ok()?
            .into_iter()
            .find_map(|(name, value)| (name == FIELD).then_some(value))
    };
    let sent = from_header.map(str::to_owned).or_else(from_form).unwrap_or_default();
    compare(&sent, &session_token)
}

/// Checks the token of an upload, for its handler.
///
/// # Errors
/// `SignedOut` without a session, `Forbidden` when the token is another one's.
pub fn verify(request: &HttpRequest, sent: &str) -> Result<()> {
    let app = permit::app(request)?;
    let session_token = session::token_of(request, &app).ok_or(Error::SignedOut)?;
    compare(sent, &session_token)
}

fn compare(sent: &str, session_token: &str) -> Result<()> {
    if token::equal(sent, &token(session_token)) {
        Ok(())
    } else {
        Err(Error::Forbidden(
            "This form belongs to an earlier session. Go back, reload the page and send it again; \
             nothing was changed."
                .to_owned(),
        ))
    }
}

/// The forms before signing in: here a missing cookie must not excuse a missing token.
fn needs_cookie(path: &str) -> bool {
    path == "/login" || path.starts_with("/setup/") || path.starts_with("/invite/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn other_sites_are_refused_by_what_the_browser_says() {
        let same = |headers: &[(&'static str, &'static str)]| {
            let request = headers
                .iter()
                .fold(TestRequest::post(), |request, header| request.insert_header(*header));
            is_same_site(&request.to_http_request())
        };
        assert!(same(&[]));
        assert!(same(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(!same(&[("sec-fetch-site", "cross-site")]));
        assert!(!same(&[("sec-fetch-site", "same-site")]));
        assert!(same(&[("origin", "https://crm.example"), ("host", "crm.example")]));
        assert!(!same(&[("origin", "https://evil.example"), ("host", "crm.example")]));
        assert!(!same(&[("origin", "null"), ("host", "crm.example")]));
    }
}
