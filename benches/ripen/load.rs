//! Load: events as a product sends them, over many connections, as fast as they are answered or paced.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::client::Client;
use crate::place::Process;

pub const BATCH: u64 = 100;
const WORKSPACES: u64 = 2_000;
const DAYS: u64 = 30;

/// A stream of ordinary events: of 20,000 people in 2,000 workspaces, on one of thirty days, one of
/// seven a key event. No event is like another, and no order helps anybody.
pub struct Events {
    next: AtomicU64,
    days: Vec<String>,
}

impl Events {
    pub fn new(now: DateTime<Utc>) -> Self {
        let days = (0..DAYS)
            .map(|day| {
                let day = now - TimeDelta::days(i64::try_from(day + 1).unwrap_or(0));
                day.format("%Y-%m-%d").to_string()
            })
            .collect();
        Self { next: AtomicU64::new(1_000), days }
    }

    /// A body for `/v1/batch`.
    pub fn body(&self, size: u64) -> String {
        let first = self.next.fetch_add(size, Ordering::Relaxed);
        let mut text = String::with_capacity(usize::try_from(size).unwrap_or(0) * 300);
        text.push_str("{\"batch\":[");
        for number in first..first + size {
            if number > first {
                text.push(',');
            }
            self.event(number, &mut text);
        }
        text.push_str("]}");
        text
    }

    /// A body for `/v1/track`.
    pub fn single(&self) -> String {
        let mut text = String::with_capacity(300);
        self.event(self.next.fetch_add(1, Ordering::Relaxed), &mut text);
        text
    }

    fn event(&self, number: u64, text: &mut String) {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 17;
        let workspace = mixed % WORKSPACES;
        let user = workspace * 10 + (mixed >> 11) % 10;
        let name = if number.is_multiple_of(7) { "core_feature_used" } else { "Item Viewed" };
        let second = (mixed >> 3) % (DAYS * 86_400);
        let day = &self.days[usize::try_from(second / 86_400).unwrap_or(0)];
        let (hour, minute) = (second / 3_600 % 24, second / 60 % 60);
        write!(
            text,
            "{{\"type\":\"track\",\"event\":\"{name}\",\"userId\":\"u{user}\",\"messageId\":\"bench-{number}\",\
             \"timestamp\":\"{day}T{hour:02}:{minute:02}:{:02}.{:03}Z\",\
             \"properties\":{{\"feature\":\"boards\",\"path\":\"/projects/{mixed}\"}},\
             \"context\":{{\"groupId\":\"w{workspace}\",\"library\":{{\"name\":\"bench\",\"version\":\"1\"}}}}}}",
            second % 60,
            mixed % 1_000,
        )
        .expect("a string");
    }
}

/// What became of a load.
pub struct Load {
    pub events: u64,
    pub took: Duration,
    /// Of each acknowledged request, sorted: from when it was due to its answer.
    pub times: Vec<Duration>,
    /// Requests that were asked to come again.
    pub refused: u64,
}

/// How a load is put on.
#[derive(Clone, Copy)]
pub struct Manner {
    pub connections: u32,
    /// Events of a request; of one, `/v1/track` is asked.
    pub size: u64,
    /// Events a second, all connections together; none: as fast as they are answered.
    pub pace: Option<f64>,
    pub lasts: Duration,
}

pub fn put_on(server: &Process, head: &str, events: &Events, manner: Manner) -> Load {
    let (stop, acknowledged, refused) =
        (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let gap = manner.pace.map(|pace| {
        Duration::from_secs_f64(f64::from(manner.connections) * manner.size as f64 / pace)
    });
    let started = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..manner.connections)
            .map(|number| {
                let (stop, acknowledged, refused) = (&stop, &acknowledged, &refused);
                scope.spawn(move || {
                    let mut client = Client::new(server.address, head);
                    let mut times = Vec::new();
                    // Connections take turns; who is late is late, and counts as that.
                    let mut due = started
                        + gap.map_or(Duration::ZERO, |gap| gap * number / manner.connections);
                    while !stop.load(Ordering::Relaxed) {
                        match gap {
                            Some(gap) => {
                                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                                due += gap;
                            }
                            None => due = Instant::now(),
                        }
                        let (path, body) = match manner.size {
                            1 => ("/v1/track", events.single()),
                            size => ("/v1/batch", events.body(size)),
                        };
                        let asked = gap.map_or_else(Instant::now, |gap| due - gap);
                        match client.send("POST", path, body.as_bytes()).0 {
                            200 => {
                                acknowledged.fetch_add(manner.size, Ordering::Relaxed);
                                times.push(asked.elapsed());
                            }
                            429 | 503 => {
                                refused.fetch_add(1, Ordering::Relaxed);
                                std::thread::sleep(Duration::from_millis(50));
                            }
                            other => panic!("the server answered {other}"),
                        }
                    }
                    times
                })
            })
            .collect();
        std::thread::sleep(manner.lasts);
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().flat_map(|thread| thread.join().expect("a client")).collect()
    });
    let took = started.elapsed();
    times.sort_unstable();
    Load { events: acknowledged.into_inner(), took, times, refused: refused.into_inner() }
}
