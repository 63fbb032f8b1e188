//! Where a benchmark runs: a durable PostgreSQL of its own, and a server process beside it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use diesel::{QueryableByName, RunQueryDsl, sql_query};
use ripen::clock::Clock;
use ripen::config::DatabaseUrl;
use ripen::db::local::{Durability, Server, Settings};
use ripen::db::pool::Sizes;
use ripen::db::{Database, Pool, migrate};
use ripen::ids::SourceId;
use ripen::team::audit::Actor;
use ripen::{jobs, sources};

pub struct Place {
    pub db: Database,
    pub url: DatabaseUrl,
    pub clock: Clock,
    folder: PathBuf,
    server: Option<Server>,
}

impl Place {
    pub fn new() -> Self {
        let base =
            std::env::var_os("RIPEN_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let folder = base.join(format!("ripen-bench-{}", std::process::id()));
        let server = Server::start(&Settings {
            data_dir: folder.clone(),
            launcher: env!("CARGO_BIN_EXE_ripen").into(),
            durability: Durability::Safe,
        })
        .unwrap_or_else(|error| panic!("{error}"));
        let url = server.url("ripen");
        migrate::run(&url).expect("the migrations apply");
        let db = Database::connect(&url, Sizes { web: 4, ingest: 8, work: 16 }).expect("pools");
        let clock = Clock::system();
        db.tx(Pool::Work, |conn| jobs::furnish(conn, clock.now()))
            .expect("what a new installation has");
        Self { db, url, clock, folder, server: Some(server) }
    }

    /// A second set of pools on the same database.
    pub fn fresh(&self) -> Database {
        Database::connect(&self.url, Sizes { web: 4, ingest: 8, work: 16 }).expect("pools")
    }

    /// A source without a key.
    pub fn source(&self) -> SourceId {
        let (actor, now) = (Actor::system(), self.clock.now());
        self.db
            .tx(Pool::Work, |conn| Ok(sources::ops::ensure_source(conn, &actor, "Bench", now)?.id))
            .expect("a source")
    }

    /// What PostgreSQL, all its processes, has spent so far.
    pub fn cpu(&self) -> Cpu {
        Cpu::family(self.server.as_ref().and_then(Server::pid).expect("PostgreSQL runs"))
    }

    /// A write key of a new source.
    pub fn key(&self) -> String {
        let (actor, now) = (Actor::system(), self.clock.now());
        self.db
            .tx(Pool::Work, |conn| {
                let source = sources::ops::ensure_source(conn, &actor, "Bench", now)?;
                sources::ops::create_write_key(conn, &actor, source.id, now)
            })
            .expect("a key")
            .reveal()
            .to_owned()
    }

    /// One line on what all figures were measured on.
    pub fn machine(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kilobytes: u64 =
            memory.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
        format!(
            "{cores} cores shared by PostgreSQL, the server and the load · {} GB · PostgreSQL {} · fsync {}",
            kilobytes / 1_000_000,
            self.show("server_version"),
            self.show("fsync"),
        )
    }

    fn show(&self, setting: &str) -> String {
        self.text(&format!("select current_setting('{setting}') as text"))
    }

    pub fn text(&self, sql: &str) -> String {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            text: String,
        }
        let row: Row =
            self.db.read(Pool::Work, |conn| Ok(sql_query(sql).get_result(conn)?)).expect(sql);
        row.text
    }

    pub fn number(&self, sql: &str) -> i64 {
        self.text(&format!("select ({sql})::text as text")).parse().expect(sql)
    }

    pub fn execute(&self, sql: &str) {
        use diesel::connection::SimpleConnection;
        self.db.checkout(Pool::Work).expect("a connection").batch_execute(sql).expect(sql);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.server.take());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Processor time, user and system, from some moment on.
#[derive(Clone, Copy)]
pub struct Cpu {
    pid: u32,
    family: bool,
    spent: Duration,
}

impl Cpu {
    /// Of this process and its children, living and dead.
    fn family(pid: u32) -> Self {
        Self { pid, family: true, spent: of_family(pid) }
    }

    /// Of this process without its children.
    fn alone(pid: u32) -> Self {
        Self { pid, family: false, spent: own(pid) }
    }

    pub fn of_this_process() -> Self {
        Self::alone(std::process::id())
    }

    /// What was spent since this was taken.
    pub fn since(self) -> Duration {
        let now = if self.family { of_family(self.pid) } else { own(self.pid) };
        now.saturating_sub(self.spent)
    }
}

/// Fields 14 to 17 of `stat`: user, system, both of waited-for children; in hundredths of a second.
fn ticks(pid: u32) -> Option<(u32, [u64; 4])> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((fields.get(1)?.parse().ok()?, [number(11)?, number(12)?, number(13)?, number(14)?]))
}

fn own(pid: u32) -> Duration {
    let [user, system, ..] = ticks(pid).map_or([0; 4], |(_, ticks)| ticks);
    Duration::from_millis((user + system) * 10)
}

fn of_family(parent: u32) -> Duration {
    let dead: u64 = ticks(parent).map_or(0, |(_, ticks)| ticks.iter().sum());
    let living: Duration = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| ticks(*pid).is_some_and(|(ppid, _)| ppid == parent))
        .map(own)
        .sum();
    Duration::from_millis(dead * 10) + living
}

/// `ripen serve` as a process.
pub struct Process {
    pub address: SocketAddr,
    child: Child,
}

impl Process {
    pub fn start(place: &Place) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("its address");
        drop(free);
        let child = Command::new(env!("CARGO_BIN_EXE_ripen"))
            .args(["serve", "--bind", &address.to_string()])
            .env("DATABASE_URL", place.url.expose())
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()
            .expect("ripen serve starts");
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "ripen serve does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { address, child }
    }

    /// What it has spent so far.
    pub fn cpu(&self) -> Cpu {
        Cpu::alone(self.child.id())
    }

    /// Resident memory in megabytes.
    pub fn megabytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) / 1000
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
