//! The permits: what a handler must be given before it runs. Deny by default.
//!
//! A page or action names the right it needs in its signature and gets the [`Viewer`] with it:
//!
//! ```ignore
//! pub async fn index(app: web::Data<App>, me: Permit<SeeTeam>) -> Result<HttpResponse> {
//!     let now = app.clock.now();
//!     let rows = app.db.read_web(move |conn| store::rows(conn, now)).await?;
//!     answer::page(&Index { shell: me.shell("Team").at(NavItem::Settings), rows })
//! }
//! ```
//!
//! Nobody signed in: 303 to `/login?next=…` (htmx: 401 with `HX-Redirect`). Signed in without the
//! right: 403 when the role sees the thing, 404 when for it there is no such thing.
//! Rules about single objects (a rep's own tasks) are the feature's, after the permit.

use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::PgConnection;
use futures_util::future::LocalBoxFuture;

use super::format::GLANCE;
use super::role::{May, Role, Theme, Verdict};
use super::shell::{Counters, Flash, Shell, SignedIn};
use super::{csrf, flash, session, store, token};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::MemberId;
use crate::{ingest, ownership, tasks};

/// Whoever looks at the page, as of this request.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Their id.
    pub member: MemberId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their role.
    pub role: Role,
    /// The zone in which they read times.
    pub zone: Tz,
    /// Their theme.
    pub theme: Theme,
    /// Whether single-key shortcuts are on.
    pub shortcuts: bool,
    /// The token that their forms carry.
    pub csrf: String,
    /// SHA-256 of their session's token.
    pub session: Vec<u8>,
    /// When the request came in.
    pub now: DateTime<Utc>,
    /// The numbers beside the navigation; zeros for a fragment, which brings its own.
    pub counters: Counters,
    /// What the form before this page has to say.
    pub flash: Option<Flash>,
}

impl Viewer {
    /// The shell of a page for this viewer; add `.at(NavItem::…)`.
    #[must_use]
    pub fn shell(&self, title: impl Into<String>) -> Shell {
        let signed_in = SignedIn { name: self.name.clone(), role: self.role, zone: self.zone };
        let mut shell = Shell::new(title, self.now).member(signed_in, self.csrf.clone());
        shell.theme = self.theme;
        shell.shortcuts = self.shortcuts;
        shell.counters = self.counters;
        shell.flash.extend(self.flash.clone());
        shell
    }

    /// Whether to show a control; what it does is checked by the permit of its action.
    #[must_use]
    pub fn may(&self, what: May) -> bool {
        self.role.may(what)
    }
}

/// A right as a type, for [`Permit`].
pub trait Right: 'static {
    /// The right.
    const MAY: May;
}

macro_rules! rights {
    ($($name:ident),* $(,)?) => {$(
        #[doc = concat!("The right [`May::", stringify!($name), "`] as a type.")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Right for $name {
            const MAY: May = May::$name;
        }
    )*};
}

rights! {
    View, Work, HandleLeads, Assign, MergeAccounts, EditScoring, PublishScoring, EditRouting,
    SeeIngest, EditCatalog, Import, SeeTeam, ManageTeam, ManageKeys, SeeAudit,
    SeeData, EditData,
}

/// Proof that whoever asks is signed in and has the right; reads as the [`Viewer`].
#[derive(Clone, Debug)]
pub struct Permit<R> {
    viewer: Viewer,
    right: PhantomData<R>,
}

impl<R> Deref for Permit<R> {
    type Target = Viewer;
    fn deref(&self) -> &Viewer {
        &self.viewer
    }
}

impl<R: Right> FromRequest for Permit<R> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let viewer = viewer(&request).await?.ok_or(Error::SignedOut)?;
            match viewer.role.verdict(R::MAY) {
                Verdict::Granted => Ok(Self { viewer, right: PhantomData }),
                Verdict::Refused => Err(Error::Forbidden(format!(
                    "This is not for the role {}. An admin can change your role in Settings, Team.",
                    viewer.role.label()
                ))),
                Verdict::Hidden => Err(Error::NotFound),
            }
        })
    }
}

/// Who is signed in, if anybody: for pages that serve both.
#[derive(Clone, Debug)]
pub struct Visitor(pub Option<Viewer>);

impl FromRequest for Visitor {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { viewer(&request).await.map(Self) })
    }
}

/// Who it is, and for a whole page the numbers beside its navigation.
fn visit(
    conn: &mut PgConnection,
    token_hash: &[u8],
    whole_page: bool,
    now: DateTime<Utc>,
) -> Result<Option<(store::Visit, Counters)>> {
    let Some(visit) = store::find_session(conn, token_hash, now)? else { return Ok(None) };
    let mut counters = Counters::default();
    if whole_page {
        counters.inbox = tasks::store_inbox::count_now(conn, visit.member, now)?;
        counters.notifications =
            tasks::store_notifications::count_unread(conn, visit.member, GLANCE + 1)?;
        counters.assign = ownership::store_board::count_up_to(conn, GLANCE + 1)?;
        if visit.role.parse().is_ok_and(|role: Role| role.may(May::SeeIngest)) {
            let alerts = ingest::store_alerts::count_unheeded(conn)?;
            counters.ingest = u32::try_from(alerts).unwrap_or(u32::MAX);
        }
    }
    Ok(Some((visit, counters)))
}

/// Whether the request carries a session that lives, for what has to know it before anything else.
pub(super) async fn is_signed_in(request: &HttpRequest) -> Result<bool> {
    let app = app(request)?;
    let Some(token) = session::token_of(request, &app) else { return Ok(false) };
    let (hash, now) = (token::hash(&token), app.clock.now());
    let found = app.db.read_web(move |conn| store::find_session(conn, &hash, now)).await?;
    Ok(found.is_some())
}

async fn viewer(request: &HttpRequest) -> Result<Option<Viewer>> {
    let app = app(request)?;
    let Some(token) = session::token_of(request, &app) else { return Ok(None) };
    let hash = token::hash(&token);
    let now = app.clock.now();
    let wanted = hash.clone();
    let whole_page = !request.headers().contains_key("HX-Request");
    let found = app.db.read_web(move |conn| visit(conn, &wanted, whole_page, now)).await?;
    let Some((visit, counters)) = found else { return Ok(None) };
    if now - visit.last_seen_at >= session::TOUCH_EVERY {
        let seen = hash.clone();
        app.db.tx_web(move |conn| store::touch_session(conn, &seen, now)).await?;
    }
    Ok(Some(Viewer {
        member: visit.member,
        name: visit.name,
        email: visit.email,
        role: visit.role.parse().map_err(Error::internal)?,
        zone: visit.time_zone.parse().unwrap_or(Tz::UTC),
        theme: visit.theme.parse().unwrap_or(Theme::System),
        shortcuts: visit.shortcuts,
        csrf: csrf::token(&token),
        session: hash,
        now,
        counters,
        flash: flash::read(request),
    }))
}

/// The application behind a request.
pub(super) fn app(request: &HttpRequest) -> Result<web::Data<App>> {
    request
        .app_data::<web::Data<App>>()
        .cloned()
        .ok_or_else(|| Error::internal("the server was composed without its App"))
}
