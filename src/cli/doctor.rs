//! `ripen doctor`: what is found, what is missing, and the command that mends it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};

use super::{Failure, Outcome, say};
use crate::config::{Config, DatabaseUrl};
use crate::db::local::account::Account;
use crate::db::local::binaries::{Binaries, OLDEST};
use crate::db::local::{self, LocalError, Server};
use crate::db::migrate;

/// Below this much free space we say so: PostgreSQL stops when its disk is full.
const LITTLE_SPACE_MIB: u64 = 2048;

/// One thing looked at.
enum Finding {
    /// As it should be.
    Good(String),
    /// Ripen runs without it, but somebody may wonder.
    Note(String),
    /// Ripen can't run like this.
    Bad(String),
}

use Finding::{Bad, Good, Note};

pub fn run(config: &Config) -> Outcome {
    let mut findings = Vec::new();
    match &config.database_url {
        Some(url) => {
            findings.push(Good("database: the server that DATABASE_URL names".to_owned()));
            findings.extend(database(url));
        }
        None => findings.extend(private_database(config)),
    }
    findings.push(disk_space(&config.data_dir));
    findings.push(port(config));
    findings.push(chromium());

    let mut bad = 0;
    for finding in &findings {
        match finding {
            Good(text) => say(format!("ok       {text}")),
            Note(text) => say(format!("note     {text}")),
            Bad(text) => {
                bad += 1;
                say(format!("MISSING  {text}"));
            }
        }
    }
    match bad {
        0 => Ok(()),
        1 => Err(Failure("one thing is to be mended, see above".to_owned())),
        n => Err(Failure(format!("{n} things are to be mended, see above"))),
    }
}

fn private_database(config: &Config) -> Vec<Finding> {
    let home = &config.data_dir;
    let mut findings = Vec::new();
    let binaries = match Binaries::for_data_in(home) {
        Ok(binaries) => binaries,
        Err(error) => return vec![Bad(error.to_string())],
    };
    let place = binaries.dir.display();
    findings.push(Good(format!("PostgreSQL {} in {place}", binaries.major)));

    let data = home.join(format!("postgres-{}", binaries.major));
    if let Err(error) = folder_is_usable(home, &data) {
        findings.push(Bad(error));
        return findings;
    }
    findings.push(Good(format!("data directory {}", home.display())));
    if !data.exists() {
        findings.push(Note("no database yet: the first start makes it".to_owned()));
        return findings;
    }
    match Server::start(&local::Settings::of(home)) {
        Ok(server) => findings.extend(database(&server.url(local::DATABASE))),
        Err(error) => findings.push(Bad(error.to_string())),
    }
    findings
}

/// Whether we may write there, and PostgreSQL's account may pass.
fn folder_is_usable(home: &Path, data: &Path) -> Result<(), String> {
    let existing = nearest_existing(home);
    access(&existing, Access::WRITE_OK).map_err(|_| {
        format!("{} can't be written by you: choose another --data-dir", existing.display())
    })?;
    let may_enter = |account: Option<Account>| match account {
        Some(account) => account.may_enter(&existing),
        None => Ok(()),
    };
    Account::to_run_as(data).and_then(may_enter).map_err(|error: LocalError| error.to_string())
}

fn database(url: &DatabaseUrl) -> Vec<Finding> {
    let mut findings = Vec::new();
    match migrate::server_major(url) {
        Ok(major) if major >= OLDEST => {
            findings.push(Good(format!("the database answers, version {major}")));
        }
        Ok(major) => findings.push(Bad(format!(
            "the database is PostgreSQL {major}: Ripen needs {OLDEST} or later"
        ))),
        Err(error) => return vec![Bad(format!("the database does not answer: {error}"))],
    }
    findings.push(match migrate::pending(url) {
        Ok(pending) if pending.is_empty() => Good("the tables are up to date".to_owned()),
        Ok(pending) => Note(format!(
            "{} migrations to apply: the next start does, or type: ripen migrate",
            pending.len()
        )),
        Err(error) => Bad(format!("the state of the tables is unknown: {error}")),
    });
    findings
}

fn disk_space(home: &Path) -> Finding {
    let existing = nearest_existing(home);
    let Ok(stat) = statvfs(&existing) else {
        return Note(format!("the free space at {} is unknown", existing.display()));
    };
    let free_mib = stat.f_bavail.saturating_mul(stat.f_frsize) >> 20;
    let text = format!("{:.1} GiB free at {}", gib(free_mib), existing.display());
    if free_mib < LITTLE_SPACE_MIB {
        Bad(format!("{text}: make room, PostgreSQL stops when the disk is full"))
    } else {
        Good(text)
    }
}

/// From MiB, for showing: 53 bits are exact to far beyond any disk.
#[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "for showing, one decimal")]
fn gib(mib: u64) -> f64 {
    mib as f64 / 1024.0
}

fn port(config: &Config) -> Finding {
    let bind = config.bind;
    match TcpListener::bind(bind) {
        Ok(_) => Good(format!("{bind} is free to listen on")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Note(format!("{bind} is in use: Ripen is running already, or choose another --bind"))
        }
        Err(error) => Bad(format!("can't listen on {bind} ({error}): choose another --bind")),
    }
}

fn chromium() -> Finding {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|dir| {
            ["chromium", "chromium-browser", "google-chrome"].map(|name| dir.join(name))
        })
        .find(|file| file.is_file());
    match found {
        Some(file) => Good(format!("{} (only the tests need it)", file.display())),
        None => Note("no Chromium; only the tests need it: apt-get install chromium".to_owned()),
    }
}

fn nearest_existing(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/")).to_owned()
}
