//! What real SDKs sent, replayed: nothing is refused, and everything they said is understood.

use std::io::Write;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{body, text};
use crate::ingest::endpoint::{Endpoint, write_key};
use crate::ingest::message::{Kind, Message};
use crate::ingest::{gzip, journal};

fn received() -> DateTime<Utc> {
    "2026-11-20T11:00:00Z".parse().unwrap()
}

fn capture(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wire").join(name);
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    file["requests"].as_array().unwrap().clone()
}

fn on_the_wire(request: &Value) -> Vec<u8> {
    let plain = serde_json::to_vec(&request["body_json"]).unwrap();
    if request["content_encoding"] != "gzip" {
        return plain;
    }
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(&plain).unwrap();
    out.finish().unwrap()
}

fn header<'a>(request: &'a Value, name: &str) -> Option<&'a str> {
    let headers = request["headers"].as_array().unwrap();
    let found = headers.iter().find(|h| h[0].as_str().unwrap().eq_ignore_ascii_case(name))?;
    found[1].as_str()
}

/// All messages of a capture, checked against what stands in it.
fn replay(name: &str) -> Vec<Message<'static>> {
    let mut all = Vec::new();
    for request in capture(name).iter().filter(|r| r["method"] == "POST") {
        let endpoint = Endpoint::of_path(request["path"].as_str().unwrap()).unwrap();
        let wire = on_the_wire(request);
        let bytes = gzip::decode(request["content_encoding"].as_str(), &wire).unwrap();
        let text = text(&bytes);
        let parsed = body(&text, endpoint, received(), Uuid::nil()).unwrap();
        assert_eq!(parsed.rejected, [], "{name}");
        if endpoint == Endpoint::Metrics {
            assert_eq!(parsed.accepted, []);
            continue;
        }
        let key = write_key(
            header(request, "authorization"),
            request["query"].as_str(),
            parsed.write_key.as_deref(),
        );
        assert_eq!(key.as_deref(), Some("wk_test"));
        let sent = &request["body_json"];
        let one = vec![sent.clone()];
        let items = sent["batch"].as_array().unwrap_or(&one);
        assert_eq!(parsed.accepted.len(), items.len());
        for (message, item) in parsed.accepted.iter().zip(items) {
            same(message, item, sent, endpoint);
        }
        let mut lines = Vec::new();
        parsed.accepted.iter().for_each(|message| journal::write(message, &mut lines));
        assert_eq!(journal::read(&lines).unwrap(), parsed.accepted);
        all.extend(parsed.accepted.into_iter().map(Message::into_owned));
    }
    all
}

fn same(message: &Message<'_>, item: &Value, root: &Value, endpoint: Endpoint) {
    let said = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let kind = match (&item["type"], endpoint) {
        (Value::String(name), _) => Kind::named(name).unwrap(),
        (_, Endpoint::One(kind)) => kind,
        _ => panic!("no type"),
    };
    assert_eq!(message.kind, kind);
    assert_eq!(message.user_id.as_deref().map(str::to_owned), said(&item["userId"]));
    assert_eq!(message.anonymous_id.as_deref().map(str::to_owned), said(&item["anonymousId"]));
    assert_eq!(message.previous_id.as_deref().map(str::to_owned), said(&item["previousId"]));
    assert_eq!(message.group_id.as_deref().map(str::to_owned), said(&item["groupId"]));
    let hint = said(&item["context"]["groupId"]).or(said(&root["context"]["groupId"]));
    assert_eq!(message.workspace_hint.as_deref().map(str::to_owned), hint);
    let name = if kind == Kind::Track { &item["event"] } else { &item["name"] };
    assert_eq!(message.event.as_deref().map(str::to_owned), said(name));
    match said(&item["messageId"]) {
        Some(id) => assert_eq!((&*message.message_id, message.notes.id_made), (&*id, false)),
        None => assert!(message.notes.id_made && message.message_id.starts_with("made-")),
    }
    let time =
        |value: &Value| Some(DateTime::parse_from_rfc3339(value.as_str()?).unwrap().to_utc());
    let original = time(&item["timestamp"]).or(time(&item["originalTimestamp"]));
    let sent = time(&item["sentAt"]).or(time(&root["sentAt"]));
    let at = match (original, sent) {
        (Some(original), Some(sent))
            if (received() - sent).abs() > chrono::Duration::minutes(5) =>
        {
            received() - (sent - original)
        }
        (Some(original), _) => original,
        (None, _) => received(),
    };
    assert!((message.at - at).abs() < chrono::Duration::microseconds(2), "{} {at}", message.at);
    assert!(!message.notes.clock_ahead);
    if let Some(properties) = &message.properties {
        let clean: Value = serde_json::from_str(properties.as_str()).unwrap();
        let sent = item["properties"].to_string().replace("\\u0000", "\u{fffd}");
        assert_eq!(clean, serde_json::from_str::<Value>(&sent).unwrap());
    }
}

