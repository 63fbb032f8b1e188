//! Addresses that can mean nothing: PostgreSQL's text holds no NUL character, so nothing is found by
//! one, and no query has to fail over it.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::error::Error;

/// Middleware: an address with an encoded NUL in its path or query is 404.
///
/// # Errors
/// None of its own: the refusal is an answer.
pub async fn guard(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let asked = request.uri().path_and_query().map_or("", |asked| asked.as_str());
    if holds_nul(asked.as_bytes()) {
        return Ok(request.error_response(Error::NotFound));
    }
    next.call(request).await
}

/// Whether percent-encoded text holds a NUL, encoded or bare. An encoded percent sign is `%25`, so
/// `%00` is never anything else.
#[must_use]
pub fn holds_nul(encoded: &[u8]) -> bool {
    encoded.contains(&0) || encoded.windows(3).any(|three| three == b"%00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_found_in_any_dress() {
        assert!(holds_nul(b"q=a%00b"));
        assert!(holds_nul(b"q=\0"));
        assert!(!holds_nul(b"q=%2500&r=%20&s=100%"));
    }
}
