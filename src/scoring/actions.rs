//! What the forms of the scoring model do. Nothing typed is lost: a refused form comes back with it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::difference;
use super::model::Model;
use super::ops_models::{self, Seen};
use super::pages::{self, CONFIRM, CONFIRM_ABOVE, Editor, Loaded, Publication};
use super::pages_editor::{ConflictView, Typed};
use super::settings;
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::team::audit::Actor;
use crate::web::answer::{self, Htmx};
use crate::web::form::{Fields, Form};
use crate::web::permit::{EditScoring, Permit, PublishScoring, Viewer};

/// What became of a form that was to be saved.
enum Outcome {
    Saved,
    Invalid(FieldErrors),
    Conflict(String),
}

fn actor(me: &Viewer) -> Actor {
    Actor::member(me.member, me.name.clone())
}

fn typed(fields: &Fields) -> Typed {
    fields
        .0
        .iter()
        .filter(|(name, _)| name.contains('.') || name == "lookback_days")
        .cloned()
        .collect()
}

/// The state that the form saves over: chosen in a conflict, else the one it was made from.
fn seen(fields: &Fields) -> Result<Seen> {
    let chosen = fields.text("keep");
    if chosen.is_empty() { fields.text("seen").parse() } else { chosen.parse() }
}

/// `POST /scoring/draft`: saves what was typed as the draft, by a button or half a second after
/// the last key. `do=publish` goes on to the publication.
pub async fn save(
    app: web::Data<App>,
    me: Permit<EditScoring>,
    htmx: Htmx,
    fields: Fields,
) -> Result<HttpResponse> {
    let (by, now, today) = (actor(&me), me.now, me.now.date_naive());
    let (typed, seen) = (typed(&fields), seen(&fields)?);
    let numbers = typed.clone();
    let (outcome, loaded) = app
        .db
        .tx_web(move |conn| {
            let desk = ops_models::desk(conn)?;
            let read = settings::apply(desk.model(), |name| numbers.get(name).map(String::as_str));
            let (outcome, model) = match read {
                Err(errors) => (Outcome::Invalid(errors), None),
                Ok(model) => match ops_models::save_draft(conn, &by, seen, &model, now) {
                    Ok(_) => (Outcome::Saved, None),
                    Err(Error::Invalid(errors)) => (Outcome::Invalid(errors), Some(model)),
                    Err(Error::Conflict(text)) => (Outcome::Conflict(text), Some(model)),
                    Err(other) => return Err(other),
                },
            };
            // What can't be valid has no impact: the draft's is shown until it is mended.
            let shown = model.clone().filter(|_| matches!(outcome, Outcome::Conflict(_)));
            Ok(((outcome, model), Loaded::read(conn, shown, false, today)?))
        })
        .await?;
    let (outcome, mine) = outcome;
    match outcome {
        Outcome::Saved if htmx.wants("impact") => {
            answer::page(&loaded.page(&me, &typed, FieldErrors::new()).as_impact())
        }
        Outcome::Saved if fields.text("do") == "publish" => {
            Ok(answer::done(&htmx, "/scoring/publication"))
        }
        Outcome::Saved => answer::told(&htmx, "/scoring", "The draft is saved."),
        Outcome::Invalid(errors) => {
            let page = Editor { is_unsaved: true, ..loaded.page(&me, &typed, errors) };
            shown(StatusCode::UNPROCESSABLE_ENTITY, &htmx, &page)
        }
        Outcome::Conflict(text) => {
            let theirs = loaded.desk.model().clone();
            let keep = loaded.desk.seen().to_string();
            let lines = mine.map(|mine| difference::lines(&theirs, &mine)).unwrap_or_default();
            let mut page = loaded.page(&me, &typed, FieldErrors::new());
            page.is_unsaved = true;
            // Saved over only by choice: until then the form keeps the state it was made from.
            page.seen = fields.text("seen").to_owned();
            page.conflict = Some(ConflictView { text, lines, keep });
            shown(StatusCode::CONFLICT, &htmx, &page)
        }
    }
}

fn shown(status: StatusCode, htmx: &Htmx, page: &Editor) -> Result<HttpResponse> {
    if htmx.wants("impact") {
        answer::html(status, &page.as_impact())
    } else {
        answer::html(status, page)
    }
}

/// `POST /scoring/preview`: what the typed numbers would do, computed over every workspace, saving
/// nothing.
pub async fn preview(
    app: web::Data<App>,
    me: Permit<EditScoring>,
    htmx: Htmx,
    fields: Fields,
) -> Result<HttpResponse> {
    let today = me.now.date_naive();
    let typed = typed(&fields);
    let numbers = typed.clone();
    let (errors, loaded) = app
        .db
        .read_web(move |conn| {
            let desk = ops_models::desk(conn)?;
            let read = settings::apply(desk.model(), |name| numbers.get(name).map(String::as_str));
            let checked =
                read.and_then(|model| match ops_models::check(conn, &desk.current.model, &model) {
                    Err(Error::Invalid(errors)) => Err(errors),
                    other => Ok((other, model)),
                });
            match checked {
                Ok((checked, model)) => {
                    checked?;
                    Ok((FieldErrors::new(), Loaded::read(conn, Some(model), true, today)?))
                }
                Err(errors) => Ok((errors, Loaded::read(conn, None, true, today)?)),
            }
        })
        .await?;
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut page = loaded.page(&me, &typed, errors);
    page.is_unsaved = true;
    // The form goes on from the state it was made from, whoever saved meanwhile.
    page.seen = fields.text("seen").to_owned();
    shown(status, &htmx, &page)
}

