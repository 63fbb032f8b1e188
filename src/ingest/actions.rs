//! The forms of dead letters (replay, mend, discard) and of alerts.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use uuid::Uuid;

use super::pages::alert::AlertPage;
use super::pages::letter::LetterPage;
use super::pages::letters::{Filter, LettersPage};
use super::store_dead_letters::Chosen;
use super::{ops, watch};
use crate::app::App;
use crate::error::{Error, Result};
use crate::team::audit::Actor;
use crate::web::answer::{self, Htmx};
use crate::web::form::Form;
use crate::web::format;
use crate::web::permit::{Permit, SeeIngest};

/// Which letters are meant, and why they go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LettersForm {
    #[serde(flatten)]
    filter: Filter,
    reason: String,
}

impl LettersForm {
    /// The letters; a form that names none means none rather than all, and so does one of which a part
    /// cannot be read.
    fn chosen(&self) -> Result<Chosen> {
        let (filter, chosen) = (&self.filter, self.filter.chosen());
        if !filter.since.is_empty() && chosen.since.is_none() || chosen.is_all() {
            return Err(Error::invalid(
                "since",
                "Choose the day from which on, such as 2026-11-20.",
            ));
        }
        if chosen.id.is_some() == filter.id.is_empty()
            || chosen.source.is_some() == filter.source.is_empty()
            || chosen.replay.is_some() == filter.replay.is_empty()
        {
            let text = "The form names a letter or a source that cannot be read. Reload the page.";
            return Err(Error::invalid("", text));
        }
        Ok(chosen)
    }
}

/// `POST /ingest/dead-letters/replays`.
pub async fn replay(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    htmx: Htmx,
    form: Form<LettersForm>,
) -> Result<HttpResponse> {
    let replayed = match form.chosen() {
        Ok(chosen) => {
            let (by, now) = (Actor::from(&*me), me.now);
            let room = app.db.check_room()?;
            app.db.tx_web(move |conn| ops::replay(conn, room, &by, &chosen, now)).await
        }
        Err(error) => Err(error),
    };
    match replayed {
        Ok(id) => Ok(answer::done(&htmx, &format!("/ingest/dead-letters/replays/{id}"))),
        Err(error) => refused(&app, &me, form.0, error).await,
    }
}

/// `POST /ingest/dead-letters/discards`.
pub async fn discard(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    htmx: Htmx,
    form: Form<LettersForm>,
) -> Result<HttpResponse> {
    let discarded = match form.chosen() {
        Ok(chosen) => {
            let (by, now, reason) = (Actor::from(&*me), me.now, form.reason.clone());
            app.db.tx_web(move |conn| ops::discard(conn, &by, &chosen, &reason, now)).await
        }
        Err(error) => Err(error),
    };
    match discarded {
        Ok(letters) => {
            let letters = i64::try_from(letters).unwrap_or(i64::MAX);
            let text = format!(
                "{} put away.",
                format::count(letters, "dead letter was", "dead letters were")
            );
            answer::told(&htmx, "/ingest/dead-letters", text)
        }
        Err(error) => refused(&app, &me, form.0, error).await,
    }
}

/// The page the form stood on, with what is wrong; or the error as it is.
async fn refused(
    app: &App,
    me: &Permit<SeeIngest>,
    form: LettersForm,
    error: Error,
) -> Result<HttpResponse> {
    let Error::Invalid(errors) = error else { return Err(error) };
    if let Ok(id) = form.filter.id.parse::<Uuid>() {
        let page = LetterPage::load(app, me, id).await?;
        return answer::unprocessable(&page.refused(errors, None, &form.reason));
    }
    let page = LettersPage::load(app, me, form.filter, None).await?;
    answer::unprocessable(&page.refused(errors, &form.reason))
}

/// A letter's text as it should have been.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MendForm {
    text: String,
}

/// `POST /ingest/dead-letters/{id}/text`.
pub async fn mend(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    htmx: Htmx,
    id: web::Path<Uuid>,
    form: Form<MendForm>,
) -> Result<HttpResponse> {
    let (id, by, now, text) = (id.into_inner(), Actor::from(&*me), me.now, form.text.clone());
    let room = app.db.check_room()?;
    match app.db.tx_web(move |conn| ops::mend(conn, room, &by, id, &text, now)).await {
        Ok(replay) => Ok(answer::done(&htmx, &format!("/ingest/dead-letters/replays/{replay}"))),
        Err(Error::Invalid(errors)) => {
            let page = LetterPage::load(&app, &me, id).await?;
            answer::unprocessable(&page.refused(errors, Some(&form.text), ""))
        }
        Err(error) => Err(error),
    }
}

/// What somebody says of an alert.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct NoteForm {
    note: String,
}

/// `POST /ingest/alerts/{id}/acknowledgement`.
pub async fn acknowledge(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    htmx: Htmx,
    id: web::Path<Uuid>,
    form: Form<NoteForm>,
) -> Result<HttpResponse> {
    let (id, by, now, note) = (id.into_inner(), Actor::from(&*me), me.now, form.note.clone());
    match app.db.tx_web(move |conn| watch::acknowledge(conn, &by, id, &note, now)).await {
        Ok(()) => answer::told(&htmx, &format!("/ingest/alerts/{id}"), "Acknowledged."),
        Err(Error::Invalid(errors)) => {
            let page = AlertPage::load(&app, &me, id).await?;
            answer::unprocessable(&page.refused(errors, &form.note))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_names_one_a_group_or_a_day_and_never_all_by_mistake() {
        let form = |id: &str, code: &str, since: &str| LettersForm {
            filter: Filter {
                id: id.into(),
                code: code.into(),
                since: since.into(),
                ..Filter::default()
            },
            reason: String::new(),
        };
        let id = Uuid::now_v7();
        assert_eq!(form(&id.to_string(), "", "").chosen().unwrap(), Chosen::one(id));
        assert_eq!(form("", "too_deep", "").chosen().unwrap(), Chosen::group("too_deep"));
        assert!(form("", "", "2026-11-20").chosen().unwrap().since.is_some());
        for (id, code, since) in
            [("", "", ""), ("", "", "x"), ("", "too_deep", "x"), ("x", "too_deep", "")]
        {
            assert!(form(id, code, since).chosen().is_err(), "{id} {code} {since}");
        }
    }
}
