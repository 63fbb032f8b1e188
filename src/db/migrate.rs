//! The migrations, compiled into the binary and applied at start.
//!
//! Several processes may start at once: an advisory lock lets one of them migrate while the others
//! wait and then find nothing to do.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::config::DatabaseUrl;
use crate::error::{Error, Result};

/// Every migration in `migrations/`, in order of their names.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// The advisory lock that is held while migrating; the number is "ripen" in ASCII.
const LOCK: i64 = 0x72_69_70_65_6e;

/// Applies what is missing and answers with the versions applied, oldest first; none means that
/// the database was up to date. Each migration is a transaction of its own.
///
/// # Errors
/// `Unavailable` when the database can't be reached; `Internal` naming the migration that failed.
pub fn run(url: &DatabaseUrl) -> Result<Vec<String>> {
    let mut conn = connect(url)?;
    conn.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))?;
    // The lock ends with the connection, also when a migration fails.
    let applied = conn.run_pending_migrations(MIGRATIONS).map_err(Error::internal)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

#[derive(diesel::QueryableByName)]
struct Setting {
    #[diesel(sql_type = diesel::sql_types::Text)]
    server_version_num: String,
}

/// The server's major version, such as 15.
///
/// # Errors
/// `Unavailable` when the database can't be reached.
pub fn server_major(url: &DatabaseUrl) -> Result<u32> {
    let setting: Setting =
        diesel::sql_query("SHOW server_version_num").get_result(&mut connect(url)?)?;
    Ok(setting.server_version_num.parse::<u32>().map_err(Error::internal)? / 10_000)
}

/// The versions that are not applied yet, oldest first; changes nothing but the empty bookkeeping
/// table of a fresh database.
///
/// # Errors
/// `Unavailable` when the database can't be reached.
pub fn pending(url: &DatabaseUrl) -> Result<Vec<String>> {
    let pending = connect(url)?.pending_migrations(MIGRATIONS).map_err(Error::internal)?;
    Ok(pending.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn connect(url: &DatabaseUrl) -> Result<PgConnection> {
    PgConnection::establish(url.expose()).map_err(|error| Error::Unavailable(2, error.to_string()))
}
