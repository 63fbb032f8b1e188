//! PostgreSQL goes and comes back: how long clients who do as they are told have to wait after that.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use rustix::process::Signal;

use crate::clients::{request, send};
use crate::kills::{Durable, signal};
use crate::schedule::{Seed, rounds};
use crate::serve::{Home, Ripen, free_address, furnish};
use crate::test_db::eventually;

/// Seconds that a client may be told to wait in all once PostgreSQL takes connections again. Counted in
/// what the server asks for, not by a clock: a slow machine waits no longer for that.
const PROMISED: u64 = 5;

#[test]
fn once_postgres_is_back_clients_are_told_to_wait_for_five_seconds_at_most() {
    let seed = Seed::new();
    let durable = Durable::start("back");
    furnish(&durable.db);
    let address = free_address();
    let mut ripen = Ripen::start(&Home::Given(durable.db.url()), address);
    let mut random = seed.random(6);
    for round in 0..rounds(2, 20) {
        let (_, body) = request(&format!("before-{round}"), &mut random);
        let served = || send(address, &body).ok().filter(|answer| answer.status == 200);
        assert!(eventually(served).is_some(), "clients are served");
        let first = durable.server.pid().expect("PostgreSQL runs");
        signal(first, Signal::KILL);
        let takes_connections = || {
            let next = durable.server.pid().filter(|pid| *pid != first)?;
            let mut conn = PgConnection::establish(durable.db.url().expose()).ok()?;
            conn.batch_execute("select 1").ok().map(|()| next)
        };
        assert!(eventually(takes_connections).is_some(), "PostgreSQL is started again");

        let (_, body) = request(&format!("after-{round}"), &mut random);
        let mut told = 0;
        loop {
            let answer = send(address, &body).expect("the server answers all the time");
            if answer.status == 200 {
                break;
            }
            assert!(matches!(answer.status, 429 | 503), "{}", answer.status);
            let seconds = answer.retry_after().expect("Retry-After");
            told += seconds;
            assert!(told <= PROMISED, "round {round}: told to wait for {told} s in all");
            std::thread::sleep(std::time::Duration::from_secs(seconds));
        }
        assert!(ripen.lives(), "no restart was needed");
    }
}
