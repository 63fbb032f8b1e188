//! The scoring model for scripts: read, draft, publish.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Body;
use super::problem::Problem;
use crate::app::App;
use crate::error::{Error, Result};
use crate::scoring::model::Model;
use crate::scoring::ops_models::{self, Desk, Seen};
use crate::team::audit::Actor;
use crate::web::api_key::{Admin, ApiKey, Read};

fn actor(key: &ApiKey<Admin>) -> Actor {
    Actor { id: None, name: format!("API key {}", key.name) }
}

fn document(desk: &Desk) -> Value {
    let draft = desk.draft.as_ref().map(|draft| {
        json!({
            "draft": desk.seen().to_string(),
            "base_version": draft.base_version,
            "created_by": draft.created_by,
            "document": draft.model,
        })
    });
    json!({
        "version": desk.current.version,
        "published_at": desk.current.published_at,
        "published_by": desk.current.published_by,
        "reason": desk.current.reason,
        "document": desk.current.model,
        "draft": draft,
    })
}

/// `GET /api/v1/scoring/model`: the published document, and the draft if there is one.
pub async fn model(app: web::Data<App>, _key: ApiKey<Read>) -> Result<HttpResponse> {
    let desk = app.db.read_web(ops_models::desk).await?;
    Ok(HttpResponse::Ok().json(document(&desk)))
}

/// `PUT /api/v1/scoring/model`: the document becomes the draft. With `If-Match` naming the draft
/// (as `4.2`, or `4.new`) only if it is still that one; without, whatever the draft was.
pub async fn put_model(
    app: web::Data<App>,
    key: ApiKey<Admin>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse> {
    let json: Value = match body.json() {
        Ok(json) => json,
        Err(problem) => return Ok(problem.answer()),
    };
    let model: Model = serde_json::from_value(json)
        .map_err(|error| Error::invalid("", format!("This is not a model document: {error}.")))?;
    let header = request.headers().get("if-match").and_then(|value| value.to_str().ok());
    let wanted: Option<Seen> = match header.map(|text| text.trim_matches('"').parse()) {
        Some(Ok(seen)) => Some(seen),
        None => None,
        Some(Err(_)) => {
            let detail = "If-Match must name the draft as GET says it, such as 4.2.";
            return Ok(Problem::bad_parameter(detail).answer());
        }
    };
    let (by, now) = (actor(&key), app.clock.now());
    let (seen, warnings) = app
        .db
        .tx_web(move |conn| {
            let desk = ops_models::desk(conn)?;
            let seen = wanted.unwrap_or_else(|| desk.seen());
            let around = ops_models::surroundings(conn, &desk.current.model)?;
            let saved = ops_models::save_draft(conn, &by, seen, &model, now)?;
            Ok((saved, ops_models::warnings(&model, &around)))
        })
        .await?;
    let warnings: Vec<Value> = warnings
        .into_iter()
        .map(|warning| json!({"at": warning.path, "message": warning.message}))
        .collect();
    Ok(HttpResponse::Ok().json(json!({"draft": seen.to_string(), "warnings": warnings})))
}

/// What publishing asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Publication {
    /// The draft that is meant, as PUT answered.
    draft: String,
    /// Why.
    reason: String,
}

/// `POST /api/v1/scoring/model/publish`: 409 when the draft is not the one that is meant.
pub async fn publish(app: web::Data<App>, key: ApiKey<Admin>, body: Body) -> Result<HttpResponse> {
    let asked: Publication = match body.json() {
        Ok(asked) => asked,
        Err(problem) => return Ok(problem.answer()),
    };
    let seen: Seen = asked.draft.parse()?;
    let (by, now) = (actor(&key), app.clock.now());
    let published =
        app.db.tx_web(move |conn| ops_models::publish(conn, &by, seen, &asked.reason, now)).await?;
    Ok(HttpResponse::Ok().json(json!({
        "version": published.version,
        "job": published.job,
        "job_url": format!("/api/v1/jobs/{}", published.job),
    })))
}
