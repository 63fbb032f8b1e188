//! Events in: acknowledged durably, projected and scored, beside what PostgreSQL does with the same
//! rows, and what becomes of pages meanwhile. About three minutes.
//!
//! The processor times printed say what the limit is: a million single events, drained and scored,
//! fill both cores, half of it in the server and half in PostgreSQL; draining is bound by PostgreSQL's
//! inserts into indexes, so that the same rows by COPY are the measure.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ripen::ids::WorkspaceId;

use crate::client::Client;
use crate::load::{BATCH, Events, Load, Manner, put_on};
use crate::place::{Cpu, Place, Process};
use crate::table::{Table, millis, per_second, percentile, rate, ratio, thousands};
use crate::{pages, raw};

const LASTS: Duration = Duration::from_secs(8);

pub fn run() {
    let place = Place::new();
    let mut table = Table::new();
    let events = Events::new(place.clock.now());

    let sample = events.body(BATCH);
    let mut best = 0.0_f64;
    for clients in [1, 4, 8] {
        let reached = raw::journal_inserts(&place, &sample, clients, Duration::from_secs(2));
        best = best.max(reached);
        table.row(
            &format!("raw: journal rows of 100 by SQL, {clients} clients"),
            format!("{}/s", thousands(reached as u64)),
            "",
        );
    }

    let key = place.key();
    let cookie = pages::signed_in(&place);
    let server = Process::start(&place);
    let head = format!(
        "Authorization: Basic {}\r\nContent-Type: application/json\r\n",
        STANDARD.encode(format!("{key}:"))
    );
    await_key(&server, &head);
    let bench = Bench { place: &place, server: &server, head: &head, events: &events };

    let drained = bench.batches(&mut table, best);
    bench.singles(&mut table);
    bench.half(&mut table);
    bench.scores(&mut table);
    bench.pages(&mut table, &cookie);
    table.row("memory of the server after all that", format!("{} MB", server.megabytes()), "");
    drop(server);

    let all = u64::try_from(place.number("select count(*) from seen_messages")).unwrap_or(0);
    let copying = place.cpu();
    let took = raw::copy_back(&place);
    table.row(
        "raw: COPY of the same rows into the same tables",
        per_second(all, took),
        format!("{} of PostgreSQL a million events", seconds(copying.since(), all)),
    );
    for (what, drained) in drained {
        table.row(what, ratio(drained, rate(all, took)), "");
    }
    table.print("Ingestion", &place.machine());
}

struct Bench<'a> {
    place: &'a Place,
    server: &'a Process,
    head: &'a str,
    events: &'a Events,
}

