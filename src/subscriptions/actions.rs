//! What people decide about subscriptions: whose they are.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::pages::CustomerPage;
use super::{ops_stripe, store_unmapped};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::WorkspaceId;
use crate::team::audit::Actor;
use crate::web::answer::{self, Htmx};
use crate::web::form::Form;
use crate::web::format;
use crate::web::permit::{Permit, SeeIngest};

/// Which workspace, and what had been searched for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MappingForm {
    workspace: String,
    q: String,
}

/// `POST /ingest/unmapped/{customer}/mapping`: all subscriptions of the customer are the workspace's.
///
/// # Errors
/// `NotFound` without such a customer; when the database fails.
pub async fn map(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    htmx: Htmx,
    id: web::Path<String>,
    form: Form<MappingForm>,
) -> Result<HttpResponse> {
    let (actor, member, now) = (Actor::from(&*me), me.member, me.now);
    let customer = id.into_inner();
    let chosen: Option<WorkspaceId> = form.workspace.trim().parse().ok();
    let named = customer.clone();
    let mapped = app
        .db
        .tx_web(move |conn| {
            let refused =
                || Error::invalid("q", "Choose one of the workspaces below, or search for it.");
            let workspace = chosen.ok_or_else(refused)?;
            let name = match store_unmapped::workspace_name(conn, workspace) {
                Err(Error::NotFound) => return Err(refused()),
                other => other?,
            };
            let by = (&actor, member);
            let many = ops_stripe::map(conn, by, &named, Some((workspace, &name)), now)?;
            Ok((name, many))
        })
        .await;
    match mapped {
        Ok((name, many)) => {
            let many = i64::try_from(many).unwrap_or(i64::MAX);
            let what = format::count(many, "subscription counts", "subscriptions count");
            let text = format!(
                "{what} for {name} now, from the beginning. Its score follows in a moment."
            );
            answer::told(&htmx, "/ingest/unmapped", text)
        }
        Err(Error::Invalid(errors)) => {
            let page = CustomerPage::load(&app, &me, &customer, &form.q).await?;
            answer::unprocessable(&page.refused(errors))
        }
        Err(error) => Err(error),
    }
}

/// `POST /ingest/unmapped/{customer}/mapping/removal`: undoes that.
///
/// # Errors
/// `NotFound` without such a customer; when the database fails.
pub async fn unmap(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    htmx: Htmx,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let (actor, member, now) = (Actor::from(&*me), me.member, me.now);
    let customer = id.into_inner();
    app.db
        .tx_web(move |conn| ops_stripe::map(conn, (&actor, member), &customer, None, now))
        .await?;
    answer::told(
        &htmx,
        "/ingest/unmapped",
        "Undone: what the customer pays counts for no workspace by this any more.",
    )
}
