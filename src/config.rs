//! What the person who runs Ripen decides: where it listens, where it keeps its data.
//!
//! Every setting is an option of the command line and an environment variable, and has a default
//! with which `ripen serve` simply works. [`Options`] is what was typed; [`Config`] is what follows.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;
use url::Url;

use crate::web::client_address::TrustedProxies;

/// The options that all commands share.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Folder for Ripen's own PostgreSQL and files
    /// [default: /var/lib/ripen for root, else ~/.local/share/ripen]
    #[arg(long, global = true, env = "RIPEN_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address and port to listen on
    #[arg(
        long,
        global = true,
        env = "RIPEN_BIND",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    pub bind: SocketAddr,
    /// Address under which people and products reach Ripen [default: http://localhost:PORT]
    #[arg(long, global = true, env = "RIPEN_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,
    /// A PostgreSQL 15 or later of yours, instead of Ripen's own
    #[arg(
        long,
        global = true,
        env = "DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        value_parser = parse_database_url
    )]
    pub database_url: Option<DatabaseUrl>,
    /// Seconds within which the server ends after SIGTERM or Ctrl-C, whatever still runs
    #[arg(
        long,
        global = true,
        env = "RIPEN_SHUTDOWN_TIMEOUT",
        value_name = "SECONDS",
        default_value = "30",
        value_parser = clap::value_parser!(u32).range(2..=3600)
    )]
    pub shutdown_timeout: u32,
    /// Most connections of clients at a time; further ones wait to be accepted
    #[arg(
        long,
        global = true,
        env = "RIPEN_MAX_CONNECTIONS",
        value_name = "NUMBER",
        default_value = "4096",
        value_parser = clap::value_parser!(u32).range(16..=100_000)
    )]
    pub max_connections: u32,
    /// Addresses and networks of proxies whose X-Forwarded-For is believed, or none
    #[arg(
        long,
        global = true,
        env = "RIPEN_TRUSTED_PROXIES",
        value_name = "LIST",
        default_value = "127.0.0.0/8,::1"
    )]
    pub trusted_proxies: TrustedProxies,
}

/// How to reach a PostgreSQL; may contain a password, so it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Takes anything that libpq accepts: a URL or `key=value` pairs.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// Whether it is reached over the network by name or address; else, or where that is not plain,
    /// by a socket in a folder.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        let is_host = |host: &str| !host.is_empty() && !host.starts_with('/');
        match Url::parse(&self.0) {
            Ok(url) => {
                let named = url.query_pairs().find(|(name, _)| name == "host");
                match named {
                    Some((_, host)) => is_host(&host),
                    None => url.host_str().is_some_and(|host| {
                        is_host(host) && !host.to_ascii_lowercase().starts_with("%2f")
                    }),
                }
            }
            Err(_) => self
                .0
                .split_whitespace()
                .find_map(|pair| pair.strip_prefix("host="))
                .is_some_and(|host| is_host(host.trim_matches('\''))),
        }
    }

    /// The text for libpq. Contains the password: for connecting, not for showing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseUrl(hidden)")
    }
}

fn parse_database_url(text: &str) -> Result<DatabaseUrl, String> {
    if text.trim().is_empty() {
        return Err("is empty; leave DATABASE_URL unset to use Ripen's own PostgreSQL".to_owned());
    }
    Ok(DatabaseUrl::new(text))
}

/// Why the options do not make a configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// There is no default folder without a home.
    #[error(
        "neither HOME nor XDG_DATA_HOME is set: name a folder for the data with --data-dir DIR"
    )]
    NoHome,
    /// Sign-in, cookies and links need a web address.
    #[error(
        "--public-url must start with http:// or https://, for example https://crm.example.com"
    )]
    NotAWebAddress,
}

/// The configuration of one running Ripen.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder for the private PostgreSQL and files; may not exist yet.
    pub data_dir: PathBuf,
    /// Where the server listens.
    pub bind: SocketAddr,
    /// Under which address people reach it; ends with a slash, as URLs with an empty path do.
    pub public_url: Url,
    /// Somebody's PostgreSQL; none means the private one in `data_dir`.
    pub database_url: Option<DatabaseUrl>,
    /// How long the server may take to end.
    pub shutdown_timeout: Duration,
    /// Most connections of clients at a time.
    pub max_connections: usize,
    /// The proxies that tell where requests come from.
    pub trusted_proxies: TrustedProxies,
}

