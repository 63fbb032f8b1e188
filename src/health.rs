//! Whether Ripen lives and is ready, for load balancers and supervisors.

use actix_web::{HttpResponse, web};

use crate::app::App;
use crate::db::migrate;
use crate::error::{Error, Result};
use crate::web::store;

/// `GET /healthz`: the process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok")
}

/// `GET /readyz`: the database answers and has every migration of this binary.
///
/// # Errors
/// `Unavailable` without the database, or while another server still migrates it.
pub async fn ready(app: web::Data<App>) -> Result<HttpResponse> {
    app.db.read_web(store::ping).await?;
    let url = app.db.url().clone();
    let pending = web::block(move || migrate::pending(&url)).await.map_err(Error::internal)??;
    if !pending.is_empty() {
        return Err(Error::Unavailable(5, format!("{} migrations are pending", pending.len())));
    }
    Ok(HttpResponse::Ok().content_type("text/plain").body("ready"))
}
