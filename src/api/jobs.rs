//! `GET /api/v1/jobs/{id}`: how far a re-score or an import is.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::app::App;
use crate::error::Result;
use crate::queue::store;
use crate::web::api_key::{ApiKey, Read};

/// The progress of a job. Its last error may hold internals, so it is said on the server alone.
pub async fn one(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    id: web::Path<i64>,
) -> Result<HttpResponse> {
    let job = app.db.read_web(move |conn| store::progress(conn, *id)).await?;
    let state = match (job.finished_at, job.died_at, job.attempts) {
        _ if job.cancelled_at.is_some() => "cancelled",
        (Some(_), _, _) => "done",
        (_, Some(_), _) => "dead",
        (_, _, 0) => "queued",
        _ => "running",
    };
    Ok(HttpResponse::Ok().json(json!({
        "id": job.id,
        "kind": job.kind,
        "state": state,
        "done": job.done,
        "total": job.total,
        "attempts": job.attempts,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "died_at": job.died_at,
    })))
}
