//! The forms of the door and of oneself.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::{REFERER, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::PgConnection;
use serde_json::json;

use super::audit::{self, Actor};
use super::forms::{JoinForm, LoginForm, PasswordForm, ProfileForm, ThemeForm};
use super::hashing::{self, Lane};
use super::member::{Member, Role};
use super::ops::{self, Arrival};
use super::pages::{Doorstep, JoinPage, LoginPage, MePage};
use super::store::NewMember;
use super::{ops_passwords, ops_sign_in};
use super::{password as policy, store, store_door};
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::web::answer::{self, Htmx};
use crate::web::form::Form;
use crate::web::permit::{Permit, View, Viewer, Visitor};
use crate::web::role::Theme;
use crate::web::{session, store as sessions, token};
use crate::{ownership, tasks};

fn arrival(request: &HttpRequest, app: &App, device: &str) -> Arrival {
    Arrival {
        address: session::address(request, app),
        user_agent: session::user_agent(request),
        device: token::hash(device),
        session: session::token_of(request, app).map(|held| token::hash(&held)),
    }
}

/// In with a new session.
fn welcome(
    app: &App,
    session_token: String,
    device: String,
    location: &str,
) -> Result<HttpResponse> {
    let response = with_cookie(answer::see_other(location), session::cookie(app, session_token))?;
    with_cookie(response, session::device_cookie(app, device))
}

fn with_cookie(mut response: HttpResponse, cookie: Cookie<'static>) -> Result<HttpResponse> {
    response.add_cookie(&cookie).map_err(Error::internal)?;
    Ok(response)
}

/// `POST /login`. A wrong password and an unknown address get the same answer after the same time.
pub async fn login(
    request: HttpRequest,
    app: web::Data<App>,
    form: Form<LoginForm>,
) -> Result<HttpResponse> {
    hashing::has_room()?;
    let device = session::device_of(&request, &app);
    let (now, arrival) = (app.clock.now(), arrival(&request, &app, &device));
    let (email, from) = (form.email.clone(), arrival.clone());
    let heard = app.db.tx_web(move |conn| ops_sign_in::hear_claim(conn, &email, &from, now)).await;
    let claim = match heard {
        Ok(claim) => claim,
        Err(Error::TooMany(seconds)) => return too_many(&request, &app, &form, seconds),
        Err(error) => return Err(error),
    };
    let lane = if claim.is_of_known_device() { Lane::Known } else { Lane::Stranger };
    let right = hashing::matches(form.password.clone(), claim.phc.clone(), lane).await?;
    let (true, Some(member)) = (right, claim.member.clone()) else {
        failed(&app, claim.member, arrival.address, now).await?;
        let text = "This address and password do not belong together. Check both and try again.";
        return try_again(&request, &app, &form, StatusCode::UNPROCESSABLE_ENTITY, text);
    };
    let home = answer::safe_next(&form.next).unwrap_or(member.role.home());
    let session_token =
        app.db.tx_web(move |conn| ops_sign_in::admit(conn, &member, &claim, &arrival, now)).await?;
    welcome(&app, session_token, device, home)
}

async fn failed(
    app: &App,
    member: Option<Member>,
    address: String,
    now: DateTime<Utc>,
) -> Result<()> {
    let write = move |conn: &mut PgConnection| {
        audit::record_failed_sign_in(conn, member.as_ref(), &address, now)
    };
    app.db.tx_web(write).await
}

fn too_many(
    request: &HttpRequest,
    app: &App,
    form: &LoginForm,
    seconds: u32,
) -> Result<HttpResponse> {
    let text = format!("Too many attempts. Try again in {seconds} s; your account is not locked.");
    let mut response = try_again(request, app, form, StatusCode::TOO_MANY_REQUESTS, &text)?;
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
    Ok(response)
}

fn try_again(
    request: &HttpRequest,
    app: &App,
    form: &LoginForm,
    status: StatusCode,
    text: &str,
) -> Result<HttpResponse> {
    let Doorstep { shell, .. } = Doorstep::new(request, app, "Sign in");
    let errors = FieldErrors::from([(String::new(), vec![text.to_owned()])]);
    let next = answer::safe_next(&form.next).unwrap_or_default().to_owned();
    answer::html(status, &LoginPage { shell, email: form.email.clone(), next, errors })
}

