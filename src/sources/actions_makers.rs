//! The form of what becomes of the keys that one member made.

use actix_web::{HttpResponse, web};
use uuid::Uuid;

use super::ops_makers;
use crate::app::App;
use crate::error::Result;
use crate::ids::MemberId;
use crate::team::audit::Actor;
use crate::team::store as team;
use crate::web::answer::{self, Htmx};
use crate::web::form::Fields;
use crate::web::format::count;
use crate::web::permit::{ManageKeys, Permit};

/// `POST /settings/team/{id}/keys`: those for which nothing is chosen go on waiting.
///
/// # Errors
/// `NotFound` without such a member; when the database fails.
pub async fn decide(
    app: web::Data<App>,
    me: Permit<ManageKeys>,
    htmx: Htmx,
    id: web::Path<Uuid>,
    fields: Fields,
) -> Result<HttpResponse> {
    let (by, id, now) = (Actor::from(&*me), MemberId(*id), me.now);
    let decided = app
        .db
        .tx_web(move |conn| {
            let member = team::member(conn, id)?;
            let choice = |held: &super::makers::Held| fields.text(&held.field()).parse().ok();
            Ok((member, ops_makers::decide(conn, &by, id, choice, now)?))
        })
        .await;
    app.keys.forget();
    let (member, outcome) = decided?;
    let revoked = i64::try_from(outcome.revoked).unwrap_or(i64::MAX);
    let revoked = count(revoked, "key is revoked", "keys are revoked");
    if outcome.waiting > 0 {
        let waiting = i64::try_from(outcome.waiting).unwrap_or(i64::MAX);
        let waiting = count(waiting, "waits for a decision", "wait for a decision");
        let text = format!("{revoked}; {waiting}.");
        return answer::told(&htmx, &format!("/settings/team/{id}/keys"), text);
    }
    answer::told(&htmx, "/settings/team", format!("Keys made by {}: {revoked}.", member.name))
}
