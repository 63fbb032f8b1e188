//! Use cases of people: what is done with dead letters, each batch in one transaction.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;
use uuid::Uuid;

use super::endpoint::Endpoint;
use super::store_dead_letters::{self as store, Chosen, DeadLetter};
use super::store_replays::{self as replays, Attempt};
use super::writer::Submission;
use super::{failure, intake, parse, store_journal};
use crate::db::Room;
use crate::error::{Error, Result};
use crate::queue;
use crate::team::audit::{self, Actor};

/// Letters of one transaction. More than that is a job.
pub const BATCH: i64 = 500;
/// Letters are counted no further: beyond, the progress has no end that is known.
const COUNTED: i64 = 1_000_000;
/// The job that goes on with replays.
pub const REPLAY: &str = "replay_letters";

/// How far a step of a replay came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Into the journal, once more on their way. The drainer may still refuse one; it is then open again.
    pub journaled: usize,
    /// Refused by the parser again: the cause is in the event itself.
    pub refused: usize,
    /// Whether there are more to try.
    pub more: bool,
}

/// Begins to replay the chosen letters: up to 500 at once, more in a job. The replay's id.
///
/// # Errors
/// [`Error::NotFound`] when one letter was chosen and it is not open.
pub fn replay(
    conn: &mut PgConnection,
    room: Room,
    by: &Actor,
    chosen: &Chosen,
    at: DateTime<Utc>,
) -> Result<Uuid> {
    let letters = store::count(conn, chosen, COUNTED)?;
    if letters == 0 && chosen.id.is_some() {
        return Err(Error::NotFound);
    }
    let id = Uuid::now_v7();
    replays::insert(conn, id, by, chosen, letters, at)?;
    let detail = json!({ "letters": letters, "chosen": chosen });
    audit::record(conn, by, "dead_letters.replayed", ("replay", &id.to_string()), &detail, at)?;
    if letters <= BATCH {
        step(conn, room, id, at)?;
    } else {
        let key = id.to_string();
        queue::store::enqueue(conn, REPLAY, &json!({ "replay": id }), Some(&key), at)?;
    }
    Ok(id)
}

/// Goes on with a replay by up to 500 letters: the same parser, the time of the first receipt, the
/// journal. A letter is tried once in a replay; what the parser refuses stays, with the reason of today.
/// Safe to repeat: what was tried is committed with how far it is.
///
/// # Errors
/// [`Error::NotFound`] when there is no such replay.
pub fn step(
    conn: &mut PgConnection,
    room: Room,
    replay: Uuid,
    at: DateTime<Utc>,
) -> Result<Replayed> {
    let this = replays::lock(conn, replay)?;
    if this.finished_at.is_some() {
        return Ok(Replayed::default());
    }
    let letters = store::claim(conn, &this.chosen()?, this.started_at, this.beyond, BATCH)?;
    let (mut attempts, mut done, mut group) = (Vec::new(), Vec::new(), Vec::new());
    for letter in &letters {
        let outcome = match again(letter, at)? {
            Ok((event, submission)) => {
                group.push(submission);
                done.push(letter.id);
                Ok(event)
            }
            Err((code, message)) => {
                store::refuse_again(conn, letter.id, &code, &message)?;
                Err((code, message))
            }
        };
        attempts.push(Attempt { letter: letter.id, outcome });
    }
    store_journal::append(conn, room, &group.iter().collect::<Vec<_>>())?;
    store::mark_replayed(conn, &done, at)?;
    replays::note(conn, replay, &attempts, at)?;
    let more = i64::try_from(letters.len()).is_ok_and(|taken| taken == BATCH);
    let last = letters.last().map(|letter| letter.id);
    replays::advance(conn, replay, last, (!more).then_some(at))?;
    Ok(Replayed { journaled: done.len(), refused: letters.len() - done.len(), more })
}

type Judged<T> = std::result::Result<T, (String, String)>;

/// The letter as a request of its own with its event's id for the drainer, or why the parser refuses it.
fn again(letter: &DeadLetter, at: DateTime<Utc>) -> Result<Judged<(Uuid, Submission)>> {
    let parsed = match judge(letter, letter.text()) {
        Ok(parsed) => parsed,
        Err(why) => return Ok(Err(why)),
    };
    // Texts of lines of a file may hold several; they come and go together, and one stands for all.
    let Some(first) = parsed.accepted.first() else {
        return Ok(Err(("invalid_json".into(), "There is no event in this text.".into())));
    };
    let event = Uuid::new_v5(&letter.source_id.0, first.message_id.as_bytes());
    let submission = Submission {
        source_id: letter.source_id,
        stored_at: at,
        events: parsed.accepted.len(),
        lines: intake::lines(&parsed),
        refused: Vec::new(),
    };
    Ok(Ok((event, submission)))
}

/// What the parser says of this text today. The letter's id names the request, so that an event without
/// a messageId gets the same one each time.
fn judge<'a>(letter: &DeadLetter, text: &'a str) -> Judged<parse::Parsed<'a>> {
    let parsed = parse::body(text, Endpoint::Batch, letter.received_at, letter.id)
        .map_err(|error| (error.code().to_owned(), error.to_string()))?;
    match parsed.rejected.first() {
        Some(rejected) => {
            Err((rejected.code.as_str().to_owned(), rejected.message.clone().into_owned()))
        }
        None => Ok(parsed),
    }
}

/// Keeps the text that a person mended and replays the letter with it. The replay's id.
///
/// # Errors
/// [`Error::Invalid`] at `text` with what the parser says of it; [`Error::Conflict`] when the letter was
/// settled meanwhile; [`Error::NotFound`].
pub fn mend(
    conn: &mut PgConnection,
    room: Room,
    by: &Actor,
    id: Uuid,
    text: &str,
    at: DateTime<Utc>,
) -> Result<Uuid> {
    let letter = store::find(conn, id)?;
    let text = text.trim();
    if text.len() > failure::RAW_LIMIT * 2 {
        return Err(Error::invalid("text", "Shorten the text to 128 KB."));
    }
    judge(&letter, text).map_err(|(_, message)| Error::invalid("text", message))?;
    if !store::mend(conn, id, text)? {
        return Err(Error::Conflict("This letter was replayed or discarded meanwhile.".into()));
    }
    audit::record(
        conn,
        by,
        "dead_letter.mended",
        ("dead_letter", &id.to_string()),
        &json!({}),
        at,
    )?;
    replay(conn, room, by, &Chosen::one(id), at)
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
    if discarded == 0 && chosen.id.is_some() {
        return Err(Error::NotFound);
    }
    let detail = json!({ "letters": discarded, "reason": reason, "chosen": chosen });
    let subject = chosen.id.map_or_else(|| "several".to_owned(), |id| id.to_string());
    audit::record(conn, by, "dead_letters.discarded", ("dead_letters", &subject), &detail, at)?;
    Ok(discarded)
}