fn member(message: &Message<'_>, name: &str) -> Value {
    message.traits.as_ref().unwrap().members().get(name).cloned().unwrap_or_default()
}

fn count(messages: &[Message<'_>], kind: Kind) -> usize {
    messages.iter().filter(|message| message.kind == kind).count()
}

#[test]
fn the_story_of_every_server_sdk_is_understood() {
    for (name, ns) in [
        ("segment-analytics-python-2.json", "cap-py-segment"),
        ("segment-analytics-python-2-gzip.json", "cap-py-segment"),
        ("analytics-python-1.4.json", "cap-py-segment1"),
        ("rudder-sdk-python-2.json", "cap-py-rudder"),
        ("segment-analytics-node-3.json", "cap-nd-segment"),
        ("analytics-node-6.json", "cap-nd-legacy"),
        ("rudder-sdk-node-3.json", "cap-nd-rudder"),
    ] {
        let all = replay(name);
        assert_eq!(all.len(), 31, "{name}");
        let counts =
            [Kind::Track, Kind::Identify, Kind::Group, Kind::Alias, Kind::Page, Kind::Screen]
                .map(|kind| count(&all, kind));
        assert_eq!(counts, [20, 4, 3, 2, 1, 1], "{name}");
        let id = |part: &str| format!("{ns}-{part}");
        let find = |part: &str| {
            let wanted = id(part);
            all.iter().find(|m| m.message_id == wanted).unwrap_or_else(|| panic!("{name} {part}"))
        };

        let visit = find("s01");
        assert_eq!((visit.kind, visit.event.as_deref()), (Kind::Page, Some("Pricing")));
        assert_eq!(visit.user_id, None);
        assert_eq!(visit.anonymous_id.as_deref(), Some(&*id("anonA")));
        let identify = find("s03");
        assert_eq!(identify.user_id.as_deref(), Some(&*id("u1")));
        assert_eq!(identify.anonymous_id.as_deref(), Some(&*id("anonA")));
        assert_eq!(member(identify, "name"), "Dana Öps 🚀", "{name}");
        assert_eq!(member(identify, "logins"), 1);
        let group = find("s05");
        assert_eq!(group.workspace(), Some(&*id("ws1")));
        assert_eq!(member(group, "name"), "Acme Engineering");
        let big = find("s07");
        assert!(
            !big.notes.cleaned && big.properties.as_ref().unwrap().as_str().contains("123456789")
        );
        assert_eq!(find("s13").workspace(), Some(&*id("ws2")));
        let import = find("s16");
        assert_eq!((received() - import.at).num_days(), 10, "{name}");
        assert_eq!(find("s17").workspace(), None);
        let alias = find("s20");
        assert_eq!(alias.user_id.as_deref(), Some(&*id("u2")));
        assert_eq!(alias.previous_id.as_deref(), Some(&*id("anonB")));
        let forget = find("s25");
        assert!(forget.traits.as_ref().unwrap().members()["title"].is_null());
        assert_eq!(find("s26").event.as_deref(), Some("Mobile Home"));
        assert_eq!(all.iter().filter(|m| m.message_id == id("s27x")).count(), 2, "kept twice");
        let weird = find("s30");
        assert!(weird.notes.cleaned, "the NUL was replaced");
        assert_eq!(weird.properties.as_ref().unwrap().members()["nul"], "a\u{fffd}b");
        assert_eq!(weird.properties.as_ref().unwrap().members()["sql"], "'); DROP TABLE events;--");
        assert_eq!(all.iter().filter(|m| m.notes.cleaned).count(), 1, "{name}");
        assert!(visit.library.as_deref().unwrap().contains('/'), "{name}");
    }
}

#[test]
fn browsers_are_understood() {
    for (name, ns, calls) in [
        ("segment-analytics-next-browser.json", "cap-br-segment", 9),
        ("segment-analytics-next-browser-batching.json", "cap-br-segment-batch", 9),
        ("rudder-analytics-js-browser.json", "cap-br-rudder", 6),
        ("rudder-analytics-js-browser-beacon.json", "cap-br-rudder-beacon", 6),
    ] {
        let all = replay(name);
        assert_eq!(all.len(), calls, "{name}");
        let of = |kind: Kind| all.iter().find(|m| m.kind == kind).unwrap();
        let page = of(Kind::Page);
        assert_eq!((page.user_id.as_deref(), page.event.as_deref()), (None, Some("Pricing")));
        assert_eq!(
            page.page_path.as_deref().map(|path| path.starts_with('/')),
            Some(true),
            "{name}"
        );
        let identify = of(Kind::Identify);
        assert_eq!(identify.user_id.as_deref(), Some(&*format!("{ns}-u1")));
        assert_eq!(member(identify, "name"), "Web User", "{name}: wherever the SDK puts traits");
        let group = of(Kind::Group);
        assert_eq!(group.group_id.as_deref(), Some(&*format!("{ns}-ws1")));
        assert_eq!(
            serde_json::Value::Object(group.traits.as_ref().unwrap().members()),
            json!({ "name": "Web Workspace", "plan": "free" }),
            "{name}: never the user's traits of the context"
        );
        let action =
            all.iter().find(|m| m.event.as_deref() == Some("key_action_completed")).unwrap();
        assert_eq!(
            (action.workspace(), &action.traits),
            (None, &None),
            "{name}: no groupId on track"
        );
    }
}

#[test]
fn an_identified_browser_aliases_itself() {
    let all = replay("segment-analytics-next-browser.json");
    let last = all.iter().rfind(|message| message.kind == Kind::Alias).unwrap();
    assert_eq!(last.user_id, last.previous_id);
}

#[test]
fn rust_sdks_that_send_no_type_no_id_and_no_clock_are_understood() {
    let all = replay("rust-segment-0.2.6.json");
    let kinds: Vec<_> = all.iter().take(6).map(|message| message.kind).collect();
    use Kind::{Alias, Group, Identify, Page, Screen, Track};
    assert_eq!(kinds, [Page, Identify, Group, Track, Alias, Screen]);
    assert_eq!(all.len(), 11);
    assert!(all.iter().all(|message| message.notes.id_made));
    assert!(all.iter().take(6).all(|message| message.at == received()));
    let batched = &all[6..];
    assert!(batched.iter().all(|message| message.workspace() == Some("cap-rs-segment-ws1")));
    let ids: std::collections::HashSet<_> = batched.iter().map(|m| &m.message_id).collect();
    assert_eq!(ids.len(), 5);

    let all = replay("rust-rudderanalytics-2.0.1.json");
    assert_eq!((all.len(), count(&all, Kind::Track)), (7, 4));
    assert!(all.iter().filter(|m| m.kind == Kind::Track).all(|m| m.workspace().is_some()));
}
