//! The forms of the catalog. Nothing typed is lost: a refused form comes back with it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::change::Change;
use super::pages::{VersionPage, differences};
use super::pages_forecast::Forecast;
use super::pages_form::{Conflict, FormPage, Typed, change_of, look_ahead, looked};
use super::{ops, pages_referrers, store};
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::ingest::store_chunks;
use crate::queue;
use crate::team::audit::{self, Actor};
use crate::usage::jobs::REBUILD;
use crate::web::answer::{self, Htmx};
use crate::web::form::{Fields, Form};
use crate::web::permit::{EditCatalog, Permit, Viewer};

/// The page on which changes are looked back on.
const LIST: &str = "/settings/events";

/// What became of a form.
enum Outcome {
    Saved(i32),
    /// What it would do, what stands for it in the form, and whether it was to be saved unseen.
    Shown(Forecast, String, bool),
    Invalid(FieldErrors),
    /// The version in force by now, and what it changed.
    Conflict(String, i32, Vec<String>),
}

/// `POST /settings/events`: looks ahead, or adds the event with `do=save` when it was looked at.
pub async fn add(
    app: web::Data<App>,
    me: Permit<EditCatalog>,
    htmx: Htmx,
    fields: Fields,
) -> Result<HttpResponse> {
    put(&app, &me, &htmx, &fields, String::new()).await
}

/// `POST /settings/events/{key}`: looks ahead, or saves the event with `do=save` when it was looked at.
pub async fn edit(
    app: web::Data<App>,
    me: Permit<EditCatalog>,
    htmx: Htmx,
    key: web::Path<String>,
    fields: Fields,
) -> Result<HttpResponse> {
    put(&app, &me, &htmx, &fields, key.into_inner()).await
}

async fn put(
    app: &App,
    me: &Viewer,
    htmx: &Htmx,
    fields: &Fields,
    key: String,
) -> Result<HttpResponse> {
    let typed = Typed::read(fields);
    let seen = seen(fields.text("seen"))?;
    let shown = (fields.text("do") == "save").then(|| fields.text("looked").to_owned());
    let (by, now, form, of) = (Actor::from(me), me.now, typed.clone(), key.clone());
    let (outcome, referrers) = app
        .db
        .tx_web(move |conn| {
            let outcome = match &shown {
                Some(shown) => saved(conn, &by, (seen, shown), &form, &of, now),
                None => ahead(conn, &form, &of, false, now),
            };
            let outcome = match outcome {
                Err(Error::Invalid(errors)) => Outcome::Invalid(errors),
                other => other?,
            };
            let referrers =
                if of.is_empty() { Vec::new() } else { pages_referrers::of(conn, &of)? };
            Ok((outcome, referrers))
        })
        .await?;
    let page = |errors| {
        FormPage::new(me, &key, seen, typed.clone(), errors).with_referrers(referrers.clone())
    };
    match outcome {
        Outcome::Saved(version) => {
            let label = typed.label.trim();
            let text = format!("{label} is saved: version {version} of the catalog is in force.");
            answer::told(htmx, LIST, text)
        }
        Outcome::Shown(forecast, looked, is_unseen) => {
            answer::page(&page(FieldErrors::new()).with_forecast(forecast, looked, is_unseen))
        }
        Outcome::Invalid(errors) => answer::unprocessable(&page(errors)),
        Outcome::Conflict(text, version, lines) => {
            let conflict = Conflict { text, version, lines };
            let page = page(FieldErrors::new()).with_conflict(conflict);
            answer::html(StatusCode::CONFLICT, &page)
        }
    }
}

fn seen(text: &str) -> Result<i32> {
    text.parse().map_err(|_| Error::invalid("", "The form is incomplete. Open it again."))
}

