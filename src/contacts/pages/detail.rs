//! `GET /contacts/{id}`: a person with their users of the product and where these are active.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use uuid::Uuid;

use crate::app::App;
use crate::contacts::store_pages::{self, Row, User};
use crate::error::{Error, Result};
use crate::identity::store_people::{self, Active, Seat};
use crate::ids::{UserId, WorkspaceId};
use crate::usage::dictionary::in_words;
use crate::web::answer;
use crate::web::charts::Heat;
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, View, Viewer};
use crate::web::shell::{NavItem, Shell};

/// Days of the heat row.
const DAYS: usize = 14;
/// Workspaces shown at the most.
const MOST: i64 = 200;

struct UserLine {
    href: String,
    external_id: String,
    name: String,
    last: Moment,
}

struct Line {
    id: WorkspaceId,
    person: UserId,
    name: String,
    stage: Option<String>,
    part: String,
    left: Option<Moment>,
    active: Option<Moment>,
}

#[derive(Template)]
#[template(path = "contacts/detail.html")]
struct DetailPage {
    shell: Shell,
    contact: Row,
    heat: Heat,
    first: Moment,
    last: Moment,
    users: Vec<UserLine>,
    lines: Vec<Line>,
}

/// `GET /contacts/{id}`
///
/// # Errors
/// `NotFound` where there is no such contact; when the database fails.
pub async fn detail(
    app: web::Data<App>,
    me: Permit<View>,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let id: Uuid = path.parse().map_err(|_| Error::NotFound)?;
    let today = app.clock.today();
    let (contact, users, seats, active) = app
        .db
        .read_web(move |conn| {
            let contact = store_pages::one(conn, id)?;
            let users = store_pages::users(conn, id)?;
            let mut people: Vec<UserId> = users.iter().map(|user| user.canonical_id).collect();
            people.sort_unstable();
            people.dedup();
            let seats = store_people::seats(conn, &people, MOST)?;
            let active = store_people::activity(conn, &people, today, 14)?;
            Ok((contact, users, seats, active))
        })
        .await?;
    let moment = |at| format::moment(at, me.now, me.zone);
    answer::page(&DetailPage {
        shell: me.shell(contact.title().to_owned()).at(NavItem::Contacts),
        heat: heat(&active, today),
        first: moment(contact.first_seen_at),
        last: moment(contact.last_seen_at),
        users: users.into_iter().map(|one| user(one, &me)).collect(),
        lines: seats.into_iter().map(|one| line(one, &me)).collect(),
        contact,
    })
}

/// What all users of the contact did together.
fn heat(active: &[Active], today: NaiveDate) -> Heat {
    let mut counts = [0_u32; DAYS];
    for one in active {
        let back = today.signed_duration_since(one.day).num_days();
        let place = usize::try_from(back).ok().and_then(|back| DAYS.checked_sub(back + 1));
        if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
            *count = count.saturating_add(u32::try_from(one.events).unwrap_or(u32::MAX));
        }
    }
    Heat::new(&counts, today)
}

fn user(one: User, me: &Viewer) -> UserLine {
    UserLine {
        href: format!("/users/{}", one.canonical_id),
        name: one.name.filter(|name| !name.is_empty()).unwrap_or_default(),
        external_id: one.external_id,
        last: format::moment(one.last_seen_at, me.now, me.zone),
    }
}

fn line(one: Seat, me: &Viewer) -> Line {
    let moment = |at| format::moment(at, me.now, me.zone);
    let parts = [one.role.as_deref(), one.persona.as_deref()].into_iter().flatten();
    Line {
        id: one.workspace_id,
        person: one.canonical_id,
        name: one.workspace,
        stage: one.stage,
        part: parts.map(in_words).collect::<Vec<_>>().join(", "),
        left: one.left_at.map(moment),
        active: one.last_active_at.map(moment),
    }
}
