//! The private PostgreSQL, for everybody who does not want to run one: no port, no password, no
//! service to set up. It lives in the data directory and in this process's lifetime.
//!
//! What makes it hold (each line stands for a way in which it once did not):
//!
//! - It listens on a Unix socket in a folder that only its account and root may enter.
//! - PostgreSQL believes a stale pid file while any process has that number. We ask instead who
//!   has the data directory as working directory ([`process::holders`]); nobody: the files go.
//! - A lock held for life tells who owns the server. Free: a server that still runs is an orphan,
//!   and its end is awaited. Held: the server belongs to another Ripen and is borrowed; when that
//!   one ends, the borrower takes over ([`keeper`]).
//! - It ends with us, even when we are killed: the kernel sends it a signal at our death
//!   ([`launch`]). It has its own process group, or Ctrl-C would reach it before our shutdown.
//! - We are no superuser in it, and of the audit log can only add and read entries ([`role`]).
//! - It is not filled to the disk's end ([`room`]). It never runs as root, and a half-made data directory never has the final name ([`cluster`]).

pub mod account;
pub mod binaries;
pub mod cluster;
pub mod keeper;
pub mod launch;
pub mod privileges;
pub mod process;
pub mod role;
pub mod room;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use diesel::{Connection, PgConnection};
use thiserror::Error;

use super::migrate;
use crate::config::DatabaseUrl;
use cluster::Cluster;
use keeper::{Keeper, Phase};

/// The name of Ripen's database in its private PostgreSQL.
pub const DATABASE: &str = "ripen";

/// How long a server that somebody else owns may take to answer.
const BORROW_PATIENCE: Duration = Duration::from_secs(60);
/// When a wait is told of, and how often again.
const TELL_AFTER: Duration = Duration::from_secs(2);
const TELL_EVERY: Duration = Duration::from_secs(10);
/// How long our own may take: after a crash it first replays its journal.
const START_PATIENCE: Duration = Duration::from_secs(600);

/// Why there is no private PostgreSQL; every message says how to mend it.
#[derive(Debug, Error)]
pub enum LocalError {
    /// No usable binaries anywhere.
    #[error(
        "PostgreSQL 15 or later is not installed{found}. Install it (as root): apt-get install postgresql\n\
         or set PG_BIN_DIR to the folder of its `postgres` and `initdb`, or DATABASE_URL to a server of yours"
    )]
    NoBinaries {
        /// What was found that is too old, in words; empty when nothing was.
        found: String,
    },
    /// There is data, but only binaries of other versions.
    #[error(
        "the data in {dir} is of PostgreSQL {wanted}, which is not installed. \
         Install it (as root): apt-get install postgresql-{wanted}"
    )]
    OtherVersion {
        /// The folder with the data.
        dir: PathBuf,
        /// Its major version.
        wanted: u32,
    },
    /// Started by root, and there is nobody else to run it as.
    #[error(
        "PostgreSQL can't run as root and there is neither a `postgres` nor a `nobody` account"
    )]
    NoAccount,
    /// A folder above the data keeps the account out.
    #[error(
        "the account `{account}`, which runs PostgreSQL, may not enter {folder}. \
         Type: chmod o+x {folder}   or choose another folder with --data-dir"
    )]
    NotEnterable {
        /// Who is kept out.
        account: String,
        /// By which folder.
        folder: PathBuf,
    },
    /// The data belongs to somebody else.
    #[error("{dir} belongs to another user: run Ripen as that user or choose another --data-dir")]
    NotOurs {
        /// The folder with the data.
        dir: PathBuf,
    },
    /// The kernel's limit on the path of a socket.
    #[error(
        "the path {path} is longer than the 107 bytes a socket may have: choose a shorter --data-dir"
    )]
    PathTooLong {
        /// The socket's path.
        path: PathBuf,
    },
    /// An orphan that does not end.
    #[error("a PostgreSQL that nobody owns still uses {dir} (process {pids}) and does not end")]
    OrphanStays {
        /// The data directory.
        dir: PathBuf,
        /// Process ids, with commas.
        pids: String,
    },
    /// `initdb` or the server gave up.
    #[error("PostgreSQL did not start; its last words:\n{0}")]
    DidNotStart(String),
    /// It runs but does not answer.
    #[error("PostgreSQL does not answer: {0}")]
    NoAnswer(String),
    /// The file system said no.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried, with the path.
        doing: String,
        /// What the system answered.
        source: std::io::Error,
    },
}

impl LocalError {
    /// Adds to an I/O error what was being done.
    fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

/// Whether the data must survive a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Yes: everything that matters.
    Safe,
    /// No: a test's database, several times faster.
    Disposable,
}

/// What to start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Ripen's data directory; PostgreSQL gets a folder in it.
    pub data_dir: PathBuf,
    /// The `ripen` binary, which becomes PostgreSQL by way of its hidden sub-command.
    pub launcher: PathBuf,
    /// Whether the data must last.
    pub durability: Durability,
}

impl Settings {
    /// A durable server in this data directory, launched by this very binary.
    #[must_use]
    pub fn of(data_dir: &Path) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            launcher: launch::own_binary(),
            durability: Durability::Safe,
        }
    }
}

