//! Who lives in a data directory, and how to ask them to leave.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// The processes that have `data` (resolved) as their working directory, which every process of a
/// PostgreSQL has. The dead that nobody has buried yet are not among them.
#[cfg(target_os = "linux")]
#[must_use]
pub fn holders(data: &Path) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            // Other people's processes can't be read, and can't be holders either.
            let cwd = std::fs::read_link(entry.path().join("cwd")).ok()?;
            (cwd == data).then_some(pid)
        })
        .collect()
}

/// Without /proc we have only PostgreSQL's own pid file to believe.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn holders(data: &Path) -> Vec<u32> {
    first_process(data)
        .filter(|pid| {
            to_pid(*pid).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
        })
        .into_iter()
        .collect()
}

/// The first process of the server, by its own pid file, which may be stale.
#[must_use]
pub fn first_process(data: &Path) -> Option<u32> {
    std::fs::read_to_string(data.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

/// Asks PostgreSQL to end now but in order: open transactions are rolled back.
pub fn ask_to_end(pid: u32) {
    signal(pid, Signal::INT);
}

/// Tells PostgreSQL to drop everything; it recovers at its next start.
pub fn tell_to_end(pid: u32) {
    signal(pid, Signal::QUIT);
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = to_pid(pid) {
        // Already gone is what we want.
        let _ = kill_process(pid, signal);
    }
}

fn to_pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}
