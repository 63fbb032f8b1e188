//! A server that only receives, on a port of its own, and a client that sends exactly what it is told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use diesel::prelude::*;
use ripen::clock::Clock;
use ripen::db::{Database, Pool};
use ripen::ids::SourceId;
use ripen::ingest::message::Message;
use ripen::ingest::receive::{self, Intake};
use ripen::ingest::writer::{Limits, Writer};
use ripen::ingest::{journal, payload};
use ripen::schema;
use ripen::sources::key::KeyHash;
use ripen::sources::keyring::KeyRing;
use ripen::team::audit::Actor;
use ripen::{error, sources};
use serde_json::Value;

/// The write key of the captures.
pub const KEY: &str = "wk_test";
/// [`KEY`] in HTTP Basic.
pub const BASIC: (&str, &str) = ("Authorization", "Basic d2tfdGVzdDo=");

/// How a test's server differs from a real one.
pub struct Setup {
    pub limits: Limits,
    pub deadline: Duration,
    /// The address that the operator named.
    pub public: Option<&'static str>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { limits: Limits::default(), deadline: Duration::from_secs(30), public: None }
    }
}

/// A running server; it stops when dropped.
pub struct Server {
    pub address: SocketAddr,
    handle: ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    pub fn start(database: &Database) -> Self {
        Self::start_with(database, &Setup::default())
    }

    pub fn start_with(database: &Database, setup: &Setup) -> Self {
        let writer = Writer::start(database.clone(), Clock::system(), setup.limits, || ()).unwrap();
        let keys = Arc::new(KeyRing::new(database.clone(), Clock::system()));
        let intake = Intake::new(database.clone(), Clock::system(), keys, writer).unwrap();
        let intake = intake.with_deadline(setup.deadline);
        let intake = match setup.public {
            Some(public) => intake.reached_at(&public.parse().unwrap()),
            None => intake,
        };
        let intake = web::Data::new(intake);
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    App::new()
                        .app_data(intake.clone())
                        .configure(receive::routes)
                        .configure(receive::astray)
                };
                let server = HttpServer::new(app)
                    .workers(1)
                    .disable_signals()
                    .bind(("127.0.0.1", 0))
                    .unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                tell.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = told.recv().unwrap();
        Self { address, handle, thread: Some(thread) }
    }

    /// Sends a request and reads its answer.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        send(self.address, method, path, headers, body).unwrap()
    }

    /// Posts JSON with [`KEY`].
    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, &[BASIC, ("Content-Type", "application/json")], body.as_bytes())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

/// An answer as it came over the wire.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// What every refusal must be: both keys, and readable by a page of another origin.
    pub fn assert_refused(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json()["code"], code);
        assert!(!self.json()["message"].as_str().unwrap().is_empty());
        assert_eq!(self.header("access-control-allow-origin"), Some("*"));
    }
}

pub fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if method == "POST" {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    // A server may answer and hang up before it has read everything.
    let _ = stream.write_all(body);
    read_answer(&mut stream)
}

pub fn read_answer(stream: &mut TcpStream) -> std::io::Result<Answer> {
    let broken = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let mut lines = head.lines();
            let status =
                lines.next().and_then(|line| line.get(9..12)?.parse().ok()).ok_or_else(broken)?;
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect();
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
            let body = &bytes[end + 4..];
            if body.len() >= length {
                let body = String::from_utf8_lossy(&body[..length]).into_owned();
                return Ok(Answer { status, headers, body });
            }
        }
        match stream.read(&mut chunk)? {
            0 => return Err(broken()),
            read => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

/// A source whose write key is [`KEY`].
pub fn source(database: &Database) -> SourceId {
    let made: error::Result<SourceId> = database.tx(Pool::Work, |conn| {
        let at = Clock::system().now();
        let source = sources::ops::create_source(conn, &Actor::system(), "Web", "test", at)?;
        diesel::insert_into(schema::write_keys::table)
            .values((
                schema::write_keys::id.eq(uuid::Uuid::now_v7()),
                schema::write_keys::source_id.eq(source.id),
                schema::write_keys::prefix.eq(KEY),
                schema::write_keys::key_hash.eq(KeyHash::of(KEY).0.as_slice()),
                schema::write_keys::created_at.eq(at),
            ))
            .execute(conn)?;
        Ok(source.id)
    });
    made.unwrap()
}

/// Every message in the journal, in its order.
pub fn journal(database: &Database) -> Vec<Message<'static>> {
    let payloads: error::Result<Vec<Vec<u8>>> = database.read(Pool::Work, |conn| {
        Ok(schema::journal::table
            .order(schema::journal::id)
            .select(schema::journal::payload)
            .load(conn)?)
    });
    let lines: Vec<Vec<u8>> =
        payloads.unwrap().iter().map(|payload| payload::inflate(payload).unwrap()).collect();
    lines.iter().flat_map(|lines| journal::read(lines).unwrap()).map(Message::into_owned).collect()
}

/// The codes of the dead letters, in the order of receipt.
pub fn dead_letters(database: &Database) -> Vec<String> {
    let codes: error::Result<Vec<String>> = database.read(Pool::Work, |conn| {
        Ok(schema::dead_letters::table
            .order(schema::dead_letters::id)
            .select(schema::dead_letters::code)
            .load(conn)?)
    });
    codes.unwrap()
}
