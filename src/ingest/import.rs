//! One line of a file of events, as a body that the parser takes.
//!
//! Lines are Segment calls. Two things that exports and simple producers write are understood too:
//!
//! - `{"type":"signup", "userId", "groupId", "emailDomain", ...}` is an `identify` (with the trait
//!   `email_domain`: there is no address to know), a `group`, and a `track` of `signed_up`, which
//!   keeps the line's messageId.
//! - A call without `properties` and `context` may have its properties beside the type; a `groupId` of
//!   a call other than group names the workspace in which it happened.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Members of a Segment call that are no properties of a simple one.
const CALL: [&str; 19] = [
    "type",
    "event",
    "name",
    "messageId",
    "userId",
    "anonymousId",
    "previousId",
    "groupId",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "receivedAt",
    "traits",
    "properties",
    "context",
    "integrations",
    "writeKey",
    "channel",
    "version",
];

/// Names the ids of lines without a messageId, so that a second import makes the same ones.
const LINES: Uuid = Uuid::from_u128(0x1f0a_7c52_93d4_4e6b_8a57_696d_706f_7274);

/// Event names of the file to keys of the catalog.
pub type Names = HashMap<String, String>;

/// A line made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// For `POST /v1/batch`.
    pub body: String,
    /// When the event was first received, if the line says so.
    pub received_at: Option<DateTime<Utc>>,
    /// Names the line, see [`crate::ingest::parse::body()`].
    pub request: Uuid,
}

/// Reads `old=new` of the command line.
///
/// # Errors
/// Says what it should look like.
pub fn name_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((from, to)) if !from.trim().is_empty() && !to.trim().is_empty() => {
            Ok((from.trim().to_owned(), to.trim().to_owned()))
        }
        _ => Err("write it as name=key, such as change_shipped=core_feature_used".into()),
    }
}

/// The body of a line; none when the line is blank. `number` counts lines from 1.
/// A line that is no JSON object is passed on as it is: the parser says what is wrong with it.
#[must_use]
pub fn line(text: &str, number: u64, names: &Names) -> Option<Line> {
    let text = text.trim().trim_start_matches('\u{feff}');
    if text.is_empty() {
        return None;
    }
    let request = Uuid::new_v5(&LINES, format!("{number}:{text}").as_bytes());
    let Ok(mut call) = serde_json::from_str::<Map<String, Value>>(text) else {
        return Some(Line { body: batch(text), received_at: None, request });
    };
    let received_at = time(&call, "receivedAt");
    let is_signup = call.get("type").and_then(Value::as_str) == Some("signup");
    let calls = if is_signup {
        signup(call)
    } else {
        simple(&mut call);
        rename(&mut call, names);
        vec![call]
    };
    let calls: Vec<String> =
        calls.into_iter().map(|call| Value::Object(call).to_string()).collect();
    Some(Line { body: batch(&calls.join(",")), received_at, request })
}

fn batch(calls: &str) -> String {
    format!("{{\"batch\":[{calls}]}}")
}

