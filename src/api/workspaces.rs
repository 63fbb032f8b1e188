//! `GET /api/v1/workspaces` and one of them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::columns::WORKSPACES;
use super::cursor::Cursor;
use super::query::Query;
use super::store_workspaces::{self as store, Ownership, Row};
use crate::app::App;
use crate::error::Result;
use crate::ids::WorkspaceId;
use crate::usage::dictionary::{FIELDS, FieldLevel};
use crate::web::api_key::{ApiKey, Read};

/// `GET /api/v1/workspaces?limit=&after=&sort=&filter[field][op]=value`.
pub async fn list(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let query = match Query::read(request.query_string(), &WORKSPACES) {
        Ok(query) => query,
        Err(problem) => return Ok(problem.answer()),
    };
    let asked = query.clone();
    let read = app.db.read_web(move |conn| {
        let rows = store::list(conn, &asked)?;
        let ids: Vec<WorkspaceId> = rows.iter().map(|row| row.id).collect();
        let owned = store::ownership(conn, &ids)?;
        Ok((rows, owned))
    });
    let (mut rows, owned) = read.await?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(|last| {
        Cursor { sort: query.sort.clone(), value: last.sort_value.clone(), id: last.id.0 }.write()
    });
    let data: Vec<Value> = rows.iter().map(|row| document(row, &owned)).collect();
    Ok(HttpResponse::Ok().json(json!({"data": data, "next": next})))
}

/// `GET /api/v1/workspaces/{workspace_id}`.
pub async fn one(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    workspace: web::Path<String>,
) -> Result<HttpResponse> {
    let read = app.db.read_web(move |conn| {
        let row = store::find(conn, &workspace)?;
        let owned = store::ownership(conn, &[row.id])?;
        Ok((row, owned))
    });
    let (row, owned) = read.await?;
    Ok(HttpResponse::Ok().json(document(&row, &owned)))
}

/// Every field of the dictionary that is no member's, null where nothing is known: as of the last scoring,
/// and ownership as it is now.
fn signals(row: &Row, owned: &[Ownership]) -> Map<String, Value> {
    let mut all: Map<String, Value> = FIELDS
        .iter()
        .filter(|field| field.level != FieldLevel::User)
        .map(|field| (field.key.to_owned(), Value::Null))
        .collect();
    if let Some(Value::Object(stored)) = &row.signals {
        all.extend(stored.clone());
    }
    if let Some(of) = owned.iter().find(|one| one.workspace_id == row.id) {
        let fields = json!({
            "owner": of.owner, "owner_team": of.owner_team, "account_owner": of.account_owner,
            "is_unowned": of.is_unowned, "routing_destination": of.routing_destination,
            "last_routed_at": of.last_routed_at, "open_tasks": of.open_tasks,
        });
        if let Value::Object(fields) = fields {
            all.extend(fields);
        }
    }
    all
}

/// A workspace as the API says it.
fn document(row: &Row, owned: &[Ownership]) -> Value {
    let owner = row.owner_email.as_ref().map(|email| {
        json!({
            "email": email,
            "name": row.owner_name,
            "assigned_at": row.assigned_at,
            "accepted": row.is_accepted,
        })
    });
    let account = row.account_name.as_ref().map(
        |name| json!({"name": name, "domain": row.account_domain, "territory": row.territory}),
    );
    json!({
        "workspace_id": row.external_id,
        "name": row.name,
        "type": row.kind,
        "status": row.status,
        "created_at": row.created_at,
        "score": row.score,
        "score_change_1d": change(row.score, row.score_1d),
        "score_change_7d": change(row.score, row.score_7d),
        "stage": row.stage,
        "stage_since": row.stage_since,
        "as_of": row.as_of,
        "model_version": row.model_version,
        "flags": row.flags.clone().unwrap_or_default(),
        "reasons": row.reasons.clone().unwrap_or_default(),
        "next_best_action": row.next_best_action,
        "plan_tier": row.plan_tier,
        "paid_status": row.paid_status,
        "trial_end_on": row.trial_end_on,
        "icp_fit_tier": row.icp_fit_tier,
        "wau": row.wau,
        "member_count": row.member_count,
        "seats": row.seats,
        "high_intent_14d": row.high_intent_14d,
        "last_active_at": row.last_active_at,
        "account": account,
        "owner": owner,
        "signals": signals(row, owned),
    })
}

fn change(now: Option<i32>, before: Option<i32>) -> Option<i32> {
    Some(now? - before?)
}
