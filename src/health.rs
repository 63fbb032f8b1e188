//! Whether Ripen lives and is ready, for load balancers and supervisors.

use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, web};

use crate::app::App;
use crate::db::migrate;
use crate::error::{Error, Result};
use crate::threads::Threads;

/// When it is worth asking again while a thread is down, in seconds.
const RETRY: u32 = 5;

/// `GET /healthz`: the process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok")
}

/// `GET /readyz`: the database answers and has every migration of this binary, and all threads run. One
/// that ended and is about to be started again is named. By a connection of the pages' pool: asking
/// often opens no more of them.
///
/// # Errors
/// `Unavailable` without the database, once the server was told to stop, or while another server still migrates it.
pub async fn ready(
    app: web::Data<App>,
    threads: Option<web::Data<Threads>>,
) -> Result<HttpResponse> {
    if app.shutdown.has_begun() {
        return Err(Error::Unavailable(RETRY, "this server is stopping".to_owned()));
    }
    let down = threads.map(|threads| threads.down()).unwrap_or_default();
    if !down.is_empty() {
        // Names only: the reasons are for the log.
        let names: Vec<String> = down.into_iter().map(|(name, _)| name).collect();
        return Ok(HttpResponse::ServiceUnavailable()
            .insert_header((RETRY_AFTER, RETRY))
            .content_type("text/plain")
            .body(format!("not ready: threads that ended: {}", names.join(", "))));
    }
    let pending = app.db.read_web(migrate::count_pending).await?;
    if pending > 0 {
        return Err(Error::Unavailable(RETRY, format!("{pending} migrations are pending")));
    }
    Ok(HttpResponse::Ok().content_type("text/plain").body("ready"))
}
