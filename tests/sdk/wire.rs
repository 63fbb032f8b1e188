//! The wire between an SDK and Ripen, which the test holds in its hand: it counts requests, answers some
//! of them itself, and lets answers get lost.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A request as it came, and what became of it.
#[derive(Clone, Debug)]
pub struct Request {
    pub at: Instant,
    pub method: String,
    bytes: Vec<u8>,
    /// Of the answer that the SDK got; none when it was lost.
    pub status: Option<u16>,
}

impl Request {
    /// The same with another write key in its Authorization header.
    pub fn with_key(&self, key: &str) -> Self {
        let end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let (head, body) = self.bytes.split_at(end);
        let basic = STANDARD.encode(format!("{key}:"));
        let lines = String::from_utf8_lossy(head).into_owned();
        let lines: Vec<String> = lines
            .split("\r\n")
            .map(|line| match line.to_ascii_lowercase().starts_with("authorization:") {
                true => format!("Authorization: Basic {basic}"),
                false => line.to_owned(),
            })
            .collect();
        Self { bytes: [lines.join("\r\n").as_bytes(), body].concat(), ..self.clone() }
    }

    /// What the server at this address answers.
    pub fn forward(&self, to: SocketAddr) -> Vec<u8> {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(&self.bytes).unwrap();
        read_message(&mut stream).expect("an answer")
    }
}

/// The wire; it ends with the test.
pub struct Wire {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Wire {
    /// `answer` gets each POST with its number, from 0: bytes to answer with, or none to let the answer
    /// get lost with its connection. One request at a time.
    pub fn new(
        to: SocketAddr,
        answer: impl FnMut(usize, &Request) -> Option<Vec<u8>> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(Mutex::new(answer)));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, to, &seen, &answer));
            }
        });
        Self { address, requests }
    }

    /// Every POST so far.
    pub fn posts(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn serve<F>(mut stream: TcpStream, to: SocketAddr, seen: &Mutex<Vec<Request>>, answer: &Mutex<F>)
where
    F: FnMut(usize, &Request) -> Option<Vec<u8>>,
{
    while let Some(bytes) = read_message(&mut stream) {
        let line = String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned();
        let method = line.split(' ').next().unwrap_or_default().to_owned();
        let mut request = Request { at: Instant::now(), method, bytes, status: None };
        if request.method != "POST" {
            let answer = request.forward(to);
            if stream.write_all(&answer).is_err() {
                return;
            }
            continue;
        }
        let mut decide = answer.lock().unwrap();
        let number = seen.lock().unwrap().len();
        let answer = decide(number, &request);
        request.status = answer.as_deref().map(status);
        seen.lock().unwrap().push(request);
        drop(decide);
        match answer {
            Some(answer) if stream.write_all(&answer).is_ok() => {}
            _ => return,
        }
    }
}

fn status(answer: &[u8]) -> u16 {
    let line = String::from_utf8_lossy(answer.get(..12).unwrap_or_default()).into_owned();
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap()
}

/// A request or an answer with its body; none at the end of the stream.
fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 16 * 1024]);
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            assert!(!head.contains("transfer-encoding"), "no SDK sends chunks: {head}");
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map_or(0, |length| length.trim().parse::<usize>().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(bytes);
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}