fn time(call: &Map<String, Value>, name: &str) -> Option<DateTime<Utc>> {
    let text = call.get(name)?.as_str()?;
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

/// Moves the properties of a simple call to where the wire has them.
fn simple(call: &mut Map<String, Value>) {
    let kind = call.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !matches!(kind.as_str(), "track" | "page" | "screen") || call.contains_key("context") {
        return;
    }
    if let Some(workspace) = call.remove("groupId") {
        call.insert("context".into(), json!({ "groupId": workspace }));
    }
    if !call.contains_key("properties") {
        let beside: Vec<String> =
            call.keys().filter(|key| !CALL.contains(&key.as_str())).cloned().collect();
        let properties: Map<String, Value> = beside
            .into_iter()
            .filter_map(|key| call.remove(&key).map(|value| (key, value)))
            .collect();
        call.insert("properties".into(), Value::Object(properties));
    }
}

/// Gives an event its key in the catalog; its own name stays as the feature that was used.
fn rename(call: &mut Map<String, Value>, names: &Names) {
    let Some(name) = call.get("event").and_then(Value::as_str).map(str::to_owned) else { return };
    let Some(key) = names.get(&name) else { return };
    call.insert("event".into(), key.as_str().into());
    if let Some(properties) = call.get_mut("properties").and_then(Value::as_object_mut) {
        properties.entry("feature").or_insert_with(|| name.into());
    }
}

fn signup(line: Map<String, Value>) -> Vec<Map<String, Value>> {
    let shared = |kind: &str, suffix: &str| {
        let mut call = Map::new();
        call.insert("type".into(), kind.into());
        for name in ["userId", "anonymousId", "timestamp", "originalTimestamp", "sentAt"] {
            if let Some(value) = line.get(name) {
                call.insert(name.into(), value.clone());
            }
        }
        if let Some(id) = line.get("messageId").and_then(Value::as_str) {
            call.insert("messageId".into(), format!("{id}{suffix}").into());
        }
        call
    };
    let mut identify = shared("identify", ":identify");
    let mut traits = line.get("traits").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(domain) = line.get("emailDomain") {
        traits.insert("email_domain".into(), domain.clone());
    }
    if let Some(email) = line.get("email") {
        traits.insert("email".into(), email.clone());
    }
    identify.insert("traits".into(), Value::Object(traits));
    let mut calls = vec![identify];
    let mut track = shared("track", "");
    track.insert("event".into(), "signed_up".into());
    if let Some(workspace) = line.get("groupId") {
        let mut group = shared("group", ":group");
        group.insert("groupId".into(), workspace.clone());
        calls.push(group);
        track.insert("context".into(), json!({ "groupId": workspace }));
    }
    track.insert("properties".into(), line.get("properties").cloned().unwrap_or_else(|| json!({})));
    calls.push(track);
    calls
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::endpoint::Endpoint;
    use crate::ingest::message::{Kind, Message};
    use crate::ingest::parse;

    fn messages(text: &str, names: &Names) -> Vec<Message<'static>> {
        let line = line(text, 1, names).unwrap();
        let at = line.received_at.unwrap_or_default();
        let parsed = parse::body(&line.body, Endpoint::Batch, at, line.request).unwrap();
        assert_eq!(parsed.rejected, []);
        parsed.accepted.into_iter().map(Message::into_owned).collect()
    }

    #[test]
    fn a_signup_is_who_where_and_what() {
        let text = r#"{"type":"signup","messageId":"gs-8","userId":"u_1","groupId":"ws_1","emailDomain":"a.example","bot":false,"timestamp":"2014-06-25T07:29:32-07:00","receivedAt":"2014-06-25T08:36:54-07:00"}"#;
        let calls = messages(text, &Names::new());
        let kinds: Vec<_> = calls.iter().map(|call| (call.kind, &*call.message_id)).collect();
        assert_eq!(
            kinds,
            [(Kind::Identify, "gs-8:identify"), (Kind::Group, "gs-8:group"), (Kind::Track, "gs-8")]
        );
        assert_eq!(calls[0].traits.as_ref().unwrap().members()["email_domain"], "a.example");
        assert_eq!(calls[1].group_id.as_deref(), Some("ws_1"));
        assert_eq!(
            (calls[2].event.as_deref(), calls[2].workspace()),
            (Some("signed_up"), Some("ws_1"))
        );
        assert!(calls.iter().all(|call| call.at.to_rfc3339() == "2014-06-25T14:29:32+00:00"));
    }

    #[test]
    fn a_simple_track_keeps_its_workspace_its_properties_and_gets_its_key() {
        let text = r#"{"type":"track","event":"change_shipped","messageId":"m","userId":"u","groupId":"w","subject_len":14,"timestamp":"2014-06-25T07:29:32-07:00"}"#;
        let names = Names::from([("change_shipped".to_owned(), "core_feature_used".to_owned())]);
        let call = messages(text, &names).remove(0);
        assert_eq!(
            (call.event.as_deref(), call.workspace()),
            (Some("core_feature_used"), Some("w"))
        );
        let properties = call.properties.unwrap().members();
        assert_eq!(
            (&properties["subject_len"], &properties["feature"]),
            (&json!(14), &json!("change_shipped"))
        );
    }

    #[test]
    fn a_segment_call_stays_as_it_is() {
        let text = r#"{"type":"track","event":"X","userId":"u","context":{"groupId":"w"},"properties":{"a":1},"extra":1}"#;
        let call = messages(text, &Names::new()).remove(0);
        assert_eq!(call.workspace(), Some("w"));
        assert_eq!(call.properties.unwrap().as_str(), r#"{"a":1}"#);
    }

    #[test]
    fn the_same_line_at_the_same_place_has_the_same_name() {
        let of = |number| line(r#"{"type":"track"}"#, number, &Names::new()).unwrap().request;
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert_eq!(line("  ", 1, &Names::new()), None);
        assert_eq!(line("{broken", 1, &Names::new()).unwrap().body, "{\"batch\":[{broken]}");
    }

    #[test]
    fn name_pairs_are_checked() {
        assert_eq!(name_pair("a = b"), Ok(("a".into(), "b".into())));
        assert!(name_pair("a=").is_err() && name_pair("a").is_err());
    }
}
