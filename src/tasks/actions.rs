//! The forms of a task: what was found out, later, yes, no.

use actix_web::http::header::HeaderName;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use diesel::PgConnection;
use serde::Deserialize;
use serde_json::json;

use super::ops::{self, Disposition, Doer};
use super::pages::{inbox_of, task_page};
use super::store::{self, Task};
use crate::app::App;
use crate::clock::is_askable;
use crate::error::{Error, FieldErrors, Result};
use crate::ids::TaskId;
use crate::ownership;
use crate::team::audit::Actor;
use crate::web::answer::{self, Htmx};
use crate::web::form::Form;
use crate::web::permit::{HandleLeads, Permit, Viewer};
use crate::web::role::Role;

/// The longest note.
const LONGEST: usize = 2_000;
/// What comes back later than this was mistyped.
const MOST_AWAY: TimeDelta = TimeDelta::days(731);

/// The form that closes a task.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CompletionForm {
    outcome: String,
    note: String,
    until: String,
}

/// When to come back, before the assignee's zone is known.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    Contacted,
    Qualified,
    NotNow(NaiveDate),
    WrongFit,
}

impl CompletionForm {
    fn check(&self) -> Result<(Wanted, String), FieldErrors> {
        let note = self.note.trim().to_owned();
        let refuse = |field: &str, message: &str| {
            FieldErrors::from([(field.to_owned(), vec![message.to_owned()])])
        };
        if note.chars().count() > LONGEST {
            return Err(refuse("note", "Shorten the note to 2,000 characters."));
        }
        let wanted = match self.outcome.as_str() {
            "contacted" => Wanted::Contacted,
            "qualified" => Wanted::Qualified,
            "not_now" => Wanted::NotNow(self.until.trim().parse().map_err(|_| {
                refuse("until", "Say on which day to come back, for instance 2026-12-01.")
            })?),
            "wrong_fit" if note.is_empty() => {
                return Err(refuse("note", "Say why it does not fit: scoring learns from it."));
            }
            "wrong_fit" => Wanted::WrongFit,
            _ => return Err(refuse("", "Choose what came out of it.")),
        };
        Ok((wanted, note))
    }
}

fn doer(viewer: &Viewer) -> Doer {
    Doer { member: viewer.member, anybodys: viewer.role != Role::Rep }
}

/// The start of the assignee's working day on that day; invalid when it has passed.
fn comes_back(
    conn: &mut PgConnection,
    task: &Task,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>> {
    // Before any arithmetic: at the ends of the calendar it fails.
    if !is_askable(day) {
        return Err(Error::invalid("until", "Choose a day within the next two years."));
    }
    let (_, hours) = store::worker(conn, task.assignee)?;
    let at = hours.opening(day);
    if at <= now {
        return Err(Error::invalid("until", "Choose a day after today."));
    }
    if at > now + MOST_AWAY {
        return Err(Error::invalid("until", "Choose a day within the next two years."));
    }
    Ok(at)
}

/// `POST /tasks/{id}/completion`.
pub async fn complete(
    app: web::Data<App>,
    me: Permit<HandleLeads>,
    htmx: Htmx,
    id: web::Path<TaskId>,
    form: Form<CompletionForm>,
) -> Result<HttpResponse> {
    let (wanted, note) = match form.check() {
        Ok(read) => read,
        Err(errors) => return again(&app, &me, &htmx, *id, errors, &form.note).await,
    };
    let (doer, actor, now, task_id) = (doer(&me), Actor::from(&*me), me.now, *id);
    let outcome = form.outcome.clone();
    let done = app
        .db
        .tx_web(move |conn| {
            let task = ops::find(conn, task_id, doer)?;
            let disposition = match wanted {
                Wanted::Contacted => Disposition::Contacted,
                Wanted::Qualified => Disposition::Qualified,
                Wanted::WrongFit => Disposition::WrongFit,
                Wanted::NotNow(day) => Disposition::NotNow(comes_back(conn, &task, day, now)?),
            };
            let task = ops::complete(conn, task_id, doer, &disposition, &note, now)?;
            ownership::ops::touched(conn, task.workspace, task.assignee, now)?;
            let detail = match &disposition {
                Disposition::NotNow(until) => json!({ "outcome": outcome, "until": until }),
                _ => json!({ "outcome": outcome }),
            };
            ops::audit_task(conn, &actor, "task.completed", &task, detail, now)?;
            Ok(task)
        })
        .await;
    let text = match wanted {
        Wanted::Contacted => "contacted".to_owned(),
        Wanted::Qualified => "qualified".to_owned(),
        Wanted::NotNow(day) => format!("not now, back on {}", day.format("%-d %B")),
        Wanted::WrongFit => "wrong fit".to_owned(),
    };
    finish(&app, &me, &htmx, *id, done, &form.note, |task| {
        format!("{}: {text}.", task.payload.workspace)
    })
    .await
}

/// The form that puts a task off.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SnoozeForm {
    /// In so many days.
    days: String,
    /// Or on this day.
    until: String,
}

