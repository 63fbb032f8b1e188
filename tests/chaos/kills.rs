//! SIGKILL of the server and of PostgreSQL while clients send.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use rand::RngExt;
use ripen::db::local::cluster::Cluster;
use ripen::db::local::{Durability, Server, Settings, process};
use ripen::db::pool::Sizes;
use ripen::db::{Database, Pool, migrate};
use rustix::process::{Pid, Signal, kill_process};

use crate::clients::Clients;
use crate::ledger;
use crate::schedule::{Seed, rounds};
use crate::serve::{Home, Ripen, free_address, furnish};
use crate::test_db::{TestDb, disposable, eventually, scratch_dir};

const CLIENTS: usize = 4;

#[test]
fn what_was_acknowledged_survives_kills_of_the_server() {
    let seed = Seed::new();
    let db = TestDb::new();
    furnish(&db);
    let address = free_address();
    let home = Home::Given(db.url());
    let mut ripen = Ripen::start(&home, address);
    let clients = Clients::start(CLIENTS, address, &seed);
    let mut random = seed.random(1);
    for _ in 0..rounds(3, 50) {
        clients.wait_for(random.random_range(1..30));
        ripen.kill();
        ripen = Ripen::start(&home, address);
    }
    clients.wait_for(1);
    ledger::audit(&db, &clients.finish());
}

/// A PostgreSQL that keeps what it promised, for tests that kill it.
pub struct Durable {
    pub server: Server,
    pub db: Database,
    dir: std::path::PathBuf,
}

impl Durable {
    pub fn start(name: &str) -> Self {
        Self::start_in(scratch_dir(name))
    }

    pub fn start_in(dir: std::path::PathBuf) -> Self {
        let settings = Settings { durability: Durability::Safe, ..disposable(&dir) };
        let server = Server::start(&settings).unwrap_or_else(|error| panic!("{error}"));
        let url = server.url("ripen");
        migrate::run(&url).unwrap();
        let db = Database::connect(&url, Sizes { web: 2, ingest: 1, work: 2 }).unwrap();
        Self { server, db, dir }
    }
}

impl Drop for Durable {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

pub fn signal(pid: u32, signal: Signal) {
    // Already gone is as good.
    let _ = kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal);
}

/// The processes that serve Ripen's connections.
fn backends(db: &Database) -> Vec<u32> {
    #[derive(QueryableByName)]
    struct Backend {
        #[diesel(sql_type = Integer)]
        pid: i32,
    }
    let rows = db.read(Pool::Web, |conn| {
        Ok(diesel::sql_query(
            "select pid from pg_stat_activity where application_name like 'ripen %' and pid <> pg_backend_pid()",
        )
        .load::<Backend>(conn)?)
    });
    rows.into_iter().flatten().filter_map(|row| row.pid.try_into().ok()).collect()
}

#[derive(Clone, Copy, Debug)]
enum Blow {
    /// Everything of PostgreSQL dies at once, as when the machine loses power (but for its disk).
    Postmaster,
    /// An immediate shutdown: no checkpoint.
    Immediate,
    /// One connection's process: PostgreSQL restarts all of them.
    Backend,
    /// One connection is told to end.
    Terminated,
}

fn strike(durable: &Durable, blow: Blow, random: &mut rand::rngs::StdRng) {
    let first = durable.server.pid();
    match blow {
        Blow::Postmaster | Blow::Immediate => {
            let pid = first.expect("PostgreSQL runs");
            signal(pid, if matches!(blow, Blow::Postmaster) { Signal::KILL } else { Signal::QUIT });
            let again = eventually(|| durable.server.pid().filter(|pid| Some(*pid) != first));
            assert!(again.is_some(), "PostgreSQL is started again");
        }
        Blow::Backend | Blow::Terminated => {
            let all = backends(&durable.db);
            if let Some(pid) = all.get(random.random_range(0..all.len().max(1))) {
                let how = if matches!(blow, Blow::Backend) { Signal::KILL } else { Signal::TERM };
                signal(*pid, how);
            }
        }
    }
}

#[test]
fn what_was_acknowledged_survives_kills_of_postgres() {
    let seed = Seed::new();
    let durable = Durable::start("chaos");
    furnish(&durable.db);
    let address = free_address();
    let mut ripen = Ripen::start(&Home::Given(durable.db.url()), address);
    let clients = Clients::start(CLIENTS, address, &seed);
    let mut random = seed.random(2);
    let kinds = [Blow::Postmaster, Blow::Backend, Blow::Immediate, Blow::Terminated];
    for round in 0..rounds(kinds.len(), 2 * 50) {
        clients.wait_for(random.random_range(1..30));
        // Fifty of the first kind, fifty of the others.
        let blow = if round % 2 == 0 && round >= kinds.len() {
            Blow::Postmaster
        } else {
            kinds[(round / 2 + round) % kinds.len()]
        };
        strike(&durable, blow, &mut random);
    }
    clients.wait_for(1);
    assert!(ripen.lives(), "no restart was needed");
    ledger::audit(&durable.db, &clients.finish());
    durable.db.checkout(Pool::Work).unwrap().batch_execute("select 1").unwrap();
}

#[test]
fn the_private_postgres_is_started_again_under_a_living_ripen() {
    let seed = Seed::new();
    let dir = scratch_dir("private");
    std::fs::create_dir_all(&dir).unwrap();
    let address = free_address();
    let mut ripen = Ripen::start(&Home::Private(&dir), address);
    let cluster = Cluster::locate(&disposable(&dir)).unwrap();
    let db =
        Database::connect(&cluster.url("ripen"), Sizes { web: 1, ingest: 1, work: 1 }).unwrap();
    furnish(&db);
    let clients = Clients::start(CLIENTS, address, &seed);
    let mut random = seed.random(5);
    for _ in 0..rounds(1, 50) {
        clients.wait_for(random.random_range(1..30));
        let first = process::first_process(&cluster.data()).expect("PostgreSQL runs");
        signal(first, Signal::KILL);
        let next = || process::first_process(&cluster.data()).filter(|pid| *pid != first);
        assert!(eventually(next).is_some(), "PostgreSQL is started again");
    }
    clients.wait_for(1);
    assert!(ripen.lives(), "no restart was needed");
    ledger::audit(&db, &clients.finish());
    drop(db);
    drop(ripen);
    assert!(eventually(|| process::holders(&cluster.data()).is_empty().then_some(())).is_some());
    std::fs::remove_dir_all(dir).unwrap();
}
