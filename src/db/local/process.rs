//! Who lives in a data directory, and how to ask them to leave.

use std::os::unix::fs::MetadataExt;
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

/// Who holds the lock of this file: processes with their command lines, as far as the system tells.
#[must_use]
pub fn lock_holders(file: &Path) -> Vec<String> {
    let Ok(meta) = std::fs::metadata(file) else { return Vec::new() };
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    lock_owners(&locks, meta.ino())
        .into_iter()
        .map(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let line: String = line.trim().chars().take(200).collect();
            if line.is_empty() {
                format!("process {pid}")
            } else {
                format!("process {pid} ({line})")
            }
        })
        .collect()
}

/// The processes that hold a lock on the file of this number, in the text of `/proc/locks`. The device
/// is not compared: layered file systems tell two of them.
fn lock_owners(locks: &str, inode: u64) -> Vec<u32> {
    let mut owners: Vec<u32> = locks
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            // One that only waits has an arrow before its kind.
            if words.next()? != "FLOCK" {
                return None;
            }
            let pid = words.nth(2)?.parse().ok()?;
            let number = words.next()?.rsplit(':').next()?;
            (number.parse() == Ok(inode)).then_some(pid)
        })
        .collect();
    owners.dedup();
    owners
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_a_lock_is_found_by_the_number_of_the_file() {
        let locks = "1: FLOCK  ADVISORY  WRITE 4711 08:01:123456 0 EOF\n\
            1: -> FLOCK  ADVISORY  WRITE 99 08:01:123456 0 EOF\n\
            2: POSIX  ADVISORY  WRITE 12 00:1a:123456 0 EOF\n\
            3: FLOCK  ADVISORY  WRITE 13 00:1a:123457 0 EOF\n";
        assert_eq!(lock_owners(locks, 123_456), [4711]);
        assert_eq!(lock_owners(locks, 1), Vec::<u32>::new());
    }
}
