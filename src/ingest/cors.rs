//! What browsers need to let an SDK talk to us from a customer's page (`wire.md`, section 4).
//!
//! Any origin may send events: the write key says whose they are, and no cookie is read here.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderValue};

/// What the SDKs send, for a preflight that does not say.
const USUAL: &str = "authorization, content-type, content-encoding, x-retry-count, anonymousid, sentat, \
                     rsa-retry-attempt, rsa-retry-reason, rsa-since-last-attempt, rsa-recovered";

/// Lets the page read the answer; on errors too, or the browser reports a network error and the SDK
/// tries again what can never succeed.
pub fn allow_origin(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("retry-after, x-ratelimit-reset"),
    );
}

/// The answer to a preflight: whatever headers it asks for, since `*` does not cover `Authorization`.
pub fn allow_request(request: &HttpRequest, headers: &mut HeaderMap) {
    allow_origin(headers);
    let asked = request
        .headers()
        .get(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .filter(|value| value.len() <= 1000 && value.as_bytes().iter().all(|b| is_header_list(*b)))
        .cloned()
        .unwrap_or(HeaderValue::from_static(USUAL));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("POST, GET, HEAD, OPTIONS"),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    headers.insert(header::VARY, HeaderValue::from_static("access-control-request-headers"));
}

fn is_header_list(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b',' | b' ')
}
