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

use super::{permit, session, token};
use crate::error::{Error, Result};

/// The name of the hidden input.
pub const FIELD: &str = "csrf_token";
/// The name of the header that htmx requests carry.
pub const HEADER: &str = "x-csrf-token";

/// Largest form.
const LARGEST_FORM: usize = 1024 * 1024;
/// A form that arrives more slowly than this is dropped: actix itself would wait for ever.
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
        Ok(()) => next.call(request).await,
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

async fn checked(request: &mut ServiceRequest) -> Result<()> {
    if !is_same_site(request.request()) {
        return Err(Error::Forbidden("This form was sent from another site.".to_owned()));
    }
    if is_upload(request.request()) {
        return Ok(());
    }
    let read = request.extract::<web::Payload>();
    let payload = read.await.map_err(Error::internal)?;
    let body = match tokio::time::timeout(DEADLINE, payload.to_bytes_limited(LARGEST_FORM)).await {
        Ok(Ok(Ok(body))) => body,
        Ok(Ok(Err(_))) => return Err(Error::invalid("", "The form did not arrive whole.")),
        Ok(Err(_)) => return Err(Error::invalid("", "The form is larger than 1 MB.")),
        Err(_) => return Err(Error::invalid("", "The form took too long to arrive.")),
    };
    let verdict = has_token(request.request(), &body);
    request.set_payload(Payload::from(body));
    verdict
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
