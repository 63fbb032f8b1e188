//! Whether Ripen lives and is ready, for load balancers and supervisors.

use actix_web::{HttpResponse, web};

use crate::app::App;
use crate::error::Result;
use crate::web::store;

/// `GET /healthz`: the process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok")
}

/// `GET /readyz`: the database answers too; migrations ran before the server began to listen.
///
/// # Errors
/// `Unavailable` without the database.
pub async fn ready(app: web::Data<App>) -> Result<HttpResponse> {
    app.db.read_web(store::ping).await?;
    Ok(HttpResponse::Ok().content_type("text/plain").body("ready"))
}
