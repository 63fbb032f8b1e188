//! The first events of a source, as whoever connects it wants to see them: what arrived, and what about it
//! is not yet right. Pure: the messages and the receipt are arguments.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::message::{Kind, Message, is_junk_id};
use crate::ids::{SourceId, UserId};

/// A clock that is off by less is nobody's problem.
const CLOCK_OFF: TimeDelta = TimeDelta::minutes(2);

/// An event that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// What was called: `track`.
    pub call: &'static str,
    /// The event's name, or the page's; empty without one.
    pub name: String,
    /// The person, by the product's id.
    pub person: String,
    /// The workspace that the call itself names, by the product's id.
    pub workspace: Option<String>,
    /// When it happened, by the server's clock.
    pub at: DateTime<Utc>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// Which SDK sent it.
    pub library: String,
    /// What the sender should mend, though the event is stored.
    pub advice: Vec<&'static str>,
    /// The name of the workspace in which it counts, when the call names none.
    pub found: Option<String>,
    /// Its own id and that of whoever it is about, to look up where it counts.
    pub key: (UserId, Uuid),
    /// Whether it has to count somewhere, and names no workspace itself.
    pub needs_place: bool,
}

impl Arrived {
    /// A message of this source with the receipt of its request.
    #[must_use]
    pub fn of(message: &Message<'_>, source: SourceId, received_at: DateTime<Utc>) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let person = message.user_id.as_deref().or(message.anonymous_id.as_deref());
        let known = message.user_id.as_deref().filter(|id| !is_junk_id(id));
        let visitor = message.anonymous_id.as_deref().unwrap_or_default();
        Self {
            found: None,
            key: (
                known.map_or_else(|| UserId::anonymous(visitor), UserId::known),
                Uuid::new_v5(&source.0, message.message_id.as_bytes()),
            ),
            needs_place: message.kind == Kind::Track && message.workspace().is_none(),
            call: message.kind.as_str(),
            name: text(message.event.as_deref()),
            person: text(person),
            workspace: message.workspace().map(str::to_owned),
            at: message.at,
            received_at,
            library: text(message.library.as_deref()),
            advice: advice(message, received_at),
        }
    }

    /// Takes in where it counts. While it waits for its projection, nobody knows.
    pub fn place(&mut self, found: Option<String>, waits: bool) {
        if self.needs_place && found.is_none() && !waits {
            self.advice.push(
                "It names no workspace, and none is known of this person: send context.groupId with it, or \
                 call group() for this person once. Until then it counts for nothing.",
            );
        }
        self.found = found;
    }
}

fn advice(message: &Message<'_>, received_at: DateTime<Utc>) -> Vec<&'static str> {
    let mut advice = Vec::new();
    if message.notes.clock_ahead {
        advice.push(
            "Its time is more than 5 minutes ahead of the receipt: the time of receipt was taken. Set the sender's clock.",
        );
    } else if message.notes.clock_unset {
        advice.push(
            "Its time is before 2000: the time of receipt was taken. Set the sender's clock, or leave timestamp out.",
        );
    } else if message.at > received_at + CLOCK_OFF {
        advice.push("Its time is ahead of the receipt: set the sender's clock.");
    }
    if message.user_id.as_deref().is_some_and(is_junk_id) {
        advice
            .push("Its userId means nobody. Send the user's own id, or none before they sign in.");
    }
    if message.notes.id_made {
        advice.push("It has no messageId: if its sender sends it twice, it counts twice.");
    }
    if message.notes.cleaned {
        advice.push("Something in it could not be kept as it was sent (see “What is cleaned” in the documentation).");
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::endpoint::Endpoint;
    use crate::ingest::parse;

    fn arrived(event: &str) -> Arrived {
        let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let text = format!("{{\"batch\":[{event}]}}");
        let parsed = parse::body(&text, Endpoint::Batch, at, Uuid::nil()).unwrap();
        Arrived::of(&parsed.accepted[0], SourceId(Uuid::nil()), at)
    }

    #[test]
    fn a_good_event_needs_no_advice() {
        let good = arrived(
            r#"{"type":"track","userId":"u","event":"E","messageId":"m","context":{"groupId":"w","library":{"name":"l","version":"1"}}}"#,
        );
        assert_eq!((good.call, &*good.name, &*good.person), ("track", "E", "u"));
        assert_eq!((good.workspace.as_deref(), &*good.library), (Some("w"), "l/1"));
        assert!(good.advice.is_empty());
        let page = arrived(r#"{"type":"page","anonymousId":"a","messageId":"m"}"#);
        assert!(page.advice.is_empty() && page.name.is_empty() && page.person == "a");
    }

    #[test]
    fn what_is_not_yet_right_is_said() {
        for (event, said) in [
            (r#"{"type":"page","userId":"null","messageId":"m"}"#, "means nobody"),
            (r#"{"type":"page","userId":"u"}"#, "no messageId"),
            (r#"{"type":"page","userId":"u","messageId":"m","properties":{"a":NaN}}"#, "cleaned"),
            (
                r#"{"type":"page","userId":"u","messageId":"m","timestamp":"2030-01-01"}"#,
                "5 minutes ahead",
            ),
            (
                r#"{"type":"page","userId":"u","messageId":"m","timestamp":"2026-09-21T14:17:00Z"}"#,
                "is ahead of the receipt",
            ),
            (
                r#"{"type":"page","userId":"u","messageId":"m","timestamp":"1970-01-01T00:00:07Z"}"#,
                "before 2000",
            ),
        ] {
            let advice = arrived(event).advice;
            assert!(advice.len() == 1 && advice[0].contains(said), "{event}: {advice:?}");
        }
    }
    #[test]
    fn only_what_counts_nowhere_is_told_to_name_its_workspace() {
        let track = r#"{"type":"track","userId":"u","event":"E","messageId":"m"}"#;
        let advised = |event: &str, found: Option<&str>, waits| {
            let mut event = arrived(event);
            event.place(found.map(str::to_owned), waits);
            event.advice.iter().any(|advice| advice.contains("names no workspace"))
        };
        assert!(advised(track, None, false));
        assert!(!advised(track, Some("Acme"), false), "a membership placed it");
        assert!(!advised(track, None, true), "it is not known yet");
        assert!(!advised(r#"{"type":"page","userId":"u","messageId":"m"}"#, None, false));
        let named = track.replace("\"event\"", "\"groupId\":\"w\",\"event\"");
        assert!(!advised(&named, None, false));
    }
}
