//! The form of `/settings/plans`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::pages::Page;
use super::plan::PlanList;
use super::{ops, store};
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::team::audit::Actor;
use crate::web::answer::{self, Htmx};
use crate::web::form::Fields;
use crate::web::permit::{EditCatalog, Permit};

const SAVED: &str =
    "Saved. The plans of all workspaces are read again now, and their scores follow.";

/// `POST /settings/plans`: saves the lists, or with `do=reset` those that Ripen comes with.
pub async fn save(
    app: web::Data<App>,
    me: Permit<EditCatalog>,
    htmx: Htmx,
    fields: Fields,
) -> Result<HttpResponse> {
    let seen: i32 = fields
        .text("version")
        .parse()
        .map_err(|_| Error::invalid("", "The form is incomplete. Open it again."))?;
    let list = if fields.text("do") == "reset" {
        Ok(None)
    } else {
        PlanList::of_form(|name| fields.text(name).to_owned()).map(Some)
    };
    let (by, now) = (Actor::from(&*me), me.now);
    let (outcome, kept) = app
        .db
        .tx_web(move |conn| {
            let outcome = match &list {
                Ok(list) => match ops::save(conn, &by, seen, list.as_ref(), now) {
                    Ok(()) => Ok(()),
                    Err(Error::Conflict(text)) => Err((StatusCode::CONFLICT, told(text))),
                    Err(other) => return Err(other),
                },
                Err(errors) => Err((StatusCode::UNPROCESSABLE_ENTITY, errors.clone())),
            };
            Ok((outcome, store::load(conn)?))
        })
        .await?;
    match outcome {
        Ok(()) => answer::told(&htmx, "/settings/plans", SAVED),
        Err((status, errors)) => {
            let typed = |name: &str| Some(fields.text(name).to_owned());
            answer::html(status, &Page::new(&me, &kept, typed, errors))
        }
    }
}

fn told(text: String) -> FieldErrors {
    FieldErrors::from([(String::new(), vec![text])])
}
