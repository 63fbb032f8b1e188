//! Webhook endpoints for an admin: addresses, secrets, what came.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, LocalResult, NaiveDateTime, TimeZone, Utc};
use uuid::Uuid;

use super::ops_webhooks::OVERLAP;
use super::pages::maker;
use super::store::{self, Source};
use super::store_webhooks::{self, Delivery, Endpoint, Kind, Listed};
use crate::app::App;
use crate::clock::is_askable;
use crate::error::{Error, FieldErrors, Result};
use crate::team::member::Member;
use crate::team::store as team;
use crate::web::answer;
use crate::web::format::{self, Moment};
use crate::web::permit::{ManageKeys, Permit, Viewer};
use crate::web::shell::{NavItem, Shell};

/// So many deliveries are listed.
const DELIVERIES: i64 = 50;

/// What was typed into a form that came back.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed {
    pub name: String,
    pub kind: String,
    pub source: String,
    pub mode: String,
    pub until: String,
}

/// An endpoint in the list.
struct Line {
    endpoint: Endpoint,
    what: String,
    last: Option<Moment>,
}

/// `GET /settings/webhooks`, and what its form answers with.
#[derive(Template)]
#[template(path = "webhooks/index.html")]
pub(super) struct IndexPage {
    shell: Shell,
    lines: Vec<Line>,
    sources: Vec<(String, String)>,
    form: Typed,
    errors: FieldErrors,
}

fn what(endpoint: &Endpoint, sources: &[Source]) -> String {
    match (endpoint.livemode, endpoint.source_id) {
        (Some(true), _) => "Stripe, live mode".to_owned(),
        (Some(false), _) => "Stripe, test mode".to_owned(),
        (None, source) => {
            let name =
                sources.iter().find(|one| Some(one.id) == source).map(|one| one.name.as_str());
            format!("Standard Webhooks, events of {}", name.unwrap_or("a source"))
        }
    }
}

impl IndexPage {
    /// The page as it stands in the database.
    pub async fn load(app: &App, me: &Viewer) -> Result<Self> {
        let (endpoints, secrets, sources) = app
            .db
            .read_web(|conn| {
                Ok((
                    store_webhooks::list(conn)?,
                    store_webhooks::secrets(conn)?,
                    store::list(conn)?,
                ))
            })
            .await?;
        let lines = endpoints
            .into_iter()
            .map(|endpoint| {
                let own = secrets.iter().filter(|secret| secret.endpoint_id == endpoint.id);
                let last = own.filter_map(|secret| secret.last_used_at).max();
                Line {
                    what: what(&endpoint, &sources),
                    last: last.map(|at| format::moment(at, me.now, me.zone)),
                    endpoint,
                }
            })
            .collect();
        Ok(Self {
            shell: me.shell("Webhooks").at(NavItem::Keys),
            lines,
            sources: sources.into_iter().map(|one| (one.id.to_string(), one.name)).collect(),
            form: Typed::default(),
            errors: FieldErrors::new(),
        })
    }

    /// With what is wrong, and what was typed; a pasted secret is not shown again.
    pub fn refused(mut self, form: Typed, errors: FieldErrors) -> Self {
        (self.form, self.errors) = (form, errors);
        self
    }
}

/// `GET /settings/webhooks`
///
/// # Errors
/// When the database fails.
pub async fn index(app: web::Data<App>, me: Permit<ManageKeys>) -> Result<HttpResponse> {
    answer::page(&IndexPage::load(&app, &me).await?)
}

/// A secret in the list of an endpoint.
struct SecretLine {
    hint: String,
    state: &'static str,
    is_valid: bool,
    until: Option<Moment>,
    made: Moment,
    /// Who made or pasted it; empty where nobody knows.
    maker: String,
    used: Option<Moment>,
}

/// A delivery in the list.
struct DeliveryLine {
    at: Moment,
    kind: String,
    id: String,
    outcome: String,
    is_refusal: bool,
    reason: String,
    hint: Option<String>,
    times: i32,
}

