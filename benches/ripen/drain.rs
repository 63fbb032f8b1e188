//! The drainer alone: where the time of a chunk goes, statement by statement, and what an event costs
//! in processor time on either side of the socket.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use ripen::db::Pool;
use ripen::ids::SourceId;
use ripen::ingest::drain::Limits;
use ripen::ingest::drainer::{Drainer, Wake};
use ripen::ingest::endpoint::Endpoint;
use ripen::ingest::{intake, store_journal};
use ripen::jobs::PROJECTIONS;
use ripen::threads::Threads;
use uuid::Uuid;

use crate::load::{BATCH, Events};
use crate::place::{Cpu, Place};
use crate::raw;
use crate::table::{Table, millis, per_second, rate, ratio};

static STATEMENTS: Mutex<BTreeMap<String, (u64, Duration)>> = Mutex::new(BTreeMap::new());

/// The first words of a statement.
struct Head(String);

impl Write for Head {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend(text.chars().take(64_usize.saturating_sub(self.0.len())));
        if self.0.len() < 64 { Ok(()) } else { Err(std::fmt::Error) }
    }
}

/// Times every statement of a connection.
struct Stopwatch(Option<Instant>);

impl Instrumentation for Stopwatch {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { .. } => self.0 = Some(Instant::now()),
            InstrumentationEvent::FinishQuery { query, .. } => {
                let Some(started) = self.0.take() else { return };
                let mut head = Head(String::new());
                // It ends with an error once it has enough: the values behind are long.
                let _ = write!(head, "{query}");
                let name = head.0.split_whitespace().collect::<Vec<_>>().join(" ");
                let mut all = STATEMENTS.lock().expect("nobody panicked");
                let entry = all.entry(name).or_default();
                entry.0 += 1;
                entry.1 += started.elapsed();
            }
            _ => {}
        }
    }
}

pub fn run(events: u64) {
    let place = Place::new();
    let now = place.clock.now();
    let source: SourceId = place.source();
    let stream = Events::new(now);
    for _ in 0..events.div_ceil(BATCH * 20) {
        let group: Vec<_> = (0..20)
            .map(|_| {
                let text = stream.body(BATCH);
                intake::prepare(Endpoint::Batch, None, text.as_bytes(), now, Uuid::nil())
                    .expect("a body")
                    .of(source, now)
            })
            .collect();
        let group: Vec<_> = group.iter().collect();
        let room = place.db.check_room().expect("room");
        place
            .db
            .tx(Pool::Work, |conn| store_journal::append(conn, room, &group))
            .expect("a journal");
    }
    place.execute("analyze");
    set_default_instrumentation(|| Some(Box::new(Stopwatch(None)))).expect("nobody else listens");
    let db = place.fresh();
    let (ours, theirs) = (Cpu::of_this_process(), place.cpu());
    let started = Instant::now();
    let drainer = Drainer::start(
        db,
        place.clock.clone(),
        &PROJECTIONS,
        Limits::default(),
        Wake::default(),
        &Threads::default(),
    )
    .expect("threads");
    while place.number("select count(*) from journal_pending") > 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = started.elapsed();
    drainer.stop();
    let (ours, theirs) = (ours.since(), theirs.since());
    let count = u64::try_from(place.number("select count(*) from seen_messages")).unwrap_or(0);
    let per_million =
        |spent: Duration| format!("{:.1} s", spent.as_secs_f64() * 1e6 / count.max(1) as f64);

    let mut table = Table::new();
    table.row("drained, no load beside it", per_second(count, took), "");
    table.row("processor time a million events: drainer", per_million(ours), "");
    table.row("processor time a million events: PostgreSQL", per_million(theirs), "");
    let mut statements: Vec<_> =
        std::mem::take(&mut *STATEMENTS.lock().expect("nobody panicked")).into_iter().collect();
    statements.sort_by_key(|(_, (_, spent))| std::cmp::Reverse(*spent));
    let waited: Duration = statements.iter().map(|(_, (_, spent))| *spent).sum();
    table.row(
        "  waiting for statements",
        millis(waited),
        ratio(waited.as_secs_f64(), took.as_secs_f64()),
    );
    for (name, (times, spent)) in statements.iter().take(24) {
        table.row(
            &format!("  {name}"),
            millis(*spent),
            format!("{times} times, {}", ratio(spent.as_secs_f64(), took.as_secs_f64())),
        );
    }
    let copying = place.cpu();
    let copied = raw::copy_back(&place);
    table.row(
        "processor time a million events: COPY in PostgreSQL",
        per_million(copying.since()),
        "",
    );
    table.row(
        "raw: COPY of the same rows into the same tables",
        per_second(count, copied),
        format!("the drainer does {} of it", ratio(rate(count, took), rate(count, copied))),
    );
    table.print("Draining", &place.machine());
}
