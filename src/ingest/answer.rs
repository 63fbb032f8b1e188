//! What the SDKs read: the answer to events, errors, and the settings without which a browser SDK does
//! not start (`spec/wire.md` sections 1 and 4).

use serde::Serialize;
use serde_json::{Value, json};

use super::failure::{BodyError, Code, Rejected};

/// The answer to a request that was read and committed; always sent with status 200 exactly, since the
/// older Python SDKs take 201, 202 and 204 for a failure.
#[derive(Debug, Serialize)]
pub struct Answer<'a> {
    /// Always true: the request was understood. What was refused stands in `rejected`.
    pub success: bool,
    /// Events stored, duplicates included.
    pub accepted: usize,
    /// Events kept as dead letters.
    pub rejected: Vec<Refused<'a>>,
}

/// One rejected event in the answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refused<'a> {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// The client's id of it, where one could be read.
    pub message_id: Option<&'a str>,
    /// Why.
    pub code: Code,
    /// What is wrong and how to mend it.
    pub message: &'a str,
}

impl<'a> Answer<'a> {
    /// The answer to so many stored events and these refused ones.
    #[must_use]
    pub fn new(accepted: usize, rejected: &'a [Rejected<'_>]) -> Self {
        let rejected = rejected.iter().map(|event| Refused {
            index: event.index,
            message_id: event.message_id.as_deref(),
            code: event.code,
            message: &event.message,
        });
        Self { success: true, accepted, rejected: rejected.collect() }
    }
}

/// The answer to a refused request, to be sent with [`BodyError::status`]. Both keys are needed: without
/// them the older Python SDKs retry what can never succeed.
#[derive(Debug, Serialize)]
pub struct Problem {
    /// For programs.
    pub code: &'static str,
    /// For people: what is wrong and how to mend it.
    pub message: String,
}

impl From<&BodyError> for Problem {
    fn from(error: &BodyError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

/// `GET /v1/projects/{writeKey}/settings`: what analytics-next, Swift and Kotlin need to start.
///
/// `host` (authority only, `crm.example:8443`) makes them send to this server although the page set
/// only `cdnURL`; `https` says how it is reached. Their own measurements are switched off.
#[must_use]
pub fn settings(write_key: &str, host: Option<&str>, https: bool) -> Value {
    let mut segment = json!({ "apiKey": write_key });
    if let (Some(host), Some(members)) = (host, segment.as_object_mut()) {
        members.insert("apiHost".into(), format!("{host}/v1").into());
        members.insert("protocol".into(), if https { "https" } else { "http" }.into());
    }
    json!({ "integrations": { "Segment.io": segment }, "metrics": { "sampleRate": 0 } })
}

/// `GET /sourceConfig/`: what RudderStack's browser SDK needs to start; nothing of its own is reported.
/// `id` and `name` are the source's.
#[must_use]
pub fn source_config(write_key: &str, id: &str, name: &str) -> Value {
    json!({
        "source": {
            "id": id,
            "name": name,
            "writeKey": write_key,
            "enabled": true,
            "workspaceId": id,
            "config": {
                "statsCollection": { "errors": { "enabled": false }, "metrics": { "enabled": false } },
            },
            "destinations": [],
            "connections": [],
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_has_the_documented_form() {
        let rejected = [Rejected {
            index: 3,
            message_id: None,
            event: None,
            code: Code::MissingIdentity,
            message: "why".into(),
            raw: "{}".into(),
            truncated: false,
            around: "".into(),
        }];
        let text = serde_json::to_string(&Answer::new(98, &rejected)).unwrap();
        assert_eq!(
            text,
            r#"{"success":true,"accepted":98,"rejected":[{"index":3,"messageId":null,"code":"missing_identity","message":"why"}]}"#
        );
    }

    #[test]
    fn every_refusal_of_a_body_has_a_status_a_code_and_a_message() {
        for (error, status, retry) in [
            (BodyError::Json("x".into()), 400, None),
            (BodyError::Gzip, 400, None),
            (BodyError::TooManyEvents, 400, None),
            (BodyError::NoWriteKey, 401, None),
            (BodyError::UnknownWriteKey, 401, None),
            (BodyError::TooLarge, 413, None),
            (BodyError::Encoding("br".into()), 415, None),
            (BodyError::RateLimited(2), 429, Some(2)),
            (BodyError::Overloaded(5), 503, Some(5)),
        ] {
            let problem = serde_json::to_value(Problem::from(&error)).unwrap();
            assert_eq!((error.status(), error.retry_after()), (status, retry));
            assert!(
                problem["code"].is_string() && !problem["message"].as_str().unwrap().is_empty()
            );
        }
    }

    #[test]
    fn browsers_get_what_they_need_to_start() {
        let plain = settings("wk", None, true);
        assert_eq!(plain["integrations"]["Segment.io"], json!({ "apiKey": "wk" }));
        let hosted = settings("wk", Some("localhost:8080"), false);
        assert_eq!(hosted["integrations"]["Segment.io"]["apiHost"], "localhost:8080/v1");
        assert_eq!(hosted["integrations"]["Segment.io"]["protocol"], "http");
        let rudder = source_config("wk", "s1", "Web");
        assert_eq!(rudder["source"]["enabled"], true);
        assert_eq!(rudder["source"]["config"]["statsCollection"]["errors"]["enabled"], false);
        assert_eq!(rudder["source"]["destinations"], json!([]));
    }
}
