//! Records through the JSON API: one by PUT, many by `POST /api/v1/bulk/{kind}`. API keys with the
//! scope write.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::call::NO_SOURCE;
use super::endpoint::{self, Refusal};
use super::kind::Kind;
use super::known::Status;
use super::{answer, ops};
use crate::api::accounts::Name;
use crate::api::body::Body;
use crate::api::problem::Problem;
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::ingest::traits::snake_case;
use crate::values::text::trimmed;
use crate::web::api_key::{ApiKey, Write};

/// `PUT /api/v1/workspaces/{workspace_id}`.
pub async fn put_workspace(
    app: web::Data<App>,
    _key: ApiKey<Write>,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse> {
    put(Kind::Workspaces, &app, Some(("workspace_id", id.into_inner())), &body).await
}

/// `PUT /api/v1/users/{user_id}`.
pub async fn put_user(
    app: web::Data<App>,
    _key: ApiKey<Write>,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse> {
    put(Kind::Users, &app, Some(("user_id", id.into_inner())), &body).await
}

/// `PUT /api/v1/accounts/{account_id}`: by its domain, or by the id of your CRM.
pub async fn put_account(
    app: web::Data<App>,
    _key: ApiKey<Write>,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let named = match Name::of(&id) {
        Name::Domain(_) => ("domain", id),
        Name::AccountId(_) => ("account_id", id),
    };
    put(Kind::Accounts, &app, Some(named), &body).await
}

/// `PUT /api/v1/subscriptions/{id}`.
pub async fn put_subscription(
    app: web::Data<App>,
    _key: ApiKey<Write>,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse> {
    put(Kind::Subscriptions, &app, Some(("subscription_id", id.into_inner())), &body).await
}

/// `PUT /api/v1/memberships`.
pub async fn put_membership(
    app: web::Data<App>,
    _key: ApiKey<Write>,
    body: Body,
) -> Result<HttpResponse> {
    put(Kind::Memberships, &app, None, &body).await
}

async fn put(
    kind: Kind,
    app: &web::Data<App>,
    named: Option<(&'static str, String)>,
    body: &Body,
) -> Result<HttpResponse> {
    let mut members: Map<String, Value> = match body.json() {
        Ok(members) => members,
        Err(problem) => return Ok(problem.answer()),
    };
    if let Some((field, id)) = named {
        name(kind, &mut members, field, id)?;
    }
    let now = app.clock.now();
    let entry = ops::entry(kind, 1, &members, now);
    match endpoint::write(app, NO_SOURCE, vec![entry], now).await {
        Ok(outcomes) => match outcomes.into_iter().next() {
            Some(outcome) if outcome.status == Status::Rejected => {
                let mut errors = FieldErrors::new();
                for fault in outcome.faults {
                    let field = fault.field.unwrap_or_default();
                    let message = fault
                        .message
                        .strip_prefix(&format!("{field}: "))
                        .unwrap_or(&fault.message)
                        .to_owned();
                    errors.entry(field).or_default().push(message);
                }
                Err(Error::Invalid(errors))
            }
            Some(outcome) => {
                let mut document: Map<String, Value> = outcome
                    .ids
                    .into_iter()
                    .map(|(name, id)| (name.to_owned(), json!(id)))
                    .collect();
                document.insert("status".to_owned(), outcome.status.key().into());
                let is_new = outcome.status == Status::Created;
                let mut response =
                    if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
                Ok(response.json(document))
            }
            None => Err(Error::internal("a record without an outcome")),
        },
        Err(refusal) => problem(refusal),
    }
}

/// Gives the record the id of the address; under whatever name the body has one, it must be the same.
fn name(kind: Kind, members: &mut Map<String, Value>, field: &str, id: String) -> Result<()> {
    let is_it = |name: &str| kind.field(&snake_case(name)).filter(|known| known.name == field);
    let id = Value::from(id);
    for (name, said) in &*members {
        let is_nothing =
            said.is_null() || said.as_str().is_some_and(|text| trimmed(text).is_empty());
        let Some(known) = is_it(name).filter(|_| !is_nothing) else { continue };
        if known.of.read(said).ok() != known.of.read(&id).ok() {
            return Err(Error::invalid(field, "The body names another one than the address."));
        }
    }
    members.retain(|name, _| is_it(name).is_none());
    members.insert(field.to_owned(), id);
    Ok(())
}

/// `POST /api/v1/bulk/{kind}`: NDJSON, or a JSON array, with an outcome for each record.
pub async fn bulk(
    app: web::Data<App>,
    _key: ApiKey<Write>,
    kind: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let Some(kind) = Kind::named(&kind) else {
        let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.key()).collect();
        return Ok(
            Problem::not_found(format!("There are records of {}.", words.join(", "))).answer()
        );
    };
    let now = app.clock.now();
    match endpoint::take(kind, &app, request.headers(), payload, NO_SOURCE, now).await {
        Ok(outcomes) => Ok(HttpResponse::Ok().json(answer::document(&outcomes))),
        Err(refusal) => problem(refusal),
    }
}

fn problem(refusal: Refusal) -> Result<HttpResponse> {
    let Some((status, code, detail, retry_after)) = refusal.said() else {
        return Err(match refusal {
            Refusal::Other(error) => error,
            _ => Error::internal("a refusal without words"),
        });
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut more = Map::new();
    if let Refusal::CutOff(outcomes, error) = &refusal {
        tracing::warn!(%error, "records were cut off");
        more = answer::document(outcomes);
    }
    let mut response = Problem { status, code, detail }.answer_with(more);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    Ok(response)
}
