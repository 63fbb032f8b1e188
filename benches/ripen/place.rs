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