/// `POST /scoring/draft/removal`: throws the draft away.
pub async fn discard(
    app: web::Data<App>,
    me: Permit<EditScoring>,
    htmx: Htmx,
    fields: Fields,
) -> Result<HttpResponse> {
    let (by, now, seen) = (actor(&me), me.now, seen(&fields)?);
    app.db.tx_web(move |conn| ops_models::discard_draft(conn, &by, seen, now)).await?;
    answer::told(&htmx, "/scoring", "The draft is gone; the form shows what is in force.")
}

/// A document to take in.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct ImportForm {
    seen: String,
    document: String,
}

/// `POST /scoring/draft/document`: a JSON document becomes the draft.
pub async fn import(
    app: web::Data<App>,
    me: Permit<EditScoring>,
    htmx: Htmx,
    form: Form<ImportForm>,
) -> Result<HttpResponse> {
    let (by, now, today) = (actor(&me), me.now, me.now.date_naive());
    let seen: Seen = form.seen.parse()?;
    let read = serde_json::from_str::<Model>(&form.document);
    let saved = match read {
        // PostgreSQL holds a NUL in no text and no jsonb.
        _ if form.document.contains("\\u0000") => {
            Err(Error::invalid("document", "A text of it holds \\u0000. Leave that character out."))
        }
        Ok(model) => {
            app.db.tx_web(move |conn| ops_models::save_draft(conn, &by, seen, &model, now)).await
        }
        Err(problem) => {
            Err(Error::invalid("document", format!("This is not a model document: {problem}.")))
        }
    };
    match saved {
        Ok(_) => answer::told(&htmx, "/scoring", "The document is the draft now."),
        Err(Error::Invalid(errors)) => {
            let loaded =
                app.db.read_web(move |conn| Loaded::read(conn, None, false, today)).await?;
            let mut page = loaded.page(&me, &Typed::new(), errors);
            page.document.clone_from(&form.document);
            answer::unprocessable(&page)
        }
        Err(other) => Err(other),
    }
}

/// What publishing asks for.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct PublicationForm {
    seen: String,
    reason: String,
    confirm: String,
}

/// `POST /scoring/publication`: puts the draft into force.
pub async fn publish(
    app: web::Data<App>,
    me: Permit<PublishScoring>,
    htmx: Htmx,
    form: Form<PublicationForm>,
) -> Result<HttpResponse> {
    let (by, now, today) = (actor(&me), me.now, me.now.date_naive());
    let seen: Seen = form.seen.parse()?;
    let (reason, confirm) = (form.reason.clone(), form.confirm.trim().to_lowercase());
    let (done, loaded) = app
        .db
        .tx_web(move |conn| {
            let loaded = Loaded::read(conn, None, true, today)?;
            if loaded.changing() > CONFIRM_ABOVE && confirm != CONFIRM {
                let text = format!("Type {CONFIRM}: so many workspaces change stage.");
                return Ok((Err(Error::invalid("confirm", text)), loaded));
            }
            match ops_models::publish(conn, &by, seen, &reason, now) {
                Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => Ok((Err(error), loaded)),
                other => Ok((Ok(other?), loaded)),
            }
        })
        .await?;
    let (status, errors) = match done {
        Ok(published) => {
            let text = format!("Version {} is in force.", published.version);
            return answer::told(&htmx, "/scoring", text);
        }
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors),
        Err(Error::Conflict(text)) => (
            StatusCode::CONFLICT,
            FieldErrors::from([(
                String::new(),
                vec![text, "Below is the draft as it is now.".to_owned()],
            )]),
        ),
        Err(other) => return Err(other),
    };
    if loaded.desk.draft.is_none() {
        return Err(Error::Conflict("The draft was published or discarded meanwhile.".to_owned()));
    }
    answer::html(status, &Publication::new(&loaded, &me, &form.reason, errors)?)
}

/// Why an old version comes back.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RestorationForm {
    reason: String,
}

/// `POST /scoring/versions/{n}/restoration`: puts an old version's document into force again.
pub async fn roll_back(
    app: web::Data<App>,
    me: Permit<PublishScoring>,
    htmx: Htmx,
    number: web::Path<i32>,
    form: Form<RestorationForm>,
) -> Result<HttpResponse> {
    let (by, now, to) = (actor(&me), me.now, *number);
    let reason = form.reason.clone();
    let done = app.db.tx_web(move |conn| ops_models::roll_back(conn, &by, to, &reason, now)).await;
    let (status, errors) = match done {
        Ok(published) => {
            let text = format!(
                "Version {} is in force, with the document of version {to}.",
                published.version
            );
            return answer::told(&htmx, "/scoring", text);
        }
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors),
        Err(Error::Conflict(text)) => {
            (StatusCode::CONFLICT, FieldErrors::from([(String::new(), vec![text])]))
        }
        Err(other) => return Err(other),
    };
    let page = pages::version_page(&app, &me, to, &form.reason, errors).await?;
    answer::html(status, &page)
}
