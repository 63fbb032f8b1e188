//! `GET /api/v1/users` and `GET /api/v1/contacts`, each as a list and one.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cursor::Cursor;
use super::problem::Problem;
use super::query::{DEFAULT_LIMIT, read_limit};
use super::store_people::{self, Contact, User};
use crate::app::App;
use crate::error::Result;
use crate::web::api_key::{ApiKey, Read};

/// The only order of these lists: users by id, contacts by address.
const SORT: &str = "name";

/// The parameters of the lists, as text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    limit: Option<String>,
    after: Option<String>,
}

/// How many rows, and after which key.
fn read(request: &HttpRequest) -> Result<(i64, String), Problem> {
    let asked = web::Query::<Asked>::from_query(request.query_string())
        .map_err(|error| Problem::bad_parameter(format!("{error}. There are limit and after.")))?;
    let limit = asked.limit.as_deref().map_or(Ok(DEFAULT_LIMIT), read_limit)?;
    let after = match asked.after.as_deref() {
        None | Some("") => String::new(),
        Some(text) => Cursor::read(text, SORT)
            .and_then(|cursor| cursor.value)
            .filter(|value| !value.contains('\0'))
            .ok_or_else(|| {
                Problem::bad_parameter(
                    "after is no cursor of this list. Take it from next of the answer before.",
                )
            })?,
    };
    Ok((limit, after))
}

/// `limit` of the documents, and the cursor when there are more.
fn listed<T>(
    mut rows: Vec<T>,
    limit: i64,
    key: impl Fn(&T) -> String,
    document: impl Fn(&T) -> Value,
) -> HttpResponse {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| has_more).map(|last| {
        let id = uuid::Uuid::nil();
        Cursor { sort: SORT.to_owned(), value: Some(key(last)), id }.write()
    });
    let data: Vec<Value> = rows.iter().map(document).collect();
    HttpResponse::Ok().json(json!({"data": data, "next": next}))
}

/// `GET /api/v1/users?limit=&after=`: the users of the product by their id.
///
/// # Errors
/// When the database fails.
pub async fn users(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let (limit, after) = match read(&request) {
        Ok(asked) => asked,
        Err(problem) => return Ok(problem.answer()),
    };
    let rows = app
        .db
        .read_web(move |conn| store_people::users(conn, &after, limit.saturating_add(1)))
        .await?;
    Ok(listed(rows, limit, |row| row.external_id.clone(), user_document))
}

/// `GET /api/v1/users/{user_id}`: one of them with every identifier.
///
/// # Errors
/// `NotFound` where there is none; when the database fails.
pub async fn user(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    user: web::Path<String>,
) -> Result<HttpResponse> {
    let (row, identifiers) = app
        .db
        .read_web(move |conn| {
            let row = store_people::user(conn, &user)?;
            let identifiers = store_people::identifiers(conn, row.canonical_id)?;
            Ok((row, identifiers))
        })
        .await?;
    let mut document = user_document(&row);
    let identifiers: Vec<Value> = identifiers
        .into_iter()
        .map(|one| {
            json!({"kind": one.kind, "value": one.value, "first_seen_at": one.first_seen_at,
                   "call": one.said_by, "source": one.source})
        })
        .collect();
    if let Some(fields) = document.as_object_mut() {
        fields.insert("identifiers".to_owned(), identifiers.into());
        fields.insert("traits".to_owned(), row.traits.clone());
    }
    Ok(HttpResponse::Ok().json(document))
}

fn user_document(row: &User) -> Value {
    json!({
        "user_id": row.external_id,
        "merged_into": row.merged_into,
        "email": row.email,
        "email_kind": row.email_kind,
        "name": row.name,
        "job_title": row.job_title,
        "seniority": row.seniority,
        "department": row.department,
        "first_seen_at": row.first_seen_at,
        "last_seen_at": row.last_seen_at,
    })
}

/// `GET /api/v1/contacts?limit=&after=`: the contacts by address.
///
/// # Errors
/// When the database fails.
pub async fn contacts(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let (limit, after) = match read(&request) {
        Ok(asked) => asked,
        Err(problem) => return Ok(problem.answer()),
    };
    let (rows, users) = app
        .db
        .read_web(move |conn| {
            let rows = store_people::contacts(conn, &after, limit.saturating_add(1))?;
            let users = store_people::users_of(conn, &rows)?;
            Ok((rows, users))
        })
        .await?;
    Ok(listed(rows, limit, |row| row.email.clone(), |row| contact_document(row, &users)))
}

/// `GET /api/v1/contacts/{email}`: one of them.
///
/// # Errors
/// `NotFound` where there is none; when the database fails.
pub async fn contact(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    email: web::Path<String>,
) -> Result<HttpResponse> {
    let (row, users) = app
        .db
        .read_web(move |conn| {
            let row = store_people::contact(conn, &email)?;
            let users = store_people::users_of(conn, std::slice::from_ref(&row))?;
            Ok((row, users))
        })
        .await?;
    Ok(HttpResponse::Ok().json(contact_document(&row, &users)))
}

fn contact_document(row: &Contact, users: &BTreeMap<uuid::Uuid, Vec<String>>) -> Value {
    let account =
        row.account.as_ref().map(|name| json!({"name": name, "domain": row.account_domain}));
    json!({
        "email": row.email,
        "email_kind": row.email_kind,
        "name": row.name,
        "job_title": row.job_title,
        "user_ids": users.get(&row.id).cloned().unwrap_or_default(),
        "account": account,
        "first_seen_at": row.first_seen_at,
        "last_seen_at": row.last_seen_at,
    })
}
