//! What must hold for any bytes at all. `bin/fuzz` looks for bytes for which it does not; the tests run
//! these checks over its corpus (`tests/corpus.rs`).

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "each target runs one of these, and a check that panics has found something"
)]

use std::io::Write;

use chrono::{DateTime, Datelike, Utc};
use ripen::ingest::endpoint::Endpoint;
use ripen::ingest::failure::{BodyError, Code};
use ripen::ingest::message::{Json, Kind, Message};
use ripen::ingest::{gzip, intake, journal, parse};
use uuid::Uuid;

fn received() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

/// A whole request: each of its events is stored as PostgreSQL and serde take it, or refused alone
/// with a text that can be replayed; or the whole of it is refused with a status that SDKs know.
pub fn body(bytes: &[u8]) {
    let text = parse::text(bytes);
    for endpoint in [Endpoint::Batch, Endpoint::One(Kind::Track)] {
        let parsed = match parse::body(&text, endpoint, received(), Uuid::nil()) {
            Ok(parsed) => parsed,
            Err(error) => {
                assert!(matches!(error.status(), 400), "{error}");
                continue;
            }
        };
        let mut lines = Vec::new();
        for message in &parsed.accepted {
            storable(message);
            journal::write(message, &mut lines);
        }
        assert!(!lines.contains(&0));
        assert_eq!(journal::read(&lines).unwrap(), parsed.accepted);
        for rejected in &parsed.rejected {
            assert!(rejected.message.len() > 30 && !rejected.raw.contains('\0'));
            // PostgreSQL keeps no NUL: a letter has U+FFFD in its place, and with that it may be good.
            let verbatim = !rejected.truncated && !rejected.raw.is_empty() && !bytes.contains(&0);
            if verbatim && rejected.code != Code::TooManyEvents {
                let replayed = rejected.replay_body();
                let again = parse::body(&replayed, Endpoint::Batch, received(), Uuid::nil());
                let again = again.unwrap_or_else(|error| panic!("{error}: {replayed}"));
                assert_eq!(again.rejected.len(), 1, "{replayed}");
                assert_eq!(again.rejected[0].code, rejected.code, "{replayed}");
            }
        }
    }
    let prepared = intake::prepare(Endpoint::Batch, None, bytes, received(), Uuid::nil());
    if let Ok(prepared) = prepared {
        serde_json::from_str::<serde_json::Value>(&prepared.answer).unwrap();
    }
}

fn storable(message: &Message<'_>) {
    let ids = [&message.user_id, &message.anonymous_id, &message.previous_id, &message.group_id];
    for id in ids.into_iter().chain([&message.workspace_hint, &Some(message.message_id.clone())]) {
        let fits = |id: &str| !id.trim().is_empty() && id.len() <= 512 && !id.contains('\0');
        assert!(id.as_deref().is_none_or(fits), "{message:?}");
    }
    assert!(message.user_id.is_some() || message.anonymous_id.is_some());
    assert!(message.at >= DateTime::<Utc>::UNIX_EPOCH);
    assert!(message.at <= received() + chrono::TimeDelta::minutes(5));
    for json in [&message.traits, &message.properties].into_iter().flatten() {
        let value: serde_json::Value = serde_json::from_str(Json::as_str(json)).unwrap();
        assert!(value.is_object() && !value.to_string().contains("\\u0000"));
    }
    means_the_same_again(message);
}

/// A message as a letter keeps it, posted again.
fn means_the_same_again(message: &Message<'_>) {
    let body = message.as_body();
    let parsed = parse::body(&body, Endpoint::Batch, received(), Uuid::nil());
    let parsed = parsed.unwrap_or_else(|error| panic!("{error}: {body}"));
    // With its time and its id spelled out it may be longer than an event may be.
    if parsed.rejected.iter().any(|rejected| rejected.code == Code::EventTooLarge) {
        return;
    }
    let again = parsed.accepted.first().unwrap_or_else(|| panic!("{:?}", parsed.rejected));
    // Its place is that in the request that carries it now.
    let again = Message { notes: message.notes, seq: message.seq, ..again.clone() };
    assert_eq!(again, *message, "{body}");
}

/// The gzip gate: never more than the limit, plain bytes as they are, packed bytes as they were.
pub fn gate(bytes: &[u8]) {
    for encoding in [None, Some("gzip")] {
        match gzip::decode(encoding, bytes) {
            Ok(plain) => assert!(plain.len() <= gzip::BODY_LIMIT),
            Err(error) => assert!(matches!(error.status(), 400 | 413 | 415), "{error}"),
        }
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    let packed = packed.finish().unwrap();
    match gzip::decode(Some("gzip"), &packed) {
        Ok(plain) => assert_eq!(&*plain, bytes),
        Err(BodyError::Twice) => assert!(bytes.starts_with(&[0x1f, 0x8b])),
        Err(error) => assert_eq!(gzip::decode(None, bytes), Err(error)),
    }
}

/// The journal: damage is an error, and what can be read is read the same after it was written again.
pub fn journal(bytes: &[u8]) {
    let Ok(messages) = journal::read(bytes) else { return };
    let mut lines = Vec::new();
    messages.iter().for_each(|message| journal::write(message, &mut lines));
    assert_eq!(journal::read(&lines).unwrap(), messages);
}

/// Times: any text is a time or none, and a time that is printed is read the same.
pub fn time(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (first, second) = text.split_once('|').unwrap_or((text, ""));
    let (original, sent) = (parse::instant(first), parse::instant(second));
    let years = 0..10_000;
    let time = original.and_then(DateTime::from_timestamp_micros);
    if let Some(time) = time.filter(|time| years.contains(&time.year())) {
        let printed = time.to_rfc3339();
        assert_eq!(parse::instant(&printed), original, "{printed}");
    }
    let now = received().timestamp_micros();
    let clock = parse::corrected(original, sent, now);
    assert!(clock.at >= 946_684_800_000_000 && clock.at <= now + 5 * 60 * 1_000_000);
    assert!(!(clock.is_ahead || clock.is_unset) || clock.at == now);
}
