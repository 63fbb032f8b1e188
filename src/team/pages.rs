//! The pages of the door, of oneself and of the team.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use chrono_tz::TZ_VARIANTS;
use serde::Deserialize;

use super::forms::{InviteForm, ProfileForm};
use super::member::{Function, Member, Role};
use super::store_door::Invite;
use super::{ops, store, store_door};
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::ids::MemberId;
use crate::sources::held_line::HeldLine;
use crate::sources::makers::Held;
use crate::sources::store_makers;
use crate::web::permit::{Permit, SeeTeam, View, Viewer, Visitor};
use crate::web::role::May;
use crate::web::shell::{NavItem, Shell};
use crate::web::{answer, csrf, flash, format, session, store as sessions, token};

/// `GET /`: on to where this role works, or to the login.
pub async fn home(visitor: Visitor) -> HttpResponse {
    answer::see_other(visitor.0.map_or("/login", |viewer| viewer.role.home()))
}

/// A page before signing in: its shell carries the token of the browser's cookie.
pub(super) struct Doorstep {
    pub shell: Shell,
    cookie: Option<actix_web::cookie::Cookie<'static>>,
}

impl Doorstep {
    pub fn new(request: &HttpRequest, app: &App, title: &str) -> Self {
        let (token, cookie) = session::before_sign_in(request, app);
        let mut shell = Shell::new(title, app.clock.now());
        shell.csrf = csrf::token(&token);
        shell.flash.extend(flash::read(request));
        Self { shell, cookie }
    }

    /// Sets the cookie that the form's token belongs to, if the browser had none.
    pub fn answer(
        cookie: Option<actix_web::cookie::Cookie<'static>>,
        mut response: HttpResponse,
    ) -> Result<HttpResponse> {
        if let Some(cookie) = cookie {
            response.add_cookie(&cookie).map_err(Error::internal)?;
        }
        Ok(response)
    }
}

/// `GET /login`, and what a failed `POST /login` answers with.
#[derive(Template)]
#[template(path = "team/login.html")]
pub(super) struct LoginPage {
    pub shell: Shell,
    pub email: String,
    pub next: String,
    pub errors: FieldErrors,
}

/// The query of the login.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LoginQuery {
    next: String,
}

/// `GET /login`; whoever is signed in goes on.
pub async fn login(
    request: HttpRequest,
    app: web::Data<App>,
    visitor: Visitor,
    query: web::Query<LoginQuery>,
) -> Result<HttpResponse> {
    let next = answer::safe_next(&query.next);
    if let Some(viewer) = visitor.0 {
        return Ok(answer::see_other(next.unwrap_or(viewer.role.home())));
    }
    let Doorstep { shell, cookie } = Doorstep::new(&request, &app, "Sign in");
    let page = LoginPage {
        shell,
        email: String::new(),
        next: next.unwrap_or_default().to_owned(),
        errors: FieldErrors::new(),
    };
    Doorstep::answer(cookie, answer::page(&page)?)
}

/// Setting up the first admin, or accepting an invite.
#[derive(Template)]
#[template(path = "team/join.html")]
pub(super) struct JoinPage {
    pub shell: Shell,
    /// Where the form goes: this page's own path.
    pub action: String,
    /// Whether this is the first admin, who also types an address.
    pub is_setup: bool,
    pub role: Role,
    pub email: String,
    /// Not `name`: that is a parameter of the macro that shows it.
    pub typed_name: String,
    pub errors: FieldErrors,
}

/// `GET /setup/{token}`: not found unless the link works.
pub async fn setup(
    request: HttpRequest,
    app: web::Data<App>,
    link: web::Path<String>,
) -> Result<HttpResponse> {
    let (now, link) = (app.clock.now(), link.into_inner());
    app.db.read_web(move |conn| ops::check_setup_link(conn, &link, now)).await?;
    let Doorstep { shell, cookie } = Doorstep::new(&request, &app, "Set up Ripen");
    let page = JoinPage {
        shell,
        action: request.path().to_owned(),
        is_setup: true,
        role: Role::Admin,
        email: String::new(),
        typed_name: String::new(),
        errors: FieldErrors::new(),
    };
    Doorstep::answer(cookie, answer::page(&page)?)
}

/// `GET /invite/{token}`: not found unless the link works.
pub async fn invite(
    request: HttpRequest,
    app: web::Data<App>,
    link: web::Path<String>,
) -> Result<HttpResponse> {
    let (now, hash) = (app.clock.now(), token::hash(&link));
    let invite =
        app.db.read_web(move |conn| store_door::find_invite(conn, &hash, false, now)).await?;
    let Doorstep { shell, cookie } = Doorstep::new(&request, &app, "Join Ripen");
    let page = JoinPage {
        shell,
        action: request.path().to_owned(),
        is_setup: false,
        role: invite.role,
        email: invite.email,
        typed_name: invite.name,
        errors: FieldErrors::new(),
    };
    Doorstep::answer(cookie, answer::page(&page)?)
}

/// Oneself.
#[derive(Template)]
#[template(path = "team/me.html")]
pub(super) struct MePage {
    shell: Shell,
    email: String,
    form: ProfileForm,
    zones: Vec<(&'static str, &'static str)>,
    errors: FieldErrors,
}

impl MePage {
    pub fn new(me: &Viewer, form: Option<ProfileForm>, errors: FieldErrors) -> Self {
        let form = form.unwrap_or_else(|| ProfileForm {
            name: me.name.clone(),
            time_zone: me.zone.name().to_owned(),
            shortcuts: if me.shortcuts { "on".to_owned() } else { String::new() },
        });
        let zones = TZ_VARIANTS.iter().map(|zone| (zone.name(), zone.name())).collect();
        Self { shell: me.shell("You"), email: me.email.clone(), form, zones, errors }
    }
}

