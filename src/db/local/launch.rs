//! From `ripen` to `postgres`: the hidden sub-command `ripen __postgres`.
//!
//! PostgreSQL must die with us, even when we are killed. The kernel does that (PR_SET_PDEATHSIG),
//! but the wish is forgotten when a process changes its user, so it has to be made between that
//! change and `exec`, inside the child. Rather than unsafe code between fork and exec, the child
//! is our own binary, which steps down, makes the wish and becomes `postgres`.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::account::Account;

/// The name of the hidden sub-command.
pub const SUBCOMMAND: &str = "__postgres";

/// What the hidden sub-command is told.
#[derive(Debug, clap::Args)]
pub struct Launch {
    /// The process with which PostgreSQL ends.
    #[arg(long)]
    pub parent: u32,
    /// The user to become.
    #[arg(long, requires = "gid")]
    pub uid: Option<u32>,
    /// The group to become.
    #[arg(long, requires = "uid")]
    pub gid: Option<u32>,
    /// The command line of the server.
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

/// This binary, even when it was replaced by a newer build meanwhile.
#[must_use]
pub fn own_binary() -> PathBuf {
    let link = Path::new("/proc/self/exe");
    if link.exists() { link.to_owned() } else { std::env::current_exe().unwrap_or_default() }
}

/// Starts the server as a child of this thread; the child ends with the *thread*, so the thread
/// has to stay for as long as the server is wanted.
///
/// # Errors
/// When the launcher can't be run.
pub fn spawn(
    launcher: &Path,
    account: Option<&Account>,
    log: File,
    command_line: &[String],
) -> io::Result<Child> {
    let mut command = Command::new(launcher);
    command.arg(SUBCOMMAND).args(["--parent", &std::process::id().to_string()]);
    if let Some(account) = account {
        command.args(["--uid", &account.uid.to_string(), "--gid", &account.gid.to_string()]);
    }
    command
        .arg("--")
        .args(command_line)
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // Ctrl-C in a terminal goes to the whole group; PostgreSQL has to outlive our shutdown.
        .process_group(0)
        .spawn()
}

/// Becomes PostgreSQL; returns only when that failed. For a process of a single thread.
#[must_use]
pub fn become_postgres(launch: &Launch) -> io::Error {
    match prepare(launch) {
        Err(error) => error,
        Ok(()) => match launch.command.split_first() {
            Some((binary, arguments)) => Command::new(binary).args(arguments).exec(),
            None => io::Error::other("no command"),
        },
    }
}

#[cfg(target_os = "linux")]
fn prepare(launch: &Launch) -> io::Result<()> {
    use rustix::process::{Gid, Signal, Uid, getppid, set_parent_process_death_signal};
    use rustix::thread::{set_thread_gid, set_thread_groups, set_thread_uid};

    if let (Some(uid), Some(gid)) = (launch.uid, launch.gid) {
        let gid = Gid::from_raw(gid);
        set_thread_groups(&[gid])?;
        set_thread_gid(gid)?;
        set_thread_uid(Uid::from_raw(uid))?;
    }
    set_parent_process_death_signal(Some(Signal::INT))?;
    let parent = getppid().and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
    if parent != Some(launch.parent) {
        return Err(io::Error::other("the process that wanted PostgreSQL is gone"));
    }
    Ok(())
}

/// Other systems have no such wish: a server whose Ripen was killed is ended by the next one.
#[cfg(not(target_os = "linux"))]
fn prepare(launch: &Launch) -> io::Result<()> {
    if launch.uid.is_some() {
        return Err(io::Error::other("start Ripen as an ordinary user on this system"));
    }
    Ok(())
}
