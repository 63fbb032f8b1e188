//! A delivery, checked and passed on, in one transaction.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;
use uuid::Uuid;

use super::meaning::{self, Meaning};
use crate::db::Room;
use crate::error::{Error, Result};
use crate::ids::SourceId;
use crate::ingest::endpoint::Endpoint as Path;
use crate::ingest::{intake, store_journal};
use crate::sources::signature::{self, Disbelief, Secret};
use crate::sources::store_webhooks::{self, Delivery, Endpoint, Kind};
use crate::subscriptions::ops::{self, Written};
use crate::subscriptions::stripe::event::{self, Event, Unreadable};
use crate::subscriptions::terms::Row;
use crate::subscriptions::{input, ops_stripe, store};

/// What the sender hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Committed; the word says what became of it.
    Taken(&'static str),
    /// 410: somebody closed the endpoint, and it will not open again.
    Closed,
    /// 400: it will not be better for being sent again.
    Refused {
        /// A stable word.
        code: &'static str,
        /// What happened, and how to mend it.
        message: String,
    },
}

/// The three headers of Standard Webhooks.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "the headers of these names")]
pub struct Signed {
    pub id: Option<String>,
    pub timestamp: Option<String>,
    pub signature: Option<String>,
}

/// Whether an endpoint takes deliveries; no when it was closed.
///
/// # Errors
/// [`Error::NotFound`] without such an endpoint; when the database fails.
pub fn is_open(conn: &mut PgConnection, endpoint: Uuid, kind: Kind) -> Result<bool> {
    Ok(store_webhooks::of_kind(conn, endpoint, kind)?.revoked_at.is_none())
}

