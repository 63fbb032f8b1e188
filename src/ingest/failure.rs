//! What ingestion refuses: one event (a dead letter, its neighbours stored) or a whole body.
//!
//! Every message says what is wrong and how to mend it, in the words of the SDK's own fields.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sources::key;

/// Why one event was refused (`spec/ingest.md`, codes of the parser).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The event is not a JSON object, or is broken JSON inside its own braces.
    InvalidJson,
    /// No type, or one that is not a Segment call.
    InvalidType,
    /// Nobody to attach the event to; a group without `groupId`, an alias without `previousId`.
    MissingIdentity,
    /// A track call without the name of the event.
    MissingEvent,
    /// More than 32 KB, more than 255 keys in one object, or an id longer than 512 bytes.
    EventTooLarge,
    /// Beyond the 2,500th event of the batch.
    TooManyEvents,
    /// Not ISO 8601.
    BadTimestamp,
    /// Nested deeper than 16 levels.
    TooDeep,
}

impl Code {
    /// The code as it stands in answers and in the dead letters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::InvalidType => "invalid_type",
            Self::MissingIdentity => "missing_identity",
            Self::MissingEvent => "missing_event",
            Self::EventTooLarge => "event_too_large",
            Self::TooManyEvents => "too_many_events",
            Self::BadTimestamp => "bad_timestamp",
            Self::TooDeep => "too_deep",
        }
    }
}

/// The most bytes of an event that a dead letter keeps; an event of legal size always fits.
pub const RAW_LIMIT: usize = 64 * 1024;

/// One event that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected<'a> {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// The client's id of it, where one could be read.
    pub message_id: Option<Cow<'a, str>>,
    /// What it calls itself (`event`, or `name` of a page), where that could be read.
    pub event: Option<Cow<'a, str>>,
    /// Why.
    pub code: Code,
    /// What is wrong and how to mend it.
    pub message: Cow<'static, str>,
    /// The event's own text, at most [`RAW_LIMIT`] bytes, without U+0000.
    pub raw: Cow<'a, str>,
    /// The text was longer than [`RAW_LIMIT`]: it can be read but not replayed.
    pub truncated: bool,
    /// What the request said about all its events, as JSON members with a leading comma
    /// (`,"type":"track","sentAt":"…","context":{…}`); empty when it said nothing.
    pub around: Arc<str>,
}

impl Rejected<'_> {
    /// The event as a body for `POST /v1/batch`, with what the request said around it: parsing this
    /// again with the first receipt's time replays the event.
    #[must_use]
    pub fn replay_body(&self) -> String {
        format!("{{\"batch\":[{}]{}}}", self.raw, self.around)
    }
}

/// Why a whole body was refused. SDKs retry 429 and 503 and drop the rest, and the older Python ones
/// need `{"code","message"}` to tell the two apart (`spec/wire.md` section 4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The body is no JSON object of the expected form; says where and how.
    #[error("{0}")]
    Json(String),
    /// The gzip is cut off or damaged.
    #[error("The gzip body is cut off or damaged. Send it again, or send plain JSON.")]
    Gzip,
    /// There is gzip within the gzip.
    #[error("The body is compressed twice. Compress it once, or send plain JSON.")]
    Twice,
    /// Text, but not in UTF-8.
    #[error("The body is UTF-16 or UTF-32. Send JSON as UTF-8.")]
    Wide,
    /// Far more events than a batch may have.
    #[error("The batch has more than 10000 events. Send at most 2500 events in a batch.")]
    TooManyEvents,
    /// No write key anywhere.
    #[error(
        "No write key. Send it as the user name of HTTP Basic authentication, as \"writeKey\" in \
         the body, or as ?writeKey= in the address."
    )]
    NoWriteKey,
    /// A write key that is unknown or revoked.
    #[error("This write key is unknown or revoked. Copy a current one from the source's page.")]
    UnknownWriteKey,
    /// One that is shorter or longer than keys are; says so.
    #[error("This write key {0}")]
    OddWriteKey(String),
    /// The body is larger than the limit, decompressed.
    #[error("The body is larger than 5 MB. Send fewer events in a request.")]
    TooLarge,
    /// An encoding other than gzip and identity.
    #[error("The body is packed as \"{0}\", which is not opened here. Use gzip or nothing.")]
    Encoding(String),
    /// Too much is waiting to be stored; after so many seconds there may be room.
    #[error(
        "More is arriving than can be stored. Nothing of this request was kept; retry in {0} s."
    )]
    RateLimited(u32),
    /// The queue or the database cannot take it now; after so many seconds it may.
    #[error("Events cannot be stored right now. Nothing of this request was kept; retry in {0} s.")]
    Overloaded(u32),
}

impl BodyError {
    /// What to say of a write key that opens nothing.
    #[must_use]
    pub fn unknown_key(key: &str) -> Self {
        key::odd_length(key).map_or(Self::UnknownWriteKey, Self::OddWriteKey)
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Json(_) | Self::Gzip | Self::Twice | Self::Wide | Self::TooManyEvents => 400,
            Self::NoWriteKey | Self::UnknownWriteKey | Self::OddWriteKey(_) => 401,
            Self::TooLarge => 413,
            Self::Encoding(_) => 415,
            Self::RateLimited(_) => 429,
            Self::Overloaded(_) => 503,
        }
    }

    /// The machine-readable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json(_) | Self::Wide => "invalid_json",
            Self::Gzip | Self::Twice => "invalid_gzip",
            Self::TooManyEvents => "too_many_events",
            Self::NoWriteKey => "missing_write_key",
            Self::UnknownWriteKey | Self::OddWriteKey(_) => "invalid_write_key",
            Self::TooLarge => "body_too_large",
            Self::Encoding(_) => "unsupported_encoding",
            Self::RateLimited(_) => "rate_limited",
            Self::Overloaded(_) => "overloaded",
        }
    }

    /// For the `Retry-After` header, in whole seconds; 429 and 503 only.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited(seconds) | Self::Overloaded(seconds) => Some(*seconds),
            _ => None,
        }
    }
}
