//! The SDKs that are in no registry the tests can install from (Go, Ruby, Java, PHP, Kotlin, Swift): what
//! their source says they send, built by hand.

use std::io::Write;
use std::net::TcpStream;

use flate2::Compression;
use flate2::write::GzEncoder;
use ripen::ingest::message::{Kind, Message};

use super::server::{BASIC, Server, Setup, journal, read_answer, source};
use crate::test_db::TestDb;

/// What is in the journal after one request was answered with 200.
fn stored(path: &str, headers: &[(&str, &str)], body: &str) -> Vec<Message<'static>> {
    let db = TestDb::new();
    source(&db);
    let server = Server::start(&db);
    let answer = server.send("POST", path, headers, body.as_bytes());
    assert_eq!((answer.status, answer.json()["rejected"].as_array().unwrap().len()), (200, 0));
    journal(&db)
}

#[test]
fn ruby_and_php_post_to_import() {
    let body = r#"{"sentAt":"2026-11-20T10:00:01.000Z","batch":[
        {"type":"identify","userId":"u1","anonymousId":null,"messageId":"r1","traits":{"email":"d@acme.example"},
         "context":{"library":{"name":"analytics-ruby","version":"2.5.0"}},"timestamp":"2026-11-20T10:00:00.123Z"},
        {"type":"group","userId":"u1","groupId":"ws1","messageId":"r2","traits":{"name":"Acme"},"timestamp":"2026-11-20T10:00:00.124Z"}]}"#;
    let headers =
        [BASIC, ("Content-Type", "application/json"), ("User-Agent", "analytics-ruby/2.5.0")];
    let all = stored("/v1/import", &headers, body);
    assert_eq!((all[0].kind, all[0].anonymous_id.as_deref()), (Kind::Identify, None));
    assert_eq!(all[0].library.as_deref(), Some("analytics-ruby/2.5.0"));
    assert_eq!(all[1].workspace(), Some("ws1"));
}

#[test]
fn old_java_posts_to_import_with_a_slash() {
    let body = r#"{"batch":[{"type":"track","userId":"u1","event":"Signed Up","messageId":"j1","integrations":{},
        "timestamp":"2026-11-20T10:00:00.123Z","context":{"library":{"name":"analytics-java","version":"3.5.2"}}}],
        "sentAt":"2026-11-20T10:00:01.000Z","sequence":1,"context":{"library":{"name":"analytics-java"}}}"#;
    let all = stored("/v1/import/", &[BASIC, ("Content-Type", "application/json")], body);
    assert_eq!((&*all[0].message_id, all[0].event.as_deref()), ("j1", Some("Signed Up")));
}

#[test]
fn go_says_the_context_once_for_the_batch() {
    let body = r#"{"messageId":"batch-1","sentAt":"2026-11-20T10:00:01Z","context":{"groupId":"ws1","library":{"name":"analytics-go","version":"3.3.0"}},
        "batch":[{"type":"track","messageId":"g1","userId":"u1","anonymousId":"u1","event":"Signed Up","timestamp":"2026-11-20T10:00:00.123456789Z"}]}"#;
    let all = stored("/v1/batch", &[BASIC, ("Content-Type", "application/json")], body);
    assert_eq!((&*all[0].message_id, all[0].workspace()), ("g1", Some("ws1")));
    assert_eq!(all[0].anonymous_id, all[0].user_id, "RudderStack's Go SDK sends it twice");
}

#[test]
fn kotlin_and_swift_ask_for_settings_and_send_packed_chunks_with_the_key_inside() {
    let db = TestDb::new();
    source(&db);
    let server = Server::start(&db);
    let settings = server.send("GET", "/v1/projects/wk_test/settings", &[], b"");
    assert_eq!(settings.json()["integrations"]["Segment.io"]["apiKey"], "wk_test");
    let forged = [
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "https"),
        ("Forwarded", "host=evil.example;proto=https"),
    ];
    let answer = server.send("GET", "/v1/projects/wk_test/settings", &forged, b"");
    assert_eq!(answer.json(), settings.json(), "what others add to a request is not read");
    assert_eq!(settings.json()["integrations"]["Segment.io"]["protocol"], "http");
    let here = format!("{}/v1", server.address);
    assert_eq!(settings.json()["integrations"]["Segment.io"]["apiHost"], *here);
    for (public, host, protocol) in [
        ("https://crm.example", "crm.example/v1", "https"),
        ("http://crm.example:8443/", "crm.example:8443/v1", "http"),
    ] {
        let named = Setup { public: Some(public), ..Setup::default() };
        let named = Server::start_with(&db, &named);
        let settings = named.send("GET", "/v1/projects/wk_test/settings", &forged, b"").json();
        let settings = &settings["integrations"]["Segment.io"];
        assert_eq!((&settings["apiHost"], &settings["protocol"]), (&host.into(), &protocol.into()));
    }
    let body = r#"{"batch":[{"type":"screen","name":"Home","anonymousId":"a1","userId":"","messageId":"k1","_metadata":{},
        "timestamp":"2026-11-20T10:00:00.123Z","writeKey":"wk_test"}],"sentAt":"2026-11-20T10:00:01Z","writeKey":"wk_test"}"#;
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(body.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = "POST /v1/b HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    for chunk in packed.chunks(50) {
        stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).unwrap();
        stream.write_all(chunk).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().json()["accepted"], 1);
    let stored = journal(&db);
    assert_eq!((stored[0].kind, stored[0].user_id.as_deref()), (Kind::Screen, None));
}
