//! What people decide about who is who. Each form runs beside the drainer, so that members, usage and
//! scores follow in its transaction.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use uuid::Uuid;

use super::ops::{self, Word};
use super::pages::merges;
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::ingest::aside;
use crate::jobs::PROJECTIONS;
use crate::team::audit::Actor;
use crate::web::answer::{self, Htmx};
use crate::web::form::Form;
use crate::web::permit::{MergeAccounts, Permit};

/// A judgement on a pair.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct JudgementForm {
    one: String,
    other: String,
    version: String,
    keep: String,
    reason: String,
    decision: String,
}

/// `POST /contacts/merges`: the two are one person, or they are not.
///
/// # Errors
/// `NotFound` when the two are no candidates; when the database fails. What changed since the page was
/// made is a page with 409.
pub async fn judge(
    app: web::Data<App>,
    me: Permit<MergeAccounts>,
    htmx: Htmx,
    form: Form<JudgementForm>,
) -> Result<HttpResponse> {
    let pair = ops::pair_of(&form.one, &form.other)?;
    let (actor, now) = (Actor::from(&*me), me.now);
    let today = app.clock.today();
    let said = form.0.clone();
    let outcome = app
        .db
        .tx_web(move |conn| {
            let word = Word { actor: &actor, reason: &said.reason, now };
            let check = |conn: &mut diesel::PgConnection| {
                if merges::version(conn, pair, today)? == said.version {
                    return Ok(());
                }
                Err(Error::Conflict("This pair changed since you opened the page.".to_owned()))
            };
            match said.decision.as_str() {
                "merge" => {
                    let keep: UserId = said.keep.parse().map_err(|_| choose_one())?;
                    aside::settle(conn, now, &PROJECTIONS, |conn, chunk| {
                        check(conn)?;
                        let ids = merges::people(conn, pair)?;
                        let away = ids.iter().copied().find(|id| *id != keep);
                        let away = away.filter(|_| ids.contains(&keep)).ok_or_else(choose_one)?;
                        ops::merge(conn, chunk, away, keep, word)?;
                        Ok(Some(keep))
                    })
                }
                "apart" => {
                    check(conn)?;
                    ops::keep_apart(conn, pair, word)?;
                    Ok(None)
                }
                _ => Err(Error::invalid("decision", "Choose Merge or Not the same person.")),
            }
        })
        .await;
    match outcome {
        Ok(Some(keep)) => answer::told(
            &htmx,
            &format!("/users/{keep}"),
            "Merged. Members count this person once now; scores follow in a moment. You can take it back below.",
        ),
        Ok(None) => answer::told(
            &htmx,
            "/contacts/merges",
            "Kept apart. Nobody is asked again unless something new speaks for it.",
        ),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            let pair = (form.one.clone(), form.other.clone());
            merges::again(&app, &me, pair, form.reason.clone(), error).await
        }
        Err(error) => Err(error),
    }
}

fn choose_one() -> Error {
    Error::invalid("keep", "Choose which of the two to keep.")
}

/// Which pair.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PairForm {
    one: String,
    other: String,
}

/// `POST /contacts/merges/reopenings`: a pair that was kept apart is asked about again.
///
/// # Errors
/// `NotFound` when it was not; when the database fails.
pub async fn reopen(
    app: web::Data<App>,
    me: Permit<MergeAccounts>,
    htmx: Htmx,
    form: Form<PairForm>,
) -> Result<HttpResponse> {
    let pair = ops::pair_of(&form.one, &form.other)?;
    let (actor, now) = (Actor::from(&*me), me.now);
    app.db
        .tx_web(move |conn| ops::ask_again(conn, pair, Word { actor: &actor, reason: "", now }))
        .await?;
    answer::told(&htmx, "/contacts/merges", "The pair waits for a judgement again.")
}

/// Which visitor is somebody else after all, and why.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SplitForm {
    visitor: String,
    reason: String,
}

/// `POST /users/{id}/splits`: the visitor is not this user, whatever calls say.
///
/// # Errors
/// `NotFound` unless a call says so; `Conflict` when it is done already; when the database fails.
pub async fn split(
    app: web::Data<App>,
    me: Permit<MergeAccounts>,
    htmx: Htmx,
    path: web::Path<String>,
    form: Form<SplitForm>,
) -> Result<HttpResponse> {
    let user: UserId = path.parse().map_err(|_| Error::NotFound)?;
    let visitor: UserId = form.visitor.parse().map_err(|_| {
        Error::invalid("visitor", "The form names no visitor. Open the user's page again.")
    })?;
    let (actor, now) = (Actor::from(&*me), me.now);
    let reason = form.reason.clone();
    app.db
        .tx_web(move |conn| {
            let word = Word { actor: &actor, reason: &reason, now };
            aside::settle(conn, now, &PROJECTIONS, |conn, chunk| {
                ops::split(conn, chunk, visitor, user, word)
            })
        })
        .await?;
    answer::told(
        &htmx,
        &format!("/users/{user}"),
        "Taken apart. Calls that say otherwise change nothing; scores follow in a moment.",
    )
}

/// `POST /users/changes/{id}/undoing`: takes a merge or a split back.
///
/// # Errors
/// `NotFound` when there is no such change, `Conflict` when it was taken back; when the database fails.
pub async fn undo(
    app: web::Data<App>,
    me: Permit<MergeAccounts>,
    htmx: Htmx,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let id: Uuid = path.parse().map_err(|_| Error::NotFound)?;
    let (actor, now) = (Actor::from(&*me), me.now);
    let change = app
        .db
        .tx_web(move |conn| {
            let word = Word { actor: &actor, reason: "", now };
            aside::settle(conn, now, &PROJECTIONS, |conn, chunk| ops::undo(conn, chunk, id, word))
        })
        .await?;
    let text = if change.kind == "merge" {
        "Taken back: these are two people again, and kept apart. Scores follow in a moment."
    } else {
        "Taken back: calls say again who this visitor is. Scores follow in a moment."
    };
    answer::told(&htmx, &format!("/users/{}", change.other_id), text)
}
