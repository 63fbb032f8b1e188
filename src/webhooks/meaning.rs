//! What an event of Standard Webhooks means to Ripen. Pure.
//!
//! A delivery is `{"type", "timestamp", "data"}`. These types say something; every other type is a
//! track event, `invite.sent` being the event `invite_sent`, with the rest of `data` as properties:
//!
//! | type | means | `data` |
//! | --- | --- | --- |
//! | `workspace.created`, `.updated` | traits of a workspace | `workspace_id`, and the traits beside it or in `traits`; `user_id` where somebody did it |
//! | `user.created`, `.updated` | traits of a user | `user_id`, and the traits |
//! | `membership.created`, `.updated` | who is in which workspace | `workspace_id`, `user_id`, `role`, `persona` |
//! | `membership.deleted` | the user has left | `workspace_id`, `user_id` |
//! | `subscription.created`, `.updated`, `.deleted` | how a subscription stands | the members of the API's subscription |
//! | anything else | an event | `workspace_id`, `user_id` or `anonymous_id`, properties |
//!
//! All but subscriptions go the way of the SDKs' events: into the journal, with the delivery's id as
//! `messageId`, so that a delivery that comes twice counts once.

use serde_json::{Map, Value, json};

/// What to do with a delivery.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// A call as the SDKs make it.
    Call(Value),
    /// A subscription, as the API takes it.
    Subscription(Map<String, Value>),
}

/// Reads a delivery.
///
/// # Errors
/// What is missing, in a sentence for the sender.
pub fn read(id: &str, body: &[u8]) -> Result<(String, Meaning), String> {
    let payload: Value =
        serde_json::from_slice(body).map_err(|error| format!("The body is no JSON: {error}."))?;
    let kind = payload.get("type").and_then(Value::as_str).map(str::trim).unwrap_or_default();
    if kind.is_empty() || kind.len() > 255 {
        return Err("The body has no type. Send {\"type\", \"timestamp\", \"data\"}.".to_owned());
    }
    let Some(Value::Object(data)) = payload.get("data") else {
        return Err("The body has no data, which must be an object.".to_owned());
    };
    let time = payload.get("timestamp").cloned().unwrap_or(Value::Null);
    let call = |kind: &str, rest: Value| {
        let mut call = json!({"type": kind, "messageId": id});
        if let (Value::Object(call), Value::Object(rest)) = (&mut call, rest) {
            call.extend(rest);
            if !time.is_null() {
                call.insert("timestamp".to_owned(), time.clone());
            }
        }
        Meaning::Call(call)
    };
    let meaning = match kind {
        "workspace.created" | "workspace.updated" => {
            let workspace = required(data, "workspace_id", kind)?;
            let traits = traits(data, &["workspace_id", "user_id"]);
            // A group call is somebody's; where nobody is named, it is the workspace's own.
            let who = match data.get("user_id").filter(|id| !id.is_null()) {
                Some(user) => json!({"userId": user}),
                None => json!({"anonymousId": format!("workspace:{}", text(&workspace))}),
            };
            call("group", merged(who, json!({"groupId": workspace, "traits": traits})))
        }
        "user.created" | "user.updated" => {
            let user = required(data, "user_id", kind)?;
            call("identify", json!({"userId": user, "traits": traits(data, &["user_id"])}))
        }
        "membership.created" | "membership.updated" | "membership.deleted" => {
            let (workspace, user) =
                (required(data, "workspace_id", kind)?, required(data, "user_id", kind)?);
            let mut properties = Map::new();
            for name in ["role", "persona"] {
                properties.extend(data.get(name).map(|said| (name.to_owned(), said.clone())));
            }
            if kind == "membership.deleted" {
                properties.insert("role".to_owned(), Value::Null);
            }
            call("group", json!({"userId": user, "groupId": workspace, "traits": properties}))
        }
        "subscription.created" | "subscription.updated" | "subscription.deleted" => {
            required(data, "workspace_id", kind)?;
            let mut members = data.clone();
            let missing = |members: &Map<String, Value>, name: &str| {
                members.get(name).is_none_or(Value::is_null)
            };
            if missing(&members, "updated_at") && !time.is_null() {
                members.insert("updated_at".to_owned(), time.clone());
            }
            if kind == "subscription.deleted" {
                members.insert("status".to_owned(), "canceled".into());
                if missing(&members, "canceled_at") && !time.is_null() {
                    members.insert("canceled_at".to_owned(), time.clone());
                }
            }
            Meaning::Subscription(members)
        }
        event => {
            let mut properties = data.clone();
            let mut who = Map::new();
            for (name, camel) in [("user_id", "userId"), ("anonymous_id", "anonymousId")] {
                who.extend(properties.remove(name).map(|id| (camel.to_owned(), id)));
            }
            // `properties.workspace_id` names the workspace, as in the SDKs' own events.
            call(
                "track",
                merged(
                    Value::Object(who),
                    json!({"event": event.replace('.', "_"), "properties": properties}),
                ),
            )
        }
    };
    Ok((kind.to_owned(), meaning))
}

