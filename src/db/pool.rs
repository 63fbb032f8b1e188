//! Connections, and the two ways to use one: [`Database::read`] and [`Database::tx`].
//!
//! Three pools, so that a flood of events never keeps people from their pages and a long job
//! starves neither. A pool that lost its connections makes new ones by itself once PostgreSQL is
//! back, within a second or so; until then callers wait two seconds and get `Unavailable`.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::r2d2::{self, ConnectionManager, CustomizeConnection, PooledConnection};
use diesel::{Connection, PgConnection};

use super::local::{self, Server};
use super::migrate;
use crate::config::{Config, DatabaseUrl};
use crate::error::{Error, Result, caught};

/// How long a caller waits for a connection before hearing `Unavailable`.
const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a transaction runs that loses against others before the caller hears of it.
const ATTEMPTS: u32 = 4;

/// Which pool a piece of work draws its connection from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Pages, forms and the API: short statements only, cut off after 15 s.
    Web,
    /// Receiving events.
    Ingest,
    /// Jobs, drainers, schedules, commands.
    Work,
}

/// How many connections each pool may open; they are opened when first needed.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Of [`Pool::Web`].
    pub web: u32,
    /// Of [`Pool::Ingest`].
    pub ingest: u32,
    /// Of [`Pool::Work`].
    pub work: u32,
}

impl Default for Sizes {
    /// Eighteen in all: a server beyond that is busier switching than working on a few cores. Behind the
    /// pages five threads work: two that drain, one that scores, two that do jobs; one is to spare.
    fn default() -> Self {
        Self { web: 8, ingest: 4, work: 6 }
    }
}

/// Says that [`Database::check_room`] was asked a moment ago. Whatever writes events down wants one, so
/// that no way in forgets to ask.
#[derive(Clone, Copy, Debug)]
pub struct Room(());

/// The database, to be cloned freely: clones share their pools.
///
/// While a clone lives, so does the private PostgreSQL that [`Database::open`] may have started.
#[derive(Clone)]
pub struct Database {
    // Before the server, so that connections close before it stops.
    pools: Arc<Pools>,
    server: Option<Arc<Server>>,
    url: DatabaseUrl,
}

struct Pools {
    web: r2d2::Pool<ConnectionManager<PgConnection>>,
    ingest: r2d2::Pool<ConnectionManager<PgConnection>>,
    work: r2d2::Pool<ConnectionManager<PgConnection>>,
}

impl Database {
    /// The database of this configuration, migrated: the given one, or the private one, which is
    /// created and started when needed. Blocks: about a second the very first time.
    ///
    /// # Errors
    /// What is missing and how to mend it, in words for whoever runs Ripen.
    pub fn open(config: &Config) -> Result<Self> {
        let (url, server, applied) = match &config.database_url {
            Some(url) => (url.clone(), None, migrate::run(url)?),
            None => {
                let server = Server::start(&local::Settings::of(&config.data_dir))
                    .map_err(|error| Error::Unavailable(2, error.to_string()))?;
                let applied = server.migrate()?;
                (server.url(local::DATABASE), Some(Arc::new(server)), applied)
            }
        };
        if !applied.is_empty() {
            tracing::info!(count = applied.len(), "migrations applied");
        }
        let mut database = Self::connect(&url, Sizes::default())?;
        database.server = server;
        Ok(database)
    }

    /// Pools on a database that is there and migrated. Opens no connection yet.
    ///
    /// # Errors
    /// `Unavailable` when the pools can't be made.
    pub fn connect(url: &DatabaseUrl, sizes: Sizes) -> Result<Self> {
        Ok(Self {
            pools: Arc::new(Pools {
                web: build(url, Pool::Web, sizes.web)?,
                ingest: build(url, Pool::Ingest, sizes.ingest)?,
                work: build(url, Pool::Work, sizes.work)?,
            }),
            server: None,
            url: url.clone(),
        })
    }

    /// Where this database is; for tools that need a connection of their own.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Answers a question: a read-only transaction in which all statements see the same instant.
    ///
    /// # Errors
    /// The closure's; `Unavailable` without a connection within two seconds.
    pub fn read<T>(
        &self,
        pool: Pool,
        query: impl FnOnce(&mut PgConnection) -> Result<T>,
    ) -> Result<T> {
        let mut conn = self.checkout(pool)?;
        conn.build_transaction().read_only().repeatable_read().run(query)
    }

    /// Changes something: all of the closure happens or nothing. It runs again, up to four times
    /// in all, when PostgreSQL gave it up for a deadlock or a serialization failure; so it must do
    /// nothing but talk to the database.
    ///
    /// # Errors
    /// The closure's, after rolling back; `Unavailable` without a connection within two seconds;
    /// `Contended` when it lost every time.
    pub fn tx<T>(
        &self,
        pool: Pool,
        mut change: impl FnMut(&mut PgConnection) -> Result<T>,
    ) -> Result<T> {
        self.until_it_wins(pool, |conn| conn.transaction(&mut change))
    }

