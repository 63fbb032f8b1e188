//! What people decide about accounts: whose a workspace is, who owns an account.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::ops;
use super::project::beginning;
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{AccountId, MemberId, WorkspaceId};
use crate::ownership;
use crate::scoring::store_scores;
use crate::team::audit::Actor;
use crate::web::answer::{self, Htmx};
use crate::web::form::Form;
use crate::web::permit::{Assign, MergeAccounts, Permit};

/// Which account; empty for none.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LinkForm {
    account: String,
    /// `review` leads back to the list of undecided workspaces.
    from: String,
}

/// `POST /workspaces/{id}/account`: links the workspace to an account, or to none, for good.
///
/// # Errors
/// `NotFound` without such a workspace, invalid without such an account; when the database fails.
pub async fn link(
    app: web::Data<App>,
    me: Permit<MergeAccounts>,
    htmx: Htmx,
    path: web::Path<String>,
    form: Form<LinkForm>,
) -> Result<HttpResponse> {
    let workspace: WorkspaceId = path.parse().map_err(|_| Error::NotFound)?;
    let account: Option<AccountId> = match form.account.trim() {
        "" => None,
        id => Some(id.parse().map_err(|_| Error::invalid("account", "Choose one of the list."))?),
    };
    let (actor, now) = (Actor::from(&*me), me.now);
    app.db
        .tx_web(move |conn| {
            let touched = ops::pin(conn, workspace, account, &actor, now)?;
            // Whose a workspace is has no date: its past days are scored anew, too.
            store_scores::touch(conn, &touched, beginning(), now)
        })
        .await?;
    let back = match form.from.as_str() {
        "review" => "/accounts/links".to_owned(),
        _ => format!("/workspaces/{workspace}/history"),
    };
    let text = match account {
        Some(_) => {
            "Linked. Evidence does not change this any more; the account's score follows in a moment."
        }
        None => "This workspace belongs to no account now, whatever evidence says.",
    };
    answer::told(&htmx, &back, text)
}

/// Who shall own the account; empty for nobody.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct OwnerForm {
    to: String,
}

/// `POST /accounts/{id}/owner`: whose the account is, and with it its new workspaces.
///
/// # Errors
/// `NotFound` without such an account, invalid for a former member; when the database fails.
pub async fn own(
    app: web::Data<App>,
    me: Permit<Assign>,
    htmx: Htmx,
    path: web::Path<String>,
    form: Form<OwnerForm>,
) -> Result<HttpResponse> {
    let account: AccountId = path.parse().map_err(|_| Error::NotFound)?;
    let member: Option<MemberId> = match form.to.trim() {
        "" => None,
        id => Some(id.parse().map_err(|_| Error::invalid("to", "Choose one of the list."))?),
    };
    let (actor, now) = (Actor::from(&*me), me.now);
    app.db
        .tx_web(move |conn| {
            if !super::store_pins::exists(conn, account)? {
                return Err(Error::NotFound);
            }
            ownership::ops::set_account_owner(conn, account, member, &actor, now)
        })
        .await?;
    let text = if member.is_some() {
        "The account has an owner. New PQLs of its workspaces go there too."
    } else {
        "Nobody owns this account now."
    };
    answer::told(&htmx, &format!("/accounts/{account}"), text)
}