impl Config {
    /// Whether the public address is a named one, and not the guess for this machine.
    #[must_use]
    pub fn names_public_url(&self) -> bool {
        Some(&self.public_url) != default_public_url(self.bind).as_ref()
    }

    /// Fills in the defaults.
    ///
    /// # Errors
    /// Without a home there is no default folder; a public address must be http or https.
    pub fn from_options(options: &Options) -> Result<Self, ConfigError> {
        let data_dir = match &options.data_dir {
            Some(dir) => dir.clone(),
            None => default_data_dir(
                rustix::process::geteuid().is_root(),
                std::env::var_os("XDG_DATA_HOME").map(PathBuf::from),
                std::env::var_os("HOME").map(PathBuf::from),
            )
            .ok_or(ConfigError::NoHome)?,
        };
        let public_url = match &options.public_url {
            Some(url) => url.clone(),
            None => default_public_url(options.bind).ok_or(ConfigError::NotAWebAddress)?,
        };
        if !matches!(public_url.scheme(), "http" | "https") || !public_url.has_host() {
            return Err(ConfigError::NotAWebAddress);
        }
        Ok(Self {
            data_dir,
            bind: options.bind,
            public_url,
            database_url: options.database_url.clone(),
            shutdown_timeout: Duration::from_secs(options.shutdown_timeout.into()),
            max_connections: usize::try_from(options.max_connections).unwrap_or(usize::MAX),
            trusted_proxies: options.trusted_proxies.clone(),
        })
    }
}

/// PostgreSQL refuses to run as root and its account can't enter root's home, hence /var/lib.
fn default_data_dir(root: bool, xdg: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    if root {
        return Some(PathBuf::from("/var/lib/ripen"));
    }
    let absolute = |dir: &PathBuf| dir.is_absolute();
    xdg.filter(absolute)
        .map(|dir| dir.join("ripen"))
        .or_else(|| home.filter(absolute).map(|dir| dir.join(".local/share/ripen")))
}

fn default_public_url(bind: SocketAddr) -> Option<Url> {
    let (ip, port) = (bind.ip(), bind.port());
    let text = if ip.is_loopback() || ip.is_unspecified() {
        format!("http://localhost:{port}")
    } else {
        format!("http://{bind}")
    };
    Url::parse(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_keeps_data_where_other_accounts_may_enter() {
        let home = || Some(PathBuf::from("/root"));
        assert_eq!(default_data_dir(true, None, home()), Some("/var/lib/ripen".into()));
    }

    #[test]
    fn people_keep_data_in_their_home() {
        let home = || Some(PathBuf::from("/home/ada"));
        assert_eq!(
            default_data_dir(false, None, home()),
            Some("/home/ada/.local/share/ripen".into())
        );
        assert_eq!(
            default_data_dir(false, Some("/data".into()), home()),
            Some("/data/ripen".into())
        );
        assert_eq!(default_data_dir(false, None, None), None);
    }

    #[test]
    fn the_public_address_follows_the_port() {
        let url = |bind: &str| default_public_url(bind.parse().unwrap()).unwrap().to_string();
        assert_eq!(url("127.0.0.1:8080"), "http://localhost:8080/");
        assert_eq!(url("0.0.0.0:9000"), "http://localhost:9000/");
        assert_eq!(url("192.0.2.7:80"), "http://192.0.2.7/");
        assert_eq!(url("[::1]:8080"), "http://localhost:8080/");
    }

    #[test]
    fn a_socket_is_told_from_a_host() {
        for (url, remote) in [
            ("postgres://ripen:secret@db.example:5432/ripen", true),
            ("postgresql://192.0.2.7/ripen", true),
            ("postgres:///ripen?host=db.example", true),
            ("host=db.example dbname=ripen", true),
            ("postgres:///ripen?host=/run/postgresql", false),
            ("postgres://ripen@%2Frun%2Fpostgresql/ripen", false),
            ("host=/run/postgresql dbname=ripen", false),
            ("postgres:///ripen", false),
            ("dbname=ripen", false),
        ] {
            assert_eq!(DatabaseUrl::new(url).is_remote(), remote, "{url}");
        }
    }

    #[test]
    fn a_database_address_is_not_printed() {
        let url = parse_database_url("postgres://ripen:secret@db/ripen").unwrap();
        assert!(!format!("{url:?}").contains("secret"));
        assert!(parse_database_url(" ").is_err());
    }
}
