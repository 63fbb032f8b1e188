//! The forms of dead letters: replay and discard one, a group, or all since a day.

use actix_web::{HttpResponse, web};
use chrono::NaiveTime;
use serde::Deserialize;

use super::ops::{self, Replayed};
use super::pages::{DeadLettersPage, Query};
use super::store_dead_letters::Chosen;
use crate::app::App;
use crate::clock::is_askable;
use crate::error::{Error, Result};
use crate::team::audit::Actor;
use crate::web::answer::{self, Htmx};
use crate::web::form::Form;
use crate::web::format;
use crate::web::permit::{Permit, SeeIngest};

/// A click replays at most so many batches: the rest takes another click, and pages stay fast.
const BATCHES: usize = 20;

/// Which letters are meant, by one of three fields, and why they go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LettersForm {
    id: String,
    code: String,
    /// A day, `YYYY-MM-DD`, UTC.
    since: String,
    reason: String,
}

impl LettersForm {
    fn chosen(&self) -> Result<Chosen> {
        if let Ok(id) = self.id.parse() {
            Ok(Chosen::One(id))
        } else if !self.code.is_empty() {
            Ok(Chosen::Group(self.code.clone()))
        } else if let Some(day) = self.since.parse().ok().filter(|day| is_askable(*day)) {
            Ok(Chosen::Since(day.and_time(NaiveTime::MIN).and_utc()))
        } else {
            Err(Error::invalid("since", "Choose the day from which on, such as 2026-11-20."))
        }
    }
}

/// `POST /ingest/dead-letters/replays`.
pub async fn replay(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    htmx: Htmx,
    form: Form<LettersForm>,
) -> Result<HttpResponse> {
    let chosen = match form.chosen() {
        Ok(chosen) => chosen,
        Err(error) => return refused(&app, &me, error).await,
    };
    let mut total = Replayed::default();
    for _ in 0..BATCHES {
        let (by, now, beyond) = (Actor::from(&*me), me.now, total.next);
        let chosen = chosen.clone();
        let batch = app.db.tx_web(move |conn| ops::replay(conn, &by, &chosen, beyond, now)).await?;
        total.journaled += batch.journaled;
        total.refused += batch.refused;
        total.next = batch.next;
        if total.next.is_none() {
            break;
        }
    }
    answer::told(&htmx, "/ingest/dead-letters", said(total))
}

/// What a replay came to, in a sentence or three.
fn said(total: Replayed) -> String {
    let count = |number: usize| {
        format::count(i64::try_from(number).unwrap_or(i64::MAX), "event is", "events are")
    };
    let mut text = match (total.journaled, total.refused) {
        (0, 0) => "There was nothing to replay.".to_owned(),
        (0, refused) => format!("{} still refused: mend the cause first.", count(refused)),
        (journaled, 0) => format!("{} on the way again.", count(journaled)),
        (journaled, refused) => {
            format!("{} on the way again, {} still refused.", count(journaled), count(refused))
        }
    };
    if total.next.is_some() {
        text.push_str(" There are more: replay again.");
    }
    let first = text.get(..1).map(str::to_uppercase).unwrap_or_default();
    format!("{first}{}", text.get(1..).unwrap_or_default())
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
        Err(error) => refused(&app, &me, error).await,
    }
}

/// The list again with what is wrong, or the error as it is.
async fn refused(app: &App, me: &Permit<SeeIngest>, error: Error) -> Result<HttpResponse> {
    let Error::Invalid(errors) = error else { return Err(error) };
    let page = DeadLettersPage::load(app, me, Query::default()).await?;
    answer::unprocessable(&page.refused(errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_told_in_words() {
        let of = |journaled, refused, more: bool| {
            said(Replayed { journaled, refused, next: more.then(uuid::Uuid::nil) })
        };
        assert_eq!(of(1, 0, false), "1 event is on the way again.");
        assert_eq!(of(0, 2, false), "2 events are still refused: mend the cause first.");
        assert!(of(500, 1, true).ends_with("There are more: replay again."));
        assert_eq!(of(0, 0, false), "There was nothing to replay.");
    }

    #[test]
    fn a_form_names_one_a_group_or_a_day() {
        let form = |id: &str, code: &str, since: &str| LettersForm {
            id: id.into(),
            code: code.into(),
            since: since.into(),
            reason: String::new(),
        };
        let id = uuid::Uuid::now_v7();
        assert_eq!(form(&id.to_string(), "", "").chosen().unwrap(), Chosen::One(id));
        assert_eq!(form("", "too_deep", "").chosen().unwrap(), Chosen::Group("too_deep".into()));
        assert!(matches!(form("", "", "2026-11-20").chosen(), Ok(Chosen::Since(_))));
        assert!(form("x", "", "yesterday").chosen().is_err());
    }
}
