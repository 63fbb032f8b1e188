//! Hostile and careless bodies: nothing panics, and a good event survives whatever stands beside it.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::{BATCH_LIMIT, Parsed, body, text};
use crate::ingest::endpoint::Endpoint;
use crate::ingest::failure::{BodyError, Code};
use crate::ingest::journal;
use crate::ingest::message::{Kind, Message};

const GOOD: &str = r#"{"type":"track","userId":"u","event":"e","messageId":"good"}"#;

fn received() -> DateTime<Utc> {
    "2026-11-20T11:00:00Z".parse().unwrap()
}

fn parse(text: &str) -> Result<Parsed<'_>, BodyError> {
    body(text, Endpoint::Batch, received(), Uuid::nil())
}

/// The event between two good ones; what became of it.
fn beside(event: &str) -> (Option<String>, Option<(Code, Option<String>)>) {
    let text = format!("{{\"batch\":[{GOOD}, {event} ,{GOOD}]}}");
    let parsed = parse(&text).unwrap_or_else(|error| panic!("{event}: {error}"));
    let good = parsed.accepted.iter().filter(|message| message.message_id == "good").count();
    assert_eq!(good, 2, "{event}");
    assert_eq!(parsed.accepted.len() + parsed.rejected.len(), 3, "{event}");
    let mut lines = Vec::new();
    parsed.accepted.iter().for_each(|message| journal::write(message, &mut lines));
    assert!(!lines.contains(&0));
    let read = journal::read(&lines).unwrap();
    assert_eq!(read, parsed.accepted);
    for json in read.iter().flat_map(|m| [&m.traits, &m.properties]).flatten() {
        serde_json::from_str::<serde_json::Value>(json.as_str()).unwrap();
    }
    let bad = parsed.rejected.first();
    if let Some(bad) = bad {
        assert_eq!((bad.index, bad.raw.contains('\0')), (1, false));
        assert!(bad.message.len() > 30, "says how to mend it: {}", bad.message);
    }
    let kept = parsed.accepted.iter().find(|message| message.message_id != "good");
    kept.into_iter().for_each(means_the_same_again);
    (
        kept.map(|m| m.properties.as_ref().map_or(String::new(), |p| p.as_str().to_owned())),
        bad.map(|bad| (bad.code, bad.message_id.as_deref().map(str::to_owned))),
    )
}

