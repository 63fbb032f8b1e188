//! The migrations, compiled into the binary and applied at start.
//!
//! Several processes may start at once: an advisory lock lets one of them migrate while the others
//! wait and then find nothing to do.

use std::collections::HashSet;

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
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

/// How many migrations of this binary the database lacks, by a connection that is there already;
/// changes nothing.
///
/// # Errors
/// The database's.
pub fn count_pending(conn: &mut PgConnection) -> Result<usize> {
    let made: Made =
        diesel::sql_query("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS made")
            .get_result(conn)?;
    let applied: Vec<Applied> = if made.made {
        diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load(conn)?
    } else {
        Vec::new()
    };
    let applied: HashSet<String> = applied.into_iter().map(|one| one.version).collect();
    let all = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(Error::internal)?;
    Ok(all.iter().filter(|one| !applied.contains(&one.name().version().to_string())).count())
}

#[derive(diesel::QueryableByName)]
struct Made {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    made: bool,
}

#[derive(diesel::QueryableByName)]
struct Applied {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

fn connect(url: &DatabaseUrl) -> Result<PgConnection> {
    PgConnection::establish(url.expose()).map_err(|error| Error::Unavailable(2, error.to_string()))
}
