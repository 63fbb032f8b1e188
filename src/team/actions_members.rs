//! The forms of the team: invites, roles, work, leaving and coming back. What routing and ownership
//! must learn is told them in the same transaction.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::audit::Actor;
use super::forms::{InviteForm, RoleForm, WorkForm};
use super::member::Role;
use super::ops;
use super::pages::TeamPage;
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::ids::MemberId;
use crate::sources::makers::Held;
use crate::sources::ops_makers as makers;
use crate::web::answer::{self, Htmx};
use crate::web::form::{Fields, Form};
use crate::web::format::count;
use crate::web::permit::{ManageTeam, Permit, Viewer};
use crate::{ownership, tasks};

/// `POST /settings/team/invites`: the answer shows the link, this once.
pub async fn invite(
    app: web::Data<App>,
    me: Permit<ManageTeam>,
    form: Form<InviteForm>,
) -> Result<HttpResponse> {
    let new = match form.check() {
        Ok(new) => new,
        Err(errors) => return refused_team(&app, &me, Some(form.0), errors).await,
    };
    let (actor, now, name) = (Actor::from(&*me), me.now, new.name.clone());
    match app.db.tx_web(move |conn| ops::invite(conn, &actor, &new, now)).await {
        Ok(link) => {
            let link = app.link(&format!("/invite/{link}"));
            answer::page(&TeamPage::load(&app, &me).await?.with_link(name, link))
        }
        Err(Error::Invalid(errors)) => refused_team(&app, &me, Some(form.0), errors).await,
        Err(error) => Err(error),
    }
}

async fn refused_team(
    app: &App,
    me: &Viewer,
    form: Option<InviteForm>,
    errors: FieldErrors,
) -> Result<HttpResponse> {
    answer::unprocessable(&TeamPage::load(app, me).await?.refused(form, errors))
}

/// `POST /settings/team/invites/{id}/revocation`.
pub async fn revoke_invite(
    app: web::Data<App>,
    me: Permit<ManageTeam>,
    htmx: Htmx,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let hash = hex::decode(id.as_str()).map_err(|_| Error::NotFound)?;
    let (actor, now) = (Actor::from(&*me), me.now);
    app.db.tx_web(move |conn| ops::revoke_invite(conn, &actor, &hash, now)).await?;
    answer::told(&htmx, "/settings/team", "The invite no longer works.")
}

/// `POST /settings/team/{id}/role`.
pub async fn role(
    app: web::Data<App>,
    me: Permit<ManageTeam>,
    htmx: Htmx,
    id: web::Path<uuid::Uuid>,
    form: Form<RoleForm>,
) -> Result<HttpResponse> {
    let Ok(role) = form.role.parse::<Role>() else {
        let errors = FieldErrors::from([("role".to_owned(), vec!["Choose a role.".to_owned()])]);
        return refused_team(&app, &me, None, errors).await;
    };
    let (actor, now, id) = (Actor::from(&*me), me.now, MemberId(*id));
    let changed = app
        .db
        .tx_web(move |conn| {
            let changed = ops::change_role(conn, &actor, id, role, now)?;
            let keys = if changed.lost_rights {
                makers::maker_demoted(conn, &actor, id, role, now)?
            } else {
                makers::Outcome::default()
            };
            Ok((changed, keys))
        })
        .await;
    app.keys.forget();
    let text = |name: &str| format!("{name} is {} now and signs in again", role.label());
    let keys = changed.as_ref().map_or_else(|_| makers::Outcome::default(), |(_, keys)| *keys);
    let said = changed.map(|(changed, keys)| {
        format!("{}.{}", text(&changed.member.name), also(changed.invites, keys))
    });
    member_lost_rights(&app, &me, &htmx, id, said, keys).await
}

/// What else a change took, in words; empty when nothing.
fn also(invites: usize, keys: makers::Outcome) -> String {
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let mut text = String::new();
    let mut add = |number: i64, one: &str, many: &str| {
        if number > 0 {
            text.push_str(&format!(" {}.", count(number, one, many)));
        }
    };
    add(number(invites), "invite was revoked", "invites were revoked");
    add(number(keys.revoked), "key was revoked", "keys were revoked");
    add(
        number(keys.waiting),
        "key that they made still works: keep or revoke it",
        "keys that they made still work: keep or revoke each",
    );
    text
}

