//! Messages as the journal keeps them: one JSON object a message, one after the other, with one-letter
//! keys; absent fields are left out.
//!
//! | key | field | key | field |
//! | --- | --- | --- | --- |
//! | `k` | kind | `e` | event |
//! | `i` | message_id | `t` | at, microseconds since 1970 |
//! | `u` | user_id | `n` | notes: 1 clock_ahead, 2 cleaned, 4 id_made, 8 clock_unset |
//! | `a` | anonymous_id | `l` | library |
//! | `p` | previous_id | `h` | page_path |
//! | `g` | group_id | `T` | traits, verbatim |
//! | `w` | workspace_hint | `P` | properties, verbatim |
//! | `s` | seq | | |
//!
//! A row of the journal is the messages of one source's requests that were written down together
//! ([`super::sheaf`]), compressed ([`super::payload`]).
//!
//! A newline follows each message, but whoever reads must not split at newlines: traits and
//! properties keep the white space their client sent.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use super::message::{Json, Kind, Message, Notes};
use super::moment;
use crate::error::{Error, Result};

/// Appends a message.
pub fn write(message: &Message<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"k\":\"");
    out.extend_from_slice(message.kind.as_str().as_bytes());
    out.push(b'"');
    text(out, b"i", Some(&message.message_id));
    text(out, b"u", message.user_id.as_ref());
    text(out, b"a", message.anonymous_id.as_ref());
    text(out, b"p", message.previous_id.as_ref());
    text(out, b"g", message.group_id.as_ref());
    text(out, b"w", message.workspace_hint.as_ref());
    text(out, b"e", message.event.as_ref());
    key(out, b"t");
    out.extend_from_slice(message.at.timestamp_micros().to_string().as_bytes());
    if message.seq != 0 {
        key(out, b"s");
        out.extend_from_slice(message.seq.to_string().as_bytes());
    }
    let bits = bits(message.notes);
    if bits != 0 {
        key(out, b"n");
        out.extend_from_slice(bits.to_string().as_bytes());
    }
    text(out, b"l", message.library.as_ref());
    text(out, b"h", message.page_path.as_ref());
    for (name, json) in [(b"T", &message.traits), (b"P", &message.properties)] {
        if let Some(json) = json {
            key(out, name);
            out.extend_from_slice(json.as_str().as_bytes());
        }
    }
    out.extend_from_slice(b"}\n");
}

/// Reads back what [`write()`] appended, in order.
///
/// # Errors
/// [`Error::Internal`] when the bytes are not a journal: they were damaged after the commit.
pub fn read(bytes: &[u8]) -> Result<Vec<Message<'_>>> {
    serde_json::Deserializer::from_slice(bytes)
        .into_iter::<Line<'_>>()
        .map(|line| line.map_err(Error::internal)?.message())
        .collect()
}

/// As [`read`], for a row of the journal that was received at `received_at`: messages written before
/// they had sequence numbers get those of the row and of their place in it.
///
/// # Errors
/// As [`read`].
pub fn read_row(bytes: &[u8], received_at: DateTime<Utc>) -> Result<Vec<Message<'_>>> {
    let mut messages = read(bytes)?;
    for (place, message) in messages.iter_mut().enumerate().filter(|(_, one)| one.seq == 0) {
        message.seq = moment::seq(received_at, place);
    }
    Ok(messages)
}

#[derive(Deserialize)]
struct Line<'a> {
    k: Kind,
    #[serde(borrow)]
    i: Text<'a>,
    #[serde(borrow)]
    u: Option<Text<'a>>,
    #[serde(borrow)]
    a: Option<Text<'a>>,
    #[serde(borrow)]
    p: Option<Text<'a>>,
    #[serde(borrow)]
    g: Option<Text<'a>>,
    #[serde(borrow)]
    w: Option<Text<'a>>,
    #[serde(borrow)]
    e: Option<Text<'a>>,
    t: i64,
    #[serde(default)]
    s: i64,
    #[serde(default)]
    n: u8,
    #[serde(borrow)]
    l: Option<Text<'a>>,
    #[serde(borrow)]
    h: Option<Text<'a>>,
    #[serde(borrow, rename = "T")]
    traits: Option<&'a RawValue>,
    #[serde(borrow, rename = "P")]
    properties: Option<&'a RawValue>,
}

