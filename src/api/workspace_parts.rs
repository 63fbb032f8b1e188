//! What belongs to one workspace: its score on any day, history, usage, events, members, routing.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::PgConnection;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cursor::Cursor;
use super::problem::Problem;
use super::query::{MOST_ROWS, read_day, read_limit};
use super::{store_parts, store_workspaces};
use crate::app::App;
use crate::clock::is_askable;
use crate::error::{Error, Result};
use crate::ids::{UserId, WorkspaceId};
use crate::scoring::ops;
use crate::web::api_key::{ApiKey, Read};

/// Longest span of days that one answer holds.
const MOST_DAYS: i64 = 400;
/// Most usage rows or members in one answer.
const MOST_PARTS: i64 = 10_000;

/// The parameters of these addresses, as text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asked {
    as_of: Option<String>,
    model_version: Option<String>,
    from: Option<String>,
    to: Option<String>,
    limit: Option<String>,
    after: Option<String>,
}

/// The span from `from` to `to`, both included; `to` is today and `from` `days` before it, unless
/// said otherwise.
fn span(asked: &Asked, today: NaiveDate, days: u64) -> Result<(NaiveDate, NaiveDate), Problem> {
    let to = asked.to.as_deref().map_or(Ok(today), |text| read_day("to", text))?;
    let default = to.checked_sub_days(Days::new(days)).unwrap_or(to);
    let from = asked.from.as_deref().map_or(Ok(default), |text| read_day("from", text))?;
    if from > to {
        return Err(Problem::bad_parameter("from is after to. Turn them round."));
    }
    if (to - from).num_days() > MOST_DAYS {
        return Err(Problem::bad_parameter(format!("Ask for at most {MOST_DAYS} days at once.")));
    }
    Ok((from, to))
}

/// Reads the query string; unknown parameters are refused by name.
fn read(asked: std::result::Result<web::Query<Asked>, actix_web::Error>) -> Result<Asked, Problem> {
    asked.map(web::Query::into_inner).map_err(|error| {
        Problem::bad_parameter(format!(
            "{error}. There are as_of and model_version (score), from and to, limit and after."
        ))
    })
}

type Query = std::result::Result<web::Query<Asked>, actix_web::Error>;

/// `GET /api/v1/workspaces/{workspace_id}/score?as_of=&model_version=`: the stored card for today
/// under the model in force, else computed by the same engine.
pub async fn score(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    workspace: web::Path<String>,
    asked: Query,
) -> Result<HttpResponse> {
    let today = app.clock.today();
    let wanted = read(asked).and_then(|asked| {
        let day = asked.as_of.as_deref().map_or(Ok(today), |text| read_day("as_of", text))?;
        if day > today {
            return Err(Problem::bad_parameter("as_of is in the future: the score is not known."));
        }
        let version = asked.model_version.as_deref().map(|text| {
            text.parse::<i32>().map_err(|_| {
                Problem::bad_parameter(format!("model_version={text} is not a version."))
            })
        });
        Ok((day, version.transpose()?))
    });
    let (day, version) = match wanted {
        Ok(wanted) => wanted,
        Err(problem) => return Ok(problem.answer()),
    };
    let external_id = workspace.into_inner();
    let card = app
        .db
        .read_web(move |conn| {
            let id = store_workspaces::id_of(conn, &external_id)?;
            let card = card(conn, id, day, version, today)?;
            card.map(|card| in_the_products_ids(conn, card, &external_id)).transpose()
        })
        .await?;
    Ok(match card {
        Some(card) => HttpResponse::Ok().json(card),
        None => Problem::not_found("There is no published model of this version.").answer(),
    })
}

/// `None`: no such model.
fn card(
    conn: &mut PgConnection,
    id: WorkspaceId,
    day: NaiveDate,
    version: Option<i32>,
    today: NaiveDate,
) -> Result<Option<Value>> {
    if version.is_none()
        && day == today
        && let Some(stored) = store_workspaces::card(conn, id, day)?
    {
        return Ok(Some(stored));
    }
    let (ground, case) = ops::open(conn, id)?;
    let card = match version {
        None => case.card_on(&ground, day),
        Some(version) => ground
            .version(i64::from(version))
            .map(|model| case.on_with_change(&ground, model, day, None).card),
    };
    card.map(|card| serde_json::to_value(card).map_err(Error::internal)).transpose()
}

/// The card with the product's ids in place of ours.
fn in_the_products_ids(
    conn: &mut PgConnection,
    mut card: Value,
    external_id: &str,
) -> Result<Value> {
    let mut users: Vec<UserId> = Vec::new();
    each_user(&mut card, &mut |id| {
        users.extend(id.as_str().and_then(|id| id.parse::<UserId>().ok()));
    });
    users.sort_unstable();
    users.dedup();
    let names = store_parts::names_of(conn, &users)?;
    each_user(&mut card, &mut |id| {
        let user: Option<UserId> = id.as_str().and_then(|id| id.parse().ok());
        if let Some((_, name)) = names.iter().find(|(known, _)| Some(*known) == user) {
            *id = json!(name);
        }
    });
    if let Some(card) = card.as_object_mut() {
        card.insert("workspace_id".to_owned(), json!(external_id));
    }
    Ok(card)
}