/// `GET /me`.
pub async fn me(me: Permit<View>) -> Result<HttpResponse> {
    answer::page(&MePage::new(&me, None, FieldErrors::new()))
}

struct SessionLine {
    id: String,
    browser: String,
    address: String,
    signed_in: format::Moment,
    last_seen: format::Moment,
    is_this: bool,
}

#[derive(Template)]
#[template(path = "team/sessions.html")]
struct SessionsPage {
    shell: Shell,
    lines: Vec<SessionLine>,
}

/// `GET /me/sessions`: where one is signed in.
pub async fn sessions(app: web::Data<App>, me: Permit<View>) -> Result<HttpResponse> {
    let (member, now) = (me.member, me.now);
    let rows = app.db.read_web(move |conn| sessions::sessions_of(conn, member, now)).await?;
    let lines = rows
        .into_iter()
        .map(|row| SessionLine {
            id: hex::encode(&row.token_hash),
            is_this: row.token_hash == me.session,
            browser: if row.user_agent.is_empty() {
                "A browser that does not say".to_owned()
            } else {
                row.user_agent
            },
            address: row.address,
            signed_in: format::moment(row.created_at, now, me.zone),
            last_seen: format::moment(row.last_seen_at, now, me.zone),
        })
        .collect();
    answer::page(&SessionsPage { shell: me.shell("Where you are signed in"), lines })
}

pub(super) struct MemberLine {
    member: Member,
    is_me: bool,
    territories: String,
    /// The keys that they made and that work, with what is to become of them when they leave.
    held: Vec<HeldLine>,
    /// How many of these wait for a decision.
    waiting: usize,
}

pub(super) struct InviteLine {
    id: String,
    invite: Invite,
    inviter: String,
    expires: format::Moment,
    is_expired: bool,
}

/// The team, for an admin with its forms.
#[derive(Template)]
#[template(path = "team/index.html")]
pub(super) struct TeamPage {
    shell: Shell,
    may_manage: bool,
    members: Vec<MemberLine>,
    invites: Vec<InviteLine>,
    form: InviteForm,
    errors: FieldErrors,
    /// The link of an invite that was made just now, with the name of whom it invites.
    link: Option<(String, String)>,
    roles: Vec<(&'static str, &'static str)>,
    functions: Vec<(&'static str, &'static str)>,
}

impl TeamPage {
    /// The page as it stands in the database.
    pub async fn load(app: &App, me: &Viewer) -> Result<Self> {
        let (may_see_keys, now) = (me.may(May::ManageKeys), me.now);
        let (members, invites, mut held) = app
            .db
            .read_web(move |conn| {
                let held =
                    if may_see_keys { store_makers::held(conn, None, now)? } else { Vec::new() };
                Ok((store::members(conn)?, store_door::open_invites(conn)?, held))
            })
            .await?;
        let name_of = |id: MemberId| {
            let member = members.iter().find(|member| member.id == id);
            member.map(|member| member.name.clone()).unwrap_or_default()
        };
        let invites: Vec<InviteLine> = invites
            .into_iter()
            .map(|invite| InviteLine::new(name_of(invite.invited_by), invite, me))
            .collect();
        let mut held_by = |member: &Member| -> Vec<Held> {
            held.extract_if(.., |one| one.maker == member.id).collect()
        };
        let none = [("", "None: gets no PQLs by routing")];
        Ok(Self {
            shell: me.shell("Team").at(NavItem::Settings),
            may_manage: me.may(May::ManageTeam),
            members: members
                .into_iter()
                .map(|member| {
                    let held = held_by(&member);
                    MemberLine::new(member, held, me)
                })
                .collect(),
            invites,
            form: InviteForm { role: Role::Rep.key().to_owned(), ..InviteForm::default() },
            errors: FieldErrors::new(),
            link: None,
            roles: Role::ALL.iter().map(|role| (role.key(), role.label())).collect(),
            functions: none
                .into_iter()
                .chain(Function::ALL.iter().map(|function| (function.key(), function.label())))
                .collect(),
        })
    }

    /// With what is wrong, and what was typed into the invite.
    pub fn refused(mut self, form: Option<InviteForm>, errors: FieldErrors) -> Self {
        self.form = form.unwrap_or(self.form);
        self.errors = errors;
        self
    }

    /// With the link of a new invite, which is shown this once.
    pub fn with_link(mut self, name: String, link: String) -> Self {
        self.link = Some((name, link));
        self
    }
}

impl MemberLine {
    fn new(member: Member, held: Vec<Held>, me: &Viewer) -> Self {
        Self {
            is_me: member.id == me.member,
            territories: member.territories.join(", "),
            waiting: held.iter().filter(|one| one.waits_since.is_some()).count(),
            held: held.into_iter().map(|one| HeldLine::new(one, true, me)).collect(),
            member,
        }
    }

    fn function(&self) -> &'static str {
        self.member.function.map_or("", Function::key)
    }

    fn function_label(&self) -> &'static str {
        self.member.function.map_or("None", Function::label)
    }
}

impl InviteLine {
    fn new(inviter: String, invite: Invite, me: &Viewer) -> Self {
        let now: DateTime<Utc> = me.now;
        Self {
            id: hex::encode(&invite.token_hash),
            inviter,
            expires: format::moment(invite.expires_at, now, me.zone),
            is_expired: invite.expires_at <= now,
            invite,
        }
    }
}

/// `GET /settings/team`.
pub async fn team(app: web::Data<App>, me: Permit<SeeTeam>) -> Result<HttpResponse> {
    answer::page(&TeamPage::load(&app, &me).await?)
}