impl<'a> Line<'a> {
    fn message(self) -> Result<Message<'a>> {
        let json = |raw: &'a RawValue| Json::checked(Cow::Borrowed(raw.get()));
        let plain = |text: Option<Text<'a>>| text.map(|text| text.0);
        Ok(Message {
            kind: self.k,
            message_id: self.i.0,
            user_id: plain(self.u),
            anonymous_id: plain(self.a),
            previous_id: plain(self.p),
            group_id: plain(self.g),
            workspace_hint: plain(self.w),
            event: plain(self.e),
            at: DateTime::<Utc>::from_timestamp_micros(self.t)
                .ok_or_else(|| Error::internal("journal: a time out of range"))?,
            seq: self.s,
            notes: notes(self.n),
            traits: self.traits.map(json),
            properties: self.properties.map(json),
            library: plain(self.l),
            page_path: plain(self.h),
        })
    }
}

/// A string that borrows where it has no escapes; serde's own `Option<Cow<str>>` always copies.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> std::result::Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Visitor)
    }
}

fn key(out: &mut Vec<u8>, name: &[u8]) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name);
    out.extend_from_slice(b"\":");
}

fn text(out: &mut Vec<u8>, name: &[u8], value: Option<&Cow<'_, str>>) {
    let Some(value) = value else { return };
    key(out, name);
    out.push(b'"');
    for piece in value.as_bytes().split_inclusive(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        match piece.split_last() {
            Some((b'"', before)) => {
                out.extend_from_slice(before);
                out.extend_from_slice(b"\\\"");
            }
            Some((b'\\', before)) => {
                out.extend_from_slice(before);
                out.extend_from_slice(b"\\\\");
            }
            Some((control @ 0..=0x1f, before)) => {
                out.extend_from_slice(before);
                out.extend_from_slice(format!("\\u{control:04x}").as_bytes());
            }
            _ => out.extend_from_slice(piece),
        }
    }
    out.push(b'"');
}

fn bits(notes: Notes) -> u8 {
    u8::from(notes.clock_ahead)
        | (u8::from(notes.cleaned) << 1)
        | (u8::from(notes.id_made) << 2)
        | (u8::from(notes.clock_unset) << 3)
}

const fn notes(bits: u8) -> Notes {
    Notes {
        clock_ahead: bits & 1 != 0,
        cleaned: bits & 2 != 0,
        id_made: bits & 4 != 0,
        clock_unset: bits & 8 != 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let full = Message {
            kind: Kind::Group,
            message_id: "m \"1\" \\ \n\u{1}".into(),
            user_id: Some("ü🚀".into()),
            anonymous_id: None,
            previous_id: Some("p".into()),
            group_id: Some("g".into()),
            workspace_hint: Some("w".into()),
            event: Some("Pricing \t page".into()),
            at: DateTime::from_timestamp_micros(1_790_000_000_123_456).unwrap(),
            seq: 3_478_000_000_000_000_001,
            notes: Notes { clock_ahead: true, cleaned: false, id_made: true, clock_unset: true },
            traits: Some(Json::checked("{ \"a\":\n 1 }".into())),
            properties: Some(Json::checked("{}".into())),
            library: Some("l/1".into()),
            page_path: Some("/p".into()),
        };
        let bare = Message {
            kind: Kind::Alias,
            user_id: Some("u".into()),
            traits: None,
            properties: None,
            library: None,
            page_path: None,
            event: None,
            workspace_hint: None,
            group_id: None,
            seq: 0,
            notes: Notes::default(),
            ..full.clone()
        };
        let mut out = Vec::new();
        write(&full, &mut out);
        write(&bare, &mut out);
        assert_eq!(read(&out).unwrap(), [full.clone(), bare.clone()]);
        let received = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let bare = Message { seq: moment::seq(received, 1), ..bare };
        assert_eq!(read_row(&out, received).unwrap(), [full, bare]);
    }

    #[test]
    fn damage_is_an_error_and_nothing_is_nothing() {
        assert!(read(b"").unwrap().is_empty());
        assert!(read(b"{\"k\":\"track\"").is_err());
        assert!(read(b"{\"k\":\"track\",\"i\":\"m\",\"t\":9223372036854775807}").is_err());
    }
}