fn required(data: &Map<String, Value>, name: &str, kind: &str) -> Result<Value, String> {
    data.get(name)
        .filter(|value| !text(value).trim().is_empty())
        .cloned()
        .ok_or_else(|| format!("{kind} needs data.{name}."))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// `data.traits`, or everything in `data` but the ids.
fn traits(data: &Map<String, Value>, ids: &[&str]) -> Map<String, Value> {
    match data.get("traits") {
        Some(Value::Object(traits)) => traits.clone(),
        _ => data
            .iter()
            .filter(|(name, _)| !ids.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    }
}

fn merged(mut value: Value, extra: Value) -> Value {
    if let (Value::Object(value), Value::Object(extra)) = (&mut value, extra) {
        value.extend(extra);
    }
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn meaning(kind: &str, data: Value) -> Meaning {
        let body = json!({"type": kind, "timestamp": "2026-11-20T10:00:00Z", "data": data});
        read("msg_1", body.to_string().as_bytes()).unwrap().1
    }

    fn call(kind: &str, data: Value) -> Value {
        match meaning(kind, data) {
            Meaning::Call(call) => call,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_type_is_the_call_that_an_sdk_would_make() {
        let at = "2026-11-20T10:00:00Z";
        assert_eq!(
            call("workspace.updated", json!({"workspace_id": "w1", "plan": "pro"})),
            json!({"type": "group", "messageId": "msg_1", "timestamp": at, "anonymousId": "workspace:w1",
                   "groupId": "w1", "traits": {"plan": "pro"}})
        );
        assert_eq!(
            call("user.updated", json!({"user_id": 7, "traits": {"email": "a@b.c"}})),
            json!({"type": "identify", "messageId": "msg_1", "timestamp": at, "userId": 7,
                   "traits": {"email": "a@b.c"}})
        );
        assert_eq!(
            call(
                "membership.deleted",
                json!({"workspace_id": "w1", "user_id": "u", "role": "admin"})
            ),
            json!({"type": "group", "messageId": "msg_1", "timestamp": at, "userId": "u",
                   "groupId": "w1", "traits": {"role": null}})
        );
        assert_eq!(
            call("report.exported", json!({"workspace_id": "w1", "user_id": "u", "pages": 3})),
            json!({"type": "track", "messageId": "msg_1", "timestamp": at, "userId": "u",
                   "event": "report_exported", "properties": {"workspace_id": "w1", "pages": 3}})
        );
    }

    #[test]
    fn a_subscription_is_dated_by_its_delivery() {
        let said = meaning(
            "subscription.deleted",
            json!({"id": "s", "workspace_id": "w", "status": "active"}),
        );
        let Meaning::Subscription(members) = said else { panic!("a subscription") };
        assert_eq!(members["status"], "canceled");
        assert_eq!(members["updated_at"], "2026-11-20T10:00:00Z");
        assert_eq!(members["canceled_at"], "2026-11-20T10:00:00Z");
    }

    #[test]
    fn what_is_missing_is_named() {
        let refusal = |body: Value| read("m", body.to_string().as_bytes()).unwrap_err();
        assert!(refusal(json!({"data": {}})).contains("no type"));
        assert!(refusal(json!({"type": "x"})).contains("no data"));
        let no_user = json!({"type": "user.updated", "data": {"email": "x"}});
        assert!(refusal(no_user).contains("data.user_id"));
        assert!(read("m", b"{").unwrap_err().contains("no JSON"));
    }

    proptest! {
        #[test]
        fn any_body_is_answered(body in proptest::collection::vec(any::<u8>(), 0..100), kind in ".{0,20}") {
            let _ = read("m", &body);
            let _ = read("m", json!({"type": kind, "data": {"workspace_id": kind}}).to_string().as_bytes());
        }
    }
}
