//! The whole program, killed while several clients send: whatever it acknowledged is there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::prelude::*;
use ripen::db::{Database, Pool};
use ripen::ingest::store_status;
use ripen::schema::key_events;

use super::server::{BASIC, journal, send, source};
use crate::test_db::{TestDb, eventually};

const CLIENTS: usize = 4;
const KILLS: usize = 3;
const BATCH: usize = 20;

/// What the clients know: ids that were acknowledged, and those whose request failed at least once.
#[derive(Default)]
struct Ledger {
    acknowledged: BTreeSet<String>,
    uncertain: BTreeSet<String>,
}

struct Ripen(Child);

impl Ripen {
    fn start(database: &Database, address: SocketAddr) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_ripen"))
            .args(["serve", "--bind", &address.to_string()])
            .env("DATABASE_URL", database.url().expose())
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let ripen = Self(child);
        let up = eventually(|| send(address, "GET", "/healthz", &[], b"").ok());
        assert_eq!(up.map(|answer| answer.status), Some(200));
        ripen
    }

    /// SIGKILL: no farewell, no flush.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Ripen {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn batch(ids: &[String]) -> String {
    let events: Vec<String> = ids
        .iter()
        .map(|id| {
            format!(
                r#"{{"type":"track","event":"core_feature_used","userId":"u{}","messageId":"{id}","context":{{"groupId":"w"}}}}"#,
                id.len()
            )
        })
        .collect();
    format!("{{\"batch\":[{}]}}", events.join(","))
}

/// Sends batch after batch; one that fails is sent again until it is acknowledged, as SDKs do.
fn client(
    name: usize,
    address: SocketAddr,
    ledger: &Mutex<Ledger>,
    stop: &AtomicBool,
    acks: &AtomicUsize,
) {
    for number in 0.. {
        let ids: Vec<String> =
            (0..BATCH).map(|event| format!("c{name}-{number}-{event}")).collect();
        let body = batch(&ids);
        loop {
            let answer = send(address, "POST", "/v1/batch", &[BASIC], body.as_bytes());
            if answer.is_ok_and(|answer| answer.status == 200) {
                break;
            }
            ledger.lock().unwrap().uncertain.extend(ids.iter().cloned());
            if stop.load(Ordering::SeqCst) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        ledger.lock().unwrap().acknowledged.extend(ids);
        acks.fetch_add(1, Ordering::SeqCst);
        if stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let db = TestDb::new();
    source(&db);
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (ledger, stop) =
        (Arc::new(Mutex::new(Ledger::default())), Arc::new(AtomicBool::new(false)));
    let acks = Arc::new(AtomicUsize::new(0));
    let mut ripen = Ripen::start(&db, address);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|name| {
            let (ledger, stop, acks) = (Arc::clone(&ledger), Arc::clone(&stop), Arc::clone(&acks));
            std::thread::spawn(move || client(name, address, &ledger, &stop, &acks))
        })
        .collect();
    for _ in 0..KILLS {
        let before = acks.load(Ordering::SeqCst);
        let flowing = eventually(|| (acks.load(Ordering::SeqCst) > before + 60).then_some(()));
        assert_eq!(flowing, Some(()), "clients are served between two kills");
        ripen.kill();
        ripen = Ripen::start(&db, address);
    }
    stop.store(true, Ordering::SeqCst);
    clients.into_iter().for_each(|client| client.join().unwrap());
    let pending = || db.read(Pool::Work, store_status::pending).unwrap();
    let drained = eventually(|| (pending() == 0).then_some(()));
    assert_eq!(drained, Some(()), "the last server projects what the killed ones left");
    drop(ripen);

    let mut stored: BTreeMap<String, usize> = BTreeMap::new();
    for message in journal(&db) {
        *stored.entry(message.message_id.into_owned()).or_default() += 1;
    }
    let ledger = ledger.lock().unwrap();
    assert!(ledger.acknowledged.len() > KILLS * 60 * BATCH);
    for id in &ledger.acknowledged {
        let times = stored.get(id).copied().unwrap_or(0);
        if ledger.uncertain.contains(id) {
            assert!(times >= 1, "{id} was acknowledged and is lost");
        } else {
            assert_eq!(times, 1, "{id} was sent once and acknowledged");
        }
    }
    for (id, times) in &stored {
        assert!(
            *times == 1 || ledger.uncertain.contains(id),
            "{id} is there {times} times and was sent once"
        );
    }

    let projected: i64 =
        db.read(Pool::Work, |conn| Ok(key_events::table.count().get_result(conn)?)).unwrap();
    assert_eq!(usize::try_from(projected).unwrap(), stored.len(), "each message counts once");
}