fn track(rest: &str) -> String {
    format!(r#"{{"type":"track","userId":"u","event":"e","messageId":"m"{rest}}}"#)
}

#[test]
fn an_escaped_blank_is_nothing_like_a_plain_one() {
    for name in [r" ", r"\u2008", r"\t\n"] {
        let event = format!(r#"{{"type":"track","userId":"u","event":"{name}","messageId":"m"}}"#);
        let refused = beside(&event).1.map(|(code, _)| code);
        assert_eq!(refused, Some(Code::MissingEvent), "{name}");
    }
}

#[test]
fn a_single_call_that_is_too_deep_is_a_letter_only_if_it_ends() {
    let single = |text: &str| {
        let parsed = body(text, Endpoint::One(Kind::Track), received(), Uuid::nil());
        parsed.map(|parsed| parsed.rejected.iter().map(|bad| bad.code).collect::<Vec<_>>())
    };
    let deep = format!("{{\"userId\":\"u\",\"properties\":{}{}}}", "[".repeat(20), "]".repeat(20));
    assert_eq!(single(&deep), Ok(vec![Code::TooDeep]));
    for broken in [deep.trim_end_matches('}'), &format!("{deep}]"), &format!("{deep}, 1")] {
        assert!(matches!(single(broken), Err(BodyError::Json(_))), "{broken}");
    }
}

#[test]
fn what_can_be_cleaned_is_cleaned() {
    for (given, kept) in [
        (r#"{"a":NaN,"b":-Infinity}"#, r#"{"a":null,"b":null}"#),
        (r#"{"a":1e400}"#, r#"{"a":null}"#),
        (r#"{"a":"\ud800"}"#, r#"{"a":"\ufffd"}"#),
        (r#"{"a\u0000":"x\u0000"}"#, r#"{"a\ufffd":"x\ufffd"}"#),
        (r#"{"a":"\ud83d\ude80"}"#, r#"{"a":"\ud83d\ude80"}"#),
        ("[1]", ""),
        ("null", ""),
    ] {
        let (properties, rejected) = beside(&track(&format!(r#","properties":{given}"#)));
        assert_eq!((properties.as_deref(), rejected), (Some(kept), None), "{given}");
    }
    let long = "7".repeat(5_000);
    let (properties, _) = beside(&track(&format!(r#","properties":{{"a":{long}}}"#)));
    assert_eq!(properties.unwrap(), r#"{"a":null}"#);
}

#[test]
fn what_cannot_be_mended_is_refused_alone_with_its_code() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let keys: Vec<_> = (0..256).map(|n| format!("\"k{n}\":1")).collect();
    let keys = format!("{{{}}}", keys.join(","));
    let m = || Some("m".to_owned());
    for (event, code, id) in [
        ("5".to_owned(), Code::InvalidJson, None),
        ("null".to_owned(), Code::InvalidJson, None),
        ("@!".to_owned(), Code::InvalidJson, None),
        ("[{}]".to_owned(), Code::InvalidJson, None),
        ("".to_owned(), Code::InvalidJson, None),
        (track(r#","a":tru"#), Code::InvalidJson, m()),
        (track(r#","a":01"#), Code::InvalidJson, m()),
        (track(r#","a":"\x""#), Code::InvalidJson, m()),
        (track(",\"a\":\"\u{0}\""), Code::InvalidJson, m()),
        (track(",\"a\":\"\n\""), Code::InvalidJson, m()),
        (format!("{} x", track("")), Code::InvalidJson, m()),
        (format!("{} {GOOD}", track("")), Code::InvalidJson, m()),
        (track(&format!(r#","properties":{deep}"#)), Code::TooDeep, m()),
        (track(&format!(r#","integrations":{deep}"#)), Code::TooDeep, m()),
        (track(&format!(r#","properties":{keys}"#)), Code::EventTooLarge, m()),
        (track(&format!(r#","a":"{}""#, "i".repeat(32_768))), Code::EventTooLarge, m()),
        (track(&format!(r#","userId":"{}""#, "i".repeat(513))), Code::EventTooLarge, m()),
        (track(r#","type":"sing""#), Code::InvalidType, m()),
        (track(r#","type":null"#), Code::InvalidType, m()),
        (track(r#","type":{}"#), Code::InvalidType, m()),
        (track(r#","userId":"""#), Code::MissingIdentity, m()),
        (track(r#","userId":null,"anonymousId":" ""#), Code::MissingIdentity, m()),
        (track(r#","userId":{"id":1}"#), Code::MissingIdentity, m()),
        (track(r#","type":"group""#), Code::MissingIdentity, m()),
        (track(r#","type":"alias""#), Code::MissingIdentity, m()),
        (track(r#","event":"""#), Code::MissingEvent, m()),
        (track(r#","event":null"#), Code::MissingEvent, m()),
        (track(r#","timestamp":"yesterday""#), Code::BadTimestamp, m()),
        (track(r#","timestamp":2026"#), Code::BadTimestamp, m()),
    ] {
        let (_, rejected) = beside(&event);
        let start: String = event.chars().take(120).collect();
        assert_eq!(rejected, Some((code, id)), "{start}");
    }
}

#[test]
fn the_limits_themselves_pass() {
    let depth = format!(r#","properties":{}1{}"#, "{\"a\":".repeat(15), "}".repeat(15));
    let keys: Vec<_> = (0..255).map(|n| format!("\"k{n}\":1")).collect();
    let size = 32_768 - track(r#","a":"""#).len();
    for rest in [
        depth,
        format!(r#","properties":{{{}}}"#, keys.join(",")),
        format!(r#","a":"{}""#, "i".repeat(size)),
        format!(r#","userId":"{}""#, "i".repeat(512)),
    ] {
        assert_eq!(beside(&track(&rest)).1, None);
    }
}

#[test]
fn ids_are_texts_whatever_the_client_sends() {
    let text = format!(
        "{{\"batch\":[{},{},{},{}]}}",
        r#"{"type":"Track","userId":42,"event":7,"messageId":9,"properties":{"workspaceId":12.0}}"#,
        r#"{"type":"page","userId":"","anonymousId":"a","properties":{"workspace_id":"w"}}"#,
        r#"{"type":"track","\u0075serId":"null","event":"x","context":{"groupId":""},"properties":{"workspace_id":null,"workspaceId":"w2"}}"#,
        r#"{"type":"alias","userId":"new","anonymousId":"old"}"#,
    );
    let parsed = parse(&text).unwrap();
    let [first, second, third, alias] = &parsed.accepted[..] else { panic!("{parsed:?}") };
    assert_eq!((first.user_id.as_deref(), first.event.as_deref()), (Some("42"), Some("7")));
    assert_eq!((&*first.message_id, first.workspace()), ("9", Some("12")));
    assert_eq!((second.user_id.as_deref(), second.workspace()), (None, Some("w")));
    assert_eq!((third.user_id.as_deref(), third.workspace()), (Some("null"), Some("w2")));
    assert!(crate::ingest::message::is_junk_id("null"));
    assert_eq!(alias.previous_id.as_deref(), Some("old"));
    let long = format!(
        r#"{{"batch":[{{"type":"page","userId":"u","messageId":"{}"}}]}}"#,
        "m".repeat(600)
    );
    let once = parse(&long).unwrap().accepted.remove(0).into_owned();
    assert_eq!(once, parse(&long).unwrap().accepted.remove(0), "a retry has the same id");
    assert!(once.message_id.len() == 36 && !once.notes.id_made);
}

#[test]
fn an_unset_clock_costs_nobody_the_event() {
    for early in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:03Z", "1999-12-31T23:59:59Z"] {
        let text = track(&format!(r#","timestamp":"{early}""#));
        let body = format!("{{\"batch\":[{text}]}}");
        let parsed = parse(&body).unwrap();
        let message = &parsed.accepted[0];
        assert_eq!((message.at, message.notes.clock_unset), (received(), true), "{early}");
    }
}

#[test]
fn the_event_wins_over_the_batch() {
    let text = r#"{"sentAt":"2026-11-20T10:00:00Z","context":{"groupId":"b","library":{"name":"l","version":1},"traits":{"x":1}},
        "batch":[{"type":"track","userId":"u","event":"e","context":{"groupId":"own","library":{"name":"m"}},"sentAt":"2026-11-20T10:30:00Z","timestamp":"2026-11-20T10:29:00Z"},
                 {"type":"identify","userId":"u","traits":{},"timestamp":"2026-11-20T09:00:00Z"},
                 {"type":"group","userId":"u","groupId":"g","sentAt":"soon","timestamp":"2026-11-22T11:00:00Z"}]}"#;
    let parsed = parse(text).unwrap();
    let [own, identify, group] = &parsed.accepted[..] else { panic!("{parsed:?}") };
    assert_eq!((own.workspace(), own.library.as_deref()), (Some("own"), Some("m")));
    assert_eq!(own.at.to_rfc3339(), "2026-11-20T10:59:00+00:00");
    assert_eq!((identify.workspace(), identify.library.as_deref()), (Some("b"), Some("l/1")));
    assert_eq!(identify.traits.as_ref().unwrap().as_str(), r#"{"x":1}"#);
    assert_eq!(identify.at.to_rfc3339(), "2026-11-20T10:00:00+00:00");
    assert_eq!((group.workspace(), &group.traits), (Some("g"), &None));
    assert_eq!((group.at, group.notes.clock_ahead), (received(), true));
}

#[test]
fn a_byte_order_mark_and_broken_utf8_harm_nobody() {
    let mut bytes = b"\xEF\xBB\xBF{\"batch\":[".to_vec();
    bytes.extend_from_slice(b"{\"type\":\"page\",\"userId\":\"a\xff\xc3\",\"messageId\":\"x\"},");
    bytes.extend_from_slice(GOOD.as_bytes());
    bytes.extend_from_slice(b"]}\n");
    let text = text(&bytes);
    let parsed = parse(&text).unwrap();
    assert_eq!(parsed.rejected, []);
    assert_eq!(parsed.accepted[0].user_id.as_deref(), Some("a\u{fffd}\u{fffd}"));
}

#[test]
fn a_body_of_the_wrong_form_is_refused_whole() {
    for text in [
        "",
        " ",
        "null",
        "[]",
        "5",
        "{",
        "{}",
        "{\"batch\":{}}",
        "{\"batch\":[}",
        "{\"batch\":[{}",
        "{\"batch\":[{}]",
        "{\"batch\":[{}]}}",
        "{\"batch\":[{}],}",
        "{\"batch\":[\"]}",
        "{\"batch\":[{\"a\":[}]}",
        "{\"batch\":[]} x",
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!((error.status(), error.code()), (400, "invalid_json"), "{text}");
        assert!(error.to_string().len() > 30);
    }
    assert_eq!(parse("{\"batch\":[]}").unwrap(), Parsed::default());
    let one = |text| body(text, Endpoint::One(Kind::Page), received(), Uuid::nil());
    for text in ["", "[]", "{", "{\"userId\":tru}", "{} {}"] {
        assert_eq!(one(text).unwrap_err().status(), 400, "{text}");
    }
    assert_eq!(one(" {\"userId\":1,\"writeKey\":\"k\"} ").unwrap().write_key.unwrap(), "k");
    assert_eq!(one("{}").unwrap().rejected[0].code, Code::MissingIdentity);
}

#[test]
fn a_long_batch_keeps_its_beginning_and_an_absurd_one_is_refused() {
    let text = |count| format!("{{\"batch\":[{}]}}", vec![GOOD; count].join(","));
    let long = text(BATCH_LIMIT + 2);
    let parsed = parse(&long).unwrap();
    assert_eq!(parsed.accepted.len(), BATCH_LIMIT);
    assert_eq!(parsed.rejected.len(), 2);
    assert_eq!((parsed.rejected[1].index, parsed.rejected[1].code), (2501, Code::TooManyEvents));
    assert_eq!(parse(&text(10_001)).unwrap_err(), BodyError::TooManyEvents);
}

#[test]
fn a_dead_letter_replays_with_all_that_the_request_said() {
    let text = r#"{"batch":[{"type":"track","userId":"u","event":"","timestamp":"2026-11-20T09:00:00Z"}],
        "sentAt":"2026-11-20T10:00:00Z","context":{"groupId":"ws"},"writeKey":"secret"}"#;
    let dead = parse(text).unwrap().rejected.remove(0).replay_body();
    let named = parse(r#"{"batch":[{"event":"e"}]}"#).unwrap().rejected.remove(0);
    assert_eq!(named.event.as_deref(), Some("e"));
    assert!(!dead.contains("secret"));
    let mended = dead.replace("\"event\":\"\"", "\"event\":\"e\"");
    let message = parse(&mended).unwrap().accepted.remove(0).into_owned();
    assert_eq!(
        (message.workspace(), message.at.to_rfc3339().as_str()),
        (Some("ws"), "2026-11-20T10:00:00+00:00")
    );
    let one = body("{\"name\":\"x\"}", Endpoint::One(Kind::Page), received(), Uuid::nil()).unwrap();
    let mended = one.rejected[0].replay_body().replace("\"name\"", "\"userId\"");
    assert_eq!(parse(&mended).unwrap().accepted[0].kind, Kind::Page);
}

/// JSON-like texts whose brackets and quotes match, valid or not.
fn jsonish() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("NaN".to_owned()),
        Just("tru".to_owned()),
        "-?[0-9]{1,50}(\\.[0-9]{0,5})?([eE][+-]?[0-9]{0,6})?",
        "\"[ -!#-\\[\\]-~\u{0}-\u{1f}é🚀]{0,12}\"",
        "\"(\\\\[\"\\\\/bfnrtux0-9]|\\\\u[0-9a-fA-FdD]{4}){0,4}\"",
        "\"(type|userId|anonymousId|event|messageId|timestamp|context|properties|traits)\"",
        "[^\"\\\\,\\[\\]{}]{0,8}",
    ];
    leaf.prop_recursive(20, 80, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6)
                .prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec((inner.clone(), inner.clone()), 0..6).prop_map(|all| {
                let members: Vec<_> = all.iter().map(|(k, v)| format!("{k}:{v}")).collect();
                format!("{{{}}}", members.join(","))
            }),
            ("(type|userId|event|messageId|timestamp|context|properties)", inner.clone())
                .prop_map(|(key, value)| track(&format!(",\"{key}\":{value}"))),
            inner.prop_map(|value| track(&format!(",\"properties\":{{\"a\":{value}}}"))),
        ]
    })
}

/// A message as a letter of the drainer keeps it, posted again.
fn means_the_same_again(message: &Message<'_>) {
    let body = message.as_body();
    let parsed = parse(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
    let again = parsed.accepted.first().unwrap_or_else(|| panic!("{:?}", parsed.rejected));
    let again = Message { notes: message.notes, seq: message.seq, ..again.clone() };
    assert_eq!(&again, message, "{body}");
}

#[test]
fn a_letter_carries_all_that_conditions_see() {
    let event = r#"{"type":"page","userId":"u","anonymousId":"a","name":"Pricing","properties":{"a":1e400,"n":1234567890123456789012345678901234567890},
        "context":{"groupId":"w","page":{"path":"/pricing"},"library":{"name":"@segment/x","version":"1.2"}}}"#;
    let text = format!("{{\"batch\":[{event}]}}");
    let parsed = parse(&text).unwrap();
    let message = &parsed.accepted[0];
    assert_eq!(message.page_path.as_deref(), Some("/pricing"));
    assert_eq!(message.library.as_deref(), Some("@segment/x/1.2"));
    means_the_same_again(message);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = text(&bytes);
        let _ = parse(&text);
        let _ = body(&text, Endpoint::One(Kind::Track), received(), Uuid::nil());
    }

    #[test]
    fn arbitrary_pieces_of_json_never_panic(
        text in "(\\{|\\}|\\[|\\]|,|:|\"|\\\\|\\\\u00|\\\\ud8|batch|\"type\"|\"batch\"|[0-9.eE+-]|NaN|null| ){0,60}",
    ) {
        let _ = parse(&text);
        let _ = parse(&format!("{{\"batch\":[{text}"));
        let _ = body(&text, Endpoint::One(Kind::Track), received(), Uuid::nil());
    }

    #[test]
    fn a_good_event_is_stored_whatever_stands_beside_it(event in jsonish()) {
        beside(&event);
    }

    #[test]
    fn what_serde_accepts_as_an_event_is_never_called_broken(
        members in prop::collection::btree_map("[a-z\"\\\\\u{1}é]{1,4}", "[ -~\u{1}-\u{1f}ü🚀]{0,9}", 0..5),
    ) {
        let properties = serde_json::to_string(&members).unwrap();
        let (kept, rejected) = beside(&track(&format!(",\"properties\":{properties}")));
        prop_assert_eq!(rejected, None);
        prop_assert_eq!(kept, Some(properties));
    }
}
