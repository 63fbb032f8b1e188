//! The forms of sources and keys.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use uuid::Uuid;

use super::key::Scope;
use super::pages::{KeysPage, Shown, Typed};
use super::pages_webhooks::typed_moment;
use super::{ops, store};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::SourceId;
use crate::team::audit::Actor;
use crate::web::answer::{self, Htmx};
use crate::web::form::{Fields, Form};
use crate::web::permit::{ManageKeys, Permit};

/// A new source.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SourceForm {
    name: String,
    environment: String,
}

/// `POST /settings/keys/sources`: a source with its first write key, which the answer shows.
pub async fn create_source(
    app: web::Data<App>,
    me: Permit<ManageKeys>,
    form: Form<SourceForm>,
) -> Result<HttpResponse> {
    let (by, typed, now) = (Actor::from(&*me), form.0.clone(), me.now);
    let made = app
        .db
        .tx_web(move |conn| {
            let source = ops::create_source(conn, &by, &typed.name, &typed.environment, now)?;
            let key = ops::create_write_key(conn, &by, source.id, now)?;
            Ok((source, key))
        })
        .await;
    app.keys.forget();
    let page = KeysPage::load(&app, &me).await?;
    match made {
        Ok((source, key)) => answer::page(&page.showing(
            &app,
            Shown {
                title: format!("The write key of {}", source.name),
                key: key.reveal().to_owned(),
                source: Some(source.id),
            },
        )),
        Err(Error::Invalid(errors)) => {
            let SourceForm { name, environment } = form.0;
            let typed = Typed { name, environment, ..Typed::default() };
            answer::unprocessable(&page.refused(typed, errors))
        }
        Err(error) => Err(error),
    }
}

/// What a new key of a source is for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct WriteKeyForm {
    /// `server`; anything else is a key for SDKs.
    holder: String,
}

/// `POST /settings/keys/sources/{id}/write-keys`: one more key, which the answer shows.
pub async fn create_write_key(
    app: web::Data<App>,
    me: Permit<ManageKeys>,
    id: web::Path<SourceId>,
    form: Form<WriteKeyForm>,
) -> Result<HttpResponse> {
    let (by, now, id) = (Actor::from(&*me), me.now, id.into_inner());
    let for_servers = form.holder == "server";
    let make = if for_servers { ops::create_server_key } else { ops::create_write_key };
    let (source, key) = app
        .db
        .tx_web(move |conn| {
            let key = make(conn, &by, id, now)?;
            Ok((store::find(conn, id)?, key))
        })
        .await?;
    app.keys.forget();
    let kind = if for_servers { "server" } else { "write" };
    let title = format!("A new {kind} key of {}", source.name);
    let source = (!for_servers).then_some(source.id);
    let shown = Shown { title, key: key.reveal().to_owned(), source };
    answer::page(&KeysPage::load(&app, &me).await?.showing(&app, shown))
}

/// `POST /settings/keys/api-keys`: an API key, which the answer shows.
pub async fn create_api_key(
    app: web::Data<App>,
    me: Permit<ManageKeys>,
    fields: Fields,
) -> Result<HttpResponse> {
    let (by, now) = (Actor::from(&*me), me.now);
    let name = fields.text("key_name").to_owned();
    let scopes = fields.all("scopes").collect::<Vec<_>>().join(",");
    // No scope at all is refused by the use case, in words at the field.
    let scopes = Scope::parse_list(&scopes).unwrap_or_default();
    let typed = name.clone();
    let made =
        app.db.tx_web(move |conn| ops::create_api_key(conn, &by, &typed, &scopes, now)).await;
    let page = KeysPage::load(&app, &me).await?;
    match made {
        Ok(key) => {
            let title = format!("The API key “{}”", name.trim());
            answer::page(
                &page.showing(&app, Shown { title, key: key.reveal().to_owned(), source: None }),
            )
        }
        Err(Error::Invalid(errors)) => {
            let errors = errors
                .into_iter()
                .map(|(field, messages)| {
                    (if field == "name" { "key_name".into() } else { field }, messages)
                })
                .collect();
            let typed = Typed { key_name: name, ..Typed::default() };
            answer::unprocessable(&page.refused(typed, errors))
        }
        Err(error) => Err(error),
    }
}

