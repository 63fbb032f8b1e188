//! Use cases of people: what is done with dead letters, each batch in one transaction.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;
use uuid::Uuid;

use super::endpoint::Endpoint;
use super::store_dead_letters::{self as store, Chosen, DeadLetter};
use super::writer::Submission;
use super::{intake, parse, store_journal};
use crate::error::{Error, Result};
use crate::team::audit::{self, Actor};

/// Letters of one transaction.
const BATCH: i64 = 500;

/// What came of a replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Into the journal, once more on their way. The drainer may still refuse one; it is then open again.
    pub journaled: usize,
    /// Refused by the parser again: the cause is in the event itself.
    pub refused: usize,
    /// Where the next batch begins; none when this was the last.
    pub next: Option<Uuid>,
}

/// Replays up to 500 of the chosen letters beyond `beyond`: the same parser, the time of the first
/// receipt, the journal. Letters that it refuses again stay, with the reason of today.
///
/// # Errors
/// [`Error::NotFound`] when one letter was chosen and it is not open.
pub fn replay(
    conn: &mut PgConnection,
    by: &Actor,
    chosen: &Chosen,
    beyond: Option<Uuid>,
    at: DateTime<Utc>,
) -> Result<Replayed> {
    let letters = store::claim(conn, chosen, beyond, BATCH)?;
    if letters.is_empty() && matches!(chosen, Chosen::One(_)) {
        return Err(Error::NotFound);
    }
    let mut outcome = Replayed::default();
    let mut done = Vec::new();
    let mut group = Vec::new();
    for letter in &letters {
        match again(letter, at)? {
            Ok(submission) => {
                group.push(submission);
                done.push(letter.id);
            }
            Err((code, message)) => {
                store::refuse_again(conn, letter.id, &code, &message)?;
                outcome.refused += 1;
            }
        }
    }
    store_journal::append(conn, &group.iter().collect::<Vec<_>>())?;
    store::mark_replayed(conn, &done, at)?;
    outcome.journaled = done.len();
    let full = i64::try_from(letters.len()).is_ok_and(|taken| taken == BATCH);
    outcome.next = letters.last().filter(|_| full).map(|letter| letter.id);
    if !letters.is_empty() {
        let detail = json!({ "journaled": outcome.journaled, "refused": outcome.refused });
        audit::record(conn, by, "dead_letters.replayed", subject(chosen).as_pair(), &detail, at)?;
    }
    Ok(outcome)
}

/// The letter as a request of its own, or why the parser refuses it still.
fn again(
    letter: &DeadLetter,
    at: DateTime<Utc>,
) -> Result<std::result::Result<Submission, (String, String)>> {
    let parsed = match parse::body(&letter.raw, Endpoint::Batch, letter.received_at, letter.id) {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Err((error.code().to_owned(), error.to_string()))),
    };
    if let Some(rejected) = parsed.rejected.first() {
        return Ok(Err((rejected.code.as_str().to_owned(), rejected.message.clone().into_owned())));
    }
    Ok(Ok(Submission {
        source_id: letter.source_id,
        stored_at: at,
        events: parsed.accepted.len(),
        lines: intake::lines(&parsed),
        refused: Vec::new(),
    }))
}

/// Puts the chosen letters away for good, with the reason; tells how many.
///
/// # Errors
/// [`Error::Invalid`] without a reason; [`Error::NotFound`] when one letter was chosen and it is not open.
pub fn discard(
    conn: &mut PgConnection,
    by: &Actor,
    chosen: &Chosen,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<usize> {
    let reason = reason.trim();
    let length = reason.chars().count();
    if length == 0 || length > 500 {
        return Err(Error::invalid(
            "reason",
            "Say in up to 500 letters why these events are not needed.",
        ));
    }
    let discarded = store::discard(conn, chosen, reason, at)?;
    if discarded == 0 && matches!(chosen, Chosen::One(_)) {
        return Err(Error::NotFound);
    }
    let detail = json!({ "letters": discarded, "reason": reason });
    audit::record(conn, by, "dead_letters.discarded", subject(chosen).as_pair(), &detail, at)?;
    Ok(discarded)
}

struct Subject(&'static str, String);

impl Subject {
    fn as_pair(&self) -> (&str, &str) {
        (self.0, &self.1)
    }
}

fn subject(chosen: &Chosen) -> Subject {
    match chosen {
        Chosen::One(id) => Subject("dead_letter", id.to_string()),
        Chosen::Group(code) => Subject("dead_letters", code.clone()),
        Chosen::Since(at) => Subject("dead_letters", format!("since {}", at.to_rfc3339())),
    }
}
