//! Whatever comes over the socket: each has its answer (docs/ingest.md), and none costs memory.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use ripen::db::{Database, Pool};
use ripen::ingest::store_refusals::{self, Entry};

use super::server::{
    Answer, BASIC, Server, Setup, dead_letters, journal, read_answer, send, source,
};
use crate::test_db::{TestDb, eventually};

const ONE: &str = r#"{"batch":[{"type":"track","event":"E","userId":"u","messageId":"m"}]}"#;
const AUTHORIZED: &str =
    "POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Basic d2tfdGVzdDo=\r\n";

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    out.write_all(plain).unwrap();
    out.finish().unwrap()
}

/// Sends these bytes; the answer, or none when the server hung up without one.
fn raw(address: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _hung_up = stream.write_all(bytes);
    read_answer(&mut stream).ok()
}

#[test]
fn packed_bodies_are_known_by_their_bytes_and_never_opened_twice() {
    let db = TestDb::new();
    source(&db);
    let server = Server::start(&db);
    let post = |headers: &[(&str, &str)], body: &[u8]| {
        let all = [&[BASIC], headers].concat();
        server.send("POST", "/v1/batch", &all, body)
    };
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(post(&form, &gzip(ONE.as_bytes())).status, 200, "RudderStack's Node SDK");
    assert_eq!(post(&[("Content-Encoding", "gzip")], ONE.as_bytes()).status, 200, "a proxy's work");
    post(&[], &gzip(&gzip(ONE.as_bytes()))).assert_refused(400, "invalid_gzip");
    post(&[], b"\x28\xb5\x2f\xfd\x04\x00\x01\x00\x00").assert_refused(415, "unsupported_encoding");
    post(&[("Content-Type", "application/json")], b"\x78\x9c\x03\x00\x00\x00\x00\x01")
        .assert_refused(415, "unsupported_encoding");
    for other in ["br", "zstd", "deflate", "compress", "gzip, gzip", "x"] {
        let answer = post(&[("Content-Encoding", other)], &gzip(ONE.as_bytes()));
        answer.assert_refused(415, "unsupported_encoding");
    }
    let wide: Vec<u8> = ONE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    post(&[], &wide).assert_refused(400, "invalid_json");
    let members = gzip(&vec![b' '; 1_000_000]).repeat(1_000);
    post(&form, &members).assert_refused(413, "body_too_large");
    assert_eq!(journal(&db).len(), 2);
}

#[test]
fn requests_that_two_servers_could_read_differently_are_refused() {
    let db = TestDb::new();
    source(&db);
    let server = Server::start(&db);
    let length = ONE.len();
    let chunked = format!("{length:x}\r\n{ONE}\r\n0\r\n\r\n");
    for (what, head, body) in [
        ("length twice", format!("Content-Length: {length}\r\nContent-Length: 5\r\n"), ONE),
        ("a signed length", format!("Content-Length: +{length}\r\n"), ONE),
        ("a negative length", "Content-Length: -1\r\n".into(), ONE),
        ("no number", "Content-Length: 0x10\r\n".into(), ONE),
        ("a list", format!("Content-Length: {length}, {length}\r\n"), ONE),
        ("unknown encoding", "Transfer-Encoding: gzip\r\n".into(), ONE),
        ("chunked not last", "Transfer-Encoding: chunked, identity\r\n".into(), &*chunked),
        ("a space before the colon", format!("Content-Length : {length}\r\n"), ONE),
        ("a folded header", "X-A: b\r\n c: d\r\nContent-Length: 0\r\n".into(), ""),
        ("chunks that are no numbers", "Transfer-Encoding: chunked\r\n".into(), "zz\r\n{}\r\n"),
        ("a chunk beyond all", "Transfer-Encoding: chunked\r\n".into(), "ffffffffffffffffff\r\n{}"),
    ] {
        let answer = raw(server.address, format!("{AUTHORIZED}{head}\r\n{body}").as_bytes());
        let status = answer.as_ref().map_or(400, |answer| answer.status);
        assert_eq!(status, 400, "{what}: {answer:?}");
    }
    // Both at once: whoever reads the length sees a second request in the chunks.
    let both =
        format!("{AUTHORIZED}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}");
    let answer = raw(server.address, both.as_bytes());
    assert!(answer.is_none_or(|answer| answer.status == 400 || answer.status == 200));
    assert!(journal(&db).len() <= 1, "read once, as chunks, or not at all");
    // What comes after a body that was too long is not read as a request.
    let tail = format!("{AUTHORIZED}Content-Length: 2\r\n\r\n{{}}GARBAGE\r\n\r\n");
    assert_eq!(raw(server.address, tail.as_bytes()).unwrap().status, 400);
    let many: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
    let large = format!("X-Large: {}\r\n", "y".repeat(200_000));
    for head in [many, large] {
        let answer = raw(server.address, format!("{AUTHORIZED}{head}\r\n").as_bytes());
        assert!(answer.is_none_or(|answer| (400..500).contains(&answer.status)), "huge heads");
    }
    assert_eq!(server.post("/v1/batch", ONE).status, 200, "the server is as it was");
}