/// The typed confirmation of a revocation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RevocationForm {
    confirm: String,
}

impl RevocationForm {
    /// Refuses unless the name of what is revoked was typed: products stop sending at once.
    pub(super) fn check(&self, prefix: &str) -> Result<()> {
        if self.confirm.trim() == prefix {
            Ok(())
        } else {
            Err(Error::invalid(
                "confirm",
                format!("Nothing was revoked: type {prefix} to confirm."),
            ))
        }
    }
}

/// `POST /settings/keys/write-keys/{id}/revocation`.
pub async fn revoke_write_key(
    app: web::Data<App>,
    me: Permit<ManageKeys>,
    htmx: Htmx,
    id: web::Path<Uuid>,
    form: Form<RevocationForm>,
) -> Result<HttpResponse> {
    let (by, now, id) = (Actor::from(&*me), me.now, id.into_inner());
    let typed = form.0;
    let revoked = app
        .db
        .tx_web(move |conn| {
            let key = store::find_write_key(conn, id)?;
            typed.check(&key.prefix)?;
            ops::revoke_write_key(conn, &by, id, now)?;
            Ok(key.prefix)
        })
        .await;
    app.keys.forget();
    revocation(&app, &me, &htmx, revoked).await
}

/// Until when the key before goes on working.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RotationForm {
    until: String,
}

/// `POST /settings/keys/write-keys/{id}/rotation`: another key beside this one, which ends on a date.
pub async fn rotate_write_key(
    app: web::Data<App>,
    me: Permit<ManageKeys>,
    id: web::Path<Uuid>,
    form: Form<RotationForm>,
) -> Result<HttpResponse> {
    let (by, now, id) = (Actor::from(&*me), me.now, id.into_inner());
    let rotated = match typed_moment(&form.until, &me) {
        Ok(until) => {
            let rotate = move |conn: &mut diesel::PgConnection| {
                let key = ops::rotate_write_key(conn, &by, id, until, now)?;
                let source = store::find_write_key(conn, id)?.source_id;
                Ok((store::find(conn, source)?, key))
            };
            let rotated = app.db.tx_web(rotate).await;
            app.keys.forget();
            rotated
        }
        Err(error) => Err(error),
    };
    let page = KeysPage::load(&app, &me).await?;
    match rotated {
        Ok((source, key)) => {
            let title =
                format!("The new write key of {}; the old one works until it ends", source.name);
            let shown = Shown { title, key: key.reveal().to_owned(), source: Some(source.id) };
            answer::page(&page.showing(&app, shown))
        }
        Err(Error::Invalid(errors)) => {
            // Each key has an end of its own; the summary says it, and leads to no field.
            let said = errors.into_values().map(|messages| (String::new(), messages)).collect();
            answer::unprocessable(&page.refused(Typed::default(), said))
        }
        Err(error) => Err(error),
    }
}

/// `POST /settings/keys/api-keys/{id}/revocation`.
pub async fn revoke_api_key(
    app: web::Data<App>,
    me: Permit<ManageKeys>,
    htmx: Htmx,
    id: web::Path<Uuid>,
    form: Form<RevocationForm>,
) -> Result<HttpResponse> {
    let (by, now, id) = (Actor::from(&*me), me.now, id.into_inner());
    let typed = form.0;
    let revoked = app
        .db
        .tx_web(move |conn| {
            let key = store::find_api_key(conn, id)?;
            typed.check(&key.prefix)?;
            ops::revoke_api_key(conn, &by, id, now)?;
            Ok(key.prefix)
        })
        .await;
    revocation(&app, &me, &htmx, revoked).await
}

async fn revocation(
    app: &App,
    me: &Permit<ManageKeys>,
    htmx: &Htmx,
    revoked: Result<String>,
) -> Result<HttpResponse> {
    match revoked {
        Ok(prefix) => {
            let text = format!(
                "The key {prefix}… is revoked: this server refuses it now, others within two seconds."
            );
            answer::told(htmx, "/settings/keys", text)
        }
        Err(Error::Invalid(errors)) => {
            let page = KeysPage::load(app, me).await?;
            answer::unprocessable(&page.refused(Typed::default(), errors))
        }
        Err(error) => Err(error),
    }
}
