//! Clients that send and keep a ledger of what they were told.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::schedule::Seed;
use crate::serve::KEY;

/// Events a request.
const BATCH: usize = 8;
/// What a patient client waits before it sends the same again.
const PAUSE: Duration = Duration::from_millis(10);

/// What the clients know.
#[derive(Default)]
pub struct Ledger {
    /// Ids that were answered 200.
    pub acknowledged: BTreeSet<String>,
    /// Ids of requests that failed at least once: they may be there several times, or not at all.
    pub uncertain: BTreeSet<String>,
    /// How often each status was answered; 0 for a connection that broke.
    pub answers: BTreeMap<u16, usize>,
    /// Answers that no client should ever get.
    pub complaints: Vec<String>,
}

/// Clients at work.
pub struct Clients {
    pub ledger: Arc<Mutex<Ledger>>,
    acks: Arc<(Mutex<usize>, Condvar)>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Clients {
    /// `patient` ones that send a request until it is acknowledged, and one that cuts its
    /// connections in the middle of a body or before the answer and never asks again.
    pub fn start(patient: usize, address: SocketAddr, seed: &Seed) -> Self {
        let mut clients = Self {
            ledger: Arc::default(),
            acks: Arc::default(),
            stop: Arc::default(),
            threads: Vec::new(),
        };
        for name in 0..patient {
            let (ledger, acks, stop) = clients.shared();
            let random = seed.random(100 + name as u64);
            clients.threads.push(std::thread::spawn(move || {
                be_patient(name, address, random, &ledger, &acks, &stop);
            }));
        }
        let (ledger, _, stop) = clients.shared();
        let random = seed.random(99);
        clients.threads.push(std::thread::spawn(move || be_rude(address, random, &ledger, &stop)));
        clients
    }

    #[allow(clippy::type_complexity, reason = "three handles of one thing")]
    fn shared(&self) -> (Arc<Mutex<Ledger>>, Arc<(Mutex<usize>, Condvar)>, Arc<AtomicBool>) {
        (Arc::clone(&self.ledger), Arc::clone(&self.acks), Arc::clone(&self.stop))
    }

    /// Waits until so many more requests are acknowledged.
    pub fn wait_for(&self, more: usize) {
        let acks = self.acks.0.lock().unwrap();
        let goal = *acks + more;
        let limit = Duration::from_secs(60);
        let (acks, late) =
            self.acks.1.wait_timeout_while(acks, limit, |acks| *acks < goal).unwrap();
        let answers = self.ledger.lock().unwrap().answers.clone();
        assert!(!late.timed_out(), "clients are served: {} of {goal}, {answers:?}", *acks);
    }

    /// Lets every client finish the request at hand; their ledger.
    pub fn finish(mut self) -> Ledger {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
        std::mem::take(&mut *self.ledger.lock().unwrap())
    }
}

fn be_patient(
    name: usize,
    address: SocketAddr,
    mut random: StdRng,
    ledger: &Mutex<Ledger>,
    acks: &(Mutex<usize>, Condvar),
    stop: &AtomicBool,
) {
    for number in 0.. {
        let (ids, body) = request(&format!("c{name}-{number}"), &mut random);
        while !attempt(address, &body, &ids, ledger) {
            std::thread::sleep(PAUSE);
        }
        ledger.lock().unwrap().acknowledged.extend(ids);
        *acks.0.lock().unwrap() += 1;
        acks.1.notify_all();
        if stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

/// Sends once; whether it was acknowledged.
fn attempt(address: SocketAddr, body: &[u8], ids: &[String], ledger: &Mutex<Ledger>) -> bool {
    let answer = send(address, body);
    let mut ledger = ledger.lock().unwrap();
    let status = answer.as_ref().map_or(0, |answer| answer.status);
    *ledger.answers.entry(status).or_default() += 1;
    match answer {
        Ok(answer) if answer.status == 200 => return true,
        Ok(answer) if matches!(answer.status, 429 | 503) => {
            if !answer.head.to_lowercase().contains("\nretry-after: ") {
                ledger.complaints.push(format!("no Retry-After: {}", answer.head));
            }
        }
        Ok(answer) => ledger.complaints.push(format!("{} {}", answer.head, answer.body)),
        Err(_) => {}
    }
    ledger.uncertain.extend(ids.iter().cloned());
    false
}

fn be_rude(address: SocketAddr, mut random: StdRng, ledger: &Mutex<Ledger>, stop: &AtomicBool) {
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let (ids, body) = request(&format!("rude-{number}"), &mut random);
        ledger.lock().unwrap().uncertain.extend(ids);
        // Everything at times: the server commits for somebody who does not listen.
        let cut =
            if random.random_bool(0.4) { body.len() } else { random.random_range(0..body.len()) };
        if let Ok(mut stream) = TcpStream::connect(address) {
            let _ = stream.write_all(&head(body.len()));
            let _ = stream.write_all(&body[..cut]);
        }
        std::thread::sleep(PAUSE);
    }
}

pub struct Answer {
    pub status: u16,
    head: String,
    body: String,
}

impl Answer {
    /// After how many seconds the server asks to be asked again.
    pub fn retry_after(&self) -> Option<u64> {
        let head = self.head.to_lowercase();
        head.split("\nretry-after: ").nth(1)?.split_whitespace().next()?.parse().ok()
    }
}

fn head(length: usize) -> Vec<u8> {
    format!(
        "POST /v1/batch HTTP/1.1\r\nHost: chaos\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

/// One request on a connection of its own, read to its end.
pub fn send(address: SocketAddr, body: &[u8]) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(&head(body.len()))?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let cut = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut)?;
    let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

/// The status of a page.
pub fn get(address: SocketAddr, path: &str) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let head = String::from_utf8_lossy(&bytes);
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    status.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
}

/// A request of events of all kinds; their ids.
/// The body of a request and the ids of its events.
pub fn request(prefix: &str, random: &mut StdRng) -> (Vec<String>, Vec<u8>) {
    let many = if random.random_bool(0.3) { 1 } else { BATCH };
    let ids: Vec<String> = (0..many).map(|event| format!("{prefix}-{event}")).collect();
    let events: Vec<Value> = ids.iter().map(|id| event(id, random)).collect();
    (ids, json!({ "writeKey": KEY, "batch": events }).to_string().into_bytes())
}

const PLANS: [&str; 3] = ["trial", "pro", "free"];
const NAMES: [&str; 7] = [
    "core_feature_used",
    "Data Imported",
    "upgrade_click",
    "Invite Sent",
    "invite_accepted",
    "pricing_page_view",
    "Something Unheard Of",
];

/// An event of any kind.
pub fn event(id: &str, random: &mut StdRng) -> Value {
    let user = format!("u{}", random.random_range(0..12));
    let visitor = format!("a{}", random.random_range(0..12));
    let workspace = format!("w{}", random.random_range(0..5));
    let at = format!(
        "2026-11-{:02}T{:02}:{:02}:{:02}Z",
        random.random_range(1..20),
        random.random_range(0..24),
        random.random_range(0..60),
        random.random_range(0..60)
    );
    let mut event = json!({ "messageId": id, "timestamp": at });
    let more = match random.random_range(0..20) {
        0 => json!({"type": "identify", "userId": user, "anonymousId": visitor, "traits": {
            "email": format!("{user}@acme{}.com", random.random_range(0..3)), "title": "CTO"}}),
        1 => json!({"type": "alias", "userId": user, "previousId": visitor}),
        2 => json!({"type": "group", "userId": user, "groupId": workspace, "traits": {
            "plan": PLANS[random.random_range(0..3)], "mrr": random.random_range(0..900)}}),
        3 => json!({"type": "page", "anonymousId": visitor, "name": "Pricing"}),
        // Of nobody: the drainer refuses it.
        4 => json!({"type": "track", "userId": "null", "event": "login"}),
        n => {
            let name = NAMES[random.random_range(0..NAMES.len())];
            let properties = json!({"feature": "Boards", "records": random.random_range(0..50)});
            let mut track = json!({"type": "track", "event": name, "properties": properties});
            let who = if n < 8 { ("anonymousId", visitor) } else { ("userId", user) };
            track[who.0] = who.1.into();
            if n > 9 {
                track["context"] = json!({ "groupId": workspace });
            }
            track
        }
    };
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}