/// Every `user_id` of a document.
fn each_user(value: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "user_id" { visit(value) } else { each_user(value, visit) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_user(item, visit)),
        _ => {}
    }
}

/// `GET /api/v1/workspaces/{workspace_id}/score/history?from=&to=`: one row a day, oldest first, from the
/// first day on which anything is known of the workspace. Days that are not stored are computed, as
/// `score?as_of=` does.
pub async fn history(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    workspace: web::Path<String>,
    asked: Query,
) -> Result<HttpResponse> {
    let (from, to) = match read(asked).and_then(|asked| span(&asked, app.clock.today(), 90)) {
        Ok(span) => span,
        Err(problem) => return Ok(problem.answer()),
    };
    let to = to.min(app.clock.today());
    let read = app.db.read_web(move |conn| {
        let id = store_workspaces::id_of(conn, &workspace)?;
        ops::history(conn, id, from, to)
    });
    let data: Vec<Value> = read
        .await?
        .into_iter()
        .map(|day| {
            json!({
                "day": day.day, "score": day.score, "stage": day.stage,
                "categories": day.categories, "model_version": day.model_version,
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({"data": data, "next": null})))
}

/// `GET /api/v1/workspaces/{workspace_id}/usage?from=&to=`: usage days, newest first.
pub async fn usage(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    workspace: web::Path<String>,
    asked: Query,
) -> Result<HttpResponse> {
    let days = match read(asked).and_then(|asked| span(&asked, app.clock.today(), 30)) {
        Ok(days) => days,
        Err(problem) => return Ok(problem.answer()),
    };
    let read = app.db.read_web(move |conn| {
        let id = store_workspaces::id_of(conn, &workspace)?;
        store_parts::usage(conn, id, days, MOST_PARTS + 1)
    });
    let rows = read.await?;
    if i64::try_from(rows.len()).is_ok_and(|rows| rows > MOST_PARTS) {
        return Ok(Problem::bad_parameter(format!(
            "There are more than {MOST_PARTS} rows in these days. Ask for fewer days at once."
        ))
        .answer());
    }
    Ok(HttpResponse::Ok().json(json!({"data": rows, "next": null})))
}

/// `GET /api/v1/workspaces/{workspace_id}/events?limit=&after=`: key events, newest first.
pub async fn events(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    workspace: web::Path<String>,
    asked: Query,
) -> Result<HttpResponse> {
    const SORT: &str = "-occurred_at";
    let wanted = read(asked).and_then(|asked| {
        let limit = asked.limit.as_deref().map_or(Ok(50), read_limit)?;
        let place = match asked.after.as_deref() {
            None => None,
            Some(text) => Some(
                Cursor::read(text, SORT)
                    .and_then(|cursor| Some((cursor.value?.parse().ok()?, cursor.id)))
                    .filter(|(at, _): &(DateTime<Utc>, _)| is_askable(at.date_naive()))
                    .ok_or_else(|| Problem::bad_parameter("after is not a cursor of this list."))?,
            ),
        };
        Ok((limit.min(MOST_ROWS), place))
    });
    let (limit, before) = match wanted {
        Ok(wanted) => wanted,
        Err(problem) => return Ok(problem.answer()),
    };
    let read = app.db.read_web(move |conn| {
        let id = store_workspaces::id_of(conn, &workspace)?;
        store_parts::events(conn, id, before, limit + 1)
    });
    let mut rows = read.await?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| has_more).map(|last| {
        let value = Some(last.occurred_at.to_rfc3339());
        Cursor { sort: SORT.to_owned(), value, id: last.id }.write()
    });
    Ok(HttpResponse::Ok().json(json!({"data": rows, "next": next})))
}

/// `GET /api/v1/workspaces/{workspace_id}/members`.
pub async fn members(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    workspace: web::Path<String>,
) -> Result<HttpResponse> {
    let today = app.clock.today();
    let read = app.db.read_web(move |conn| {
        let id = store_workspaces::id_of(conn, &workspace)?;
        store_parts::members(conn, id, today, MOST_PARTS)
    });
    Ok(HttpResponse::Ok().json(json!({"data": read.await?, "next": null})))
}

/// `GET /api/v1/workspaces/{workspace_id}/routing`: the current decision with its whole trace.
pub async fn routing(
    app: web::Data<App>,
    _key: ApiKey<Read>,
    workspace: web::Path<String>,
) -> Result<HttpResponse> {
    let read = app.db.read_web(move |conn| {
        let id = store_workspaces::id_of(conn, &workspace)?;
        store_parts::decision(conn, id)
    });
    Ok(match read.await? {
        Some(decision) => HttpResponse::Ok().json(decision),
        None => Problem::not_found("Routing has not decided about this workspace yet.").answer(),
    })
}