    /// [`Database::tx`] for a change of a single statement, which is a transaction by itself: two
    /// round trips fewer.
    ///
    /// # Errors
    /// As [`Database::tx`].
    pub fn statement<T>(
        &self,
        pool: Pool,
        change: impl FnMut(&mut PgConnection) -> Result<T>,
    ) -> Result<T> {
        self.until_it_wins(pool, change)
    }

    fn until_it_wins<T>(
        &self,
        pool: Pool,
        mut change: impl FnMut(&mut PgConnection) -> Result<T>,
    ) -> Result<T> {
        let mut conn = self.checkout(pool)?;
        let mut attempt = 1;
        loop {
            // Deref: the pooled connection has a transaction manager of its own that hides errors.
            let conn: &mut PgConnection = &mut conn;
            match change(conn) {
                Err(Error::Contended(cause)) if attempt < ATTEMPTS => {
                    tracing::debug!(attempt, %cause, "transaction lost against another, again");
                    // Random, or two that met once meet again.
                    let pause = u64::from(rand::random::<u8>() / 8) + u64::from(attempt) * 5;
                    std::thread::sleep(Duration::from_millis(pause));
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// [`Database::read`] for a handler: on the pages' pool, off the worker's own thread.
    ///
    /// # Errors
    /// As [`Database::read`].
    pub async fn read_web<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let database = self.clone();
        blocking(move || database.read(Pool::Web, query)).await
    }

    /// [`Database::tx`] for a handler: on the pages' pool, off the worker's own thread.
    ///
    /// # Errors
    /// As [`Database::tx`].
    pub async fn tx_web<T: Send + 'static>(
        &self,
        change: impl FnMut(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let database = self.clone();
        blocking(move || database.tx(Pool::Web, change)).await
    }

    /// [`Database::tx`] for a handler that stores what was sent, where acknowledged means durable.
    ///
    /// # Errors
    /// As [`Database::tx`].
    pub async fn tx_ingest<T: Send + 'static>(
        &self,
        change: impl FnMut(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let database = self.clone();
        blocking(move || database.tx(Pool::Ingest, change)).await
    }

    /// Whether what grows by itself may grow: asked before events are stored and projected. Always
    /// so with a PostgreSQL of somebody else, which knows its own disk.
    ///
    /// # Errors
    /// `Unavailable` when the disk of the private PostgreSQL is nearly full.
    pub fn check_room(&self) -> Result<Room> {
        self.server.as_ref().map_or(Ok(()), |server| server.check_room())?;
        Ok(Room(()))
    }

    /// A bare connection, for what is neither a read nor a transaction: binary COPY streams,
    /// advisory locks, LISTEN.
    ///
    /// # Errors
    /// `Unavailable` when there is none within two seconds.
    pub fn checkout(
        &self,
        pool: Pool,
    ) -> Result<PooledConnection<ConnectionManager<PgConnection>>> {
        Ok(self.pool(pool).get()?)
    }

    /// How many connections a pool has open, and how many of these are idle.
    #[must_use]
    pub fn connections(&self, pool: Pool) -> (u32, u32) {
        let state = self.pool(pool).state();
        (state.connections, state.idle_connections)
    }

    fn pool(&self, pool: Pool) -> &r2d2::Pool<ConnectionManager<PgConnection>> {
        match pool {
            Pool::Web => &self.pools.web,
            Pool::Ingest => &self.pools.ingest,
            Pool::Work => &self.pools.work,
        }
    }
}

/// Runs blocking work of a handler where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match actix_web::web::block(move || caught(work)).await {
        Ok(result) => result,
        Err(_) => Err(Error::Unavailable(2, "the server is shutting down".to_owned())),
    }
}

fn build(
    url: &DatabaseUrl,
    pool: Pool,
    size: u32,
) -> Result<r2d2::Pool<ConnectionManager<PgConnection>>> {
    Ok(r2d2::Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        .connection_timeout(CHECKOUT_TIMEOUT)
        // One round trip, and nobody meets a connection that died with PostgreSQL.
        .test_on_check_out(true)
        .connection_customizer(Box::new(Greeting(pool)))
        .build(ConnectionManager::new(url.expose()))?)
}

/// What each new connection is told first.
#[derive(Debug)]
struct Greeting(Pool);

impl CustomizeConnection<PgConnection, r2d2::Error> for Greeting {
    fn on_acquire(&self, conn: &mut PgConnection) -> std::result::Result<(), r2d2::Error> {
        let own = match self.0 {
            Pool::Web => {
                "SET application_name = 'ripen web'; SET statement_timeout = '15s'; \
                 SET idle_in_transaction_session_timeout = '60s'"
            }
            Pool::Ingest => "SET application_name = 'ripen ingest'",
            // A chunk or a rebuild takes what it takes, whatever the server's default.
            Pool::Work => "SET application_name = 'ripen work'; SET statement_timeout = 0",
        };
        // What was answered is durable, also where the server's default is to be quick instead; a
        // transaction that need not be says so itself.
        let all = "SET timezone = 'UTC'; SELECT set_config('synchronous_commit', 'on', false) \
                   WHERE current_setting('synchronous_commit') = 'off'";
        conn.batch_execute(&format!("{own}; {all}")).map_err(r2d2::Error::QueryError)
    }
}
