//! The whole program as a process of its own, and the source that the clients send to.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use diesel::prelude::*;
use ripen::clock::Clock;
use ripen::config::DatabaseUrl;
use ripen::db::{Database, Pool};
use ripen::ids::SourceId;
use ripen::jobs;
use ripen::schema;
use ripen::sources::key::KeyHash;

use crate::test_db::eventually;

/// The write key of the clients.
pub const KEY: &str = "wk_chaos";

/// Where its PostgreSQL is.
pub enum Home<'a> {
    /// Somebody's.
    Given(&'a DatabaseUrl),
    /// Its own, in this folder.
    Private(&'a Path),
}

/// `ripen serve`; killed when dropped.
pub struct Ripen {
    pub child: Child,
}

/// A port that nobody listens on.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Ripen {
    /// Starts it and waits until it answers.
    pub fn start(home: &Home<'_>, address: SocketAddr) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ripen"));
        command.args(["serve", "--bind", &address.to_string()]);
        match home {
            Home::Given(url) => command.env("DATABASE_URL", url.expose()),
            Home::Private(dir) => command.env_remove("DATABASE_URL").arg("--data-dir").arg(dir),
        };
        let log = std::env::var("RIPEN_CHAOS_LOG").unwrap_or_else(|_| "off".to_owned());
        command.env("RUST_LOG", log).stdout(Stdio::null());
        Self::run(command, address)
    }

    /// Runs this command line and waits until it answers.
    pub fn run(mut command: Command, address: SocketAddr) -> Self {
        let mut ripen = Self { child: command.spawn().unwrap() };
        let up = eventually(|| {
            if let Some(ended) = ripen.child.try_wait().unwrap() {
                panic!("ripen ended at once: {ended}");
            }
            TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()
        });
        assert!(up.is_some(), "ripen listens");
        ripen
    }

    /// SIGKILL: no farewell, no flush.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM: it ends by itself.
    pub fn terminate(&self) {
        let pid = i32::try_from(self.child.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Whether it still runs.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Ripen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The source that the clients send to, the same in every database.
pub const SOURCE: SourceId = SourceId(uuid::Uuid::from_u128(7));

/// Catalog, scoring model and rules of a new installation, and [`SOURCE`] with [`KEY`].
pub fn furnish(db: &Database) {
    let at = Clock::system().now();
    let made: ripen::error::Result<()> = db.tx(Pool::Work, |conn| {
        use schema::{sources as s, write_keys as k};
        jobs::furnish(conn, at)?;
        diesel::insert_into(s::table)
            .values((s::id.eq(SOURCE), s::name.eq("app"), s::created_at.eq(at)))
            .execute(conn)?;
        diesel::insert_into(k::table)
            .values((
                k::id.eq(uuid::Uuid::now_v7()),
                k::source_id.eq(SOURCE),
                k::prefix.eq(KEY),
                k::key_hash.eq(KeyHash::of(KEY).0.as_slice()),
                k::created_at.eq(at),
            ))
            .execute(conn)?;
        Ok(())
    });
    made.unwrap();
}
