//! The keys and secrets that one member made, with what is to become of them.

use actix_web::{HttpResponse, web};
use askama::Template;
use uuid::Uuid;

use super::held_line::HeldLine;
use super::store_makers;
use crate::app::App;
use crate::error::Result;
use crate::ids::MemberId;
use crate::team::member::Member;
use crate::team::store as team;
use crate::web::answer;
use crate::web::permit::{ManageKeys, Permit};
use crate::web::role::May;
use crate::web::shell::{NavItem, Shell};

/// `GET /settings/team/{id}/keys`.
#[derive(Template)]
#[template(path = "sources/made_by.html")]
struct MadeByPage {
    shell: Shell,
    member: Member,
    /// Why their keys are asked about; empty while they may make keys.
    why: String,
    lines: Vec<HeldLine>,
}

/// `GET /settings/team/{id}/keys`.
///
/// # Errors
/// `NotFound` without such a member; when the database fails.
pub async fn made_by(
    app: web::Data<App>,
    me: Permit<ManageKeys>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse> {
    let (id, now) = (MemberId(*id), me.now);
    let (member, held) = app
        .db
        .read_web(move |conn| {
            Ok((team::member(conn, id)?, store_makers::held(conn, Some(id), now)?))
        })
        .await?;
    let why = if member.deactivated_at.is_some() {
        format!("{} is deactivated.", member.name)
    } else if member.role.may(May::ManageKeys) {
        String::new()
    } else {
        format!("{} is {} and may make no keys any more.", member.name, member.role.label())
    };
    answer::page(&MadeByPage {
        shell: me.shell(format!("Keys made by {}", member.name)).at(NavItem::Keys),
        lines: held.into_iter().map(|one| HeldLine::new(one, false, &me)).collect(),
        member,
        why,
    })
}