/// `GET /settings/webhooks/{id}`, and what its forms answer with.
#[derive(Template)]
#[template(path = "webhooks/show.html")]
pub(super) struct ShowPage {
    shell: Shell,
    endpoint: Endpoint,
    what: String,
    is_stripe: bool,
    address: String,
    /// A secret that was made just now: shown this once.
    shown: Option<String>,
    secrets: Vec<SecretLine>,
    deliveries: Vec<DeliveryLine>,
    form: Typed,
    errors: FieldErrors,
}

impl ShowPage {
    /// The page as it stands in the database.
    pub async fn load(app: &App, me: &Viewer, id: Uuid) -> Result<Self> {
        let (endpoint, secrets, deliveries, sources, team) = app
            .db
            .read_web(move |conn| {
                Ok((
                    store_webhooks::find(conn, id)?,
                    store_webhooks::secrets(conn)?,
                    store_webhooks::deliveries(conn, id, DELIVERIES)?,
                    store::list(conn)?,
                    team::members(conn)?,
                ))
            })
            .await?;
        let secrets = secrets.iter().filter(|one| one.endpoint_id == id);
        Ok(Self {
            shell: me.shell(endpoint.name.clone()).at(NavItem::Keys),
            what: what(&endpoint, &sources),
            is_stripe: endpoint.kind == Kind::Stripe.key(),
            address: app.link(&format!("/webhooks/{}/{id}", endpoint.kind)),
            shown: None,
            secrets: secrets.map(|one| secret(one, &team, me)).collect(),
            deliveries: deliveries.into_iter().map(|one| delivery(one, me)).collect(),
            form: Typed { until: local(me.now + OVERLAP, me), ..Typed::default() },
            errors: FieldErrors::new(),
            endpoint,
        })
    }

    /// With a secret that was made just now.
    pub fn showing(mut self, secret: &str) -> Self {
        self.shown = Some(secret.to_owned());
        self
    }

    /// With what is wrong, and what was typed.
    pub fn refused(mut self, form: Typed, errors: FieldErrors) -> Self {
        (self.form, self.errors) = (form, errors);
        self
    }
}

fn secret(one: &Listed, team: &[Member], me: &Viewer) -> SecretLine {
    let moment = |at| format::moment(at, me.now, me.zone);
    let is_valid = one.expires_at.is_none_or(|end| end > me.now);
    SecretLine {
        hint: one.hint.clone(),
        state: match (is_valid, one.expires_at) {
            (true, None) => "Valid",
            (true, Some(_)) => "Valid until",
            (false, _) => "Over since",
        },
        is_valid,
        until: one.expires_at.map(moment),
        made: moment(one.created_at),
        maker: maker(one.created_by, team),
        used: one.last_used_at.map(moment),
    }
}

fn delivery(one: Delivery, me: &Viewer) -> DeliveryLine {
    DeliveryLine {
        at: format::moment(one.received_at, me.now, me.zone),
        is_refusal: one.kind.is_none() || one.outcome == "dead_letter",
        kind: one.kind.unwrap_or_default(),
        id: one.event_id.unwrap_or_default(),
        outcome: crate::usage::dictionary::in_words(&one.outcome),
        reason: one.reason,
        hint: one.hint,
        times: one.times,
    }
}

/// `GET /settings/webhooks/{id}`
///
/// # Errors
/// `NotFound` without such an endpoint; when the database fails.
pub async fn show(
    app: web::Data<App>,
    me: Permit<ManageKeys>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse> {
    answer::page(&ShowPage::load(&app, &me, id.into_inner()).await?)
}

/// A moment as an input of date and time shows it, in the viewer's zone.
pub(super) fn local(at: DateTime<Utc>, me: &Viewer) -> String {
    at.with_timezone(&me.zone).format("%Y-%m-%dT%H:%M").to_string()
}

/// What was typed into such an input.
///
/// # Errors
/// [`Error::Invalid`] at `until`.
pub(super) fn typed_moment(text: &str, me: &Viewer) -> Result<DateTime<Utc>> {
    let bad = || Error::invalid("until", "Write the end as a day and a time: 2026-11-21T10:00.");
    let local = NaiveDateTime::parse_from_str(text.trim(), "%Y-%m-%dT%H:%M").map_err(|_| bad())?;
    if !is_askable(local.date()) {
        return Err(bad());
    }
    match me.zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Ok(at.to_utc()),
        LocalResult::None => Err(bad()),
    }
}