fn ahead(
    conn: &mut diesel::PgConnection,
    form: &Typed,
    key: &str,
    is_unseen: bool,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Outcome> {
    let (change, forecast) = look_ahead(conn, form, key, now)?;
    Ok(Outcome::Shown(forecast, looked(&change)?, is_unseen))
}

/// `seen` is the version that the form was made from, `shown` what was looked at.
fn saved(
    conn: &mut diesel::PgConnection,
    by: &Actor,
    (seen, shown): (i32, &str),
    form: &Typed,
    key: &str,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Outcome> {
    let (version, before) = store::current(conn)?;
    let conflict = |text: String, version, lines| Ok(Outcome::Conflict(text, version, lines));
    let change = match change_of(&before, form, key, now) {
        Err(Error::NotFound) if version != seen => {
            let text = "Somebody deleted this event since the form was opened.".to_owned();
            return conflict(text, version, Vec::new());
        }
        other => other?,
    };
    if version == seen && looked(&change)? != shown {
        return ahead(conn, form, key, true, now);
    }
    match ops::save(conn, by, seen, &change, &form.reason, now) {
        Ok(version) => Ok(Outcome::Saved(version)),
        Err(Error::Conflict(text)) => {
            let (version, theirs) = store::current(conn)?;
            let mine = store::version(conn, seen).unwrap_or_default();
            conflict(text, version, differences(&mine, &theirs))
        }
        Err(other) => Err(other),
    }
}

/// A reason, and the version that the page showed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ReasonForm {
    seen: String,
    reason: String,
}

/// `POST /settings/events/{key}/removal`: takes an event out to which nothing refers.
pub async fn remove(
    app: web::Data<App>,
    me: Permit<EditCatalog>,
    htmx: Htmx,
    key: web::Path<String>,
    form: Form<ReasonForm>,
) -> Result<HttpResponse> {
    let (by, now, seen, key) = (Actor::from(&*me), me.now, seen(&form.seen)?, key.into_inner());
    let (reason, of) = (form.reason.clone(), key.clone());
    let (outcome, definition, referrers) = app
        .db
        .tx_web(move |conn| {
            let (_, before) = store::current(conn)?;
            let definition = before.iter().find(|one| one.key == of).ok_or(Error::NotFound)?;
            let referrers = pages_referrers::of(conn, &of)?;
            let outcome = if referrers.is_empty() {
                ops::save(conn, &by, seen, &Change::Remove(of.clone()), &reason, now)
            } else {
                Err(Error::invalid(
                    "",
                    format!("{of} stays: it is read by {}.", referrers.join(", and by ")),
                ))
            };
            match outcome {
                Err(Error::Invalid(errors)) => Ok((Err(errors), definition.clone(), referrers)),
                other => Ok((Ok(other?), definition.clone(), referrers)),
            }
        })
        .await?;
    match outcome {
        Ok(version) => {
            let text =
                format!("{} is deleted: version {version} of the catalog.", definition.label);
            answer::told(&htmx, LIST, text)
        }
        Err(errors) => {
            let typed = Typed { reason: form.reason.clone(), ..Typed::of(&definition) };
            let page = FormPage::new(&me, &key, seen, typed, errors).with_referrers(referrers);
            answer::unprocessable(&page)
        }
    }
}

/// `POST /settings/events/versions/{n}/restoration`: puts an old document into force again.
pub async fn roll_back(
    app: web::Data<App>,
    me: Permit<EditCatalog>,
    htmx: Htmx,
    number: web::Path<i32>,
    form: Form<ReasonForm>,
) -> Result<HttpResponse> {
    let (by, now, to, seen) = (Actor::from(&*me), me.now, *number, seen(&form.seen)?);
    let reason = form.reason.clone();
    let done = app.db.tx_web(move |conn| ops::roll_back(conn, &by, seen, to, &reason, now)).await;
    let (status, errors) = match done {
        Ok(version) => {
            let text = format!("Version {version} is in force, with the document of version {to}.");
            return answer::told(&htmx, LIST, text);
        }
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors),
        Err(Error::Conflict(text)) => {
            (StatusCode::CONFLICT, FieldErrors::from([(String::new(), vec![text])]))
        }
        Err(other) => return Err(other),
    };
    let page = VersionPage::load(&app, &me, to, form.reason.clone(), errors).await?;
    answer::html(status, &page)
}

/// `POST /settings/events/rebuild`: counts what is in the journal again, as a job.
pub async fn rebuild(
    app: web::Data<App>,
    me: Permit<EditCatalog>,
    htmx: Htmx,
) -> Result<HttpResponse> {
    let (by, now) = (Actor::from(&*me), me.now);
    let started = app
        .db
        .tx_web(move |conn| {
            let (version, _) = store::current(conn)?;
            let waiting = store_chunks::waiting(conn, version)?;
            if waiting.chunks == 0 {
                return Ok(None);
            }
            let nothing = serde_json::json!({});
            let job = queue::store::enqueue(conn, REBUILD, &nothing, Some("catalog"), now)?;
            let detail = serde_json::json!({ "job": job });
            let number = version.to_string();
            let subject = ("catalog", number.as_str());
            audit::record(conn, &by, "catalog.rebuild_started", subject, &detail, now)?;
            Ok(Some(job))
        })
        .await?;
    let text = match started {
        Some(_) => "The rebuild has begun. Events go on arriving meanwhile.",
        None => "Everything in the journal counts by this catalog already.",
    };
    answer::told(&htmx, LIST, text)
}

/// `POST /settings/events/rebuild/cancellation`: ends the rebuild; what it has counted stays.
pub async fn cancel_rebuild(
    app: web::Data<App>,
    me: Permit<EditCatalog>,
    htmx: Htmx,
) -> Result<HttpResponse> {
    let (by, now) = (Actor::from(&*me), me.now);
    let ended = app
        .db
        .tx_web(move |conn| {
            let Some(job) = queue::store::running(conn, REBUILD)? else { return Ok(false) };
            let ended = queue::store::cancel(conn, job.id, REBUILD, now)?;
            if ended {
                let detail = serde_json::json!({ "job": job.id, "done": job.done });
                let number = job.id.to_string();
                let subject = ("job", number.as_str());
                audit::record(conn, &by, "catalog.rebuild_cancelled", subject, &detail, now)?;
            }
            Ok(ended)
        })
        .await?;
    let text = if ended {
        "The rebuild is ended. What it counted stays; it can go on later."
    } else {
        "No rebuild is under way."
    };
    answer::told(&htmx, LIST, text)
}
