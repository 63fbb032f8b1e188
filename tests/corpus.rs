//! The corpus that `bin/fuzz` starts from and adds to (captures and hostile forms at first), through the
//! same checks: nothing panics, and what must hold for all bytes holds for these.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::path::Path;

#[path = "../fuzz/checks.rs"]
mod checks;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if std::panic::catch_unwind(|| check(&bytes)).is_err() {
            panic!("{} does not hold", path.display());
        }
        files += 1;
    }
    assert!(files >= 3, "{target} has a corpus");
}

#[test]
fn bodies() {
    replay("body", checks::body);
}

#[test]
fn the_gzip_gate() {
    replay("gate", checks::gate);
}

#[test]
fn the_journal() {
    replay("journal", checks::journal);
}

#[test]
fn times() {
    replay("time", checks::time);
}
