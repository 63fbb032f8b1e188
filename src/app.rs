//! The composition: configuration, database and clock become one [`App`], which the server, the
//! workers and the tests share; [`serve`] runs it until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{HttpServer, web};

use crate::api::metrics;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Database;
use crate::error::{Error, Result};
use crate::ingest::drainer::Wake;
use crate::ingest::receive::Intake;
use crate::ingest::writer::{Limits, Writer};
use crate::listener;
use crate::shutdown::{Shutdown, end_process};
use crate::sources::keyring::KeyRing;
use crate::team;
use crate::threads::Threads;
use crate::web::{address, closing, errors, headers};
use crate::workers::Workers;
use crate::{jobs, routes};

/// The watchdog acts so long before the shutdown timeout, so that the process has ended by then.
const MARGIN: Duration = Duration::from_millis(700);

/// What every handler and worker may ask for: `app: web::Data<App>`.
#[derive(Clone)]
pub struct App {
    /// The database; `read_web` and `tx_web` for handlers.
    pub db: Database,
    /// The time; a handler reads it once and passes it on.
    pub clock: Clock,
    /// What the operator decided.
    pub config: Config,
    /// Whether the server was told to stop.
    pub shutdown: Shutdown,
    /// The open write keys; whoever changes one has it forget ([`KeyRing::forget`]).
    pub keys: Arc<KeyRing>,
}

impl App {
    /// One on this database.
    #[must_use]
    pub fn new(db: Database, clock: Clock, config: Config) -> Self {
        let keys = Arc::new(KeyRing::new(db.clone(), clock.clone()));
        Self { db, clock, config, keys, shutdown: Shutdown::default() }
    }

    /// Whether people reach Ripen over https: decides the cookie's name and its `Secure`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.config.public_url.scheme() == "https"
    }

    /// The full address of a path, for links that people copy.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.config.public_url.as_str().trim_end_matches('/'))
    }
}

/// The whole HTTP side, for the server and for tests alike.
pub fn service(
    app: web::Data<App>,
) -> actix_web::App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    actix_web::App::new()
        .app_data(app)
        .configure(routes::configure)
        .wrap(from_fn(address::guard))
        .wrap(from_fn(errors::render))
        .wrap(from_fn(headers::add))
        .wrap(from_fn(metrics::count))
        .wrap(from_fn(closing::close))
}

/// Serves until SIGTERM or Ctrl-C, or until a thread keeps failing; then stops accepting, lets running
/// requests end, each with an answer that closes its connection, and returns. The process ends within the shutdown timeout, whatever still runs then.
/// Makes the set-up link when there is no admin yet, and says it in the log.
///
/// # Errors
/// When the address can't be bound, the server fails, or a thread kept failing.
pub async fn serve(app: App) -> Result<()> {
    let shutdown = app.shutdown.clone();
    shutdown.on_signals()?;
    let threads = Threads::new(shutdown.clone());
    let limit = app.config.shutdown_timeout;
    let running = threads.clone();
    shutdown.within(limit - MARGIN, move || end_process(&running.running()))?;
    let now = app.clock.now();
    app.db.tx_web(move |conn| jobs::furnish(conn, now)).await?;
    if let Some(link) = open_the_door(&app).await? {
        tracing::info!("no admin yet: open {link} within 24 hours to make the first one");
    }
    if !app.is_https() {
        tracing::warn!(
            "the public address is plain http: session cookies go without Secure; \
             use https for anything but this machine"
        );
    }
    let (bind, most) = (app.config.bind, app.config.max_connections);
    let public = app.config.public_url.clone();
    let wake = Wake::default();
    let workers = Workers::start(&app.db, &app.clock, wake.clone(), &threads)?;
    let committed = move || wake.notify();
    let (db, clock, limits) = (app.db.clone(), app.clock.clone(), Limits::default());
    let writer = Writer::start_among(&threads, db, clock, limits, committed)?;
    let intake = Intake::new(app.db.clone(), app.clock.clone(), Arc::clone(&app.keys), writer)?;
    let intake = match app.config.names_public_url() {
        true => intake.reached_at(&app.config.public_url),
        false => intake,
    };
    let intake = web::Data::new(intake);
    let (data, threads) = (web::Data::new(app), web::Data::new(threads));
    let listener = listener::listen(bind)?;
    let accepting = listener.try_clone().map_err(Error::internal)?;
    listener::allow_files(most);
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let server = HttpServer::new(move || {
        service(data.clone()).app_data(intake.clone()).app_data(threads.clone())
    })
    .disable_signals()
    .workers(cpus)
    .max_connections(most.div_ceil(cpus))
    // A sixth of the time is for the threads, which end after the requests.
    .shutdown_timeout((limit.as_secs() * 5 / 6).max(1))
    .listen(listener)
    .map_err(Error::internal)?
    .run();
    tracing::info!("listening on {bind}; people open {public}");
    let handle = server.handle();
    let stop = async {
        shutdown.begun().await;
        tracing::info!("stopping: running requests may end");
        workers.finish_up();
        listener::stop_accepting(accepting).await;
        handle.stop(true).await;
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = server => ended.map_err(Error::internal),
        () = stop => Ok(()),
    };
    // Also when the server ended by itself: what follows has a deadline.
    shutdown.begin();
    // What was acknowledged is in the journal; each worker ends what it has in hand.
    drop(workers);
    match shutdown.failure() {
        Some(failure) => Err(Error::Internal(failure)),
        None => ended,
    }
}

/// The address of a fresh set-up link, when nobody could sign in to invite anybody.
async fn open_the_door(app: &App) -> Result<Option<String>> {
    let now = app.clock.now();
    let token = app.db.tx_web(move |conn| team::ops::ensure_setup_link(conn, now)).await?;
    Ok(token.map(|token| app.link(&format!("/setup/{token}"))))
}