/// `POST /tasks/{id}/snooze`.
pub async fn snooze(
    app: web::Data<App>,
    me: Permit<HandleLeads>,
    htmx: Htmx,
    id: web::Path<TaskId>,
    form: Form<SnoozeForm>,
) -> Result<HttpResponse> {
    let (doer, now, task_id, form) = (doer(&me), me.now, *id, form.clone());
    let actor = Actor::from(&*me);
    let done = app
        .db
        .tx_web(move |conn| {
            let task = ops::find(conn, task_id, doer)?;
            let (_, hours) = store::worker(conn, task.assignee)?;
            let day = match form.days.parse::<u64>() {
                Ok(days) if days <= 366 => hours.day_of(now).checked_add_days(Days::new(days)),
                _ => form.until.trim().parse().ok(),
            };
            let Some(day) = day else {
                return Err(Error::invalid("until", "Say on which day to come back."));
            };
            let until = comes_back(conn, &task, day, now)?;
            let task = ops::snooze(conn, task_id, doer, until, now)?;
            let detail = json!({ "until": until });
            ops::audit_task(conn, &actor, "task.snoozed", &task, detail, now)?;
            Ok(task)
        })
        .await;
    finish(&app, &me, &htmx, *id, done, "", |task| {
        format!("{} comes back on the day you chose.", task.payload.workspace)
    })
    .await
}

/// `POST /tasks/{id}/acceptance`: the owner says yes.
pub async fn accept(
    app: web::Data<App>,
    me: Permit<HandleLeads>,
    htmx: Htmx,
    id: web::Path<TaskId>,
) -> Result<HttpResponse> {
    let (doer, actor, now, task_id) = (doer(&me), Actor::from(&*me), me.now, *id);
    let done = app
        .db
        .tx_web(move |conn| {
            let task = ops::find(conn, task_id, doer)?;
            ownership::ops::accept(conn, task.workspace, task.assignee, now)?;
            ops::audit_task(conn, &actor, "task.accepted", &task, json!({}), now)?;
            Ok(task)
        })
        .await;
    finish(&app, &me, &htmx, *id, done, "", |task| {
        format!("{} is accepted: no rule takes it away.", task.payload.workspace)
    })
    .await
}

/// The form that gives a task back.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RejectionForm {
    reason: String,
}

/// `POST /tasks/{id}/rejection`: the owner says no and why; back to the assignment view.
pub async fn reject(
    app: web::Data<App>,
    me: Permit<HandleLeads>,
    htmx: Htmx,
    id: web::Path<TaskId>,
    form: Form<RejectionForm>,
) -> Result<HttpResponse> {
    let (doer, now, task_id) = (doer(&me), me.now, *id);
    let (actor, reason) = (Actor::from(&*me), form.reason.clone());
    let done = app
        .db
        .tx_web(move |conn| {
            let task = ops::find(conn, task_id, doer)?;
            if task.completed_at.is_some() {
                return Err(Error::Conflict("This task is done already.".to_owned()));
            }
            ownership::ops::reject(conn, task.workspace, task.assignee, &reason, &actor, now)?;
            Ok(task)
        })
        .await;
    finish(&app, &me, &htmx, *id, done, &form.reason, |task| {
        format!("{} went back to the assignment view.", task.payload.workspace)
    })
    .await
}

/// The inbox again with what was done, or the form again with what is wrong.
async fn finish(
    app: &App,
    me: &Viewer,
    htmx: &Htmx,
    id: TaskId,
    done: Result<Task>,
    typed: &str,
    text: impl Fn(&Task) -> String,
) -> Result<HttpResponse> {
    match done {
        Ok(task) => {
            let text = text(&task);
            if htmx.wants("rows") {
                let inbox = inbox_of(app, me, task.assignee, "", Some(text)).await?;
                return answer::page(&inbox.as_rows());
            }
            let place = if task.assignee == me.member {
                "/inbox".to_owned()
            } else {
                format!("/inbox?rep={}", task.assignee)
            };
            answer::told(htmx, &place, text)
        }
        Err(Error::Invalid(errors)) => again(app, me, htmx, id, errors, typed).await,
        Err(other) => Err(other),
    }
}

/// 422: the task with its errors, in the pane it was sent from.
async fn again(
    app: &App,
    me: &Viewer,
    htmx: &Htmx,
    id: TaskId,
    errors: FieldErrors,
    typed: &str,
) -> Result<HttpResponse> {
    let in_pane = htmx.wants("rows");
    let mut page = task_page(app, me, id, in_pane).await?;
    page.errors = errors;
    page.typed = typed.to_owned();
    if !in_pane {
        return answer::unprocessable(&page);
    }
    let mut response = answer::unprocessable(&page.as_pane())?;
    let headers = response.headers_mut();
    for (name, value) in [("hx-retarget", "#pane"), ("hx-reswap", "innerHTML")] {
        headers.insert(HeaderName::from_static(name), value.parse().map_err(Error::internal)?);
    }
    Ok(response)
}