/// A running private PostgreSQL, ours or borrowed. Dropping it stops ours.
#[derive(Debug)]
pub struct Server {
    cluster: Cluster,
    keeper: Keeper,
}

impl Server {
    /// Finds the server running or starts it, creating its data at the very first start, and
    /// waits until it answers. Blocks: 0.1 s usually, about a second the first time.
    ///
    /// # Errors
    /// What is missing and the command that mends it.
    pub fn start(settings: &Settings) -> Result<Self, LocalError> {
        let cluster = Cluster::locate(settings)?;
        let keeper = Keeper::spawn(cluster.clone(), settings.launcher.clone())?;
        let server = Self { cluster, keeper };
        server.wait_until_it_answers()?;
        server.prepare()?;
        Ok(server)
    }

    /// How Ripen reaches a database in this server.
    #[must_use]
    pub fn url(&self, database: &str) -> DatabaseUrl {
        self.cluster.url(database)
    }

    /// How the superuser does.
    #[must_use]
    pub fn admin_url(&self, database: &str) -> DatabaseUrl {
        self.cluster.admin_url(database)
    }

    /// Whether its disk has room for more events.
    ///
    /// # Errors
    /// `Unavailable` when it is nearly full.
    pub fn check_room(&self) -> crate::error::Result<()> {
        room::check(&self.cluster.data())
    }

    /// Whether the server belongs to another process.
    #[must_use]
    pub fn is_borrowed(&self) -> bool {
        matches!(self.keeper.phase(), Phase::Borrowing)
    }

    /// The id of our PostgreSQL's first process; none when borrowed or between two lives.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match self.keeper.phase() {
            Phase::Running(pid) => Some(pid),
            _ => None,
        }
    }

    fn wait_until_it_answers(&self) -> Result<(), LocalError> {
        let since = Instant::now();
        let mut tell_at = TELL_AFTER;
        let url = self.admin_url("postgres");
        loop {
            let patience = match self.keeper.phase() {
                Phase::Down(why) => return Err(why.into()),
                Phase::Borrowing => BORROW_PATIENCE,
                Phase::Starting | Phase::Running(_) => START_PATIENCE,
            };
            if since.elapsed() >= tell_at {
                tell_at += TELL_EVERY;
                self.tell_what_it_waits_for(since.elapsed());
            }
            // Asking before the socket is there would only make libpq complain.
            if self.cluster.socket().exists() {
                match PgConnection::establish(url.expose()) {
                    Ok(_) => return Ok(()),
                    Err(error) if since.elapsed() > patience => {
                        return Err(LocalError::NoAnswer(error.to_string()));
                    }
                    Err(_) => {}
                }
            } else if since.elapsed() > patience {
                let socket = self.cluster.socket();
                let holder = match self.keeper.phase() {
                    Phase::Borrowing => format!(
                        ", and {} is held by {}: end that first",
                        self.cluster.lock_file().display(),
                        self.lock_holders()
                    ),
                    _ => String::new(),
                };
                let why = format!("no socket at {}{holder}", socket.display());
                return Err(LocalError::NoAnswer(why));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn tell_what_it_waits_for(&self, so_far: Duration) {
        let (lock, seconds) = (self.cluster.lock_file(), so_far.as_secs());
        match self.keeper.phase() {
            Phase::Borrowing => tracing::warn!(
                "waiting for PostgreSQL since {seconds} s: its lock {} is held by {}",
                lock.display(),
                self.lock_holders()
            ),
            _ => tracing::info!("waiting for PostgreSQL since {seconds} s: it starts or recovers"),
        }
    }

    fn lock_holders(&self) -> String {
        let holders = process::lock_holders(&self.cluster.lock_file());
        if holders.is_empty() { "another process".to_owned() } else { holders.join(", ") }
    }

    /// Makes Ripen's role and database unless they are there, and gives the role what is in it.
    fn prepare(&self) -> Result<(), LocalError> {
        let mut conn = self.admin("postgres")?;
        role::lock(&mut conn).map_err(no_answer)?;
        role::ensure(&mut conn).map_err(no_answer)?;
        role::own_everything(&mut self.admin(DATABASE)?).map_err(no_answer)
    }

    /// Applies the migrations that are missing, and answers as [`migrate::run`] does. The audit log
    /// belongs to Ripen's role only meanwhile.
    ///
    /// # Errors
    /// As [`migrate::run`].
    pub fn migrate(&self) -> crate::error::Result<Vec<String>> {
        let url = self.url(DATABASE);
        let away = |error: LocalError| crate::error::Error::Unavailable(2, error.to_string());
        let mut admin = self.admin(DATABASE).map_err(away)?;
        role::lock(&mut admin)?;
        if !migrate::pending(&url)?.is_empty() {
            role::unseal_audit(&mut admin)?;
        }
        let applied = migrate::run(&url)?;
        role::seal_audit(&mut admin)?;
        Ok(applied)
    }

    fn admin(&self, database: &str) -> Result<PgConnection, LocalError> {
        PgConnection::establish(self.admin_url(database).expose())
            .map_err(|error| LocalError::NoAnswer(error.to_string()))
    }
}

fn no_answer(error: diesel::result::Error) -> LocalError {
    LocalError::NoAnswer(error.to_string())
}
