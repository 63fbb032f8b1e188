//! Where `bin/setup` has put the SDKs, and how each is started.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The longest that an SDK may take with all its retries.
const PATIENCE: Duration = Duration::from_secs(120);

/// One of the server SDKs; the name is what its drive program calls it.
#[derive(Clone, Copy, Debug)]
pub enum Sdk {
    Python(&'static str),
    Node(&'static str),
    Rust(&'static str),
}

/// What the SDK told its customer: how many errors, and the first of them.
pub struct Report {
    pub errors: u64,
    pub first: String,
}

/// The folder of what `bin/setup` installed; says what to type when it is not there.
pub fn home(what: &str) -> PathBuf {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/sdk").join(what);
    assert!(home.exists(), "{} is missing: run bin/setup sdk", home.display());
    home
}

impl Sdk {
    /// Runs its drive program to the end: `task` is `story` or `many`.
    pub fn run(self, host: &str, key: &str, prefix: &str, task: &str, count: usize) -> Report {
        let count = count.to_string();
        let mut command = self.command();
        let mut child = command
            .args([host, key, prefix, task, &count])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let began = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if began.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("{self:?} is still busy after {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        let report: Value = said
            .lines()
            .last()
            .and_then(|line| serde_json::from_str(line).ok())
            .unwrap_or_else(|| panic!("{self:?} said {said:?}"));
        Report { errors: report["errors"].as_u64().unwrap(), first: report["first"].to_string() }
    }

    fn command(self) -> Command {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk");
        match self {
            Self::Python(name) => {
                let mut command = Command::new(home(&format!("python-{name}")).join("bin/python"));
                command.arg(tests.join("python/drive.py")).arg(name);
                command
            }
            Self::Node(name) => {
                let mut command = Command::new(node());
                command.arg(tests.join("node/drive.js")).arg(name);
                command.env("RIPEN_SDKS", home("node"));
                command
            }
            Self::Rust(name) => {
                let mut command = Command::new(home("rust").join("debug/drive"));
                command.arg(name);
                command
            }
        }
    }
}

/// Node.js: the one that `bin/setup` fetched where the system's is too old, else the system's.
pub fn node() -> PathBuf {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/sdk/node-runtime/bin/node");
    if fetched.exists() { fetched } else { "node".into() }
}