/// As [`member_changed`]; on to the keys that somebody has to decide about, if there are any.
async fn member_lost_rights(
    app: &App,
    me: &Viewer,
    htmx: &Htmx,
    id: MemberId,
    said: Result<String>,
    keys: makers::Outcome,
) -> Result<HttpResponse> {
    match said {
        Ok(text) if keys.waiting > 0 => {
            answer::told(htmx, &format!("/settings/team/{id}/keys"), text)
        }
        said => member_changed(app, me, htmx, said).await,
    }
}

/// 303 with a message, or the page with what stands against it.
async fn member_changed(
    app: &App,
    me: &Viewer,
    htmx: &Htmx,
    changed: Result<String>,
) -> Result<HttpResponse> {
    match changed {
        Ok(text) => answer::told(htmx, "/settings/team", text),
        Err(Error::Conflict(why)) => {
            let errors = FieldErrors::from([(String::new(), vec![why])]);
            let page = TeamPage::load(app, me).await?.refused(None, errors);
            answer::html(StatusCode::CONFLICT, &page)
        }
        Err(Error::Invalid(errors)) => refused_team(app, me, None, errors).await,
        Err(error) => Err(error),
    }
}

/// `POST /settings/team/{id}/work`: function, capacity, territories.
pub async fn work(
    app: web::Data<App>,
    me: Permit<ManageTeam>,
    htmx: Htmx,
    id: web::Path<uuid::Uuid>,
    form: Form<WorkForm>,
) -> Result<HttpResponse> {
    let work = match form.check() {
        Ok(work) => work,
        Err(errors) => return refused_team(&app, &me, None, errors).await,
    };
    let (actor, now, id) = (Actor::from(&*me), me.now, MemberId(*id));
    let changed = app
        .db
        .tx_web(move |conn| {
            let (function, capacity) = (work.function, work.capacity);
            let territories = &work.territories;
            let member = ops::change_work(conn, &actor, id, function, capacity, territories, now)?;
            ownership::ops::function_changed(conn, id)?;
            tasks::ops::request_sweep(conn, now)?;
            Ok(member)
        })
        .await;
    member_changed(&app, &me, &htmx, changed.map(|member| format!("{} was saved.", member.name)))
        .await
}

/// `POST /settings/team/{id}/deactivation`, with a choice for each key that they made. API keys
/// without one are revoked; other keys without one wait for it.
pub async fn deactivate(
    app: web::Data<App>,
    me: Permit<ManageTeam>,
    htmx: Htmx,
    id: web::Path<uuid::Uuid>,
    fields: Fields,
) -> Result<HttpResponse> {
    let (actor, now, id) = (Actor::from(&*me), me.now, MemberId(*id));
    let changed = app
        .db
        .tx_web(move |conn| {
            let changed = ops::deactivate(conn, &actor, id, now)?;
            let keys = if changed.lost_rights {
                let choice = |held: &Held| fields.text(&held.field()).parse().ok();
                makers::maker_deactivated(conn, &actor, id, choice, now)?
            } else {
                makers::Outcome::default()
            };
            let back = ownership::ops::return_everything(conn, id, &actor, now)?;
            let back = count(i64::try_from(back).unwrap_or(0), "workspace is", "workspaces are");
            Ok((changed, keys, back))
        })
        .await;
    app.keys.forget();
    let keys = changed.as_ref().map_or_else(|_| makers::Outcome::default(), |(_, keys, _)| *keys);
    let said = changed.map(|(changed, keys, back)| {
        format!(
            "{} is deactivated and signed out everywhere; {back} back in the assignment view.{}",
            changed.member.name,
            also(changed.invites, keys)
        )
    });
    member_lost_rights(&app, &me, &htmx, id, said, keys).await
}

/// `POST /settings/team/{id}/reactivation`.
pub async fn reactivate(
    app: web::Data<App>,
    me: Permit<ManageTeam>,
    htmx: Htmx,
    id: web::Path<uuid::Uuid>,
) -> Result<HttpResponse> {
    let (actor, now, id) = (Actor::from(&*me), me.now, MemberId(*id));
    let changed = app
        .db
        .tx_web(move |conn| {
            let member = ops::reactivate(conn, &actor, id, now)?;
            // Their function may have been changed while they were away.
            ownership::ops::function_changed(conn, id)?;
            tasks::ops::request_sweep(conn, now)?;
            Ok(member)
        })
        .await;
    let text = |name: &str| format!("{name} can sign in again.");
    member_changed(&app, &me, &htmx, changed.map(|member| text(&member.name))).await
}
