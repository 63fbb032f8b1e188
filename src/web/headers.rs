//! The headers that every answer carries, errors included (`quality.md`, Security).

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY,
};
use actix_web::middleware::Next;

use super::{flash, permit};

/// Only our own files; nothing inline, nothing framed.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// Who may show what we answer.
const RESOURCES: &str = "cross-origin-resource-policy";

const ALWAYS: [(&str, &str); 6] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    (RESOURCES, "same-origin"),
    ("x-frame-options", "DENY"),
];

/// Middleware around everything: adds the headers, keeps HTML out of caches, and takes back a flash
/// message that was shown.
///
/// # Errors
/// The inner service's, as a finished answer that carries the headers.
pub async fn add(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let https = permit::app(request.request()).is_ok_and(|app| app.is_https());
    let had_flash = flash::read(request.request()).is_some();
    match next.call(request).await {
        Ok(mut response) => {
            // A redirect passes the message on; the page after it shows it.
            if had_flash
                && response.status() == actix_web::http::StatusCode::OK
                && is_html(response.headers())
            {
                let _ = response.response_mut().add_cookie(&flash::forget());
            }
            dress(response.headers_mut(), https);
            Ok(response)
        }
        Err(error) => {
            let mut response = error.error_response();
            dress(response.headers_mut(), https);
            Err(InternalError::from_response(error, response).into())
        }
    }
}

fn dress(headers: &mut HeaderMap, https: bool) {
    for (name, value) in ALWAYS {
        // The one picture that pages of others show says so itself.
        if name == RESOURCES && headers.contains_key(name) {
            continue;
        }
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if https {
        secure_cookies(headers);
        headers.insert(
            HeaderName::from_static("strict-transport-security"),
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    if is_html(headers) {
        headers.insert(VARY, HeaderValue::from_static("HX-Request, HX-Target"));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Over https every cookie is `Secure`, whoever sets it.
fn secure_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<HeaderValue> = headers.remove(SET_COOKIE).collect();
    for cookie in cookies {
        let text = cookie.to_str().unwrap_or_default();
        let is_secure = text.split(';').any(|part| part.trim().eq_ignore_ascii_case("secure"));
        let secured = (!is_secure && !text.is_empty())
            .then(|| HeaderValue::from_str(&format!("{text}; Secure")).ok())
            .flatten();
        headers.append(SET_COOKIE, secured.unwrap_or(cookie));
    }
}

fn is_html(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
}
