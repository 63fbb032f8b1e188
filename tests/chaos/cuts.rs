//! Connections that break: between clients and server, and between server and PostgreSQL, before the
//! commit and after it.

use ripen::config::DatabaseUrl;

use crate::clients::Clients;
use crate::kills::Durable;
use crate::ledger;
use crate::proxy::{Far, Proxy};
use crate::schedule::{Seed, rounds};
use crate::serve::{Home, Ripen, free_address, furnish};
use crate::test_db::scratch_dir;

/// Of the connections to the server.
const WICKED_CLIENTS: f64 = 0.3;
/// Of the server's own to PostgreSQL: a pool keeps what lives, so each of them has to end badly.
const WICKED_DATABASE: f64 = 1.0;

/// Runs until both wires were cut often enough.
#[test]
fn what_was_acknowledged_survives_cut_connections() {
    let seed = Seed::new();
    let durable = Durable::start("cuts");
    furnish(&durable.db);
    let socket = scratch_dir("cuts").join("run/.s.PGSQL.5432");
    assert!(socket.exists(), "{}", socket.display());
    let wire = Proxy::start(Far::Unix(socket), WICKED_DATABASE, seed.random(3));
    let url = DatabaseUrl::new(format!("postgres://ripen@{}/ripen?sslmode=disable", wire.address));
    let address = free_address();
    // It starts over a sound wire: a migration that is cut ends a server before it begins.
    let ripen = Ripen::start(&Home::Given(&url), address);
    wire.go_wild();
    let line = Proxy::start(Far::Tcp(address), WICKED_CLIENTS, seed.random(4));
    line.go_wild();
    let clients = Clients::start(4, line.address, &seed);
    let cuts = rounds(5, 50);
    while line.cuts() < cuts || wire.cuts() < cuts {
        clients.wait_for(5);
    }
    wire.calm_down();
    let ledger = clients.finish();
    ledger::audit(&durable.db, &ledger);
    drop(ripen);
}
