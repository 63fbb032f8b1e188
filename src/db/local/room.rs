//! Room on the disk of the private PostgreSQL.
//!
//! A PostgreSQL that cannot write its log stops, and all pages with it, until somebody makes room.
//! So what grows by itself stops before: events are refused for now and wait with their senders,
//! what was acknowledged waits in the journal, and people can still read and tidy.

use std::path::Path;

use crate::error::{Error, Result};

/// Kept free, in bytes: more than a transaction, a checkpoint and the pages' own writes take.
pub const RESERVE: u64 = 128 * 1024 * 1024;
/// When it is worth asking again, in seconds.
const PATIENCE: u32 = 10;

/// Whether more may be stored on the disk that holds this folder.
///
/// # Errors
/// `Unavailable` when less than [`RESERVE`] is left.
pub fn check(data: &Path) -> Result<()> {
    // Where the system does not say, PostgreSQL will.
    let Ok(disk) = rustix::fs::statvfs(data) else { return Ok(()) };
    let left = disk.f_bavail.saturating_mul(disk.f_frsize);
    if left >= RESERVE {
        return Ok(());
    }
    let megabytes = left / (1024 * 1024);
    Err(Error::Unavailable(
        PATIENCE,
        format!("only {megabytes} MB are left on the disk of {}: make room", data.display()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_nobody_knows_is_left_to_postgres() {
        assert!(check(Path::new("/nonexistent/folder")).is_ok());
    }
}
