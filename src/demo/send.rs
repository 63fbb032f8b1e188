//! The way of any SDK: gzipped batches with a write key to `/v1/batch`.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::SecondsFormat;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;

use super::call::Call;
use crate::clock::Clock;
use crate::error::{Error, Result};

/// As Segment's Python SDK batches.
const BATCH: usize = 100;
/// A server that is busy says so and is asked again; a key opens some seconds after it was made.
const ATTEMPTS: u32 = 30;
const PAUSE: Duration = Duration::from_millis(500);

/// What came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Calls that the server committed.
    pub accepted: u64,
    /// Calls that it refused.
    pub rejected: u64,
}

impl Sent {
    /// Counts what came back from another sending, too.
    pub fn add(&mut self, other: Self) {
        self.accepted = self.accepted.saturating_add(other.accepted);
        self.rejected = self.rejected.saturating_add(other.rejected);
    }
}

#[derive(Deserialize)]
struct Answer {
    accepted: u64,
    #[serde(default)]
    rejected: Vec<serde::de::IgnoredAny>,
}

/// A client of one server.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    authorization: String,
}

impl Client {
    /// A client that sends with this key.
    #[must_use]
    pub fn new(address: SocketAddr, key: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .new_agent();
        let authorization = format!("Basic {}", STANDARD.encode(format!("{key}:")));
        Self { agent, base: format!("http://{}", reachable(address)), authorization }
    }

    /// Whether the server answers.
    #[must_use]
    pub fn is_up(&self) -> bool {
        let answer = self.agent.get(format!("{}/healthz", self.base)).call();
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Sends calls in their order; `tell` hears how many are through.
    ///
    /// # Errors
    /// When the server refuses a whole batch or stays away.
    pub fn send(&self, calls: &[Call], clock: &Clock, mut tell: impl FnMut(usize)) -> Result<Sent> {
        let mut sent = Sent::default();
        for batch in calls.chunks(BATCH) {
            let answer = self.batch(batch, clock)?;
            sent.accepted += answer.accepted;
            sent.rejected += u64::try_from(answer.rejected.len()).unwrap_or_default();
            tell(batch.len());
        }
        Ok(sent)
    }

    /// Posts one signed body; the answer's status. A server that is busy is asked again.
    ///
    /// # Errors
    /// When the server stays away.
    pub fn post(&self, path: &str, signature: (&str, &str), body: &str) -> Result<u16> {
        let mut trouble = String::new();
        for _ in 0..ATTEMPTS {
            let answer = self
                .agent
                .post(format!("{}{path}", self.base))
                .header(signature.0, signature.1)
                .header("content-type", "application/json")
                .send(body);
            match answer {
                Ok(answer) if matches!(answer.status().as_u16(), 429 | 500..=599) => {
                    trouble = format!("the server answered {}", answer.status());
                }
                Ok(answer) => return Ok(answer.status().as_u16()),
                Err(error) => trouble = error.to_string(),
            }
            std::thread::sleep(PAUSE);
        }
        Err(Error::Internal(format!("the webhook could not be delivered: {trouble}")))
    }

    fn batch(&self, batch: &[Call], clock: &Clock) -> Result<Answer> {
        let items: Vec<&str> = batch.iter().map(|call| call.text.as_str()).collect();
        let mut trouble = String::new();
        for _ in 0..ATTEMPTS {
            let sent_at = clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
            let body = format!("{{\"batch\":[{}],\"sentAt\":\"{sent_at}\"}}", items.join(","));
            let answer = self
                .agent
                .post(format!("{}/v1/batch", self.base))
                .header("authorization", &self.authorization)
                .header("content-type", "application/json")
                .header("content-encoding", "gzip")
                .send(&zip(&body)?[..]);
            match answer {
                Ok(mut answer) if answer.status().is_success() => {
                    let text = answer.body_mut().read_to_string().map_err(Error::internal)?;
                    return serde_json::from_str(&text).map_err(Error::internal);
                }
                Ok(answer) if matches!(answer.status().as_u16(), 401 | 429 | 500..=599) => {
                    trouble = format!("the server answered {}", answer.status());
                }
                Ok(mut answer) => {
                    let text = answer.body_mut().read_to_string().unwrap_or_default();
                    return Err(Error::Internal(format!(
                        "the server answered {}: {text}",
                        answer.status()
                    )));
                }
                Err(error) => trouble = error.to_string(),
            }
            std::thread::sleep(PAUSE);
        }
        Err(Error::Internal(format!("the events could not be sent: {trouble}")))
    }
}

fn zip(text: &str) -> Result<Vec<u8>> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text.as_bytes()).and_then(|()| out.finish()).map_err(Error::internal)
}

/// A server that listens everywhere is reached at home.
#[must_use]
pub fn reachable(bind: SocketAddr) -> SocketAddr {
    let mut address = bind;
    if bind.ip().is_unspecified() {
        address.set_ip(match bind {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
