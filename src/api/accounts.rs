//! `GET /api/v1/accounts` and one of them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::columns::ACCOUNTS;
use super::cursor::Cursor;
use super::problem::Problem;
use super::query::Query;
use super::store_accounts::{self as store, Row};
use crate::app::App;
use crate::error::{Error, Result};
use crate::identity::domain::company_domain;
use crate::web::api_key::{ApiKey, Read};

/// By what an address names an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A company's domain, as it is kept.
    Domain(String),
    /// The id of the CRM.
    AccountId(String),
}

impl Name {
    /// What the last part of an address means: what looks like a company's domain is one.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match company_domain(text).filter(|_| text.contains('.')) {
            Some(domain) => Self::Domain(domain),
            None => Self::AccountId(text.to_owned()),
        }
    }
}

/// `GET /api/v1/accounts?limit=&after=&sort=&filter[field][op]=value`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let query = match Query::read(request.query_string(), &ACCOUNTS) {
        Ok(query) => query,
        Err(problem) => return Ok(problem.answer()),
    };
    let asked = query.clone();
    let mut rows = app.db.read_web(move |conn| store::list(conn, &asked)).await?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(|last| {
        Cursor { sort: query.sort.clone(), value: last.sort_value.clone(), id: last.id.0 }.write()
    });
    Ok(HttpResponse::Ok().json(json!({"data": rows, "next": next})))
}

/// `GET /api/v1/accounts/{account_id}`: by a domain, or by the id of the CRM; with its domains,
/// traits and workspaces.
///
/// # Errors
/// `NotFound` where there is none; when the database fails.
pub async fn one(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    name: web::Path<String>,
) -> Result<HttpResponse> {
    let found = app
        .db
        .read_web(move |conn| {
            let rows = match Name::of(&name) {
                Name::Domain(domain) => store::by_domain(conn, &domain)?,
                Name::AccountId(id) => store::by_account_id(conn, &id)?,
            };
            match rows.as_slice() {
                [] => Err(Error::NotFound),
                [row] => Ok(Ok(document(
                    row,
                    &store::domains(conn, row.id)?,
                    &store::workspaces(conn, row.id)?,
                ))),
                several => Ok(Err(several.to_vec())),
            }
        })
        .await?;
    Ok(match found {
        Ok(document) => HttpResponse::Ok().json(document),
        Err(several) => ambiguous(&several).answer(),
    })
}

fn ambiguous(several: &[Row]) -> Problem {
    let domains: Vec<&str> = several.iter().filter_map(|row| row.domain.as_deref()).collect();
    Problem {
        status: StatusCode::CONFLICT,
        code: "ambiguous_account",
        detail: format!(
            "Several accounts go by this id ({}). Ask by the domain.",
            domains.join(", ")
        ),
    }
}

fn document(row: &Row, domains: &[String], workspaces: &[store::Linked]) -> Value {
    let mut document = json!(row);
    if let Some(members) = document.as_object_mut() {
        members.insert("domains".to_owned(), json!(domains));
        members.insert("traits".to_owned(), row.traits.clone());
        members.insert("workspaces".to_owned(), json!(workspaces));
    }
    document
}
