//! How many records a second, and how many statements that takes; run with `--ignored --nocapture`, in a
//! release build for a figure that means something. RIPEN_STATEMENTS=1 lists what the database was
//! asked, the slowest first.
//!
//! Beside each kind stands what the database alone needs to take in the same rows: a COPY and an INSERT of
//! the same bytes into a table of two columns with a key, in transactions of the same size.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use ripen::bulk::call::Sender;
use ripen::bulk::kind::Kind;
use ripen::bulk::ops;
use ripen::db::Pool;
use ripen::ids::SourceId;
use ripen::jobs::PROJECTIONS;
use serde_json::json;
use uuid::Uuid;

use crate::drain::support::Product;

const ROWS: usize = 20_000;

/// Statements by their first words: how often, how long.
static ASKED: LazyLock<Mutex<HashMap<String, (usize, Duration)>>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Watch(Option<Instant>);

impl Instrumentation for Watch {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { .. } => self.0 = Some(Instant::now()),
            InstrumentationEvent::FinishQuery { query, .. } => {
                let took = self.0.take().map(|start| start.elapsed()).unwrap_or_default();
                let text = query.to_string();
                let text = text.split("-- binds").next().unwrap_or_default();
                let words: Vec<&str> = text.split_whitespace().take(14).collect();
                let mut asked = ASKED.lock().unwrap();
                let one = asked.entry(words.join(" ")).or_default();
                *one = (one.0 + 1, one.1 + took);
            }
            _ => {}
        }
    }
}

fn records(kind: Kind) -> Vec<String> {
    let record = |n: usize| match kind {
        Kind::Workspaces => {
            json!({"workspace_id": format!("w{n}"), "name": format!("Workspace {n}"), "plan": "pro", "seats": n % 50, "sso_domain": format!("c{n}.com")})
        }
        Kind::Accounts => {
            json!({"domain": format!("c{n}.com"), "employee_count": n, "industry": "Software", "territory": "emea"})
        }
        Kind::Users => {
            json!({"user_id": format!("u{n}"), "email": format!("p{n}@c{n}.com"), "job_title": "VP Engineering"})
        }
        Kind::Memberships => {
            json!({"user_id": format!("u{n}"), "workspace_id": format!("w{n}"), "role": "admin"})
        }
        Kind::Subscriptions => {
            json!({"subscription_id": format!("s{n}"), "workspace_id": format!("w{n}"), "status": "active", "mrr_cents": 4900})
        }
    };
    (0..ROWS).map(|n| record(n).to_string()).collect()
}

/// Rows a second that the database takes by COPY and by INSERT.
fn raw(product: &Product, kind: Kind, lines: &[String]) -> [f64; 2] {
    let table = format!("raw_{}", kind.key());
    product.execute(&format!("create table {table} (id text primary key, said jsonb not null)"));
    let rate = |start: Instant| ROWS as f64 / start.elapsed().as_secs_f64();
    let mut conn = product.db.checkout(Pool::Work).unwrap();
    let start = Instant::now();
    for (part, chunk) in lines.chunks(ops::CHUNK).enumerate() {
        let rows = chunk.iter().enumerate();
        let csv: String = rows
            .map(|(n, line)| format!("{part}-{n},\"{}\"\n", line.replace('"', "\"\"")))
            .collect();
        let path = std::env::temp_dir().join(format!("{table}-{}.csv", std::process::id()));
        std::fs::write(&path, csv).unwrap();
        conn.batch_execute(&format!("copy {table} from '{}' (format csv)", path.display()))
            .unwrap();
        std::fs::remove_file(path).unwrap();
    }
    let copied = rate(start);
    conn.batch_execute(&format!("truncate {table}")).unwrap();
    let start = Instant::now();
    for (part, chunk) in lines.chunks(ops::CHUNK).enumerate() {
        let ids: Vec<String> = (0..chunk.len()).map(|n| format!("{part}-{n}")).collect();
        diesel::sql_query(format!(
            "insert into {table} select id, said::jsonb from unnest($1::text[], $2::text[]) as t (id, said)
             on conflict (id) do update set said = excluded.said"
        ))
        .bind::<Array<Text>, _>(ids)
        .bind::<Array<Text>, _>(chunk)
        .execute(&mut conn)
        .unwrap();
    }
    [copied, rate(start)]
}

#[test]
#[ignore = "prints figures"]
fn records_a_second() {
    diesel::connection::set_default_instrumentation(|| Some(Box::new(Watch::default()))).unwrap();
    let product = Product::new();
    let now = product.clock.now();
    for kind in Kind::ALL {
        let lines = records(kind);
        let [copied, inserted] = raw(&product, kind, &lines);
        println!("{:14} raw    {copied:>7.0} rows/s by COPY, {inserted:.0} by INSERT", kind.key());
        let body = lines.join("\n");
        for round in ["new", "again"] {
            ASKED.lock().unwrap().clear();
            let start = Instant::now();
            let entries = ops::read(kind, body.as_bytes(), now).unwrap();
            let read = start.elapsed();
            let sender = Sender { source: SourceId(Uuid::nil()), received_at: now };
            let (outcomes, error) = ops::write(&product.db, sender, &PROJECTIONS, entries);
            let whole = start.elapsed();
            assert!(error.is_none() && outcomes.len() == ROWS);
            let asked = std::mem::take(&mut *ASKED.lock().unwrap());
            let statements: usize = asked.values().map(|(times, _)| times).sum();
            let waited: Duration = asked.values().map(|(_, took)| *took).sum();
            let share = |part: Duration| 100.0 * part.as_secs_f64() / whole.as_secs_f64();
            let rate = ROWS as f64 / whole.as_secs_f64();
            println!(
                "{:14} {round:6} {rate:>7.0} records/s, {:.2} of COPY, {:.2} of INSERT; {:.1} statements a chunk; \
                 {:.0} % reading, {:.0} % in the database",
                kind.key(),
                rate / copied,
                rate / inserted,
                (statements * ops::CHUNK) as f64 / ROWS as f64,
                share(read),
                share(waited),
            );
            if std::env::var("RIPEN_STATEMENTS").is_ok() {
                let mut all: Vec<_> = asked.into_iter().collect();
                all.sort_by_key(|(_, (_, took))| std::cmp::Reverse(*took));
                for (text, (times, took)) in all.into_iter().take(12) {
                    println!("    {:>6.0} ms {times:>4} times  {text}", took.as_secs_f64() * 1e3);
                }
            }
        }
    }
}
