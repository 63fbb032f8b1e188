//! What was not as usual with ingestion, and why that was noticed. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::rhythm::Silence;
use crate::web::format;

/// Why an alert was opened, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Facts {
    /// A source sends nothing although it usually does.
    Silent {
        /// When it was last heard.
        since: DateTime<Utc>,
        /// Minutes in which something usually had arrived by then.
        missed: i64,
        /// How many of them were usual.
        usual: i64,
    },
    /// Far more of a source's events are refused than usual.
    Refused {
        /// In the quarter of an hour before.
        accepted: i64,
        /// In the quarter of an hour before.
        refused: i64,
    },
    /// Events wait for their projection.
    Lag {
        /// Age of the oldest, in milliseconds.
        oldest_ms: i64,
        /// How many wait.
        pending: i64,
    },
}

impl From<Silence> for Facts {
    fn from(silence: Silence) -> Self {
        let whole = |number: f64| format!("{number:.0}").parse().unwrap_or(i64::MAX);
        Self::Silent {
            since: silence.since,
            missed: whole(silence.missed),
            usual: whole(silence.usual),
        }
    }
}

impl Facts {
    /// As in `ingest_alerts.kind`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Silent { .. } => "silent",
            Self::Refused { .. } => "refused",
            Self::Lag { .. } => "lag",
        }
    }

    /// One line: what is wrong with which source.
    #[must_use]
    pub fn title(&self, source: &str) -> String {
        match self {
            Self::Silent { .. } => format!("{source} is silent"),
            Self::Refused { .. } => format!("{source}: many events are refused"),
            Self::Lag { .. } => "Events wait for their projection".to_owned(),
        }
    }

    /// Why it was flagged, when it was opened at `opened_at`.
    #[must_use]
    pub fn why(&self, opened_at: DateTime<Utc>) -> String {
        match *self {
            Self::Silent { since, missed, usual } => format!(
                "Nothing had come for {}. By its own rhythm of the last four weeks something usually arrives in {} \
                 minutes of that time; up to {} such minutes without an event are usual.",
                span(opened_at - since),
                format::grouped(missed),
                format::grouped(usual),
            ),
            Self::Refused { accepted, refused } => format!(
                "In the quarter of an hour before, {} of {} were refused: more than one in twenty, and more than \
                 three times as many as usual.",
                format::grouped(refused),
                format::count(accepted.saturating_add(refused), "event", "events"),
            ),
            Self::Lag { oldest_ms, pending } => format!(
                "{} waited, the oldest for {}. Usual is a second or two. They are safe in the journal.",
                format::count(pending, "acknowledged event", "acknowledged events"),
                span(TimeDelta::milliseconds(oldest_ms)),
            ),
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn next(&self) -> &'static str {
        match self {
            Self::Silent { .. } => {
                "Was something deployed, a key revoked, a consent banner or a firewall changed? Look at the \
                 product's own log for answers other than 200. The alert closes by itself with the next event."
            }
            Self::Refused { .. } => {
                "The dead letters say what is wrong and whose turn it is. The alert closes by itself when the share \
                 has fallen."
            }
            Self::Lag { .. } => {
                "An import or a burst catches up by itself. If it does not, the server's log says what fails. The \
                 alert closes by itself."
            }
        }
    }
}

/// A span of time in words: `40 ms`, `1.2 s`, `12 min`, `26 h`, `9 days`.
#[must_use]
pub fn span(span: TimeDelta) -> String {
    let millis = span.num_milliseconds().max(0);
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..10_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        10_000..120_000 => format!("{} s", millis / 1_000),
        120_000..7_200_000 => format!("{} min", millis / 60_000),
        7_200_000..172_800_000 => format!("{} h", millis / 3_600_000),
        _ => format!("{} days", millis / 86_400_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well() {
        let said = |millis| span(TimeDelta::milliseconds(millis));
        assert_eq!(said(-5), "0 ms");
        assert_eq!((said(999), said(1_250)), ("999 ms".to_owned(), "1.2 s".to_owned()));
        assert_eq!((said(61_000), said(7_199_999)), ("61 s".to_owned(), "119 min".to_owned()));
        assert_eq!(
            (said(26 * 3_600_000), said(200_000_000)),
            ("26 h".to_owned(), "2 days".to_owned())
        );
    }

    #[test]
    fn facts_are_kept_and_say_why() {
        let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let facts =
            Facts::from(Silence { since: at - TimeDelta::hours(3), missed: 90.4, usual: 12.0 });
        let kept = serde_json::to_value(facts).unwrap();
        assert_eq!(kept["kind"], facts.kind());
        assert_eq!(serde_json::from_value::<Facts>(kept).unwrap(), facts);
        assert!(
            facts.why(at).contains("Nothing had come for 3 h")
                && facts.why(at).contains("in 90 minutes")
        );
        assert_eq!(facts.title("Web"), "Web is silent");
        let refused = Facts::Refused { accepted: 100, refused: 50 };
        assert!(refused.why(at).contains("50 of 150 events"));
    }
}
