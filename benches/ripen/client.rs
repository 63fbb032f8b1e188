//! A client that costs little: HTTP/1.1 over one kept connection, answers read to their end.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    head: String,
}

impl Client {
    /// `head` holds further header lines, each with its line end.
    pub fn new(address: SocketAddr, head: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");
        Self {
            stream,
            buffer: Vec::with_capacity(64 * 1024),
            head: format!("Host: {address}\r\n{head}"),
        }
    }

    /// Sends a request; the status and the length of the body.
    pub fn send(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, usize) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n",
            self.head,
            body.len()
        );
        let mut request = head.into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request).expect("the server reads");
        self.answer()
    }

    /// The body of the last answer begins after the head; only its length matters here.
    fn answer(&mut self) -> (u16, usize) {
        self.buffer.clear();
        let head_ends = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.more();
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_ends]).to_lowercase();
        let status: u16 =
            head.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a status");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|text| text.trim().parse::<usize>().ok());
        match length {
            Some(length) => {
                while self.buffer.len() < head_ends + length {
                    self.more();
                }
                (status, length)
            }
            None => {
                while !self.buffer.ends_with(b"0\r\n\r\n") {
                    self.more();
                }
                (status, self.buffer.len() - head_ends)
            }
        }
    }

    fn more(&mut self) {
        let mut chunk = [0; 16 * 1024];
        let read = self.stream.read(&mut chunk).expect("the server answers");
        assert!(read > 0, "the server hung up");
        self.buffer.extend_from_slice(&chunk[..read]);
    }
}
