//! A log that is lost stops no work, and SIGTERM always ends the server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use rustix::process::Signal;

use crate::clients::{Clients, get};
use crate::kills::signal;
use crate::ledger;
use crate::schedule::Seed;
use crate::serve::{Ripen, free_address, furnish};
use crate::test_db::{TestDb, eventually};

/// Much more is logged than a pipe holds.
const CHATTY: &str = "trace";

fn command(db: &TestDb, address: SocketAddr) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ripen"));
    command.args(["serve", "--bind", &address.to_string()]);
    command.env("DATABASE_URL", db.url().expose());
    command
}

/// Sends the signal and waits for the end.
fn end_by(ripen: &mut Ripen, how: Signal) -> (ExitStatus, Duration) {
    let since = Instant::now();
    signal(ripen.child.id(), how);
    let ended = eventually(|| ripen.child.try_wait().unwrap());
    (ended.expect("it ends"), since.elapsed())
}

/// The server does all its work with an output that is read in this way, and ends when it is told to.
fn works_with(spoil: impl FnOnce(Box<dyn Read>) -> Option<Box<dyn Read>>, how: Signal) {
    let seed = Seed::new();
    let db = TestDb::new();
    furnish(&db);
    let address = free_address();
    let mut command = command(&db, address);
    let (reader, writer) = std::io::pipe().unwrap();
    command.env("RUST_LOG", CHATTY).stdin(Stdio::null());
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    // The command holds the pipe's other ends: it must be gone before the reader is.
    let mut ripen = Ripen::run(command, address);
    let kept = spoil(Box::new(reader));
    let clients = Clients::start(2, address, &seed);
    clients.wait_for(10);
    // What was acknowledged is drained and scored, so those threads live.
    ledger::audit(&db, &clients.finish());
    assert_eq!(get(address, "/readyz").unwrap(), 200);
    let done = || (ledger::count(&db, "jobs where finished_at is not null")? > 0).then_some(());
    eventually(done).expect("the jobs that are due are done");
    let (status, took) = end_by(&mut ripen, how);
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(15), "{took:?}");
    drop(kept);
}

#[test]
fn a_log_whose_reader_is_gone_stops_nothing() {
    works_with(
        |mut reader| {
            // As `head -5` does.
            reader.read_exact(&mut [0; 200]).unwrap();
            None
        },
        Signal::TERM,
    );
}

#[test]
fn a_log_that_nobody_reads_any_more_stops_nothing() {
    works_with(Some, Signal::INT);
}

#[test]
fn sigterm_ends_the_server_also_when_a_thread_and_a_request_are_stuck() {
    let db = TestDb::new();
    furnish(&db);
    let address = free_address();
    let mut command = command(&db, address);
    command.args(["--shutdown-timeout", "4"]).env("RUST_LOG", "off");
    let mut ripen = Ripen::run(command, address);
    // Held for ever: the scorer waits in the database, and looks at no flag meanwhile.
    let mut holder = PgConnection::establish(db.url().expose()).unwrap();
    let hold = "begin; lock table touched_workspaces in access exclusive mode";
    holder.batch_execute(hold).unwrap();
    let waits = "pg_locks where not granted and relation = 'touched_workspaces'::regclass";
    eventually(|| (ledger::count(&db, waits)? > 0).then_some(())).expect("the scorer waits");
    let mut slow = TcpStream::connect(address).unwrap();
    write!(slow, "POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{").unwrap();
    let (status, took) = end_by(&mut ripen, Signal::TERM);
    assert_eq!(status.code(), Some(75), "{:?}", status.signal());
    assert!(took < Duration::from_secs(5), "{took:?}");
}
