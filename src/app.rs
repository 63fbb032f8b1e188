//! The composition: configuration, database and clock become one [`App`], which the server, the
//! workers and the tests share; [`serve`] runs it until it is told to stop.

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
use crate::team;
use crate::web::{address, errors, headers};
use crate::workers::Workers;
use crate::{jobs, routes};

/// What every handler and worker may ask for: `app: web::Data<App>`.
#[derive(Clone)]
pub struct App {
    /// The database; `read_web` and `tx_web` for handlers.
    pub db: Database,
    /// The time; a handler reads it once and passes it on.
    pub clock: Clock,
    /// What the operator decided.
    pub config: Config,
}

impl App {
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
}

/// Serves until SIGTERM or Ctrl-C, then stops accepting, lets running requests end within 25 s and
/// returns. Makes the set-up link when there is no admin yet, and says it in the log.
///
/// # Errors
/// When the address can't be bound or the server fails.
pub async fn serve(app: App) -> Result<()> {
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
    let bind = app.config.bind;
    let public = app.config.public_url.clone();
    let wake = Wake::default();
    let workers = Workers::start(&app.db, &app.clock, wake.clone())?;
    let committed = move || wake.notify();
    let writer = Writer::start(app.db.clone(), app.clock.clone(), Limits::default(), committed)?;
    let intake = web::Data::new(Intake::new(app.db.clone(), app.clock.clone(), writer)?);
    let data = web::Data::new(app);
    let server = HttpServer::new(move || service(data.clone()).app_data(intake.clone()))
        .disable_signals()
        .shutdown_timeout(25)
        .bind(bind)
        .map_err(|error| Error::Internal(format!("can't listen on {bind}: {error}")))?
        .run();
    tracing::info!("listening on {bind}; people open {public}");
    let handle = server.handle();
    let stopping = actix_web::rt::spawn(async move {
        told_to_stop().await;
        tracing::info!("stopping: running requests may end");
        handle.stop(true).await;
    });
    let ended = server.await.map_err(Error::internal);
    stopping.abort();
    // What was acknowledged is in the journal; each worker ends what it has in hand.
    drop(workers);
    ended
}

/// The address of a fresh set-up link, when nobody could sign in to invite anybody.
async fn open_the_door(app: &App) -> Result<Option<String>> {
    let now = app.clock.now();
    let token = app.db.tx_web(move |conn| team::ops::ensure_setup_link(conn, now)).await?;
    Ok(token.map(|token| app.link(&format!("/setup/{token}"))))
}

/// Waits for SIGTERM or Ctrl-C. actix would treat Ctrl-C as "at once"; here both are graceful.
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
