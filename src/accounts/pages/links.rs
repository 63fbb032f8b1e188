//! `GET /accounts/links`: workspaces whose evidence is not enough to link them by itself.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::accounts::evidence::{Piece, proposals};
use crate::accounts::store_pages;
use crate::app::App;
use crate::error::Result;
use crate::ids::{AccountId, WorkspaceId};
use crate::web::answer;
use crate::web::permit::{Permit, View};
use crate::web::role::May;
use crate::web::shell::{NavItem, Shell};

/// A workspace that waits for a person.
struct Undecided {
    id: WorkspaceId,
    name: String,
    stage: Option<String>,
    score: Option<i32>,
    candidates: Vec<Candidate>,
}

/// Whose it may be.
struct Candidate {
    id: AccountId,
    name: String,
    confidence: i32,
    evidence: Vec<String>,
}

#[derive(Template)]
#[template(path = "accounts/links.html")]
struct LinksPage {
    shell: Shell,
    undecided: Vec<Undecided>,
    may_merge: bool,
}

/// `GET /accounts/links`: workspaces with evidence of 50 to 79 percent.
///
/// # Errors
/// When the database fails.
pub async fn links(app: web::Data<App>, me: Permit<View>) -> Result<HttpResponse> {
    let (rows, names) = app
        .db
        .read_web(move |conn| {
            let rows = store_pages::undecided(conn)?;
            let named: Vec<AccountId> = rows
                .iter()
                .flat_map(|row| proposals(&row.evidence))
                .map(|one| one.account_id)
                .collect();
            let names = store_pages::names(conn, &named)?;
            Ok((rows, names))
        })
        .await?;
    let undecided = rows
        .into_iter()
        .map(|row| Undecided {
            id: row.id,
            name: row.name,
            stage: row.stage,
            score: row.score,
            candidates: proposals(&row.evidence)
                .into_iter()
                .filter_map(|one| {
                    let (id, name) = names.iter().find(|(id, _)| *id == one.account_id)?;
                    let evidence = one.evidence.iter().map(Piece::words).collect();
                    Some(Candidate {
                        id: *id,
                        name: name.clone(),
                        confidence: one.confidence,
                        evidence,
                    })
                })
                .collect(),
        })
        .collect();
    answer::page(&LinksPage {
        shell: me.shell("Workspaces without an account").at(NavItem::Accounts),
        undecided,
        may_merge: me.may(May::MergeAccounts),
    })
}
