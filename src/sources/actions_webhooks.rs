//! The forms of webhook endpoints.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use uuid::Uuid;

use super::ops_webhooks::{self as ops, Wanted};
use super::pages_webhooks::{IndexPage, ShowPage, Typed, typed_moment};
use super::{actions, store_webhooks};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::SourceId;
use crate::team::audit::Actor;
use crate::web::answer::{self, Htmx};
use crate::web::form::Form;
use crate::web::permit::{ManageKeys, Permit};

/// A new endpoint.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct EndpointForm {
    name: String,
    /// `stripe` or `events`.
    kind: String,
    /// `live` or `test`, for Stripe.
    mode: String,
    secret: String,
    source: String,
}

impl EndpointForm {
    fn wanted(&self) -> Result<Wanted> {
        match (self.kind.as_str(), self.mode.as_str()) {
            ("stripe", "live" | "test") => {
                Ok(Wanted::Stripe { secret: self.secret.clone(), livemode: self.mode == "live" })
            }
            ("stripe", _) => Err(Error::invalid("mode", "Choose live or test mode.")),
            ("events", _) => {
                let source = self.source.parse().map(SourceId);
                let source = source.map_err(|_| {
                    Error::invalid("source", "Choose the source whose events these are.")
                })?;
                Ok(Wanted::Events(source))
            }
            _ => Err(Error::invalid("kind", "Choose what sends to this address.")),
        }
    }
}

/// `POST /settings/webhooks`: an endpoint; the answer shows the secret that Ripen made.
///
/// # Errors
/// When the database fails.
pub async fn create(
    app: web::Data<App>,
    me: Permit<ManageKeys>,
    htmx: Htmx,
    form: Form<EndpointForm>,
) -> Result<HttpResponse> {
    let (by, now, wanted) = (Actor::from(&*me), me.now, form.wanted());
    let name = form.name.clone();
    let made = match wanted {
        Ok(wanted) => app.db.tx_web(move |conn| ops::create(conn, &by, &name, &wanted, now)).await,
        Err(error) => Err(error),
    };
    match made {
        Ok((endpoint, Some(secret))) => {
            answer::page(&ShowPage::load(&app, &me, endpoint.id).await?.showing(secret.reveal()))
        }
        Ok((endpoint, None)) => answer::told(
            &htmx,
            &format!("/settings/webhooks/{}", endpoint.id),
            "The endpoint takes deliveries now. Give Stripe its address.",
        ),
        Err(Error::Invalid(errors)) => {
            let EndpointForm { name, kind, mode, source, .. } = form.0;
            let typed = Typed { name, kind, mode, source, ..Typed::default() };
            answer::unprocessable(&IndexPage::load(&app, &me).await?.refused(typed, errors))
        }
        Err(error) => Err(error),
    }
}

/// Another secret, and how long the one before goes on working.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RotationForm {
    secret: String,
    until: String,
}

/// `POST /settings/webhooks/{id}/secrets`: another secret beside the one before.
///
/// # Errors
/// `NotFound`, `Conflict`; when the database fails.
pub async fn rotate(
    app: web::Data<App>,
    me: Permit<ManageKeys>,
    htmx: Htmx,
    id: web::Path<Uuid>,
    form: Form<RotationForm>,
) -> Result<HttpResponse> {
    let (by, now, id) = (Actor::from(&*me), me.now, id.into_inner());
    let secret = form.secret.clone();
    let rotated = match typed_moment(&form.until, &me) {
        Ok(until) => {
            app.db.tx_web(move |conn| ops::rotate(conn, &by, id, &secret, until, now)).await
        }
        Err(error) => Err(error),
    };
    match rotated {
        Ok(Some(secret)) => {
            answer::page(&ShowPage::load(&app, &me, id).await?.showing(secret.reveal()))
        }
        Ok(None) => answer::told(
            &htmx,
            &format!("/settings/webhooks/{id}"),
            "Both secrets are taken until the old one ends.",
        ),
        Err(Error::Invalid(errors)) => {
            let typed = Typed { until: form.0.until, ..Typed::default() };
            answer::unprocessable(&ShowPage::load(&app, &me, id).await?.refused(typed, errors))
        }
        Err(error) => Err(error),
    }
}

/// `POST /settings/webhooks/{id}/revocation`: closes the endpoint for good.
///
/// # Errors
/// `NotFound`, `Conflict`; when the database fails.
pub async fn revoke(
    app: web::Data<App>,
    me: Permit<ManageKeys>,
    htmx: Htmx,
    id: web::Path<Uuid>,
    form: Form<actions::RevocationForm>,
) -> Result<HttpResponse> {
    let (by, now, id) = (Actor::from(&*me), me.now, id.into_inner());
    let typed = form.0;
    let revoked = app
        .db
        .tx_web(move |conn| {
            typed.check(&store_webhooks::find(conn, id)?.name)?;
            ops::revoke(conn, &by, id, now)
        })
        .await;
    match revoked {
        Ok(endpoint) => {
            let text = format!("“{}” is closed: deliveries to it are refused.", endpoint.name);
            answer::told(&htmx, "/settings/webhooks", text)
        }
        Err(Error::Invalid(errors)) => {
            let page = ShowPage::load(&app, &me, id).await?;
            answer::unprocessable(&page.refused(Typed::default(), errors))
        }
        Err(error) => Err(error),
    }
}