/// `POST /logout`: the session ends, the browser forgets its token.
pub async fn logout(app: web::Data<App>, visitor: Visitor) -> Result<HttpResponse> {
    if let Some(viewer) = visitor.0 {
        let ended = app
            .db
            .tx_web(move |conn| {
                sessions::end_session(conn, viewer.member, &viewer.session)?;
                let (by, id) = (Actor::from(&viewer), viewer.member);
                ops::audit_member(conn, &by, "member.signed_out", id, &json!({}), viewer.now)
            })
            .await;
        match ended {
            Ok(()) | Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    let response = answer::told(&Htmx::default(), "/login", "You are signed out.")?;
    with_cookie(response, session::forget(&app))
}

/// The zone that the browser told in its `tz` cookie; UTC without JavaScript, to be set at `/me`.
fn zone_of(request: &HttpRequest) -> Tz {
    request
        .cookie("tz")
        .and_then(|cookie| cookie.value().replace("%2F", "/").parse().ok())
        .unwrap_or(Tz::UTC)
}

/// `POST /setup/{token}`: the first admin.
pub async fn setup(
    request: HttpRequest,
    app: web::Data<App>,
    link: web::Path<String>,
    form: Form<JoinForm>,
) -> Result<HttpResponse> {
    let device = session::device_of(&request, &app);
    let (now, link) = (app.clock.now(), link.into_inner());
    let arrival = arrival(&request, &app, &device);
    let asked = link.clone();
    app.db.read_web(move |conn| ops::check_setup_link(conn, &asked, now)).await?;
    let join = match form.check(None) {
        Ok(join) => join,
        Err(errors) => return refused(&request, &app, &form, None, errors),
    };
    let new = NewMember {
        email: join.email,
        name: join.name,
        role: Role::Admin,
        function: None,
        password_hash: hashing::hash(join.password).await?,
        time_zone: zone_of(&request).name().to_owned(),
    };
    match app.db.tx_web(move |conn| ops::set_up(conn, &link, &new, &arrival, now)).await {
        Ok(session_token) => welcome(&app, session_token, device, Role::Admin.home()),
        Err(Error::Invalid(errors)) => refused(&request, &app, &form, None, errors),
        Err(error) => Err(error),
    }
}

/// `POST /invite/{token}`: a new member.
pub async fn accept(
    request: HttpRequest,
    app: web::Data<App>,
    link: web::Path<String>,
    form: Form<JoinForm>,
) -> Result<HttpResponse> {
    let device = session::device_of(&request, &app);
    let (now, link) = (app.clock.now(), link.into_inner());
    let arrival = arrival(&request, &app, &device);
    let hash = token::hash(&link);
    let invite =
        app.db.read_web(move |conn| store_door::find_invite(conn, &hash, false, now)).await?;
    let invited = Some((invite.email.as_str(), invite.role));
    let join = match form.check(Some(&invite.email)) {
        Ok(join) => join,
        Err(errors) => return refused(&request, &app, &form, invited, errors),
    };
    let phc = hashing::hash(join.password).await?;
    let (name, zone) = (join.name, zone_of(&request).name());
    let accepted = app
        .db
        .tx_web(move |conn| {
            let joined = ops::accept_invite(conn, &link, &name, zone, &phc, &arrival, now)?;
            ownership::ops::ensure_pools(conn)?;
            tasks::ops::request_sweep(conn, now)?;
            Ok(joined)
        })
        .await;
    match accepted {
        Ok((session_token, role)) => welcome(&app, session_token, device, role.home()),
        Err(Error::Invalid(errors)) => refused(&request, &app, &form, invited, errors),
        Err(error) => Err(error),
    }
}

fn refused(
    request: &HttpRequest,
    app: &App,
    form: &JoinForm,
    invited: Option<(&str, Role)>,
    errors: FieldErrors,
) -> Result<HttpResponse> {
    let title = if invited.is_none() { "Set up Ripen" } else { "Join Ripen" };
    let Doorstep { shell, .. } = Doorstep::new(request, app, title);
    answer::unprocessable(&JoinPage {
        shell,
        action: request.path().to_owned(),
        is_setup: invited.is_none(),
        role: invited.map_or(Role::Admin, |(_, role)| role),
        email: invited.map_or(form.email.as_str(), |(email, _)| email).to_owned(),
        typed_name: form.name.clone(),
        errors,
    })
}

/// `POST /me`: name, zone, shortcuts.
pub async fn profile(
    app: web::Data<App>,
    me: Permit<View>,
    htmx: Htmx,
    form: Form<ProfileForm>,
) -> Result<HttpResponse> {
    let (name, zone, shortcuts) = match form.check() {
        Ok(checked) => checked,
        Err(errors) => {
            return answer::unprocessable(&MePage::new(&me, Some(form.0), errors));
        }
    };
    let (by, id, now) = (Actor::from(&*me), me.member, me.now);
    app.db
        .tx_web(move |conn| {
            store::set_profile(conn, id, &name, zone.name(), shortcuts)?;
            let detail = json!({ "name": name, "time_zone": zone.name() });
            ops::audit_member(conn, &by, "member.profile_changed", id, &detail, now)
        })
        .await?;
    answer::told(&htmx, "/me", "Saved.")
}

/// `POST /me/password`: all other sessions end, this one gets a new token.
pub async fn password(
    request: HttpRequest,
    app: web::Data<App>,
    me: Permit<View>,
    form: Form<PasswordForm>,
) -> Result<HttpResponse> {
    if let Some(refusal) = policy::refusal(&form.new, &[&me.name, &me.email]) {
        return wrong_password_form(&me, "new", &refusal);
    }
    let device = session::device_of(&request, &app);
    let (now, arrival) = (me.now, arrival(&request, &app, &device));
    let (email, from) = (me.email.clone(), arrival.clone());
    let claim =
        app.db.tx_web(move |conn| ops_sign_in::hear_claim(conn, &email, &from, now)).await?;
    let right = hashing::matches(form.current.clone(), claim.phc.clone(), Lane::Known).await?;
    let (true, Some(member)) = (right, claim.member.clone()) else {
        failed(&app, claim.member, arrival.address, now).await?;
        return wrong_password_form(&me, "current", "This is not your present password.");
    };
    let phc = hashing::hash(form.new.clone()).await?;
    let session_token = app
        .db
        .tx_web(move |conn| {
            ops_passwords::change_password(conn, &member, &claim, &phc, &arrival, now)
        })
        .await?;
    let text = "Your password is changed. Other browsers have to sign in again.";
    let response = answer::told(&Htmx::default(), "/me", text)?;
    let response = with_cookie(response, session::cookie(&app, session_token))?;
    with_cookie(response, session::device_cookie(&app, device))
}

fn wrong_password_form(me: &Viewer, field: &str, text: &str) -> Result<HttpResponse> {
    let errors = FieldErrors::from([(field.to_owned(), vec![text.to_owned()])]);
    answer::unprocessable(&MePage::new(me, None, errors))
}

/// `POST /me/theme`: back to the page that holds the switch.
pub async fn theme(
    request: HttpRequest,
    app: web::Data<App>,
    me: Permit<View>,
    form: Form<ThemeForm>,
) -> Result<HttpResponse> {
    let theme: Theme =
        form.theme.parse().map_err(|_| Error::invalid("theme", "Choose one of the list."))?;
    let id = me.member;
    app.db.tx_web(move |conn| store::set_theme(conn, id, theme)).await?;
    let page = request
        .headers()
        .get(REFERER)
        .and_then(|value| url::Url::parse(value.to_str().ok()?).ok())
        .map(|page| match page.query() {
            Some(query) => format!("{}?{query}", page.path()),
            None => page.path().to_owned(),
        });
    Ok(answer::see_other(page.as_deref().and_then(answer::safe_next).unwrap_or("/me")))
}

/// `POST /me/sessions/{id}/revocation`: a browser is signed out from afar.
pub async fn end_session(
    app: web::Data<App>,
    me: Permit<View>,
    htmx: Htmx,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let hash = hex::decode(id.as_str()).map_err(|_| Error::NotFound)?;
    let (by, member, now) = (Actor::from(&*me), me.member, me.now);
    app.db
        .tx_web(move |conn| {
            sessions::end_session(conn, member, &hash)?;
            ops::audit_member(conn, &by, "member.session_ended", member, &json!({}), now)
        })
        .await?;
    answer::told(&htmx, "/me/sessions", "That browser is signed out.")
}
