//! A database for each test, in about 20 ms.
//!
//! One PostgreSQL for the test process, through our own `db::local`, with everything off that
//! keeps data safe; it ends with the process, even when that is killed. In it a template with all
//! migrations applied, named by their hash; each test gets a copy of its own, which is dropped when
//! the test ends well and kept when it panics.
//!
//! With RIPEN_TEST_DATABASE_URL the copies are made in that server instead (a role that may create
//! databases), where kept ones can be looked at afterwards.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use ripen::config::DatabaseUrl;
use ripen::db::local::role::ROLE;
use ripen::db::local::{Durability, Server, Settings, process};
use ripen::db::pool::Sizes;
use ripen::db::{Database, migrate};
use sha2::{Digest, Sha256};

/// Small pools: many tests run at once in one server.
const SIZES: Sizes = Sizes { web: 4, ingest: 2, work: 2 };
/// Taken while the template is looked for and made.
const TEMPLATE_LOCK: i64 = 0x74_65_73_74;

/// A migrated, empty database that belongs to one test; use it as a [`Database`].
pub struct TestDb {
    name: String,
    database: Option<Database>,
}

impl TestDb {
    /// A fresh copy of the template.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let home = home();
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("test_{}_{count}", std::process::id());
        home.admin()
            .batch_execute(&format!(
                "CREATE DATABASE {name} TEMPLATE {} STRATEGY file_copy {}",
                home.template,
                home.owned()
            ))
            .expect("a copy of the template");
        let database = Database::connect(&home.url(&name), SIZES).expect("pools");
        Self { name, database: Some(database) }
    }
}

impl Deref for TestDb {
    type Target = Database;
    fn deref(&self) -> &Database {
        self.database.as_ref().expect("is taken only by drop")
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kept the database {} (until its server ends)", self.name);
            return;
        }
        drop(self.database.take());
        // FORCE: the pools' threads may still be closing connections.
        let _ = home()
            .admin()
            .batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// The server of this test process.
struct Home {
    place: Place,
    template: String,
}

enum Place {
    Ours(Server),
    Given(url::Url),
}

/// Started by the first test that asks.
fn home() -> &'static Home {
    static HOME: OnceLock<Home> = OnceLock::new();
    HOME.get_or_init(|| {
        let place = match std::env::var("RIPEN_TEST_DATABASE_URL") {
            Ok(given) => Place::Given(given.parse().expect("RIPEN_TEST_DATABASE_URL is a URL")),
            Err(_) => Place::Ours(disposable_server(&scratch_dir("server"))),
        };
        let mut home = Home { place, template: String::new() };
        home.template = home.make_template();
        home
    })
}

impl Home {
    fn url(&self, database: &str) -> DatabaseUrl {
        match &self.place {
            Place::Ours(server) => server.url(database),
            Place::Given(given) => {
                let mut url = given.clone();
                url.set_path(database);
                DatabaseUrl::new(url)
            }
        }
    }

    fn admin(&self) -> PgConnection {
        let url = match &self.place {
            Place::Ours(server) => server.admin_url("postgres"),
            Place::Given(_) => self.url("postgres"),
        };
        PgConnection::establish(url.expose()).expect("the test server answers")
    }

    /// Whose its databases are: in a private PostgreSQL Ripen's role is no superuser.
    fn owned(&self) -> String {
        match &self.place {
            Place::Ours(_) => format!("OWNER {ROLE}"),
            Place::Given(_) => String::new(),
        }
    }

    /// Finds the template of the present migrations or makes it; other processes may want it too.
    fn make_template(&self) -> String {
        let name = format!("template_{}", hash_of_migrations());
        let mut admin = self.admin();
        admin.batch_execute(&format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})")).unwrap();
        if !database_exists(&mut admin, &name) {
            let draft = format!("{name}_draft");
            admin.batch_execute(&format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)")).unwrap();
            admin.batch_execute(&format!("CREATE DATABASE {draft} {}", self.owned())).unwrap();
            if let Place::Ours(_) = &self.place {
                // Some tests copy files into tables.
                admin.batch_execute(&format!("GRANT pg_read_server_files TO {ROLE}")).unwrap();
            }
            migrate::run(&self.url(&draft)).expect("the migrations apply");
            let rename = format!("ALTER DATABASE {draft} RENAME TO {name}");
            // The migrating connection may still be on its way out.
            let renamed = eventually(|| admin.batch_execute(&rename).ok());
            renamed.expect("the template gets its name");
        }
        name
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

fn database_exists(conn: &mut PgConnection, name: &str) -> bool {
    diesel::sql_query(format!("SELECT count(*) AS n FROM pg_database WHERE datname = '{name}'"))
        .get_result::<Found>(conn)
        .is_ok_and(|found| found.n > 0)
}

fn hash_of_migrations() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("migrations/")
        .map(|entry| entry.unwrap().path().join("up.sql"))
        .collect();
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.to_string_lossy().as_bytes());
        hash.update(std::fs::read(&file).unwrap_or_default());
    }
    hex::encode(hash.finalize()).chars().take(16).collect()
}

/// A private PostgreSQL in `dir` that forgets on a crash; launched by the built `ripen`.
pub fn disposable_server(dir: &Path) -> Server {
    Server::start(&disposable(dir)).unwrap_or_else(|error| panic!("{error}"))
}

/// The settings of [`disposable_server`].
pub fn disposable(dir: &Path) -> Settings {
    Settings {
        data_dir: dir.to_owned(),
        launcher: env!("CARGO_BIN_EXE_ripen").into(),
        durability: Durability::Disposable,
    }
}

/// A short path for a server of this process; what dead test processes left is removed first.
pub fn scratch_dir(what: &str) -> PathBuf {
    let temp = std::env::temp_dir();
    for entry in std::fs::read_dir(&temp).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(rest) = name.strip_prefix("ripen-test-") else { continue };
        let owner: Option<u32> = rest.split('-').next().and_then(|pid| pid.parse().ok());
        let Some(owner) = owner else { continue };
        if !Path::new(&format!("/proc/{owner}")).exists() && nobody_lives_in(&entry.path()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    temp.join(format!("ripen-test-{}-{what}", std::process::id()))
}

fn nobody_lives_in(dir: &Path) -> bool {
    std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .all(|entry| process::holders(&entry.path()).is_empty())
}

/// Asks until there is an answer, for at most 20 s: for what another process does in its own time.
pub fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    for _ in 0..1000 {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}