/// Takes a delivery of Stripe's.
///
/// # Errors
/// [`Error::NotFound`] without such an endpoint; when the database fails.
pub fn stripe(
    conn: &mut PgConnection,
    endpoint: Uuid,
    header: Option<&str>,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Answer> {
    store_webhooks::wait_no_longer(conn)?;
    let endpoint = store_webhooks::of_kind(conn, endpoint, Kind::Stripe)?;
    if endpoint.revoked_at.is_some() {
        return Ok(Answer::Closed);
    }
    let check = |secrets: &[Secret]| signature::stripe(header, body, secrets, now.timestamp());
    let secret = match believed(conn, &endpoint, check, now)? {
        Ok(secret) => secret,
        Err(disbelief) => return disbelieve(conn, &endpoint, disbelief, now),
    };
    let event = match event::read(body) {
        Ok(event) => event,
        Err(unreadable) => {
            let message = match unreadable {
                Unreadable::Json(error) => format!("The body is no JSON: {error}."),
                Unreadable::NoEvent => "The body is no event of Stripe's.".to_owned(),
            };
            return refuse(conn, &endpoint, "unreadable", message, now);
        }
    };
    let (outcome, reason) = pass_on(conn, &endpoint, secret, &event, now)?;
    let delivery = Delivery {
        received_at: now,
        event_id: Some(event.id),
        kind: Some(event.kind),
        outcome: outcome.to_owned(),
        reason: reason.to_owned(),
        ..Delivery::default()
    };
    store_webhooks::delivered(conn, endpoint.id, secret, &delivery)?;
    Ok(Answer::Taken(outcome))
}

fn pass_on(
    conn: &mut PgConnection,
    endpoint: &Endpoint,
    secret: Uuid,
    event: &Event,
    now: DateTime<Utc>,
) -> Result<(&'static str, &'static str)> {
    if endpoint.livemode.is_some_and(|mode| mode != event.livemode) {
        let reason = if event.livemode {
            "Live mode: this endpoint takes test mode alone."
        } else {
            "Test mode: this endpoint takes live mode alone."
        };
        return Ok(("other_mode", reason));
    }
    let outcome = ops_stripe::take(conn, event, (endpoint.id, secret), now)?;
    use ops_stripe::Outcome;
    let reason = match outcome {
        Outcome::Applied => "The workspace's subscription stands as this says.",
        Outcome::Unmapped => {
            "Nobody knows whose this is: choose the workspace under Ingest, Unmapped."
        }
        Outcome::Older => "A newer event was here before: this one is history.",
        Outcome::Duplicate => "This event was here before.",
        Outcome::Noted => "Tells who pays.",
        Outcome::Ignored => "Says nothing about subscriptions.",
    };
    Ok((outcome.key(), reason))
}

/// Takes a delivery by Standard Webhooks.
///
/// # Errors
/// [`Error::NotFound`] without such an endpoint; when the database fails.
pub fn events(
    conn: &mut PgConnection,
    room: Room,
    endpoint: Uuid,
    signed: &Signed,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Answer> {
    store_webhooks::wait_no_longer(conn)?;
    let endpoint = store_webhooks::of_kind(conn, endpoint, Kind::Events)?;
    if endpoint.revoked_at.is_some() {
        return Ok(Answer::Closed);
    }
    let Signed { id, timestamp, signature } = signed;
    let (id, timestamp, signature) = (id.as_deref(), timestamp.as_deref(), signature.as_deref());
    let check = |secrets: &[Secret]| {
        signature::standard(id, timestamp, signature, body, secrets, now.timestamp())
    };
    let secret = match believed(conn, &endpoint, check, now)? {
        Ok(secret) => secret,
        Err(disbelief) => return disbelieve(conn, &endpoint, disbelief, now),
    };
    let (Some(id), Some(source)) = (id, endpoint.source_id) else { return Err(Error::NotFound) };
    let (kind, meaning) = match meaning::read(id, body) {
        Ok(read) => read,
        Err(message) => return refuse(conn, &endpoint, "unreadable", message, now),
    };
    let (outcome, reason) = match meaning {
        Meaning::Call(call) => journal(conn, room, source, &call, now)?,
        Meaning::Subscription(members) => match input::read(&members, now) {
            Ok(row) => subscription(conn, endpoint.id, id, &row, now)?,
            Err(errors) => {
                let said = errors.into_values().flatten().collect::<Vec<_>>().join(" ");
                return refuse(conn, &endpoint, "invalid_subscription", said, now);
            }
        },
    };
    let delivery = Delivery {
        received_at: now,
        event_id: Some(id.chars().filter(|c| *c != '\0').take(255).collect()),
        kind: Some(kind.replace('\0', "\u{fffd}")),
        outcome: outcome.to_owned(),
        reason,
        ..Delivery::default()
    };
    store_webhooks::delivered(conn, endpoint.id, secret, &delivery)?;
    Ok(Answer::Taken(outcome))
}

/// A word about a subscription, once: the same delivery again may bear no date, and would take a newer
/// word back.
fn subscription(
    conn: &mut PgConnection,
    endpoint: Uuid,
    id: &str,
    row: &Row,
    now: DateTime<Utc>,
) -> Result<(&'static str, String)> {
    if !store_webhooks::is_first(conn, endpoint, id, now)? {
        return Ok(("duplicate", "This delivery was here before.".to_owned()));
    }
    let written = ops::upsert(conn, &[row], now)?;
    if written.as_slice() == [Written::Older] {
        return Ok(("older", "A newer word is known: this one is history.".to_owned()));
    }
    Ok(match store::has_workspace(conn, &row.id)? {
        Some(true) => ("applied", "The workspace's subscription stands as this says.".to_owned()),
        Some(false) => {
            let reason =
                format!("It counts once something is heard of the workspace {}.", row.workspace);
            ("waiting", reason)
        }
        None => ("waiting", "It counts once its status is told.".to_owned()),
    })
}

/// The way of the SDKs' events; what the parser refuses is a dead letter, as theirs are.
fn journal(
    conn: &mut PgConnection,
    room: Room,
    source: SourceId,
    call: &serde_json::Value,
    now: DateTime<Utc>,
) -> Result<(&'static str, String)> {
    let body = json!({"batch": [call]}).to_string();
    let prepared = intake::prepare(Path::Batch, None, body.as_bytes(), now, Uuid::now_v7());
    let submission =
        prepared.map_err(|error| Error::internal(format!("{error:?}")))?.of(source, now);
    store_journal::append(conn, room, &[&submission])?;
    Ok(match submission.refused.first() {
        None => ("accepted", "On its way into the projections.".to_owned()),
        Some(letter) => ("dead_letter", letter.message.clone()),
    })
}

/// The secret with which a delivery was signed.
fn believed(
    conn: &mut PgConnection,
    endpoint: &Endpoint,
    check: impl Fn(&[Secret]) -> std::result::Result<usize, Disbelief>,
    now: DateTime<Utc>,
) -> Result<std::result::Result<Uuid, Disbelief>> {
    let (ids, secrets): (Vec<Uuid>, Vec<Secret>) =
        store_webhooks::valid(conn, endpoint.id, now)?.into_iter().unzip();
    let found = check(&secrets).and_then(|place| ids.get(place).copied().ok_or(Disbelief::Forged));
    if let Ok(secret) = found {
        store_webhooks::used(conn, secret, now)?;
    }
    Ok(found)
}

fn disbelieve(
    conn: &mut PgConnection,
    endpoint: &Endpoint,
    disbelief: Disbelief,
    now: DateTime<Utc>,
) -> Result<Answer> {
    refuse(conn, endpoint, disbelief.code(), disbelief.message().to_owned(), now)
}

fn refuse(
    conn: &mut PgConnection,
    endpoint: &Endpoint,
    code: &'static str,
    message: String,
    now: DateTime<Utc>,
) -> Result<Answer> {
    store_webhooks::refused(conn, endpoint.id, code, &message, now)?;
    Ok(Answer::Refused { code, message })
}
