//! What people read about the code of a dead letter: whose turn it is and how it is mended. Pure.

/// Who has to act first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The product that sends: its code or its setup.
    Sender,
    /// Whoever reads this: something in Ripen can be set right.
    You,
    /// Ripen itself: a mistake of ours.
    Ripen,
}

impl Turn {
    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sender => "The sender’s turn",
            Self::You => "Your turn",
            Self::Ripen => "Ripen’s turn",
        }
    }
}

/// How a kind of dead letter is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    pub turn: Turn,
    /// What to do about the cause.
    pub fix: &'static str,
    /// What a replay of all of them can and cannot do.
    pub replay: &'static str,
    /// The same of a single one, whose text stands beside it.
    pub replay_one: &'static str,
}

impl Hint {
    /// Whether a replay without mending the text is refused again for sure.
    #[must_use]
    pub fn is_futile(&self) -> bool {
        [AS_IT_IS.1, TRIM.1, FLATTEN.1].contains(&self.replay_one)
    }
}

/// Of all, and of one.
type Replay = (&'static str, &'static str);

const AS_IT_IS: Replay = (
    "Replayed as they are, they are refused again. To save a single one, open it, mend its text and replay that.",
    "Replayed as it is, it is refused again: mend its text below and replay that.",
);
const TRIM: Replay = (
    "Replayed as they are, they are refused again, and of those beyond 64 KB the end is gone. To save a single \
     one, open it, trim its text and replay that.",
    "Replayed as it is, it is refused again: trim its text below and replay that. Beyond 64 KB its end is gone.",
);
const FLATTEN: Replay = (
    "Replayed as they are, they are refused again. To save a single one, open it, flatten its text and replay that.",
    "Replayed as it is, it is refused again: flatten its text below and replay that.",
);

/// The hint for a code; for one that is not known, what holds of all.
#[must_use]
pub fn of(code: &str) -> Hint {
    let (turn, fix, replay) = match code {
        "missing_workspace" => (
            Turn::Sender,
            "Call group() for these people, or send groupId in the event's context. Nothing more is needed: a \
             group() of the same person places these events by itself.",
            (
                "Replay looks again where each person is. Events that still have no workspace come back here.",
                "Replay looks again where the person is. Without a workspace the event comes back here.",
            ),
        ),
        "blocked_identity" => (
            Turn::Sender,
            "The only id is one that broken clients send for nobody (null, undefined, 0). Send the user's own \
             userId, or leave it out and send anonymousId.",
            AS_IT_IS,
        ),
        "missing_identity" => (
            Turn::Sender,
            "Send userId, or anonymousId before sign-in; group() needs groupId, alias() needs previousId.",
            AS_IT_IS,
        ),
        "missing_event" => (Turn::Sender, "Give track() the name of what happened.", AS_IT_IS),
        "invalid_type" => {
            (Turn::Sender, "Set type to track, identify, group, alias, page or screen.", AS_IT_IS)
        }
        "invalid_json" => (
            Turn::Sender,
            "The sender writes broken JSON: let a JSON library write it, not string concatenation.",
            AS_IT_IS,
        ),
        "bad_timestamp" => (
            Turn::Sender,
            "Send ISO 8601 such as 2026-11-20T10:00:00Z, or leave timestamp out: the time of receipt counts then.",
            AS_IT_IS,
        ),
        "event_too_large" => (
            Turn::Sender,
            "Leave large texts and lists out of the properties: an event has at most 32 KB, 255 keys in an object, \
             512 bytes in an id.",
            TRIM,
        ),
        "too_deep" => (Turn::Sender, "Flatten the properties: at most 16 levels.", FLATTEN),
        "too_many_events" => (
            Turn::You,
            "The events are whole, only their batch had more than 2,500. Let the sender make smaller batches.",
            ("Replay stores them.", "Replay stores it."),
        ),
        "internal" => (
            Turn::Ripen,
            "Ripen could not process these; the cause is in the server's log.",
            (
                "Replay them after the next update. Damaged requests are kept in the journal and are refused again.",
                "Replay it after the next update. A damaged request is kept in the journal and is refused again.",
            ),
        ),
        _ => (
            Turn::Sender,
            "Mend the sender.",
            (
                "Replaying helps once Ripen understands what it refused.",
                "Replaying helps once Ripen understands what it refused.",
            ),
        ),
    };
    let (replay, replay_one) = replay;
    Hint { turn, fix, replay, replay_one }
}

/// `missing_identity` as people read it.
#[must_use]
pub fn name(code: &str) -> String {
    let mut words = code.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::failure::Code;

    #[test]
    fn every_code_has_a_hint_of_its_own() {
        let unknown = of("no such code");
        for code in [
            Code::InvalidJson,
            Code::InvalidType,
            Code::MissingIdentity,
            Code::MissingEvent,
            Code::EventTooLarge,
            Code::TooManyEvents,
            Code::BadTimestamp,
            Code::TooDeep,
        ] {
            assert_ne!(of(code.as_str()), unknown, "{code:?}");
        }
        for code in ["missing_workspace", "blocked_identity", "internal"] {
            assert_ne!(of(code), unknown, "{code}");
        }
        assert_eq!(of("internal").turn, Turn::Ripen);
    }

    #[test]
    fn codes_read_well() {
        assert_eq!(name("missing_identity"), "Missing identity");
        assert_eq!(name(""), "");
    }
}
