//! A request's bytes, made ready for the writer: inflated, parsed, packed, with the answer it will get.
//!
//! Knows no HTTP beyond two header values and no database, so that the endpoint, the replay of dead
//! letters and the import of files all take the same way in.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::answer::Answer;
use super::endpoint::{self, Endpoint};
use super::failure::{BodyError, Rejected};
use super::parse::Parsed;
use super::writer::{Refused, Submission};
use super::{gzip, journal, parse};
use crate::ids::SourceId;

/// A body that was read; what is missing is whose it is.
pub struct Prepared {
    /// The JSON that the client hears once this is committed.
    pub answer: String,
    /// `writeKey` of the body, plausible or none.
    pub write_key: Option<String>,
    /// When the sender says it was sent.
    pub sent_at: Option<DateTime<Utc>>,
    events: usize,
    lines: Vec<u8>,
    refused: Vec<Refused>,
}

impl Prepared {
    /// What the writer takes.
    #[must_use]
    pub fn of(self, source_id: SourceId, stored_at: DateTime<Utc>) -> Submission {
        let day = stored_at.date_naive().to_string();
        let refused = self.refused.into_iter().map(|letter| {
            let mut name = letter.id.as_bytes().to_vec();
            if letter.may_be_another {
                name.extend_from_slice(day.as_bytes());
            }
            Refused { id: Uuid::new_v5(&source_id.0, &name), ..letter }
        });
        Submission {
            source_id,
            stored_at,
            events: self.events,
            lines: self.lines,
            refused: refused.collect(),
        }
    }
}

/// Inflates and parses a body. `request` names the request, see [`parse::body()`].
///
/// # Errors
/// [`BodyError`] when nothing of it can be used.
pub fn prepare(
    endpoint: Endpoint,
    encoding: Option<&str>,
    body: &[u8],
    received_at: DateTime<Utc>,
    request: Uuid,
) -> Result<Prepared, BodyError> {
    let plain = gzip::decode(encoding, body)?;
    let text = parse::text(&plain);
    let parsed = parse::body(&text, endpoint, received_at, request)?;
    let answer = serde_json::to_string(&Answer::new(parsed.accepted.len(), &parsed.rejected))
        .map_err(|error| BodyError::Json(error.to_string()))?;
    let write_key = endpoint::write_key(None, None, parsed.write_key.as_deref());
    Ok(Prepared {
        answer,
        write_key,
        sent_at: parsed.sent_at,
        events: parsed.accepted.len(),
        lines: lines(&parsed),
        refused: parsed.rejected.iter().map(refused).collect(),
    })
}

/// The accepted messages as the journal keeps them.
#[must_use]
pub fn lines(parsed: &Parsed<'_>) -> Vec<u8> {
    let mut lines = Vec::with_capacity(parsed.accepted.len().saturating_mul(400));
    for message in &parsed.accepted {
        journal::write(message, &mut lines);
    }
    lines
}

/// A rejected event as a dead letter; its raw text is a body that can be posted again.
///
/// Its id is the same whenever the event is sent again and refused for the same reason again: it is known
/// by its messageId. Without one it is known by its own text, and only for the day: another event may
/// have the same.
#[must_use]
pub fn refused(rejected: &Rejected<'_>) -> Refused {
    let storable = |text: &str| text.replace('\0', "\u{fffd}");
    let known_by = rejected.message_id.as_deref().unwrap_or(&rejected.raw);
    let name = [rejected.code.as_str(), known_by].join("\u{0}");
    Refused {
        id: Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()),
        code: rejected.code.as_str().to_owned(),
        message: rejected.message.clone().into_owned(),
        may_be_another: rejected.message_id.is_none(),
        message_id: rejected.message_id.as_deref().map(storable),
        event_name: rejected.event.as_deref().map(storable),
        raw: storable(&rejected.replay_body()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepare_batch(body: &str) -> Prepared {
        let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        prepare(Endpoint::Batch, None, body.as_bytes(), at, Uuid::nil()).unwrap()
    }

    #[test]
    fn accepted_events_go_into_the_payload_and_the_rest_to_the_dead_letters() {
        let prepared = prepare_batch(
            r#"{"writeKey":"wk_1","batch":[
                {"type":"track","event":"A","userId":"u","messageId":"m1"},
                {"type":"track","event":"B","messageId":"m2"}]}"#,
        );
        assert_eq!(prepared.write_key.as_deref(), Some("wk_1"));
        let messages = journal::read(&prepared.lines).unwrap();
        assert_eq!((messages.len(), prepared.events), (1, 1));
        assert_eq!(messages[0].message_id, "m1");
        let letter = &prepared.refused[0];
        assert_eq!(
            (letter.code.as_str(), letter.message_id.as_deref()),
            ("missing_identity", Some("m2"))
        );
        assert_eq!(letter.event_name.as_deref(), Some("B"));
        assert!(prepared.answer.starts_with(r#"{"success":true,"accepted":1,"#));
    }

    #[test]
    fn a_letter_can_be_posted_again() {
        let letter = prepare_batch(r#"{"batch":[{"type":"track","event":"B","messageId":"m2"}]}"#)
            .refused
            .remove(0);
        let mended = letter.raw.replace("\"event\"", "\"userId\":\"u\",\"event\"");
        assert_eq!(prepare_batch(&mended).events, 1);
    }

    #[test]
    fn a_refused_event_that_is_sent_again_is_the_same_letter() {
        let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let ids = |source: SourceId, body: &str| -> Vec<Uuid> {
            prepare_batch(body).of(source, at).refused.iter().map(|letter| letter.id).collect()
        };
        let (one, other) = (SourceId::new(), SourceId::new());
        let named = r#"{"batch":[{"type":"track","event":"B","messageId":"m2"}],"sentAt":"1"}"#;
        let again = named.replace("\"1\"", "\"2\"").replace("\"B\"", "\"C\"");
        assert_eq!(ids(one, named), ids(one, &again));
        assert_ne!(ids(one, named), ids(other, named));
        assert_ne!(ids(one, named), ids(one, &named.replace("track", "dance")), "another reason");
        let nameless =
            r#"{"batch":[{"type":"track","event":"A"},{"type":"track","event":"B"}],"sentAt":"1"}"#;
        let [a, b] = ids(one, nameless)[..] else { panic!() };
        assert_ne!(a, b);
        assert_eq!(ids(one, &nameless.replace("\"1\"", "\"2\"")), [a, b]);
        let tomorrow = at + chrono::TimeDelta::days(1);
        let later = |body: &str| -> Vec<Uuid> {
            prepare_batch(body).of(one, tomorrow).refused.iter().map(|letter| letter.id).collect()
        };
        assert_eq!(later(named), ids(one, named));
        assert!(!later(nameless).contains(&a), "another event may say the same");
    }

    #[test]
    fn nothing_accepted_is_no_line() {
        assert!(prepare_batch(r#"{"batch":[]}"#).lines.is_empty());
    }
}
