//! A whole request: the envelope, and each event for itself.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::event::{Around, Context, Event, Refusal, cut};
use super::scan::{DEPTH_LIMIT, Flaw, KEY_LIMIT, Scan, Value};
use crate::ingest::endpoint::Endpoint;
use crate::ingest::failure::{BodyError, Code, RAW_LIMIT, Rejected};
use crate::ingest::message::{Kind, Message};
use crate::values::time::of_clock;

/// Bytes of one event, as sent.
pub const EVENT_LIMIT: usize = 32 * 1024;
/// Events of one batch that are looked at; later ones become dead letters.
pub const BATCH_LIMIT: usize = 2_500;
/// Bytes of the batch's context in all dead letters of a request together.
const AROUND_LIMIT: usize = 1024 * 1024;
/// No time is longer.
const SENT_AT_LIMIT: usize = 100;
/// Events of one batch above which the whole of it is refused, so that an answer stays small.
const BATCH_END: usize = 10_000;

/// What a request came to. Accepted and rejected together are all events of the request, each in
/// the order of the batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// To be appended to the journal. Equal message ids may be among them: the drainer counts those.
    pub accepted: Vec<Message<'a>>,
    /// To be kept as dead letters and told to the client.
    pub rejected: Vec<Rejected<'a>>,
    /// `writeKey` of the body, for [`crate::ingest::endpoint::write_key`].
    pub write_key: Option<Cow<'a, str>>,
    /// When the request was sent by its sender's clock: `sentAt` of the body, else of its first event.
    pub sent_at: Option<DateTime<Utc>>,
}

/// The bytes of a body as text, without a byte order mark; bytes that are no UTF-8 become U+FFFD, which
/// touches only the event they stand in, since JSON's own signs are ASCII.
#[must_use]
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    String::from_utf8_lossy(bytes)
}

/// Parses the body of a request.
///
/// `received_at` is the first receipt. `request` names the request: an event without a `messageId` is
/// called `made-<request>-<index>`, so the same request parsed again gives the same ids.
/// [`Endpoint::Metrics`] is not read and gives nothing.
///
/// # Errors
/// [`BodyError::Json`] when the text is no JSON object of the endpoint's form (a single call that is
/// broken JSON included), [`BodyError::TooManyEvents`] above 10,000 events.
pub fn body<'a>(
    text: &'a str,
    endpoint: Endpoint,
    received_at: DateTime<Utc>,
    request: Uuid,
) -> Result<Parsed<'a>, BodyError> {
    let envelope = match endpoint {
        Endpoint::Batch => batch(text)?,
        Endpoint::One(kind) => single(text, kind)?,
        Endpoint::Metrics => return Ok(Parsed::default()),
    };
    Ok(envelope.judge(received_at, request))
}

/// An element of the batch: its text, and its fields or what is wrong with it.
struct Item<'a> {
    raw: &'a str,
    read: Result<Event<'a>, Flaw>,
}

#[derive(Default)]
struct Envelope<'a> {
    items: Vec<Item<'a>>,
    around: Around<'a>,
    /// `context` of the batch as it stands.
    context: Option<Value<'a>>,
    write_key: Option<Value<'a>>,
}

fn single(text: &str, kind: Kind) -> Result<Envelope<'_>, BodyError> {
    let mut scan = Scan::new(text);
    if scan.peek() != Some(b'{') {
        return Err(BodyError::Json("The body is not a JSON object: send one call, {…}.".into()));
    }
    let start = scan.at();
    let read = Event::read(&mut scan);
    match read {
        Ok(_) => {}
        Err(Flaw::Broken(at)) => return Err(broken(at)),
        // It was read no further than to its flaw: it can be kept as a dead letter if it has an end.
        Err(Flaw::TooDeep | Flaw::TooManyKeys) => {
            let stuck = scan.at();
            scan.go_to(start);
            let end = scan.element_end().ok_or_else(|| broken(stuck))?;
            scan.go_to(end);
        }
    }
    if scan.peek().is_some() {
        return Err(broken(scan.at()));
    }
    let write_key = read.as_ref().ok().and_then(|event| event.write_key);
    let around = Around { kind: Some(kind), ..Around::default() };
    let items = vec![Item { raw: text.trim(), read }];
    Ok(Envelope { items, around, context: None, write_key })
}

