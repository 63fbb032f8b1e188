//! What can go wrong, once for the whole house.
//!
//! How an error looks to a browser, to an SDK and to an API client is decided in `web::errors`;
//! here stands only what happened.

use std::collections::BTreeMap;

use thiserror::Error;

/// The result of anything that may fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Field name to the messages that belong at that field; the key `""` is for the form as a whole.
pub type FieldErrors = BTreeMap<String, Vec<String>>;

/// What happened, in the terms of whoever has to act on it.
#[derive(Debug, Error)]
pub enum Error {
    /// There is no such thing, or this person may not see it: the two look alike.
    #[error("not found")]
    NotFound,
    /// Nobody is signed in.
    #[error("not signed in")]
    SignedOut,
    /// This person may see the thing but not do this with it.
    #[error("not allowed: {0}")]
    Forbidden(String),
    /// Somebody else was faster; the message says who and what.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The input can't be used; each field says why and how to mend it.
    #[error("invalid input: {0:?}")]
    Invalid(FieldErrors),
    /// Too often; may be tried again after so many seconds.
    #[error("too many attempts, retry in {0} s")]
    TooMany(u32),
    /// The database or a queue cannot take it now; may be tried again after so many seconds.
    #[error("unavailable, retry in {0} s: {1}")]
    Unavailable(u32, String),
    /// The transaction lost against others (deadlock, serialization) and changed nothing;
    /// `db::tx` tries again by itself before anybody hears of it. Like `Unavailable` to the outside.
    #[error("contended: {0}")]
    Contended(String),
    /// Anything unknown: shown as a request id, logged once with its cause.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// Invalid input with one message at one field.
    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(FieldErrors::from([(field.to_owned(), vec![message.into()])]))
    }

    /// Whether it passes by itself: the same work may succeed in a moment.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self, Self::Unavailable(..) | Self::Contended(_))
    }

    /// Whether the database is there, and somebody else holds what this waited for.
    #[must_use]
    pub fn is_held_up(&self) -> bool {
        matches!(self, Self::Unavailable(_, cause) if cause.contains(LOCK_TIMEOUT))
    }

    /// An unknown failure, from anything that can be printed.
    #[must_use]
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal(cause.to_string())
    }
}

/// Does a piece of work in which a panic is a failure like any other, so that the one row it
/// stumbled over can be told from its neighbours. Where it panicked was written to standard error.
///
/// # Errors
/// The work's; internal when it panicked.
pub fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(panicked(&*panic)))
}

/// What a panic said, as a failure like any other.
#[must_use]
pub fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
    Error::Internal(format!("a panic: {}", words.unwrap_or("without words")))
}

const LOCK_TIMEOUT: &str = "canceling statement due to lock timeout";

/// In how many seconds PostgreSQL may take it again, when its words say that it cannot now. Diesel
/// has no kinds for these and hides the SQLSTATE; the private PostgreSQL speaks English.
fn passes_in(words: &str) -> Option<u32> {
    const AWAY: [&str; 6] = [
        // Somebody else holds what this waits for.
        LOCK_TIMEOUT,
        // The same, or too much to do at once, where a statement's whole time is limited.
        "canceling statement due to statement timeout",
        // It is being stopped, or another of its processes crashed.
        "terminating connection",
        // .. is starting up, is shutting down, is in recovery mode.
        "the database system is",
        "too many clients already",
        "remaining connection slots are reserved",
    ];
    const FULL: [&str; 2] = ["No space left on device", "could not extend file"];
    if AWAY.iter().any(|away| words.contains(away)) {
        Some(2)
    } else {
        FULL.iter().any(|full| words.contains(full)).then_some(10)
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind, Error as Diesel};
        match error {
            Diesel::NotFound => Self::NotFound,
            Diesel::DatabaseError(DatabaseErrorKind::ClosedConnection, info) => {
                Self::Unavailable(2, info.message().to_owned())
            }
            Diesel::DatabaseError(DatabaseErrorKind::SerializationFailure, info) => {
                Self::Contended(info.message().to_owned())
            }
            // Diesel has no kind for it and hides the SQLSTATE (40P01).
            Diesel::DatabaseError(DatabaseErrorKind::Unknown, info)
                if info.message() == "deadlock detected" =>
            {
                Self::Contended(info.message().to_owned())
            }
            Diesel::DatabaseError(kind, info) => match passes_in(info.message()) {
                Some(seconds) => Self::Unavailable(seconds, info.message().to_owned()),
                None => Self::Internal(Diesel::DatabaseError(kind, info).to_string()),
            },
            // The connection went with the commit: whether that happened is not known, which is why
            // everything that is sent again is told from what is new.
            Diesel::RollbackErrorOnCommit { commit_error, .. } => Self::from(*commit_error),
            Diesel::BrokenTransactionManager => {
                Self::Unavailable(2, "the connection broke within a transaction".to_owned())
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<diesel::r2d2::PoolError> for Error {
    fn from(error: diesel::r2d2::PoolError) -> Self {
        Self::Unavailable(2, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use diesel::result::{DatabaseErrorKind, Error as Diesel};

    use super::*;

    fn said(words: &str) -> Error {
        Diesel::DatabaseError(DatabaseErrorKind::Unknown, Box::new(words.to_owned())).into()
    }

    #[test]
    fn what_passes_is_told_from_what_is_our_fault() {
        for words in [
            "terminating connection due to administrator command",
            "the database system is in recovery mode",
            "could not extend file \"base/1/2\": No space left on device",
            "sorry, too many clients already",
            "canceling statement due to statement timeout",
        ] {
            assert!(matches!(said(words), Error::Unavailable(..)), "{words}");
            assert!(!said(words).is_held_up(), "{words}");
        }
        assert!(said("canceling statement due to lock timeout").is_held_up());
        assert!(matches!(said("deadlock detected"), Error::Contended(_)));
        assert!(matches!(said("column \"x\" does not exist"), Error::Internal(_)));
        assert!(matches!(Diesel::BrokenTransactionManager.into(), Error::Unavailable(..)));
    }

    #[test]
    fn a_panic_is_told_in_its_words() {
        let outcome: Result<()> = caught(|| panic!("row {}", 7));
        assert!(matches!(outcome, Err(Error::Internal(words)) if words == "a panic: row 7"));
    }
}
