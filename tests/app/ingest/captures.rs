//! What real SDKs sent, sent again byte for byte as far as their headers go: every request is answered
//! as its SDK needs it, and the journal holds every event.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde_json::Value;

use super::server::{Server, journal, source};
use crate::test_db::TestDb;

/// The body of a captured request, compressed again if it was.
fn body(request: &Value) -> Vec<u8> {
    if request["body_json"].is_null() {
        return Vec::new();
    }
    let plain = serde_json::to_vec(&request["body_json"]).unwrap();
    if request["content_encoding"] != "gzip" {
        return plain;
    }
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(&plain).unwrap();
    out.finish().unwrap()
}

/// Sends a captured request with its own headers and checks what its SDK makes of the answer.
fn replay(server: &Server, request: &Value) {
    let text = |key: &str| request[key].as_str().unwrap().to_owned();
    let (method, mut path) = (text("method"), text("path"));
    if !text("query").is_empty() {
        path = format!("{path}?{}", text("query"));
    }
    let headers: Vec<(&str, &str)> = request["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|header| (header[0].as_str().unwrap(), header[1].as_str().unwrap()))
        .filter(|(name, _)| {
            !["host", "content-length", "transfer-encoding"]
                .contains(&name.to_ascii_lowercase().as_str())
        })
        .collect();
    let answer = server.send(&method, &path, &headers, &body(request));
    assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    match method.as_str() {
        "OPTIONS" => {
            let asked = headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("access-control-request-headers"));
            let allowed = answer.header("access-control-allow-headers").unwrap();
            assert_eq!(allowed, asked.unwrap().1);
            assert!(answer.header("access-control-allow-methods").unwrap().contains("POST"));
        }
        "POST" => assert_eq!(answer.json()["success"], true),
        _ if path.starts_with("/sourceConfig") => {
            assert_eq!(answer.json()["source"]["enabled"], true);
        }
        _ => assert_eq!(answer.json()["integrations"]["Segment.io"]["apiKey"], "wk_test"),
    }
}

/// Message ids that a capture's events carry, with how often.
fn message_ids(requests: &[Value]) -> BTreeMap<String, usize> {
    let mut ids = BTreeMap::new();
    for request in requests.iter().filter(|r| r["method"] == "POST" && r["path"] != "/v1/m") {
        let body = &request["body_json"];
        let single = [body.clone()];
        for event in body["batch"].as_array().map_or(&single[..], Vec::as_slice) {
            let id = event["messageId"].as_str().unwrap_or("none");
            *ids.entry(id.to_owned()).or_default() += 1;
        }
    }
    ids
}

#[test]
fn every_capture_is_answered_with_200_and_every_event_is_in_the_journal() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wire");
    let mut captures = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let db = TestDb::new();
        source(&db);
        let server = Server::start(&db);
        let path = file.unwrap().path();
        let capture: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let requests = capture["requests"].as_array().unwrap();
        for request in requests {
            replay(&server, request);
        }
        let mut stored = BTreeMap::new();
        for message in journal(&db) {
            let id = if message.notes.id_made {
                "none".to_owned()
            } else {
                message.message_id.into_owned()
            };
            *stored.entry(id).or_default() += 1;
        }
        assert_eq!(stored, message_ids(requests), "{}", path.display());
        captures += 1;
    }
    assert!(captures >= 13);
}
