//! Events in: acknowledged durably, and projected, beside what PostgreSQL does with the same rows.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::client::Client;
use crate::place::{Place, Process};
use crate::raw;
use crate::table::{Table, millis, per_second, percentile, rate, ratio, thousands};

const LASTS: Duration = Duration::from_secs(8);
const BATCH: u64 = 100;
const WORKSPACES: u64 = 2_000;

pub fn run() {
    let place = Place::new();
    let mut table = Table::new();
    let now = place.clock.now();

    let sample = body(&AtomicU64::new(0), BATCH, now);
    let raw_journal: Vec<(usize, f64)> = [1, 4, 8]
        .into_iter()
        .map(|clients| {
            (clients, raw::journal_inserts(&place, &sample, clients, Duration::from_secs(3)))
        })
        .collect();
    for (clients, events) in &raw_journal {
        table.row(
            &format!("raw: journal rows of 100 by SQL, {clients} clients"),
            format!("{}/s", thousands(*events as u64)),
            "",
        );
    }
    let best = raw_journal.iter().map(|(_, events)| *events).fold(0.0, f64::max);

    let key = place.key();
    let server = Process::start(&place);
    let head = format!(
        "Authorization: Basic {}\r\nContent-Type: application/json\r\n",
        STANDARD.encode(format!("{key}:"))
    );
    await_key(&server, &head);
    let before = accepted(&place);
    let started = Instant::now();
    let batches = load(&server, &head, 8, BATCH, "/v1/batch", now);
    let acknowledged = batches.events;
    table.row(
        "batches of 100, 8 connections, acknowledged",
        per_second(acknowledged, batches.took),
        format!("{} of the best raw journal", ratio(rate(acknowledged, batches.took), best)),
    );
    table.row(
        "  answer p50, p99",
        format!(
            "{}, {}",
            millis(percentile(&batches.times, 50)),
            millis(percentile(&batches.times, 99))
        ),
        "",
    );
    let pending = pending(&place);
    let rest = Instant::now();
    await_drained(&place);
    let drain_only = rest.elapsed();
    let whole = started.elapsed();
    table.row(
        "from the first request to the last projection",
        per_second(acknowledged, whole),
        format!("{} waited when the load ended", thousands(pending)),
    );
    if pending > 10_000 {
        table.row("drained with nothing else to do", per_second(pending, drain_only), "");
    }
    table.row("memory of the server after it", format!("{} MB", server.megabytes()), "");
    assert_eq!(accepted(&place) - before, acknowledged, "what was acknowledged is what is counted");
    let seen = u64::try_from(place.number("select count(*) from seen_messages")).unwrap_or(0);
    let single = load(&server, &head, 128, 1, "/v1/track", now);
    table.row(
        "single events, 128 connections, acknowledged",
        per_second(single.events, single.took),
        "",
    );
    table.row(
        "  answer p50, p99",
        format!(
            "{}, {}",
            millis(percentile(&single.times, 50)),
            millis(percentile(&single.times, 99))
        ),
        "",
    );
    await_drained(&place);
    drop(server);

    let all = u64::try_from(place.number("select count(*) from seen_messages")).unwrap_or(0);
    let raw_copy = raw::copy_back(&place);
    table.row(
        "raw: COPY of the same rows into the same tables",
        per_second(all, raw_copy),
        format!("the drainer does {} of it", ratio(rate(seen, whole), rate(all, raw_copy))),
    );
    table.print("Ingestion", &place.machine());
}

struct Load {
    events: u64,
    took: Duration,
    times: Vec<Duration>,
}

fn load(
    server: &Process,
    head: &str,
    connections: usize,
    size: u64,
    path: &str,
    now: DateTime<Utc>,
) -> Load {
    // Ids go on from where the load before ended.
    static NEXT: AtomicU64 = AtomicU64::new(1_000);
    let (stop, events) = (AtomicBool::new(false), AtomicU64::new(0));
    let started = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = Client::new(server.address, head);
                    let mut times = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let body = if size == 1 {
                            event(NEXT.fetch_add(1, Ordering::Relaxed), now)
                        } else {
                            body(&NEXT, size, now)
                        };
                        let asked = Instant::now();
                        let (status, _) = client.send("POST", path, body.as_bytes());
                        match status {
                            200 => {
                                events.fetch_add(size, Ordering::Relaxed);
                                times.push(asked.elapsed());
                            }
                            429 | 503 => std::thread::sleep(Duration::from_millis(50)),
                            other => panic!("the server answered {other}"),
                        }
                    }
                    times
                })
            })
            .collect();
        std::thread::sleep(LASTS);
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().flat_map(|thread| thread.join().expect("a client")).collect()
    });
    let took = started.elapsed();
    times.sort_unstable();
    Load { events: events.into_inner(), took, times }
}

fn body(next: &AtomicU64, size: u64, now: DateTime<Utc>) -> String {
    let first = next.fetch_add(size, Ordering::Relaxed);
    let mut text = String::with_capacity(usize::try_from(size).unwrap_or(0) * 280);
    text.push_str("{\"batch\":[");
    for number in first..first + size {
        if number > first {
            text.push(',');
        }
        text.push_str(&event(number, now));
    }
    text.push_str("]}");
    text
}

/// An ordinary event: of 20,000 people in 2,000 workspaces, on one of thirty days, one of seven a key
/// event.
fn event(number: u64, now: DateTime<Utc>) -> String {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 17;
    let workspace = mixed % WORKSPACES;
    let user = workspace * 10 + (mixed >> 11) % 10;
    let name = if number.is_multiple_of(7) { "core_feature_used" } else { "Item Viewed" };
    let at = now - TimeDelta::seconds(i64::try_from((mixed >> 3) % (30 * 86_400)).unwrap_or(0));
    let mut text = String::new();
    write!(
        text,
        "{{\"type\":\"track\",\"event\":\"{name}\",\"userId\":\"u{user}\",\"messageId\":\"bench-{number}\",\
         \"timestamp\":\"{}\",\"properties\":{{\"feature\":\"boards\",\"path\":\"/projects/{mixed}\"}},\
         \"context\":{{\"groupId\":\"w{workspace}\",\"library\":{{\"name\":\"bench\",\"version\":\"1\"}}}}}}",
        at.to_rfc3339_opts(SecondsFormat::Millis, true)
    )
    .expect("a string");
    text
}

/// A new key opens within seconds.
fn await_key(server: &Process, head: &str) {
    let started = Instant::now();
    let mut client = Client::new(server.address, head);
    while client.send("POST", "/v1/batch", b"{\"batch\":[]}").0 != 200 {
        assert!(started.elapsed() < Duration::from_secs(20), "the key does not open");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn accepted(place: &Place) -> u64 {
    let sum = place.number("select coalesce(sum(accepted), 0)::bigint from ingest_minutes");
    u64::try_from(sum).unwrap_or(0)
}

fn pending(place: &Place) -> u64 {
    let sum = place.number("select coalesce(sum(events), 0)::bigint from journal_pending");
    u64::try_from(sum).unwrap_or(0)
}

fn await_drained(place: &Place) {
    let started = Instant::now();
    while pending(place) > 0 {
        assert!(started.elapsed() < Duration::from_secs(900), "the journal is not drained");
        std::thread::sleep(Duration::from_millis(50));
    }
}