#[test]
fn a_body_shorter_than_it_says_is_not_stored() {
    let db = TestDb::new();
    source(&db);
    let setup = Setup { deadline: Duration::from_millis(300), ..Setup::default() };
    let server = Server::start_with(&db, &setup);
    let short = format!("{AUTHORIZED}Content-Length: 1000\r\n\r\n{ONE}");
    raw(server.address, short.as_bytes()).unwrap().assert_refused(408, "request_timeout");
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(short.as_bytes()).unwrap();
    drop(stream);
    assert_eq!(server.post("/v1/batch", r#"{"batch":[]}"#).status, 200);
    assert!(journal(&db).is_empty());
}

#[test]
fn a_slow_body_is_read_as_long_as_it_keeps_coming() {
    let db = TestDb::new();
    source(&db);
    let setup = Setup { deadline: Duration::from_secs(2), ..Setup::default() };
    let server = Server::start_with(&db, &setup);
    let body = format!("{ONE}{}", " ".repeat(300_000));
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!("{AUTHORIZED}Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    for piece in body.as_bytes().chunks(body.len() / 6 + 1) {
        stream.write_all(piece).unwrap();
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(read_answer(&mut stream).unwrap().status, 200, "three seconds in all");
}

#[test]
fn an_event_that_is_refused_twice_is_one_dead_letter() {
    let db = TestDb::new();
    source(&db);
    let server = Server::start(&db);
    for sent_at in ["2026-11-20T10:00:00Z", "2026-11-20T10:00:05Z"] {
        let body = format!(
            r#"{{"sentAt":"{sent_at}","batch":[{{"type":"track","event":"A","messageId":"m1"}},{{"type":"track","event":"B"}}]}}"#
        );
        assert_eq!(server.post("/v1/batch", &body).json()["rejected"][1]["index"], 1);
    }
    assert_eq!(dead_letters(&db), ["missing_identity", "missing_identity"]);
}

#[test]
fn the_same_message_twice_in_a_batch_is_accepted() {
    let db = TestDb::new();
    source(&db);
    let server = Server::start(&db);
    let event = r#"{"type":"track","event":"E","userId":"u","messageId":"m"}"#;
    let answer = server.post("/v1/batch", &format!("{{\"batch\":[{event},{event}]}}"));
    assert_eq!(answer.json()["accepted"], 2, "the drainer counts duplicates");
}

#[test]
fn every_other_path_of_sdks_has_an_answer() {
    let db = TestDb::new();
    source(&db);
    let server = Server::start(&db);
    for path in [
        "/v1/merge",
        "/analytics.js/v1/wk_test/analytics.min.js",
        "/crm/v1/batch",
        "/track",
        "/api/v1/batch",
        "/api/v1/t",
        "/api/v1/projects/wk_test/settings",
        "/api/sourceConfig/",
    ] {
        server.send("POST", path, &[BASIC], b"{}").assert_refused(404, "not_found");
        let preflight = [("Access-Control-Request-Headers", "authorization")];
        assert_eq!(server.send("OPTIONS", path, &preflight, b"").status, 200);
    }
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head =
        "HEAD /v1/projects/wk_test/settings HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 200") && said.ends_with("\r\n\r\n"), "{said}");
    let event = r#"{"writeKey":"wk_test","userId":"u","event":"Mail opened","messageId":"p1"}"#;
    let data = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, event);
    let pixel = server.send("GET", &format!("/v1/pixel/track?data={data}"), &[], b"");
    assert_eq!((pixel.status, pixel.header("content-type")), (200, Some("image/gif")));
    let pairs = "/pixel/v1/page?writeKey=wk_test&anonymousId=a&name=Mail&properties.plan=pro";
    assert_eq!(server.send("GET", pairs, &[], b"").status, 200);
    server
        .send("GET", "/pixel/v1/page?anonymousId=a", &[], b"")
        .assert_refused(401, "missing_write_key");
    server.send("GET", "/v1/pixel/dance?data=e30", &[], b"").assert_refused(404, "not_found");
    let stored: Vec<_> = journal(&db).into_iter().map(|message| message.event.unwrap()).collect();
    assert_eq!(stored, ["Mail opened", "Mail"]);
    // The key of the first event will do.
    let keyed = r#"{"batch":[{"writeKey":"wk_test","type":"page","userId":"u"}]}"#;
    assert_eq!(server.send("POST", "/v1/b", &[], keyed.as_bytes()).status, 200);
}

fn refused(db: &Database) -> Vec<Entry> {
    let (id, since) = (ripen::ids::SourceId::new(), chrono::DateTime::UNIX_EPOCH);
    db.read(Pool::Work, |conn| store_refusals::of_source(conn, id, since, 1000)).unwrap()
}

