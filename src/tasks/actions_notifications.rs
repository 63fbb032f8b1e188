//! The forms of notifications: what has been read.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::pages_notifications::HERE;
use super::store_notifications as store;
use crate::app::App;
use crate::error::{Error, Result};
use crate::web::answer::{self, Htmx};
use crate::web::form::Form;
use crate::web::format;
use crate::web::permit::{Permit, View};

/// `POST /notifications/{id}/reading`
///
/// # Errors
/// `NotFound` for what is nobody's or somebody else's; when the database fails.
pub async fn read(
    app: web::Data<App>,
    me: Permit<View>,
    htmx: Htmx,
    id: web::Path<Uuid>,
) -> Result<HttpResponse> {
    let (member, id, now) = (me.member, id.into_inner(), me.now);
    app.db.tx_web(move |conn| store::read_one(conn, member, id, now)).await?;
    answer::told(&htmx, HERE, "Marked as read.")
}

/// The form that marks all of a page as read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ReadingForm {
    /// When the page was made: what came later has not been seen.
    until: String,
}

/// `POST /notifications/readings`
///
/// # Errors
/// Invalid when the form names no time; when the database fails.
pub async fn read_all(
    app: web::Data<App>,
    me: Permit<View>,
    htmx: Htmx,
    form: Form<ReadingForm>,
) -> Result<HttpResponse> {
    let until: DateTime<Utc> = form.until.parse().map_err(|_| {
        Error::invalid("", "The form does not say up to when. Reload the page and try again.")
    })?;
    let (member, now) = (me.member, me.now);
    let read = app.db.tx_web(move |conn| store::read_all(conn, member, until, now)).await?;
    let read = i64::try_from(read).unwrap_or(i64::MAX);
    let text = match read {
        0 => "Everything was read before.".to_owned(),
        some => format!("{} marked as read.", format::count(some, "notification", "notifications")),
    };
    answer::told(&htmx, HERE, text)
}
