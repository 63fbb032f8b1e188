//! The watch: opens alerts when ingestion is not as usual, and closes them when it is again.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use serde_json::json;
use uuid::Uuid;

use super::alert::Facts;
use super::rhythm::{self, PAST, Rhythm};
use super::store_alerts::{self as store, Alert, Heard};
use super::store_status;
use crate::error::{Error, Result};
use crate::ids::SourceId;
use crate::team::audit::{self, Actor};

/// The job that watches.
pub const WATCH: &str = "watch_ingest";
/// Refusals are judged by so much time, beside so much before it.
const RECENT: TimeDelta = TimeDelta::minutes(15);
const BEFORE: TimeDelta = TimeDelta::days(7);

/// An alert that was opened just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    pub id: Uuid,
    /// One line.
    pub title: String,
}

/// What a source's past says of it.
///
/// # Errors
/// When the database fails.
pub fn rhythm(conn: &mut PgConnection, source: &Heard) -> Result<Option<Rhythm>> {
    let Some(since) = source.last.checked_sub_days(PAST) else { return Ok(None) };
    if source.last - source.first < rhythm::LEARNING {
        return Ok(None);
    }
    let hours = store::hours(conn, source.id, since)?;
    let pauses = store::pauses(conn, source.id, since)?;
    Ok(Rhythm::learn(&hours, &pauses, source.first, source.last))
}

/// Looks at every source once. Safe to repeat: what stands is not opened twice.
///
/// # Errors
/// When the database fails.
pub fn look(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<Raised>> {
    let standing = store::open(conn)?;
    let sources = store::heard(conn)?;
    let mut raised = Vec::new();
    for source in &sources {
        // Most sources were heard just now: their past need not be read.
        let is_quiet = now - source.last >= rhythm::LEAST_SILENCE;
        let rhythm = if is_quiet { rhythm(conn, source)? } else { None };
        let silence = rhythm.and_then(|rhythm| rhythm.silence(source.last, now));
        let facts = silence.map(Facts::from);
        let alert = of(&standing, "silent", Some(source.id));
        raised.extend(settle(conn, alert, Some(source), facts, now)?);

        let alert = of(&standing, "refused", Some(source.id));
        let facts = refused(conn, source.id, alert.is_some(), now)?;
        raised.extend(settle(conn, alert, Some(source), facts, now)?);
    }
    let alert = of(&standing, "lag", None);
    let facts = lag(conn, alert.is_some(), now)?;
    raised.extend(settle(conn, alert, None, facts, now)?);
    // A source that was switched off, or whose last key was revoked, is silent for a reason.
    for alert in &standing {
        let is_watched = |id: SourceId| sources.iter().any(|source| source.id == id);
        if alert.source_id.is_some_and(|id| !is_watched(id)) {
            store::close(conn, alert.id, now)?;
        }
    }
    Ok(raised)
}

fn of<'a>(standing: &'a [Alert], kind: &str, source: Option<SourceId>) -> Option<&'a Alert> {
    standing.iter().find(|alert| alert.kind == kind && alert.source_id == source)
}

/// Opens what is new and closes what is over.
fn settle(
    conn: &mut PgConnection,
    standing: Option<&Alert>,
    source: Option<&Heard>,
    facts: Option<Facts>,
    now: DateTime<Utc>,
) -> Result<Option<Raised>> {
    match (standing, facts) {
        (Some(alert), None) => store::close(conn, alert.id, now).map(|()| None),
        (None, Some(facts)) => {
            let id = store::raise(conn, source.map(|source| source.id), &facts, now)?;
            let title = facts.title(source.map_or("", |source| &source.name));
            Ok(id.map(|id| Raised { id, title }))
        }
        _ => Ok(None),
    }
}

fn refused(
    conn: &mut PgConnection,
    source: SourceId,
    still: bool,
    now: DateTime<Utc>,
) -> Result<Option<Facts>> {
    let recent = store::outcomes(conn, source, now - RECENT, now + TimeDelta::minutes(1))?;
    if recent.1 == 0 {
        return Ok(None);
    }
    let usual = store::outcomes(conn, source, now - BEFORE, now - RECENT)?;
    let share = rhythm::too_many_refused(recent, usual, still);
    Ok(share.map(|_| Facts::Refused { accepted: recent.0, refused: recent.1 }))
}

fn lag(conn: &mut PgConnection, still: bool, now: DateTime<Utc>) -> Result<Option<Facts>> {
    let waiting = store_status::waiting(conn)?;
    let Some(oldest) = waiting.oldest_at.map(|oldest| now - oldest) else { return Ok(None) };
    let oldest_ms = oldest.num_milliseconds();
    Ok(rhythm::lags(oldest, still).then_some(Facts::Lag { oldest_ms, pending: waiting.events }))
}

/// Notes that somebody knows of an alert, and what they say.
///
/// # Errors
/// [`Error::Invalid`] at `note`; [`Error::Conflict`] when somebody was faster; [`Error::NotFound`].
pub fn acknowledge(
    conn: &mut PgConnection,
    by: &Actor,
    id: Uuid,
    note: &str,
    at: DateTime<Utc>,
) -> Result<()> {
    let alert = store::find(conn, id)?;
    let note = note.trim();
    let length = note.chars().count();
    if length == 0 || length > 500 {
        let text = "Say in up to 500 letters what you know, or who looks after it.";
        return Err(Error::invalid("note", text));
    }
    if !store::acknowledge(conn, id, by, note, at)? {
        let name = alert.acknowledged_name.unwrap_or_default();
        return Err(Error::Conflict(format!("{name} has acknowledged this alert before.")));
    }
    let detail = json!({ "note": note, "kind": alert.kind, "source": alert.source });
    audit::record(
        conn,
        by,
        "ingest_alert.acknowledged",
        ("ingest_alert", &id.to_string()),
        &detail,
        at,
    )
}
