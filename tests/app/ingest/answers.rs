//! What the SDKs hear when something is wrong: the status that makes each of them do the right thing.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use ripen::clock::Clock;
use ripen::db::Pool;
use ripen::sources;
use ripen::team::audit::Actor;

use super::server::{BASIC, Server, Setup, dead_letters, journal, read_answer, source};
use crate::test_db::{TestDb, eventually};

const ONE: &str = r#"{"batch":[{"type":"track","event":"E","userId":"u","messageId":"m"}]}"#;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    out.write_all(plain).unwrap();
    out.finish().unwrap()
}

#[test]
fn a_key_is_needed_and_found_wherever_sdks_put_it() {
    let db = TestDb::new();
    source(&db);
    let server = Server::start(&db);
    let send = |path: &str, headers: &[(&str, &str)], body: &str| {
        server.send("POST", path, headers, body.as_bytes())
    };
    send("/v1/batch", &[], ONE).assert_refused(401, "missing_write_key");
    send("/v1/batch", &[("Authorization", "Basic b3RoZXI6")], ONE)
        .assert_refused(401, "invalid_write_key");
    send("/v1/batch?writeKey=wk_other", &[], ONE).assert_refused(401, "invalid_write_key");
    assert!(journal(&db).is_empty());

    assert_eq!(
        send("/beacon/v1/batch?writeKey=wk_test", &[("Content-Type", "text/plain")], ONE).status,
        200
    );
    // No colon, any password, the body.
    assert_eq!(send("/v1/batch/", &[("Authorization", "Basic d2tfdGVzdA==")], ONE).status, 200);
    assert_eq!(
        send("/v1/import/", &[("Authorization", "Basic d2tfdGVzdDpwdw==")], ONE).status,
        200
    );
    let with_key = ONE.replacen('{', r#"{"writeKey":"wk_test","#, 1);
    let answer = send("/v1/b", &[("Content-Type", "text/plain;charset=UTF-8")], &with_key);
    assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (200, Some(1)));
    assert_eq!(journal(&db).len(), 4);
}

#[test]
fn a_revoked_key_is_refused_within_seconds_and_a_new_one_opens_at_once() {
    let db = TestDb::new();
    let source = source(&db);
    let server = Server::start(&db);
    let by = Actor::system();
    let now = Clock::system().now();
    assert_eq!(server.post("/v1/batch", ONE).status, 200);
    let key =
        db.tx(Pool::Work, |conn| sources::ops::create_write_key(conn, &by, source, now)).unwrap();
    let with_key = ONE.replacen('{', &format!(r#"{{"writeKey":"{}","#, key.reveal()), 1);
    let send = || server.send("POST", "/v1/batch", &[], with_key.as_bytes()).status;
    assert_eq!(eventually(|| (send() == 200).then_some(())), Some(()));

    let id = db.read(Pool::Work, sources::store::list_write_keys).unwrap()[0].id;
    db.tx(Pool::Work, |conn| sources::ops::revoke_write_key(conn, &by, id, now)).unwrap();
    assert_eq!(eventually(|| (send() == 401).then_some(())), Some(()));
    assert_eq!(server.post("/v1/batch", ONE).status, 200, "the other key still opens");
}

#[test]
fn one_bad_event_becomes_a_dead_letter_and_its_neighbours_are_stored() {
    let db = TestDb::new();
    source(&db);
    let server = Server::start(&db);
    let answer = server.post(
        "/v1/batch",
        r#"{"batch":[
            {"type":"track","event":"A","userId":"u","messageId":"m1","properties":{"n":NaN,"t":"a\u0000b\ud800"}},
            {"type":"track","event":"B","messageId":"m2"},
            {"type":"track","event":"C","userId":"u","messageId":"m3"}]}"#,
    );
    assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (200, Some(2)));
    let rejected = answer.json()["rejected"].clone();
    assert_eq!(
        (&rejected[0]["index"], &rejected[0]["code"]),
        (&1.into(), &"missing_identity".into())
    );
    assert_eq!(dead_letters(&db), ["missing_identity"]);
    let stored: Vec<_> =
        journal(&db).iter().map(|message| message.message_id.to_string()).collect();
    assert_eq!(stored, ["m1", "m3"]);
}

#[test]
fn whole_bodies_that_cannot_be_used_are_refused_in_json() {
    let db = TestDb::new();
    source(&db);
    let server = Server::start(&db);
    server.post("/v1/batch", "{\"batch\":[").assert_refused(400, "invalid_json");
    server.post("/v1/track", "[]").assert_refused(400, "invalid_json");
    let encoded = [BASIC, ("Content-Encoding", "br")];
    server.send("POST", "/v1/batch", &encoded, b"x").assert_refused(415, "unsupported_encoding");
    let zipped = [BASIC, ("Content-Encoding", "gzip")];
    let cut = &gzip(ONE.as_bytes())[..20];
    server.send("POST", "/v1/batch", &zipped, cut).assert_refused(400, "invalid_gzip");
    for (method, path, allowed) in [
        ("GET", "/v1/batch", "POST, OPTIONS"),
        ("POST", "/v1/projects/wk_test/settings", "GET, HEAD, OPTIONS"),
        ("POST", "/sourceConfig", "GET, HEAD, OPTIONS"),
        ("POST", "/v1/pixel/track", "GET, OPTIONS"),
    ] {
        let answer = server.send(method, path, &[BASIC], b"");
        answer.assert_refused(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
        let advice = answer.json()["message"].to_string();
        assert_eq!(advice.contains("POST"), method == "GET", "{advice}");
    }
    server
        .send("GET", "/v1/projects/wk_other/settings", &[], b"")
        .assert_refused(401, "invalid_write_key");
    server.send("POST", "/v1/nothing", &[BASIC], b"{}").assert_refused(404, "not_found");
    assert!(journal(&db).is_empty());
}

#[test]
fn bodies_above_five_megabytes_are_refused_packed_or_not() {
    let db = TestDb::new();
    source(&db);
    let server = Server::start(&db);
    let spaces = vec![b' '; 5 * 1024 * 1024 + 1];
    server.send("POST", "/v1/batch", &[BASIC], &spaces).assert_refused(413, "body_too_large");
    let bomb = gzip(&vec![b' '; 100 * 1024 * 1024]);
    let zipped = [BASIC, ("Content-Encoding", "gzip")];
    server.send("POST", "/v1/batch", &zipped, &bomb).assert_refused(413, "body_too_large");
    // A chunked body does not say how long it will be.
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = "POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Basic d2tfdGVzdDo=\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    for _ in 0..81 {
        if stream.write_all(&chunk).is_err() {
            break;
        }
    }
    read_answer(&mut stream).unwrap().assert_refused(413, "body_too_large");

    let padding = " ".repeat(4 * 1024 * 1024);
    assert_eq!(server.post("/v1/batch", &format!("{ONE}{padding}")).status, 200);
}

#[test]
fn a_body_that_stops_arriving_is_cut() {
    let db = TestDb::new();
    source(&db);
    let setup = Setup { deadline: Duration::from_millis(300), ..Setup::default() };
    let server = Server::start_with(&db, &setup);
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = "POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Basic d2tfdGVzdDo=\r\nContent-Length: 1000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let since = Instant::now();
    // A byte now and then does not help: the deadline is for the whole body.
    let mut drip = stream.try_clone().unwrap();
    let dripping = std::thread::spawn(move || {
        while drip.write_all(b" ").is_ok() && since.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    read_answer(&mut stream).unwrap().assert_refused(408, "request_timeout");
    drop(stream);
    dripping.join().unwrap();
}
