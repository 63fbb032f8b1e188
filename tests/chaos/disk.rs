//! A full disk: whoever sends is asked to come back, pages stay readable where PostgreSQL lives on,
//! and everything goes on once there is room, without anybody's hand.
//!
//! The disk is a small tmpfs, which takes the right to mount one; without it these tests say so and
//! end.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use ripen::db::Database;
use ripen::db::local::cluster::Cluster;
use ripen::db::local::room::RESERVE;
use ripen::db::pool::Sizes;

use crate::clients::{self, Clients};
use crate::kills::Durable;
use crate::ledger;
use crate::schedule::{Seed, is_all, rounds};
use crate::serve::{Home, Ripen, free_address, furnish};
use crate::test_db::{disposable, eventually, scratch_dir};

/// A disk of its own, unmounted and removed in the end.
struct Disk(PathBuf);

impl Disk {
    /// None where this process may not mount; where all is to be shown, that is a failure.
    fn mount(name: &str, megabytes: u64) -> Option<Self> {
        let dir = scratch_dir(name);
        std::fs::create_dir_all(&dir).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(&dir)
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(dir));
        }
        assert!(!is_all(), "a full disk takes the right to mount a tmpfs");
        eprintln!("not run: a full disk takes the right to mount a tmpfs");
        let _ = std::fs::remove_dir(&dir);
        None
    }

    fn free(&self) -> u64 {
        let stat = rustix::fs::statvfs(&self.0).unwrap();
        stat.f_bavail * stat.f_frsize
    }

    /// Fills it until only so many bytes are free; whatever else grows meanwhile counts, too.
    fn fill(&self, left: u64) {
        let mut file = File::options().create(true).append(true).open(self.ballast()).unwrap();
        let block = vec![0; 256 * 1024];
        while self.free() > left {
            let most = block.len().min((self.free() - left).max(1).try_into().unwrap());
            if file.write_all(&block[..most]).is_err() {
                return;
            }
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// Waits until clients are told to come back later.
fn await_refusals(clients: &Clients, more: usize) {
    let refused = || clients.ledger.lock().unwrap().answers.get(&503).copied().unwrap_or(0);
    let goal = refused() + more;
    assert!(
        eventually(|| (refused() >= goal).then_some(())).is_some(),
        "503 while there is no room"
    );
}

fn status(address: SocketAddr, path: &str) -> Option<u16> {
    clients::get(address, path).ok()
}

#[test]
fn a_private_postgres_is_never_filled_to_its_end() {
    let Some(disk) = Disk::mount("room", 640) else { return };
    let seed = Seed::new();
    let address = free_address();
    let mut ripen = Ripen::start(&Home::Private(&disk.0), address);
    let cluster = Cluster::locate(&disposable(&disk.0)).unwrap();
    let db =
        Database::connect(&cluster.url("ripen"), Sizes { web: 1, ingest: 1, work: 1 }).unwrap();
    furnish(&db);
    let clients = Clients::start(4, address, &seed);
    for _ in 0..rounds(1, 10) {
        clients.wait_for(10);
        disk.fill(RESERVE / 2);
        await_refusals(&clients, 5);
        for path in ["/healthz", "/readyz", "/login"] {
            assert!(matches!(status(address, path), Some(200 | 303)), "{path} is answered");
        }
        disk.make_room();
        clients.wait_for(5);
    }
    assert!(ripen.lives(), "no restart was needed");
    ledger::audit(&db, &clients.finish());
    drop(db);
    drop(ripen);
    assert!(eventually(|| nobody_in(&cluster.data())).is_some());
}

fn nobody_in(data: &Path) -> Option<()> {
    ripen::db::local::process::holders(data).is_empty().then_some(())
}

#[test]
fn what_was_acknowledged_survives_a_full_disk() {
    let Some(disk) = Disk::mount("full", 400) else { return };
    let seed = Seed::new();
    let durable = Durable::start_in(disk.0.clone());
    furnish(&durable.db);
    let address = free_address();
    let mut ripen = Ripen::start(&Home::Given(durable.db.url()), address);
    let clients = Clients::start(4, address, &seed);
    for _ in 0..rounds(1, 10) {
        clients.wait_for(10);
        disk.fill(0);
        await_refusals(&clients, 5);
        assert_eq!(status(address, "/healthz"), Some(200));
        disk.make_room();
        clients.wait_for(5);
    }
    assert!(ripen.lives(), "no restart was needed");
    ledger::audit(&durable.db, &clients.finish());
}
