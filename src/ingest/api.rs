//! Ingestion for scripts.

use actix_web::{HttpResponse, web};
use chrono::DateTime;

use super::status::Status;
use super::store_status;
use crate::app::App;
use crate::error::Result;
use crate::web::api_key::{ApiKey, Read};

/// `GET /api/v1/ingest/status`: a script waits until `settled` is true to find its events scored.
pub async fn status(app: web::Data<App>, _key: ApiKey<Read>) -> Result<HttpResponse> {
    let totals = app.db.read_web(|conn| store_status::totals(conn, DateTime::UNIX_EPOCH)).await?;
    Ok(HttpResponse::Ok().json(Status::of(&totals, app.clock.now())))
}
