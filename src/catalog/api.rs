//! The catalog for scripts: read it, put another in its place, ask first what that would do.
//!
//! The catalog has versions rather than a draft: every change is a whole document that counts from the
//! next event on, and none is ever lost. So PUT saves the next version, on the condition that the
//! one it was made from is still in force, and `?dry_run=true` shows what a draft would show.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, web};
use diesel::PgConnection;
use serde::Deserialize;
use serde_json::{Value, json};

use super::change::{Change, key_events};
use super::event::Definition;
use super::pages::differences;
use super::pages_forecast::{Numbers, forecast};
use super::{ops, pages_referrers, store};
use crate::api::body::Body;
use crate::api::problem::Problem;
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::team::audit::Actor;
use crate::web::api_key::{Admin, ApiKey, Read};

/// `GET /api/v1/catalog`: the document in force and its version, which is its `ETag` too.
///
/// # Errors
/// When the database fails.
pub async fn catalog(app: web::Data<App>, _key: ApiKey<Read>) -> Result<HttpResponse> {
    let (version, document, said) = app
        .db
        .read_web(|conn| {
            let (version, document) = store::current(conn)?;
            let said = match store::one_version(conn, version) {
                Err(Error::NotFound) => None,
                other => Some(other?),
            };
            Ok((version, document, said))
        })
        .await?;
    Ok(HttpResponse::Ok().insert_header((ETAG, format!("\"{version}\""))).json(json!({
        "version": version,
        "published_at": said.as_ref().map(|said| said.created_at),
        "published_by": said.as_ref().map(|said| said.actor.as_str()),
        "reason": said.as_ref().map(|said| said.reason.as_str()),
        "document": document,
    })))
}

/// What PUT takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The version that the document was made from; `If-Match` may say it instead.
    version: Option<i32>,
    /// Why; a dry run needs none.
    #[serde(default)]
    reason: String,
    /// Every event of the catalog.
    document: Vec<Definition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    dry_run: bool,
}

/// What came of it.
enum Outcome {
    /// The document is in force, and was not before.
    Saved(i32, Vec<String>),
    /// It is in force already.
    Unchanged(i32),
    /// What saving would do to this version.
    Shown(i32, Vec<String>, Box<(String, Vec<String>, Numbers)>),
}

/// `PUT /api/v1/catalog?dry_run=`: puts a document in the place of the one in force, as the next
/// version; 409 when that is no longer the one it was made from. The same document again changes
/// nothing.
///
/// # Errors
/// `Invalid` at `version`, `reason` or a place of the document; `Conflict`; when the database fails.
pub async fn put_catalog(
    app: web::Data<App>,
    key: ApiKey<Admin>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse> {
    let asked = match web::Query::<Asked>::from_query(request.query_string()) {
        Ok(asked) => asked.into_inner(),
        Err(error) => {
            let detail = format!("{error}. There is dry_run, true or false.");
            return Ok(Problem::bad_parameter(detail).answer());
        }
    };
    let json: Value = match body.json() {
        Ok(json) => json,
        Err(problem) => return Ok(problem.answer()),
    };
    let wanted: Wanted = serde_json::from_value(json)
        .map_err(|error| Error::invalid("", format!("This is no catalog to put: {error}.")))?;
    let header = request.headers().get("if-match").and_then(|value| value.to_str().ok());
    let seen = match header.map(|text| text.trim_start_matches("W/").trim_matches('"').parse()) {
        Some(Ok(seen)) => seen,
        Some(Err(_)) => {
            let detail = "If-Match must name a version as GET says it, such as \"3\".";
            return Ok(Problem::bad_parameter(detail).answer());
        }
        None => wanted.version.ok_or_else(|| {
            let text = "Say which version the document was made from: version, or If-Match.";
            Error::invalid("version", text)
        })?,
    };
    let (change, reason) = (Change::Whole(wanted.document), wanted.reason);
    let by = Actor { id: None, name: format!("API key {}", key.name) };
    let now = app.clock.now();
    let (outcome, warnings) = app
        .db
        .tx_web(move |conn| {
            let (version, before) = store::current(conn)?;
            let after = change.applied(&before).map_err(|errors| in_the_document(&errors))?;
            let warnings: Vec<String> = key_events(&after).1.into_iter().collect();
            if after == before {
                return Ok((Outcome::Unchanged(version), warnings));
            }
            nothing_left_pointing_at_nothing(conn, &before, &after)?;
            if !asked.dry_run {
                let lines = differences(&before, &after);
                let version = ops::save(conn, &by, seen, &change, &reason, now)?;
                return Ok((Outcome::Saved(version, lines), warnings));
            }
            ops::still(seen, version)?;
            let told = forecast(conn, before, after, "", now)?;
            let shown = Box::new((told.summary, told.lines, told.numbers));
            Ok((Outcome::Shown(version, told.changes, shown), warnings))
        })
        .await?;
    Ok(HttpResponse::Ok().json(match outcome {
        Outcome::Saved(version, changes) => {
            json!({"status": "saved", "version": version, "changes": changes, "warnings": warnings})
        }
        Outcome::Unchanged(version) => {
            json!({"status": "unchanged", "version": version, "changes": [], "warnings": warnings})
        }
        Outcome::Shown(version, changes, told) => {
            let (summary, lines, numbers) = *told;
            let mut forecast = json!(numbers);
            if let Some(members) = forecast.as_object_mut() {
                members.insert("summary".to_owned(), summary.into());
                members.insert("lines".to_owned(), lines.into());
            }
            json!({"status": "dry_run", "version": version, "changes": changes, "warnings": warnings,
                   "forecast": forecast})
        }
    }))
}

/// The places of a whole document as the body has them.
fn in_the_document(errors: &FieldErrors) -> Error {
    let placed = |field: &String| match field.strip_prefix("events.") {
        Some(rest) => format!("document.{rest}"),
        None => field.clone(),
    };
    Error::Invalid(errors.iter().map(|(field, text)| (placed(field), text.clone())).collect())
}

/// An event to which something refers stays in the catalog.
fn nothing_left_pointing_at_nothing(
    conn: &mut PgConnection,
    before: &[Definition],
    after: &[Definition],
) -> Result<()> {
    let mut lacks = Vec::new();
    for gone in before.iter().filter(|one| after.iter().all(|kept| kept.key != one.key)) {
        let referrers = pages_referrers::of(conn, &gone.key)?;
        if !referrers.is_empty() {
            lacks.push(format!(
                "{} stays: it is read by {}.",
                gone.key,
                referrers.join(", and by ")
            ));
        }
    }
    if lacks.is_empty() {
        return Ok(());
    }
    Err(Error::Invalid(FieldErrors::from([("document".to_owned(), lacks)])))
}
