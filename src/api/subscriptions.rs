//! `GET /api/v1/subscriptions` and one of them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use uuid::Uuid;

use super::cursor::Cursor;
use super::problem::Problem;
use super::query::read_limit;
use super::store_subscriptions::{self as store, Row, Wanted};
use crate::app::App;
use crate::error::Result;
use crate::subscriptions::store as changes;
use crate::subscriptions::terms::{STATUSES, Terms};
use crate::web::api_key::{ApiKey, Read};

const SORT: &str = "subscription_id";

fn read(text: &str) -> std::result::Result<Wanted, Problem> {
    let mut wanted = Wanted { limit: 50, ..Wanted::default() };
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        match name.as_ref() {
            "limit" => wanted.limit = read_limit(&value)?,
            "workspace_id" => wanted.workspace = Some(value.into_owned()),
            "customer_id" => wanted.customer = Some(value.into_owned()),
            "status" if STATUSES.contains(&value.as_ref()) => {
                wanted.status = Some(value.into_owned())
            }
            "status" => {
                return Err(Problem::bad_parameter(format!(
                    "There is no status {value}. There are {}.",
                    STATUSES.join(", ")
                )));
            }
            "after" => {
                let place = Cursor::read(&value, SORT).and_then(|cursor| cursor.value);
                wanted.after = Some(place.filter(|id| !id.contains('\0')).ok_or_else(|| {
                    Problem::bad_parameter(
                        "after is not a cursor of this list. Use the next of the page before.",
                    )
                })?);
            }
            other => {
                return Err(Problem::bad_parameter(format!(
                    "{other} is not a parameter. There are limit, after, workspace_id, customer_id and status."
                )));
            }
        }
    }
    Ok(wanted)
}

/// `GET /api/v1/subscriptions?limit=&after=&workspace_id=&customer_id=&status=`.
pub async fn list(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let wanted = match read(request.query_string()) {
        Ok(wanted) => wanted,
        Err(problem) => return Ok(problem.answer()),
    };
    let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let mut rows = app.db.read_web(move |conn| store::list(conn, &wanted)).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(|last| {
        let value = Some(last.subscription_id.clone());
        Cursor { sort: SORT.to_owned(), value, id: Uuid::nil() }.write()
    });
    Ok(HttpResponse::Ok().json(json!({"data": rows, "next": next})))
}

/// `GET /api/v1/subscriptions/{id}`: with what it was before.
pub async fn one(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let (row, changes) = app
        .db
        .read_web(move |conn| {
            let row = store::find(conn, &id)?;
            let changes = changes::changes(conn, std::slice::from_ref(&row.subscription_id))?;
            Ok((row, changes.into_values().flatten().collect::<Vec<_>>()))
        })
        .await?;
    let history: Vec<Value> = changes
        .iter()
        .map(|change| {
            let Terms { status, plan, currency, mrr_cents, seats_purchased, .. } = &change.terms;
            json!({"at": change.at, "status": status, "plan": plan, "currency": currency, "mrr_cents": mrr_cents,
                   "seats_purchased": seats_purchased, "origin": change.origin.key()})
        })
        .collect();
    Ok(HttpResponse::Ok().json(document(&row, &history)))
}

fn document(row: &Row, history: &[Value]) -> Value {
    let mut document = json!(row);
    if let Some(members) = document.as_object_mut() {
        members.insert("history".to_owned(), json!(history));
    }
    document
}
