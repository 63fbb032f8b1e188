//! The body of a PUT or POST: JSON within a limit and a deadline.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::error::{Error, Result};

/// Largest body.
const LARGEST: usize = 1024 * 1024;
/// actix itself would wait for a slow body for ever.
const DEADLINE: Duration = Duration::from_secs(15);

/// A body as it came.
#[derive(Clone, Debug)]
pub struct Body(web::Bytes);

impl Body {
    /// Its JSON.
    ///
    /// # Errors
    /// A problem with the place where it stops to be JSON or to be what is asked for.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        // PostgreSQL holds a NUL in no text and no jsonb.
        if self.0.windows(6).any(|six| six == b"\\u0000") {
            return Err(Problem::bad_json("A text of it holds \\u0000. Leave that character out."));
        }
        serde_json::from_slice(&self.0).map_err(|error| Problem::bad_json(format!("{error}.")))
    }
}

impl FromRequest for Body {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = web::Payload::from_request(request, payload);
        Box::pin(async move {
            let payload = payload.await.map_err(Error::internal)?;
            let read = payload.to_bytes_limited(LARGEST);
            match tokio::time::timeout(DEADLINE, read).await {
                Ok(Ok(Ok(bytes))) => Ok(Self(bytes)),
                Ok(Err(_)) => Err(Error::invalid("", "Send at most 1 MB.")),
                _ => Err(Error::invalid("", "The body did not arrive whole within 15 s.")),
            }
        })
    }
}
