//! The end of a server without broken connections.
//!
//! Once it is told to stop, no connection is kept for another request: every answer says
//! `Connection: close`, so that a client opens its next one elsewhere, and none is cut between two
//! requests.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;

use super::permit;

/// Middleware around everything: closes the connection behind each answer of a server that stops.
///
/// # Errors
/// The inner service's, as a finished answer.
pub async fn close(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let shutdown = permit::app(request.request()).ok().map(|app| app.shutdown.clone());
    let answered = next.call(request).await;
    // Asked after the answer is there: it may have begun meanwhile.
    if !shutdown.is_some_and(|shutdown| shutdown.has_begun()) {
        return answered;
    }
    match answered {
        Ok(mut response) => {
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            Ok(response)
        }
        Err(error) => {
            let mut response = error.error_response();
            response.head_mut().set_connection_type(ConnectionType::Close);
            Err(InternalError::from_response(error, response).into())
        }
    }
}
