//! The `ripen` command as a person types it.

use std::path::Path;
use std::process::{Command, Output};

use crate::test_db::scratch_dir;

fn ripen(data_dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ripen"))
        .arg("--data-dir")
        .arg(data_dir)
        // A free port, whatever else runs on this machine.
        .args(["--bind", "127.0.0.1:0"])
        .args(arguments)
        .env_remove("DATABASE_URL")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

#[test]
fn migrate_makes_the_database_and_the_second_time_has_nothing_to_do() {
    let dir = scratch_dir("commands");
    let before = ripen(&dir, &["doctor"]);
    assert!(before.status.success(), "{}", said(&before));
    assert!(said(&before).contains("no database yet"), "{}", said(&before));

    let first = ripen(&dir, &["migrate"]);
    assert!(first.status.success(), "{}", said(&first));
    let second = ripen(&dir, &["migrate"]);
    assert!(said(&second).contains("up to date"), "{}", said(&second));

    let after = ripen(&dir, &["doctor"]);
    assert!(after.status.success(), "{}", said(&after));
    assert!(said(&after).contains("the tables are up to date"), "{}", said(&after));
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn names_the_command_that_mends_a_missing_postgres() {
    let output = Command::new(env!("CARGO_BIN_EXE_ripen"))
        .args(["migrate", "--data-dir"])
        .arg(scratch_dir("none"))
        .env("PG_BIN_DIR", "/nowhere")
        .env_remove("DATABASE_URL")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(said(&output).contains("apt-get install postgresql"), "{}", said(&output));
    let _ = std::fs::remove_dir_all(scratch_dir("none"));
}
