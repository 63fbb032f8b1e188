//! Finding PostgreSQL's binaries, and choosing among the versions found.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::LocalError;

/// The oldest major version whose SQL we use.
pub const OLDEST: u32 = 15;

/// One installation that has both `postgres` and `initdb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// The folder of the binaries.
    pub dir: PathBuf,
    /// The major version, such as 15.
    pub major: u32,
}

impl Binaries {
    /// Looks in `PG_BIN_DIR` alone when that is set, else in all the places where systems put
    /// PostgreSQL; newest first.
    #[must_use]
    pub fn installed() -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for dir in places() {
            // Resolved, or the same installation appears once for every link to it.
            let Ok(dir) = std::fs::canonicalize(dir) else { continue };
            if found.iter().any(|known| known.dir == dir) {
                continue;
            }
            if let Some(major) = version_of(&dir) {
                found.push(Self { dir, major });
            }
        }
        found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
        found
    }

    /// The installation for the data in `data_dir`: of the version that made it, else the newest.
    ///
    /// # Errors
    /// `NoBinaries` when nothing is recent enough, `OtherVersion` when there is data but not its
    /// version.
    pub fn for_data_in(data_dir: &Path) -> Result<Self, LocalError> {
        choose(Self::installed(), &majors_in(data_dir), data_dir)
    }
}

fn choose(found: Vec<Binaries>, existing: &[u32], data_dir: &Path) -> Result<Binaries, LocalError> {
    let too_old: Vec<String> =
        found.iter().filter(|b| b.major < OLDEST).map(|b| b.major.to_string()).collect();
    let usable: Vec<Binaries> = found.into_iter().filter(|b| b.major >= OLDEST).collect();
    if let Some(newest) = existing.iter().max() {
        // A newer PostgreSQL beside old data must not look like an empty Ripen.
        return usable
            .into_iter()
            .find(|b| b.major == *newest)
            .ok_or_else(|| LocalError::OtherVersion { dir: data_dir.to_owned(), wanted: *newest });
    }
    usable.into_iter().next().ok_or_else(|| LocalError::NoBinaries {
        found: if too_old.is_empty() {
            String::new()
        } else {
            format!(" (only version {})", too_old.join(", "))
        },
    })
}

/// The major versions of which there is data.
fn majors_in(data_dir: &Path) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir(data_dir) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            entry.file_name().to_str()?.strip_prefix("postgres-")?.parse::<u32>().ok()
        })
        .collect()
}

fn places() -> Vec<PathBuf> {
    if let Some(dir) = std::env::var_os("PG_BIN_DIR").filter(|dir| !dir.is_empty()) {
        return vec![PathBuf::from(dir)];
    }
    let mut places = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        places.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    if let Some(path) = std::env::var_os("PATH") {
        for dir in std::env::split_paths(&path) {
            // Debian's PATH has wrappers; the link's end is where the siblings are.
            if let Ok(real) = std::fs::canonicalize(dir.join("postgres")) {
                places.extend(real.parent().map(Path::to_owned));
            }
        }
    }
    for (parent, inner) in [
        ("/usr/lib/postgresql", "bin"),
        ("/usr/pgsql-17", "bin"),
        ("/usr/pgsql-16", "bin"),
        ("/usr/pgsql-15", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ] {
        places.push(Path::new(parent).join(inner));
        let Ok(entries) = std::fs::read_dir(parent) else { continue };
        for entry in entries.filter_map(Result::ok) {
            places.push(entry.path().join(inner));
        }
    }
    places
}

fn version_of(dir: &Path) -> Option<u32> {
    let postgres = dir.join("postgres");
    if !postgres.is_file() || !dir.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(postgres).arg("--version").output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// The major version in `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`; `17beta1` and
/// `18devel` count as 17 and 18.
fn parse_version(text: &str) -> Option<u32> {
    let version = text.split("(PostgreSQL)").nth(1)?.trim_start();
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(majors: &[u32]) -> Vec<Binaries> {
        majors
            .iter()
            .map(|major| Binaries { dir: format!("/pg{major}").into(), major: *major })
            .collect()
    }

    #[test]
    fn reads_versions() {
        let debian = "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n";
        assert_eq!(parse_version(debian), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta2"), Some(18));
        assert_eq!(parse_version("something else"), None);
    }

    #[test]
    fn takes_the_newest_for_new_data() {
        let chosen = choose(found(&[17, 15, 13]), &[], Path::new("/d")).unwrap();
        assert_eq!(chosen.major, 17);
    }

    #[test]
    fn takes_the_version_that_made_the_data() {
        let chosen = choose(found(&[17, 15]), &[15], Path::new("/d")).unwrap();
        assert_eq!(chosen.major, 15);
        let missing = choose(found(&[17]), &[15], Path::new("/d")).unwrap_err().to_string();
        assert!(missing.contains("apt-get install postgresql-15"), "{missing}");
    }

    #[test]
    fn names_what_is_missing() {
        let none = choose(found(&[]), &[], Path::new("/d")).unwrap_err().to_string();
        assert!(none.contains("apt-get install postgresql"), "{none}");
        let old = choose(found(&[13]), &[], Path::new("/d")).unwrap_err().to_string();
        assert!(old.contains("only version 13"), "{old}");
    }
}
