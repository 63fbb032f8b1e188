//! The forms of the assignment view, and the owner of one workspace.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use diesel::Connection;
use serde::Deserialize;

use super::ops::{self, Wish};
use super::pages::{BoardQuery, Report, board};
use super::store;
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{MemberId, WorkspaceId};
use crate::team::audit::Actor;
use crate::web::answer::{self, Htmx};
use crate::web::form::{Fields, Form};
use crate::web::permit::{Permit, View, Viewer};
use crate::web::role::May;

/// The largest number of rows in one form: one short transaction.
const MOST: usize = 500;

/// Whether this person may give to that one: managers to anybody, reps to themselves.
fn allowed(viewer: &Viewer, to: Option<MemberId>) -> Result<()> {
    let own = to == Some(viewer.member) && viewer.may(May::HandleLeads);
    if own || viewer.may(May::Assign) {
        Ok(())
    } else {
        Err(Error::Forbidden(
            "You can take PQLs for yourself; a manager gives them to others.".to_owned(),
        ))
    }
}

/// What the form of the view asks for: one row by its own button, or the chosen rows.
fn wishes(form: &Fields, me: MemberId) -> Result<Vec<(WorkspaceId, MemberId)>> {
    let hints: BTreeMap<WorkspaceId, MemberId> = form.all("hint").filter_map(pair).collect();
    if let Ok(workspace) = form.text("take").parse() {
        return Ok(vec![(workspace, me)]);
    }
    if let Some(one) = pair(form.text("give")) {
        return Ok(vec![one]);
    }
    let chosen: Vec<WorkspaceId> = form.all("workspace").filter_map(|id| id.parse().ok()).collect();
    if chosen.is_empty() || chosen.len() > MOST {
        return Err(Error::invalid("", "Choose 1 to 500 workspaces first."));
    }
    let member = form.text("member");
    let to = member.parse::<MemberId>().ok();
    let mut wishes: Vec<(WorkspaceId, MemberId)> = chosen
        .into_iter()
        .filter_map(|id| {
            let to = if member == "suggested" { hints.get(&id).copied() } else { to };
            to.map(|to| (id, to))
        })
        .collect();
    if wishes.is_empty() {
        return Err(Error::invalid(
            "",
            "Choose who is to have them. For these rows there is no suggestion: nobody is eligible.",
        ));
    }
    // By id, as all who write assignments keep it.
    wishes.sort_unstable();
    wishes.dedup_by_key(|(id, _)| *id);
    Ok(wishes)
}

fn pair(text: &str) -> Option<(WorkspaceId, MemberId)> {
    let (workspace, member) = text.split_once(':')?;
    Some((workspace.parse().ok()?, member.parse().ok()?))
}

/// `POST /assign`: each row by itself, so that one that somebody else just took stops no other.
pub async fn assign_many(
    app: web::Data<App>,
    me: Permit<View>,
    htmx: Htmx,
    form: Fields,
) -> Result<HttpResponse> {
    let query = BoardQuery::sorted(form.text("sort"));
    let report = match wishes(&form, me.member) {
        Ok(wishes) => {
            for (_, to) in &wishes {
                allowed(&me, Some(*to))?;
            }
            let (actor, now) = (Actor::from(&*me), me.now);
            app.db
                .tx_web(move |conn| {
                    let mut outcomes = Vec::with_capacity(wishes.len());
                    for (workspace, to) in &wishes {
                        let wish = Wish { workspace: *workspace, to: *to, seen_owner: None };
                        // A savepoint a row.
                        let outcome = match conn
                            .transaction(|conn| ops::assign(conn, &wish, &actor, now))
                        {
                            Err(Error::Contended(cause)) => return Err(Error::Contended(cause)),
                            Err(Error::Internal(cause)) => return Err(Error::Internal(cause)),
                            other => other,
                        };
                        let name = store::workspace_name(conn, *workspace)?;
                        outcomes.push((name, outcome));
                    }
                    Ok(told(outcomes))
                })
                .await?
        }
        Err(Error::Invalid(errors)) => {
            Report { refused: errors.into_values().flatten().collect(), ..Report::default() }
        }
        Err(other) => return Err(other),
    };
    if htmx.wants("rows") {
        return answer::page(&board(&app, &me, &query, Some(report)).await?.as_rows());
    }
    answer::told(&htmx, "/assign", report.line())
}

fn told(outcomes: Vec<(String, Result<ops::Assigned>)>) -> Report {
    let mut given: BTreeMap<String, (Vec<String>, ops::Assigned)> = BTreeMap::new();
    let mut refused = Vec::new();
    for (workspace, outcome) in outcomes {
        match outcome {
            Ok(assigned) => {
                let entry = given
                    .entry(assigned.to.clone())
                    .or_insert_with(|| (Vec::new(), assigned.clone()));
                entry.0.push(workspace);
                entry.1 = assigned;
            }
            Err(Error::Conflict(why)) => refused.push(format!("{workspace}: {why}")),
            Err(Error::Invalid(errors)) => {
                let why: Vec<String> = errors.into_values().flatten().collect();
                refused.push(format!("{workspace}: {}", why.join(" ")));
            }
            Err(_) => refused.push(format!("{workspace} could not be assigned.")),
        }
    }
    let done: Vec<String> = given
        .into_iter()
        .map(|(to, (workspaces, last))| {
            let what = match workspaces.as_slice() {
                [one] => one.clone(),
                more => format!("{} workspaces", more.len()),
            };
            let over = if last.open > last.capacity {
                format!(" {to} now holds {} of {}.", last.open, last.capacity)
            } else {
                String::new()
            };
            format!("{to} has {what} now.{over}")
        })
        .collect();
    Report { done: done.join(" "), refused }
}

/// The form of one workspace.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct OwnerForm {
    /// A member's id, `me`, or `nobody` to take it back.
    to: String,
    /// Who had it when the page was made; nothing: nobody.
    owner: String,
    /// Where to go afterwards.
    next: String,
}

/// `POST /workspaces/{id}/assignment`: gives one workspace to somebody, or to nobody.
pub async fn assign_one(
    app: web::Data<App>,
    me: Permit<View>,
    htmx: Htmx,
    id: web::Path<WorkspaceId>,
    form: Form<OwnerForm>,
) -> Result<HttpResponse> {
    let workspace = *id;
    let seen_owner = form.owner.parse::<MemberId>().ok();
    let to = match form.to.as_str() {
        "nobody" => None,
        "me" => Some(me.member),
        other => Some(other.parse().map_err(|_| Error::invalid("to", "Choose one of the list."))?),
    };
    allowed(&me, to)?;
    // Who may not change an owner takes what nobody has, whatever the form says about its owner.
    let seen_owner = seen_owner.filter(|_| me.may(May::Assign));
    let (actor, now) = (Actor::from(&*me), me.now);
    let text = app
        .db
        .tx_web(move |conn| match (to, seen_owner) {
            (Some(to), _) => {
                let wish = Wish { workspace, to, seen_owner };
                let assigned = ops::assign(conn, &wish, &actor, now)?;
                Ok(format!("{} has it now.", assigned.to))
            }
            (None, Some(owner)) => {
                ops::unassign(conn, workspace, owner, &actor, now)?;
                Ok("Nobody has it now; it waits in the assignment view.".to_owned())
            }
            (None, None) => Ok("Nobody had it; it waits in the assignment view.".to_owned()),
        })
        .await?;
    let own_page = format!("/workspaces/{workspace}");
    let next = answer::safe_next(&form.next).unwrap_or(&own_page);
    answer::told(&htmx, next, text)
}