fn batch(text: &str) -> Result<Envelope<'_>, BodyError> {
    let mut scan = Scan::new(text);
    if scan.peek() != Some(b'{') {
        return Err(BodyError::Json(NO_BATCH.into()));
    }
    let mut found = Envelope::default();
    let (mut seen, mut too_many) = (false, false);
    let read = scan.watched(0, |scan, key, depth| {
        match &*key {
            "batch" if scan.peek() == Some(b'[') => {
                seen = true;
                found.items.clear();
                too_many = elements(scan, text, &mut found.items)?;
                if too_many {
                    return Err(scan.broken());
                }
            }
            "sentAt" => found.around.sent_at = Some(scan.value(depth)?),
            "context" => {
                let (context, whole) = Context::read(scan, depth)?;
                (found.around.context, found.context) = (context, Some(whole));
            }
            "writeKey" => found.write_key = Some(scan.value(depth)?),
            // Our own replay bodies say here what the path said; RudderStack's Rust SDK says "batch".
            "type" => found.around.kind = scan.value(depth)?.text().and_then(|t| Kind::named(&t)),
            _ => drop(scan.value(depth)?),
        }
        Ok(())
    });
    match read {
        Err(_) if too_many => Err(BodyError::TooManyEvents),
        Err(Flaw::Broken(at)) => Err(broken(at)),
        Err(_) => Err(BodyError::Json(format!(
            "Beside the batch, the body is nested deeper than {DEPTH_LIMIT} levels or has an object \
             of more than {KEY_LIMIT} keys."
        ))),
        Ok(_) if scan.peek().is_some() => Err(broken(scan.at())),
        Ok(_) if !seen => Err(BodyError::Json(NO_BATCH.into())),
        Ok(_) => Ok(found),
    }
}

const NO_BATCH: &str =
    "The body is not {\"batch\": [...]}. Send the events of a batch as that array.";

fn broken(at: usize) -> BodyError {
    BodyError::Json(format!("The body is not valid JSON, at byte {at}. Nothing of it was stored."))
}

/// Reads the array of events at the cursor, each for itself; true when there are far too many.
fn elements<'a>(
    scan: &mut Scan<'a>,
    text: &'a str,
    items: &mut Vec<Item<'a>>,
) -> Result<bool, Flaw> {
    scan.take(b'[');
    if scan.take(b']') {
        return Ok(false);
    }
    loop {
        if items.len() >= BATCH_END {
            return Ok(true);
        }
        scan.peek();
        let start = scan.at();
        let mut read = Event::read(scan);
        let mut end = scan.at();
        if read.is_err() || !matches!(scan.peek(), Some(b',' | b']')) {
            let stuck = scan.broken();
            scan.go_to(start);
            // Brackets and quotes that do not match: nobody knows where the next event begins.
            end = scan.element_end().ok_or(stuck)?;
            scan.go_to(end);
            read = read.and(Err(stuck));
        }
        // JSON's own blanks: other ones are a part of what is broken.
        let raw =
            text.get(start..end).unwrap_or_default().trim_end_matches([' ', '\n', '\r', '\t']);
        items.push(Item { raw, read });
        if scan.take(b']') {
            return Ok(false);
        }
        if !scan.take(b',') {
            return Err(scan.broken());
        }
    }
}

