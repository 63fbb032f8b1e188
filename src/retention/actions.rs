//! The form of `/settings/data`. Nothing is saved that was not looked at.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::ops;
use super::pages::{self, Page, Read, Typed, looked};
use super::policy::{self, Finding, Policy};
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::team::audit::Actor;
use crate::web::answer::{self, Htmx};
use crate::web::form::Fields;
use crate::web::permit::{EditData, Permit};

enum Outcome {
    Saved,
    Shown(Policy, Vec<Finding>, Vec<String>),
    Invalid(FieldErrors),
    Conflict(String),
}

/// `POST /settings/data`: shows what it would drop, or saves with `do=save` what was shown.
pub async fn save(
    app: web::Data<App>,
    me: Permit<EditData>,
    htmx: Htmx,
    fields: Fields,
) -> Result<HttpResponse> {
    let typed = Typed {
        journal: fields.text("journal_days").to_owned(),
        key_events: fields.text("key_event_days").to_owned(),
    };
    let seen = Typed {
        journal: fields.text("seen_journal").to_owned(),
        key_events: fields.text("seen_key_events").to_owned(),
    };
    let seen =
        seen.policy().map_err(|_| Error::invalid("", "The form is incomplete. Open it again."))?;
    let is_final = fields.text("do") == "save";
    let shown = fields.text("looked").to_owned();
    let (by, now, form) = (Actor::from(&*me), me.now, typed.clone());
    let (outcome, read) = app
        .db
        .tx_web(move |conn| {
            let outcome = decide(conn, &by, seen, &form, is_final.then_some(shown.as_str()), now)?;
            Ok((outcome, pages::read(conn)?))
        })
        .await?;
    let page = |read: &Read, errors| Page::new(&me, read).with_typed(typed.clone(), errors);
    match outcome {
        Outcome::Saved => answer::told(
            &htmx,
            "/settings/data",
            "Saved. What is too old by it goes within the hour.",
        ),
        Outcome::Invalid(errors) => answer::unprocessable(&page(&read, errors)),
        Outcome::Conflict(text) => {
            answer::html(StatusCode::CONFLICT, &page(&read, FieldErrors::new()).with_notice(text))
        }
        Outcome::Shown(policy, findings, lines) => {
            let mut page = page(&read, FieldErrors::new()).with_forecast(policy, findings, lines);
            if is_final {
                page = page.with_notice(
                    "Not saved yet: this is not what you looked at. See what it does, then save it.",
                );
            }
            answer::page(&page)
        }
    }
}

/// `shown` is what the person looked at when they want it saved.
fn decide(
    conn: &mut diesel::PgConnection,
    by: &Actor,
    seen: Policy,
    form: &Typed,
    shown: Option<&str>,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Outcome> {
    let policy = match form.policy() {
        Ok(policy) => policy,
        Err(errors) => return Ok(Outcome::Invalid(errors)),
    };
    let findings = policy::lint(policy, pages::lookback(conn)?);
    let mut errors = FieldErrors::new();
    for one in findings.iter().filter(|one| one.refused) {
        errors.entry(one.field.to_owned()).or_default().push(one.text.clone());
    }
    if !errors.is_empty() {
        return Ok(Outcome::Invalid(errors));
    }
    if shown.is_none_or(|shown| shown != looked(policy)) {
        let lines = pages::forecast(conn, policy, now.date_naive())?;
        return Ok(Outcome::Shown(policy, findings, lines));
    }
    match ops::save(conn, by, seen, policy, now) {
        Ok(()) => Ok(Outcome::Saved),
        Err(Error::Conflict(text)) => Ok(Outcome::Conflict(text)),
        Err(other) => Err(other),
    }
}
