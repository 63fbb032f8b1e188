//! The data directory: where it is, how it is made, how its server is configured.
//!
//! In Ripen's data directory stand `postgres-15` (the data, named by major version), `run` (the
//! socket), `postgres.lock` (who owns the server) and `postgres.log`.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::Account;
use super::binaries::Binaries;
use super::role::ROLE;
use super::{Durability, LocalError, Settings};
use crate::config::DatabaseUrl;

/// The superuser that `initdb` makes; Ripen works as [`ROLE`].
const SUPERUSER: &str = "ripen";
/// Only a name for the socket: nothing listens on a port.
const PORT: &str = "5432";
/// Longest path of a socket, without the final zero byte.
const LONGEST_SOCKET_PATH: usize = 107;
/// The mode of files that nobody else may read.
const PRIVATE_FILE: u32 = 0o600;
/// Beyond this the log starts anew.
const LOG_BYTES: u64 = 8 << 20;

/// Where everything of one private PostgreSQL is.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The installation that runs it.
    pub binaries: Binaries,
    /// Whom it runs as; none: as ourselves.
    pub account: Option<Account>,
    home: PathBuf,
    durability: Durability,
}

impl Cluster {
    /// Finds binaries, account and place; makes the folders around the data, not the data.
    ///
    /// # Errors
    /// What is missing or in the way, with the command that mends it.
    pub fn locate(settings: &Settings) -> Result<Self, LocalError> {
        let given = &settings.data_dir;
        let absolute = std::path::absolute(given)
            .map_err(LocalError::io(format!("finding {}", given.display())))?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&absolute)
            .map_err(LocalError::io(format!("making the folder {}", absolute.display())))?;
        // Resolved, since it is compared with the working directories of processes.
        let home = fs::canonicalize(&absolute)
            .map_err(LocalError::io(format!("finding {}", absolute.display())))?;
        let binaries = Binaries::for_data_in(&home)?;
        let account = Account::to_run_as(&home.join(format!("postgres-{}", binaries.major)))?;
        if let Some(account) = &account {
            account.may_enter(&home)?;
        }
        let cluster = Self { binaries, account, home, durability: settings.durability };
        cluster.close_home()?;
        let socket = cluster.socket();
        if socket.as_os_str().len() > LONGEST_SOCKET_PATH {
            return Err(LocalError::PathTooLong { path: socket });
        }
        cluster.make_private_folder(&cluster.run_dir())?;
        Ok(cluster)
    }

    /// PostgreSQL's own data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.home.join(format!("postgres-{}", self.binaries.major))
    }

    /// The socket on which it answers.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.run_dir().join(format!(".s.PGSQL.{PORT}"))
    }

    /// The file whose lock tells who owns the server.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.home.join("postgres.lock")
    }

    fn run_dir(&self) -> PathBuf {
        self.home.join("run")
    }

    fn log_file(&self) -> PathBuf {
        self.home.join("postgres.log")
    }

    fn old_log_file(&self) -> PathBuf {
        self.home.join("postgres.log.old")
    }

    /// How Ripen reaches a database in it: the folder is the password.
    #[must_use]
    pub fn url(&self, database: &str) -> DatabaseUrl {
        self.url_of(ROLE, database)
    }

    /// The same as the superuser, for what prepares the role.
    #[must_use]
    pub fn admin_url(&self, database: &str) -> DatabaseUrl {
        self.url_of(SUPERUSER, database)
    }

    fn url_of(&self, role: &str, database: &str) -> DatabaseUrl {
        let folder = self.run_dir();
        let quoted = folder.to_string_lossy().replace('\\', "\\\\").replace('\'', "\\'");
        DatabaseUrl::new(format!("host='{quoted}' port={PORT} user={role} dbname='{database}'"))
    }

    /// Makes the data directory unless it is there: under another name first, so that a start
    /// that was cut short leaves nothing that looks complete.
    ///
    /// # Errors
    /// `DidNotStart` with the words of `initdb`.
    pub fn create_if_new(&self) -> Result<(), LocalError> {
        let data = self.data();
        if data.join("PG_VERSION").exists() {
            return Ok(());
        }
        let draft = self.home.join(format!("new-postgres-{}", self.binaries.major));
        if draft.exists() {
            fs::remove_dir_all(&draft)
                .map_err(LocalError::io(format!("removing {}", draft.display())))?;
        }
        self.make_private_folder(&draft)?;
        let mut command = Command::new(self.binaries.dir.join("initdb"));
        command
            .arg("--pgdata")
            .arg(&draft)
            .args(["--username", SUPERUSER, "--encoding", "UTF8", "--lc-messages", "C"])
            .args(["--locale", if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" }])
            .args(["--auth-local", "trust", "--auth-host", "reject"])
            .current_dir("/")
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("TZ", "UTC")
            .process_group(0);
        if self.durability == Durability::Disposable {
            command.arg("--no-sync");
        }
        if let Some(account) = &self.account {
            command.uid(account.uid).gid(account.gid);
        }
        let output = command.output().map_err(LocalError::io("running initdb"))?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(LocalError::DidNotStart(words));
        }
        fs::rename(&draft, &data)
            .and_then(|()| File::open(&self.home)?.sync_all())
            .map_err(LocalError::io(format!("naming {}", data.display())))
    }

    /// Removes the files by which a server that no longer lives pretends to: call it only when
    /// no process holds the data directory.
    ///
    /// # Errors
    /// When a file is there and can't be removed.
    pub fn remove_stale_files(&self) -> Result<(), LocalError> {
        let socket = self.socket();
        let mut socket_lock = socket.clone().into_os_string();
        socket_lock.push(".lock");
        for file in [self.data().join("postmaster.pid"), socket, PathBuf::from(socket_lock)] {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(LocalError::io(format!("removing {}", file.display()))(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The command line of the server, first its binary.
    #[must_use]
    pub fn command_line(&self) -> Vec<String> {
        let mut line = vec![
            self.binaries.dir.join("postgres").to_string_lossy().into_owned(),
            "-D".to_owned(),
            self.data().to_string_lossy().into_owned(),
        ];
        let run_dir = self.run_dir().to_string_lossy().into_owned();
        let own = [("unix_socket_directories", run_dir.as_str())];
        let lasting: &[(&str, &str)] = match self.durability {
            Durability::Safe => DURABLE,
            Durability::Disposable => DISPOSABLE,
        };
        for (name, value) in COMMON.iter().chain(lasting).chain(&own) {
            line.push("-c".to_owned());
            line.push(format!("{name}={value}"));
        }
        line
    }

    /// Opens the log for appending, or anew when it has grown.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open_log(&self) -> Result<File, LocalError> {
        let path = self.log_file();
        let grown = fs::metadata(&path).is_ok_and(|meta| meta.len() > LOG_BYTES);
        if grown {
            let _ = fs::rename(&path, self.old_log_file());
        }
        File::options()
            .create(true)
            .append(true)
            .mode(PRIVATE_FILE)
            .open(&path)
            .map_err(LocalError::io(format!("opening {}", path.display())))
    }

    /// Opens the lock file, which nobody else may open: whoever can open it can hold its lock.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open_lock(&self) -> Result<File, LocalError> {
        let path = self.lock_file();
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(PRIVATE_FILE)
            .open(&path)
            .map_err(LocalError::io(format!("opening {}", path.display())))
    }

    /// The last lines of the log.
    #[must_use]
    pub fn last_words(&self) -> String {
        let path = self.log_file();
        let bytes = fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.get(lines.len().saturating_sub(8)..).unwrap_or_default();
        format!("{}\n(from {})", last.join("\n"), path.display())
    }

    /// Takes the right to read the data directory from everybody else, and from the files in it that
    /// earlier versions made readable. PostgreSQL's account, if it is another one, may pass.
    ///
    /// A folder that holds other things as well is left as it is, and so is one of somebody else's or a
    /// shared one (`/tmp`): the files and folders of Ripen's own in it are closed all the same.
    fn close_home(&self) -> Result<(), LocalError> {
        let passable = if self.account.is_some() { 0o711 } else { 0o700 };
        if self.holds_nothing_else() {
            close(&self.home, passable)?;
        }
        for file in [self.lock_file(), self.log_file(), self.old_log_file()] {
            close(&file, PRIVATE_FILE)?;
        }
        Ok(())
    }

    fn holds_nothing_else(&self) -> bool {
        let entries = fs::read_dir(&self.home).into_iter().flatten().filter_map(Result::ok);
        entries.map(|entry| entry.file_name()).all(|name| {
            let name = name.to_string_lossy();
            name == "run" || name.starts_with("postgres") || name.starts_with("new-postgres-")
        })
    }

    fn make_private_folder(&self, path: &Path) -> Result<(), LocalError> {
        let doing = || format!("making the folder {}", path.display());
        if !path.exists() {
            fs::create_dir(path).map_err(LocalError::io(doing()))?;
        }
        fs::set_permissions(path, Permissions::from_mode(0o700))
            .map_err(LocalError::io(doing()))?;
        if let Some(account) = &self.account {
            chown(path, Some(account.uid), Some(account.gid)).map_err(LocalError::io(doing()))?;
        }
        Ok(())
    }
}

/// Leaves of the rights to a file or folder of ours at most these.
fn close(path: &Path, most: u32) -> Result<(), LocalError> {
    let Ok(meta) = fs::symlink_metadata(path) else { return Ok(()) };
    let mode = meta.mode();
    let is_mine = meta.uid() == rustix::process::geteuid().as_raw() && !meta.is_symlink();
    let is_shared = mode & 0o1000 != 0;
    if !is_mine || is_shared || mode & 0o777 & !most == 0 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(mode & (most | 0o6000)))
        .map_err(LocalError::io(format!("closing {}", path.display())))
}

/// No network; modest memory, since a laptop or a small server runs all of it; the shared memory
/// type is what `initdb` found to work.
const COMMON: &[(&str, &str)] = &[
    ("listen_addresses", ""),
    ("port", PORT),
    ("unix_socket_permissions", "0700"),
    ("max_connections", "60"),
    // A history import makes a partition a day: five locks for each of some hundred days.
    ("max_locks_per_transaction", "256"),
    ("shared_buffers", "256MB"),
    ("work_mem", "8MB"),
    ("maintenance_work_mem", "64MB"),
    ("random_page_cost", "1.1"),
    ("jit", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("logging_collector", "off"),
    ("log_destination", "stderr"),
    ("log_line_prefix", "%m [%p] %a "),
    // A failed statement, its parameters and the details of its error may contain a customer's data. The
    // error itself goes to Ripen, which logs what is its fault without any of them.
    ("log_min_messages", "log"),
    ("log_min_error_statement", "panic"),
    ("log_error_verbosity", "terse"),
    ("log_statement", "none"),
    ("log_min_duration_statement", "-1"),
    ("log_min_duration_sample", "-1"),
    ("log_parameter_max_length", "0"),
    ("log_parameter_max_length_on_error", "0"),
    ("log_lock_waits", "off"),
    ("log_autovacuum_min_duration", "-1"),
    ("debug_print_parse", "off"),
    ("log_checkpoints", "off"),
];

const DURABLE: &[(&str, &str)] = &[
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    // What is inserted all over an index does not compress: trying cost more than all the rest of an
    // insert (10 instead of 4 microseconds a row after a checkpoint, for 3 % fewer bytes).
    ("wal_compression", "off"),
    ("max_wal_size", "4GB"),
    ("checkpoint_timeout", "15min"),
    ("autovacuum_naptime", "20s"),
];

const DISPOSABLE: &[(&str, &str)] = &[
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("autovacuum", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("checkpoint_timeout", "1d"),
    ("max_wal_size", "4GB"),
    ("max_connections", "200"),
];
