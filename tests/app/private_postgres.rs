//! `db::local`: the private PostgreSQL through everything that may happen to it.

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use ripen::db::local::cluster::Cluster;
use ripen::db::local::{Durability, Server, Settings, process};

use crate::test_db::{disposable, disposable_server, eventually, scratch_dir};

/// A folder for one server, removed when the test ends well.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        Self(scratch_dir(name))
    }

    fn settings(&self) -> Settings {
        disposable(&self.0)
    }

    fn start(&self) -> Server {
        disposable_server(&self.0)
    }

    fn cluster(&self) -> Cluster {
        Cluster::locate(&self.settings()).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

pub fn kill_9(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

fn run(server: &Server, sql: &str) -> Result<(), String> {
    let mut conn =
        PgConnection::establish(server.url("ripen").expose()).map_err(|e| e.to_string())?;
    conn.batch_execute(sql).map_err(|e| e.to_string())
}

fn nobody_in(data: &Path) -> Option<()> {
    process::holders(data).is_empty().then_some(())
}

#[test]
fn keeps_its_data_from_start_to_start_and_leaves_no_process() {
    let place = Place::new("restart");
    let server = place.start();
    run(&server, "CREATE TABLE kept ()").unwrap();
    drop(server);
    assert!(process::holders(&place.cluster().data()).is_empty());
    let server = place.start();
    run(&server, "SELECT FROM kept").unwrap();
}

#[test]
fn comes_back_by_itself_when_killed() {
    let place = Place::new("killed");
    drop(place.start());
    // A disposable server forgets what was committed just before.
    let safe = Settings { durability: Durability::Safe, ..place.settings() };
    let server = Server::start(&safe).unwrap();
    run(&server, "CREATE TABLE kept ()").unwrap();
    let first = server.pid().unwrap();
    kill_9(first);
    eventually(|| server.pid().filter(|pid| *pid != first)).expect("a second life");
    eventually(|| run(&server, "SELECT FROM kept").ok()).expect("the same data");
}

#[test]
fn does_not_believe_stale_files() {
    let place = Place::new("stale");
    drop(place.start());
    let cluster = place.cluster();
    // A number that is alive, but is not PostgreSQL: this test itself.
    let me = std::process::id();
    let socket = cluster.socket();
    let lines = format!(
        "{me}\n{}\n1700000000\n5432\n{}\n\n  5432001  1\nready\n",
        cluster.data().display(),
        socket.parent().unwrap().display()
    );
    std::fs::write(cluster.data().join("postmaster.pid"), &lines).unwrap();
    std::fs::write(format!("{}.lock", socket.display()), &lines).unwrap();
    run(&place.start(), "SELECT 1").unwrap();
}

#[test]
fn starts_anew_after_a_creation_that_was_cut_short() {
    let place = Place::new("cut");
    let draft = place.0.join(format!("new-postgres-{}", place.cluster().binaries.major));
    std::fs::create_dir(&draft).unwrap();
    std::fs::write(draft.join("PG_VERSION"), "15\n").unwrap();
    run(&place.start(), "SELECT 1").unwrap();
    assert!(!draft.exists());
}

#[test]
fn a_second_one_borrows_and_takes_over_when_the_owner_ends() {
    let place = Place::new("borrow");
    let owner = place.start();
    let borrower = place.start();
    assert!(borrower.is_borrowed() && !owner.is_borrowed());
    run(&owner, "CREATE TABLE shared ()").unwrap();
    run(&borrower, "SELECT FROM shared").unwrap();
    drop(owner);
    eventually(|| run(&borrower, "SELECT FROM shared").ok()).expect("somebody keeps it");
    eventually(|| (!borrower.is_borrowed()).then_some(())).expect("a new owner");
}

#[test]
fn a_borrower_that_ends_leaves_the_owner_alone() {
    let place = Place::new("lend");
    let owner = place.start();
    drop(place.start());
    run(&owner, "SELECT 1").unwrap();
}

/// A server whose Ripen is a shell, so that the test can kill it.
fn start_under_a_shell(place: &Place) -> Child {
    let cluster = place.cluster();
    let step_down = match &cluster.account {
        Some(account) => format!("--uid {} --gid {}", account.uid, account.gid),
        None => String::new(),
    };
    // Something after the command, or the shell would become it.
    let script = format!("\"$0\" __postgres --parent $$ {step_down} -- \"$@\"; exit");
    Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_ripen")])
        .args(cluster.command_line())
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn ends_with_its_ripen_even_when_that_is_killed() {
    let place = Place::new("death");
    drop(place.start());
    let data = place.cluster().data();
    let mut shell = start_under_a_shell(&place);
    let ready = || {
        std::fs::read_to_string(data.join("postmaster.pid")).ok()?.contains("ready").then_some(())
    };
    eventually(ready).expect("the server runs");
    shell.kill().unwrap();
    shell.wait().unwrap();
    eventually(|| nobody_in(&data)).expect("the server ended too");
}

#[test]
fn waits_for_the_end_of_an_orphan() {
    let place = Place::new("orphan");
    drop(place.start());
    let data = place.cluster().data();
    let mut shell = start_under_a_shell(&place);
    eventually(|| process::first_process(&data)).expect("the server runs");
    shell.kill().unwrap();
    shell.wait().unwrap();
    run(&place.start(), "SELECT 1").unwrap();
}

/// The rights of a file or folder, as `chmod` writes them.
fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn nobody_else_may_read_the_data_directory_also_one_of_an_earlier_version() {
    let place = Place::new("closed");
    drop(place.start());
    let names = ["postgres.lock", "postgres.log", "postgres.log.old"];
    std::fs::write(place.0.join(names[2]), "DETAIL:  Key (email)=(mara@northwind.example)")
        .unwrap();
    for name in names {
        std::fs::set_permissions(place.0.join(name), Permissions::from_mode(0o644)).unwrap();
    }
    std::fs::set_permissions(&place.0, Permissions::from_mode(0o755)).unwrap();
    let _server = place.start();
    for name in names {
        assert_eq!(mode(&place.0.join(name)), 0o600, "{name}");
    }
    let others_pass = place.cluster().account.is_some();
    assert_eq!(mode(&place.0), if others_pass { 0o711 } else { 0o700 });
    assert_eq!(mode(&place.cluster().data()), 0o700);
    assert_eq!(mode(&place.0.join("run")), 0o700);
}

#[test]
fn a_folder_with_other_things_in_it_keeps_its_rights() {
    let place = Place::new("shared");
    std::fs::create_dir(&place.0).unwrap();
    std::fs::write(place.0.join("notes.txt"), "").unwrap();
    std::fs::set_permissions(&place.0, Permissions::from_mode(0o755)).unwrap();
    let _server = place.start();
    assert_eq!(mode(&place.0), 0o755);
    assert_eq!(mode(&place.0.join("postgres.lock")), 0o600);
    assert_eq!(mode(&place.0.join("postgres.log")), 0o600);
}

#[test]
fn what_people_typed_does_not_get_into_the_log() {
    let place = Place::new("discreet");
    let server = place.start();
    run(&server, "CREATE TABLE people (email text PRIMARY KEY, seats int CHECK (seats > 0))")
        .unwrap();
    let insert = "INSERT INTO people VALUES ('mara@northwind.example', 7)";
    run(&server, insert).unwrap();
    for failing in [
        insert,
        "INSERT INTO people VALUES ('ida@northwind.example', 0)",
        "SELECT 'nils@northwind.example'::int",
        "SELECT '{\"email\": \"olga@northwind.example'::jsonb",
        "SET statement_timeout = 20; SELECT pg_sleep(2) FROM people WHERE email <> 'x@northwind.example'",
        "DO $$ BEGIN RAISE WARNING 'per@northwind.example'; RAISE EXCEPTION 'ann@northwind.example'; END $$",
    ] {
        assert!(run(&server, failing).is_err(), "{failing}");
    }
    let log = std::fs::read_to_string(place.0.join("postgres.log")).unwrap();
    assert!(log.contains("database system is ready"), "what the server does is logged: {log}");
    assert!(!log.contains("northwind"), "{log}");
}

#[test]
fn a_wait_for_a_lock_names_who_holds_it() {
    let place = Place::new("held");
    drop(place.start());
    let lock = place.0.join("postgres.lock");
    // Holds the lock and serves nothing, as a stopped process does.
    let mut holder =
        Command::new("flock").arg("-F").arg(&lock).args(["sleep", "600"]).spawn().unwrap();
    eventually(|| (!process::lock_holders(&lock).is_empty()).then_some(())).expect("it is held");
    let mut ripen = Command::new(env!("CARGO_BIN_EXE_ripen"))
        .args(["serve", "--bind", "127.0.0.1:0", "--data-dir"])
        .arg(&place.0)
        .env_remove("DATABASE_URL")
        .env("RUST_LOG", "warn")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(ripen.stderr.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    ripen.kill().unwrap();
    ripen.wait().unwrap();
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(line.contains("postgres.lock is held by process "), "{line}");
    assert!(line.contains("flock") || line.contains("sleep"), "{line}");
}

#[test]
fn says_when_the_socket_path_is_too_long() {
    let place = Place::new(&"long".repeat(30));
    let error = Server::start(&place.settings()).unwrap_err().to_string();
    assert!(error.contains("--data-dir"), "{error}");
}

#[test]
fn does_not_start_in_a_file() {
    let place = Place::new("file");
    std::fs::write(&place.0, "not a folder").unwrap();
    assert!(Server::start(&place.settings()).is_err());
    std::fs::remove_file(&place.0).unwrap();
}
