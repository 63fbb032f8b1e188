//! Why a whole request was refused, and the answer that says so.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;

use super::answer::Problem;
use super::cors;
use super::failure::BodyError;
use crate::error::Error;

/// Why a request got something else than what it wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The body, or the key that came with it.
    Body(BodyError),
    /// The body stopped arriving, or came too slowly.
    TooSlow,
    /// There is nothing under this path; what to do instead.
    Path(&'static str),
    /// Not with this method, but with these.
    Method(Allowed),
    /// Something of ours failed.
    Fault,
}

/// What a path takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// As the header `Allow` lists them.
    pub methods: &'static str,
    /// What to do instead, in a sentence.
    pub advice: &'static str,
}

/// For a path under ours that is none.
pub const NO_SUCH_PATH: &str = "There is nothing under this path. Events go to /v1/batch.";
impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::TooMany(seconds) => BodyError::RateLimited(seconds).into(),
            Error::Unavailable(seconds, _) => BodyError::Overloaded(seconds).into(),
            Error::Contended(_) => BodyError::Overloaded(1).into(),
            // Logged by whoever found it; nothing of it concerns the sender.
            _ => Self::Fault,
        }
    }
}

impl Refusal {
    /// Whether the sender can do something about it; else it only has to come again.
    #[must_use]
    pub const fn is_the_senders(&self) -> bool {
        !matches!(
            self,
            Self::Fault | Self::Body(BodyError::RateLimited(_) | BodyError::Overloaded(_))
        )
    }

    /// What the sender reads: code and message.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let (code, message) = match self {
            Self::Body(error) => return Problem::from(error),
            Self::TooSlow => (
                "request_timeout",
                "The body stopped arriving for 30 s, or came too slowly. Send it again.",
            ),
            Self::Path(instead) => ("not_found", *instead),
            Self::Method(allowed) => ("method_not_allowed", allowed.advice),
            Self::Fault => {
                ("internal", "The events could not be stored. Nothing of this request was kept.")
            }
        };
        Problem { code, message: message.to_owned() }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Body(error) => {
                StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Path(_) => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer; a page of another origin may read it.
    #[must_use]
    pub fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status());
        if let Self::Body(error) = self
            && let Some(seconds) = error.retry_after()
        {
            response.insert_header((header::RETRY_AFTER, seconds));
            if matches!(error, BodyError::RateLimited(_)) {
                response.insert_header(("x-ratelimit-reset", seconds));
            }
        }
        if let Self::Method(allowed) = self {
            response.insert_header((header::ALLOW, allowed.methods));
        }
        // What is left of an unread body is not worth reading; the connection goes with it.
        if matches!(self, Self::TooSlow | Self::Body(BodyError::TooLarge | BodyError::Encoding(_)))
        {
            response.force_close();
        }
        let mut response = response.json(self.problem());
        cors::allow_origin(response.headers_mut());
        response
    }
}