impl<'a> Envelope<'a> {
    fn judge(&self, received_at: DateTime<Utc>, request: Uuid) -> Parsed<'a> {
        let mut parsed = Parsed {
            accepted: Vec::with_capacity(self.items.len().min(BATCH_LIMIT)),
            rejected: Vec::new(),
            write_key: self
                .write_key
                .or_else(|| self.items.first()?.read.as_ref().ok()?.write_key)
                .and_then(Value::text),
            sent_at: self.sent_at(),
        };
        let mut refused: Vec<(usize, Refusal)> = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            let judged = self.limits(index, item).and_then(|event| {
                event.judge(&self.around, received_at, index, || format!("made-{request}-{index}"))
            });
            match judged {
                Ok(message) => parsed.accepted.push(message),
                Err(refusal) => refused.push((index, refusal)),
            }
        }
        // One text for all dead letters of the request.
        let around = if refused.is_empty() { "".into() } else { self.around_text(refused.len()) };
        let items = refused.into_iter().filter_map(|(index, refusal)| {
            Some(self.rejected(index, self.items.get(index)?, refusal, around.clone()))
        });
        parsed.rejected = items.collect();
        parsed
    }

    fn sent_at(&self) -> Option<DateTime<Utc>> {
        let first = || self.items.first()?.read.as_ref().ok()?.sent_at;
        let text = self.around.sent_at.or_else(first)?.text()?;
        DateTime::from_timestamp_micros(of_clock(&text)?)
    }

    fn limits<'i>(&self, index: usize, item: &'i Item<'a>) -> Result<&'i Event<'a>, Refusal> {
        if index >= BATCH_LIMIT {
            let message =
                format!("The batch has more than {BATCH_LIMIT} events. Send smaller batches.");
            return Err((Code::TooManyEvents, message.into()));
        }
        if item.raw.len() > EVENT_LIMIT {
            let message = format!(
                "The event has {} bytes, the limit is {EVENT_LIMIT}. Leave large texts and lists out of \
                 its properties.",
                item.raw.len()
            );
            return Err((Code::EventTooLarge, message.into()));
        }
        item.read.as_ref().map_err(|flaw| match flaw {
            Flaw::Broken(_) if !item.raw.starts_with('{') => {
                (Code::InvalidJson, "An event must be a JSON object, {…}.".into())
            }
            Flaw::Broken(_) => (
                Code::InvalidJson,
                "The event is not valid JSON. Mend its text here, or its sender, and replay it."
                    .into(),
            ),
            Flaw::TooDeep => (
                Code::TooDeep,
                format!("The event is nested deeper than {DEPTH_LIMIT} levels. Flatten it.").into(),
            ),
            Flaw::TooManyKeys => (
                Code::EventTooLarge,
                format!("An object in the event has more than {KEY_LIMIT} keys. Send fewer.")
                    .into(),
            ),
        })
    }

    fn rejected(
        &self,
        index: usize,
        item: &Item<'a>,
        (code, message): Refusal,
        around: Arc<str>,
    ) -> Rejected<'a> {
        let raw = if item.raw.len() > RAW_LIMIT { cut(item.raw, RAW_LIMIT) } else { item.raw };
        let (message_id, event) = match &item.read {
            Ok(event) => (event.message_id(), event.called()),
            Err(_) => (found_message_id(item.raw), None),
        };
        Rejected {
            index,
            message_id,
            event,
            code,
            message,
            raw: if raw.contains('\0') { raw.replace('\0', "\u{fffd}").into() } else { raw.into() },
            truncated: raw.len() < item.raw.len(),
            around,
        }
    }

    /// Each dead letter keeps its own copy, so that a large context would multiply with them: beyond
    /// [`AROUND_LIMIT`] altogether they keep of it what an event is attributed by.
    fn around_text(&self, letters: usize) -> Arc<str> {
        let mut out = String::new();
        if let Some(kind) = self.around.kind {
            out = format!(",\"type\":\"{}\"", kind.as_str());
        }
        let small = |value: &Value<'_>| value.raw.len() <= SENT_AT_LIMIT;
        if let Some(sent_at) = self.around.sent_at.filter(small) {
            out.push_str(&format!(",\"sentAt\":{}", sent_at.json()));
        }
        if let Some(context) = self.context {
            if context.raw.len().saturating_mul(letters) <= AROUND_LIMIT {
                out.push_str(&format!(",\"context\":{}", context.json()));
            } else if let Some(group) = self.around.context.group_id() {
                out.push_str(&format!(",\"context\":{{\"groupId\":{}}}", group.json()));
            }
        }
        out.into()
    }
}

/// The id in an event that is no JSON: the first `"messageId": "…"` that can be read.
fn found_message_id(raw: &str) -> Option<Cow<'_, str>> {
    let (_, after) = raw.split_once("\"messageId\"")?;
    let mut scan = Scan::new(after);
    scan.take(b':').then_some(())?;
    let id = scan.value(1).ok()?.text()?;
    (id.len() <= 512 && !id.trim().is_empty()).then_some(id)
}