#[test]
fn what_was_refused_is_counted_without_its_secrets() {
    let db = TestDb::new();
    source(&db);
    let server = Server::start(&db);
    let secret = "wk_0123456789abcdef0123456789abcdef01234567";
    let path = format!("/v1/projects/{secret}/settings");
    let from = [("User-Agent", "analytics-python/2.4.0")];
    for _ in 0..3 {
        assert_eq!(server.send("GET", &path, &from, b"").status, 401);
    }
    let counted =
        eventually(|| refused(&db).into_iter().find(|entry| entry.requests == 3)).unwrap();
    assert_eq!((&*counted.code, &*counted.path), ("invalid_write_key", "/v1/projects/…/settings"));
    assert_eq!(counted.key_start.as_deref(), Some("wk_01234567"));
    assert_eq!(counted.sender.as_deref(), Some("analytics-python/2.4.0"));
    // A flood of kinds fills neither memory nor table.
    for number in 0..300 {
        let agent = format!("flood/{number}");
        server.send("POST", "/v1/nothing", &[("User-Agent", &agent)], b"");
    }
    let flooded = eventually(|| (refused(&db).len() > 60).then_some(()));
    assert_eq!(flooded, Some(()));
    let all = refused(&db);
    assert!(all.len() <= 201, "200 without a key, and what came with one");
    assert!(all.iter().any(|entry| entry.key_start.is_some()), "a flood pushes out its own kind");
}

/// The real program, whose memory can be looked at.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn start(db: &Database) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_ripen"))
            .args(["serve", "--bind", &address.to_string()])
            .env("DATABASE_URL", db.url().expose())
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let program = Self { child, address };
        let up = eventually(|| send(address, "GET", "/healthz", &[], b"").ok());
        assert_eq!(up.map(|answer| answer.status), Some(200));
        program
    }

    /// The most memory it ever had, in MB.
    fn peak(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Many at once: each of these connections sends this and reads its answer.
fn storm(address: SocketAddr, connections: usize, request: &[u8]) -> Vec<u16> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| raw(address, request).map_or(0, |answer| answer.status)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn request(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{AUTHORIZED}{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_hostile_costs_memory_or_keeps_others_waiting() {
    let db = TestDb::new();
    source(&db);
    let program = Program::start(&db);
    let to = program.address;
    // The one picture that pages of others may show; all else is for our own.
    for (path, whose) in [
        ("/pixel/v1/track?writeKey=wk_test&anonymousId=a&event=Opened", "cross-origin"),
        ("/v1/nothing", "same-origin"),
        ("/login", "same-origin"),
    ] {
        let answer = send(to, "GET", path, &[], b"").unwrap();
        assert_eq!(answer.header("cross-origin-resource-policy"), Some(whose), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
    let before = program.peak();

    // 200 MB inflated each, 20 of them at once; a small one and one that is parsed off the server's threads.
    let bomb = gzip(&vec![b' '; 200 << 20]);
    assert!(bomb.len() > 32 * 1024);
    assert!(storm(to, 20, &request("", &bomb)).iter().all(|status| *status == 413));
    let small = gzip(&[b"{\"batch\":[", &*vec![b' '; 5_000_000], b"]}"].concat());
    assert!(small.len() < 32 * 1024);
    assert!(storm(to, 20, &request("", &small)).iter().all(|status| *status == 200));
    // 5 MB that inflate to nothing but depth; 5 MB of braces; a refused event per 3 bytes.
    for body in [b"[".repeat(5_000_000), b"{\"a\":".repeat(1_000_000), b"[[],".repeat(1_200_000)] {
        let body = gzip(&[b"{\"batch\":[".as_slice(), &body].concat());
        assert!(storm(to, 8, &request("", &body)).iter().all(|status| *status == 400));
    }
    // 9,000 refused events under a context of 32 KB: 288 MB, were it copied into each dead letter.
    let events = vec!["{}"; 9_000].join(",");
    let context = "x".repeat(32_000);
    let body =
        format!("{{\"context\":{{\"groupId\":\"w\",\"x\":\"{context}\"}},\"batch\":[{events}]}}");
    assert_eq!(storm(to, 2, &request("", body.as_bytes())), [200, 200]);
    let after = program.peak();
    assert!(after < before + 120, "from {before} MB to {after} MB");

    // 400 connections that only dribble; somebody else is served meanwhile.
    let dribbling: Vec<TcpStream> = (0..400)
        .map(|number| {
            let mut stream = TcpStream::connect(to).unwrap();
            let started = if number % 2 == 0 { "POST /v1/batch HT" } else { AUTHORIZED };
            stream.write_all(started.as_bytes()).unwrap();
            if number % 2 == 1 {
                stream.write_all(b"Content-Length: 4000000\r\n\r\n{").unwrap();
            }
            stream
        })
        .collect();
    let answer = send(to, "POST", "/v1/batch", &[BASIC], ONE.as_bytes()).unwrap();
    assert_eq!(answer.status, 200);
    // Heads that do not end are cut by the HTTP server itself.
    let mut first = &dribbling[0];
    first.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut said = Vec::new();
    let _reset = first.read_to_end(&mut said);
    assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 408"), "cut");
    let after = program.peak();
    assert!(after < before + 150, "from {before} MB to {after} MB");
}
