//! The body of a PUT or POST: JSON within a limit and a deadline.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::error::{Error, Result};
use crate::web::api_key::{ApiKey, Read};
use crate::web::body::{self, Held, Unread};

/// Largest body.
const LARGEST: usize = 1024 * 1024;
/// actix itself would wait for a slow body for ever.
const DEADLINE: Duration = Duration::from_secs(15);

/// A body as it came.
pub struct Body {
    bytes: web::Bytes,
    /// Counts as in memory until the handler is done.
    _held: Held,
}

impl Body {
    /// Its JSON.
    ///
    /// # Errors
    /// A problem with the place where it stops to be JSON or to be what is asked for.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        // PostgreSQL holds a NUL in no text and no jsonb.
        if self.bytes.windows(6).any(|six| six == b"\\u0000") {
            return Err(Problem::bad_json("A text of it holds \\u0000. Leave that character out."));
        }
        serde_json::from_slice(&self.bytes).map_err(|error| Problem::bad_json(format!("{error}.")))
    }
}

impl FromRequest for Body {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = web::Payload::from_request(request, payload);
        let key = ApiKey::<Read>::from_request(request, &mut Payload::None);
        Box::pin(async move {
            // Handlers' arguments are made beside each other: without a key nothing is read here either.
            key.await?;
            let payload = payload.await.map_err(Error::internal)?;
            match body::read_at_most(LARGEST, payload, body::forms(), DEADLINE).await {
                Ok(body) => {
                    let (bytes, held) = body.into_parts();
                    Ok(Self { bytes, _held: held })
                }
                Err(Unread::TooLarge) => Err(Error::invalid("", "Send at most 1 MB.")),
                Err(Unread::NoRoom) => {
                    Err(Error::Unavailable(1, "too many bodies are in memory".to_owned()))
                }
                Err(Unread::TooSlow | Unread::Broken) => {
                    Err(Error::invalid("", "The body did not arrive whole within 15 s."))
                }
            }
        })
    }
}