impl Bench<'_> {
    fn load(&self, connections: u32, size: u64, pace: Option<f64>, lasts: Duration) -> Load {
        put_on(self.server, self.head, self.events, Manner { connections, size, pace, lasts })
    }

    /// Answers with rates of draining, to be set beside COPY.
    fn batches(&self, table: &mut Table, best: f64) -> Vec<(&'static str, f64)> {
        let before = accepted(self.place);
        let (server, postgres) = (self.server.cpu(), self.place.cpu());
        let started = Instant::now();
        let load = self.load(8, BATCH, None, LASTS);
        table.row(
            "batches of 100, 8 connections, acknowledged",
            per_second(load.events, load.took),
            format!("{} of the best raw journal", ratio(rate(load.events, load.took), best)),
        );
        answers(table, &load);
        let waiting = pending(self.place);
        let rest = Instant::now();
        await_drained(self.place);
        let (alone, whole) = (rest.elapsed(), started.elapsed());
        let mut drained = vec![("  of it: drained beside the load", rate(load.events, whole))];
        table.row(
            "from the first request to the last projection",
            per_second(load.events, whole),
            format!("{} waited when the load ended", thousands(waiting)),
        );
        if waiting > 100_000 {
            table.row(
                "drained once the load had ended",
                per_second(waiting, alone),
                "the scorer beside it",
            );
            drained.push(("  of it: drained once the load had ended", rate(waiting, alone)));
        }
        table.row(
            "  processor time a million events",
            format!("{} server", seconds(server.since(), load.events)),
            format!("{} PostgreSQL", seconds(postgres.since(), load.events)),
        );
        assert_eq!(accepted(self.place) - before, load.events, "what was acknowledged is counted");
        drained
    }

    fn singles(&self, table: &mut Table) {
        let (server, postgres, ours) =
            (self.server.cpu(), self.place.cpu(), Cpu::of_this_process());
        let load = self.load(128, 1, None, LASTS);
        table.row(
            "single events, 128 connections, acknowledged",
            per_second(load.events, load.took),
            "",
        );
        answers(table, &load);
        table.row(
            "  processor time a million events",
            format!("{} server", seconds(server.since(), load.events)),
            format!(
                "{} PostgreSQL, {} load",
                seconds(postgres.since(), load.events),
                seconds(ours.since(), load.events)
            ),
        );
        await_drained(self.place);
    }

    /// At half of the 20,000 a second that a machine like this is to take.
    fn half(&self, table: &mut Table) {
        let load = self.load(64, 1, Some(10_000.0), Duration::from_secs(8));
        table.row("single events at 10,000 a second", per_second(load.events, load.took), "");
        answers(table, &load);
        await_drained(self.place);
    }

    /// From sending an event to its workspace's score, while a thousand events come in a second.
    fn scores(&self, table: &mut Table) {
        await_scored(self.place);
        let lasts = Duration::from_secs(12);
        let mut times: Vec<Duration> = std::thread::scope(|scope| {
            let load = scope.spawn(|| self.load(4, 10, Some(1_000.0), lasts));
            let mut client = Client::new(self.server.address, self.head);
            let started = Instant::now();
            let mut times = Vec::new();
            for number in 0.. {
                if started.elapsed() + Duration::from_secs(2) > lasts {
                    break;
                }
                times.push(self.score_of(&mut client, &format!("probe-{number}")));
            }
            load.join().expect("a load");
            times
        });
        times.sort_unstable();
        table.row(
            "event to score at 1,000 events/s, p50, p95",
            format!("{}, {}", millis(percentile(&times, 50)), millis(percentile(&times, 95))),
            format!("{} workspaces, each new", times.len()),
        );
    }

    fn score_of(&self, client: &mut Client, workspace: &str) -> Duration {
        let event = format!(
            "{{\"event\":\"core_feature_used\",\"userId\":\"{workspace}\",\"messageId\":\"{workspace}\",\
             \"context\":{{\"groupId\":\"{workspace}\"}}}}"
        );
        let sent = Instant::now();
        assert_eq!(client.send("POST", "/v1/track", event.as_bytes()).0, 200);
        let id = WorkspaceId::of(workspace);
        let scored = format!("select count(*) from workspace_scores where workspace_id = '{id}'");
        while self.place.number(&scored) == 0 {
            assert!(sent.elapsed() < Duration::from_secs(60), "the event is not scored");
            std::thread::sleep(Duration::from_millis(10));
        }
        sent.elapsed()
    }

    /// The list of workspaces, alone and while as many batches come as can.
    fn pages(&self, table: &mut Table, cookie: &str) {
        let alone = self.page(cookie, Duration::from_secs(3));
        let beside = std::thread::scope(|scope| {
            let load = scope.spawn(|| self.load(8, BATCH, None, Duration::from_secs(6)));
            std::thread::sleep(Duration::from_secs(1));
            let times = self.page(cookie, Duration::from_secs(4));
            load.join().expect("a load");
            times
        });
        let (alone, beside) = (percentile(&alone, 95), percentile(&beside, 95));
        table.row(
            "page of workspaces p95, alone, beside full ingestion",
            format!("{}, {}", millis(alone), millis(beside)),
            format!("ratio {}", ratio(beside.as_secs_f64(), alone.as_secs_f64())),
        );
    }

    fn page(&self, cookie: &str, lasts: Duration) -> Vec<Duration> {
        let mut client = Client::new(self.server.address, &format!("Cookie: {cookie}\r\n"));
        assert_eq!(client.send("GET", "/workspaces", b"").0, 200);
        let started = Instant::now();
        let mut times = Vec::new();
        while started.elapsed() < lasts {
            let asked = Instant::now();
            client.send("GET", "/workspaces", b"");
            times.push(asked.elapsed());
            // A person reads; the page is not to be another load.
            std::thread::sleep(Duration::from_millis(20));
        }
        times.sort_unstable();
        times
    }
}

fn answers(table: &mut Table, load: &Load) {
    let of = |percent| millis(percentile(&load.times, percent));
    table.row(
        "  answer p50, p99",
        format!("{}, {}", of(50), of(99)),
        if load.refused == 0 {
            String::new()
        } else {
            format!("{} asked to come again", load.refused)
        },
    );
}

fn seconds(spent: Duration, events: u64) -> String {
    format!("{:.1} s", spent.as_secs_f64() * 1e6 / events.max(1) as f64)
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

/// What the load before touched is not what the next measures.
fn await_scored(place: &Place) {
    let started = Instant::now();
    while place.number("select count(*) from (select from touched_workspaces limit 1) t") > 0 {
        assert!(started.elapsed() < Duration::from_secs(300), "the workspaces are not scored");
        std::thread::sleep(Duration::from_millis(50));
    }
}
