//! `GET /users/{id}`: a person of the product, where each of their names came from, who was stitched
//! to them and merged with them, and where they are active.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{Known, kind_label};
use crate::app::App;
use crate::contacts::store_pages::{self as contacts, Row as Contact};
use crate::error::{Error, Result};
use crate::identity::store_people::{self, Decided, Event, Face, Seat, Stitch, Told};
use crate::ids::{UserId, WorkspaceId};
use crate::ingest::moment;
use crate::ingest::traits::text_of;
use crate::usage::dictionary::in_words;
use crate::web::answer;
use crate::web::charts::Heat;
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, View, Viewer};
use crate::web::role::May;
use crate::web::shell::{NavItem, Shell};

/// Rows of each table at the most.
const MOST: i64 = 100;
/// Key events shown.
const EVENTS: i64 = 10;
/// A trait's value is cut to so many characters.
const LENGTH: usize = 200;

/// A name under which the person was seen.
struct Name {
    kind: &'static str,
    value: String,
    first: Moment,
    origin: String,
}

/// What a call said about who somebody is.
struct StitchLine {
    visitor_id: UserId,
    user_id: UserId,
    text: String,
    at: Moment,
    detail: String,
    state: &'static str,
    /// It stands, and may be undone.
    stands: bool,
    split: Option<Uuid>,
}

/// What somebody decided.
struct Decision {
    id: Uuid,
    text: String,
    at: Moment,
    detail: String,
    undone: Option<String>,
    undo: &'static str,
}

struct Line {
    id: WorkspaceId,
    name: String,
    stage: Option<String>,
    part: String,
    joined: Moment,
    left: Option<Moment>,
    active: Option<Moment>,
}

struct Happened {
    label: String,
    note: String,
    workspace: (WorkspaceId, String),
    at: Moment,
}

struct Trait {
    name: String,
    value: String,
    at: Option<Moment>,
}

#[derive(Template)]
#[template(path = "identity/user.html")]
struct UserPage {
    shell: Shell,
    face: Face,
    note: &'static str,
    heat: Heat,
    first: Moment,
    last: Moment,
    names: Vec<Name>,
    stitches: Vec<StitchLine>,
    decisions: Vec<Decision>,
    lines: Vec<Line>,
    events: Vec<Happened>,
    traits: Vec<Trait>,
    contacts: Vec<Contact>,
    may_decide: bool,
}

struct Found {
    known: Known,
    told: Told,
    stitches: Vec<Stitch>,
    decisions: Vec<Decided>,
    events: Vec<Event>,
    contacts: Vec<Contact>,
}

/// `GET /users/{id}`
///
/// # Errors
/// `NotFound` where there is nobody; when the database fails.
pub async fn user(
    app: web::Data<App>,
    me: Permit<View>,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let id: UserId = path.parse().map_err(|_| Error::NotFound)?;
    let (now, today) = (me.now, app.clock.today());
    let found = app.db.read_web(move |conn| read(conn, id, now, today)).await?;
    match found {
        // Whoever this was is somebody else now.
        Err(canonical) => Ok(answer::see_other(&format!("/users/{canonical}"))),
        Ok(found) => answer::page(&show(&me, id, found, today)?),
    }
}

fn read(
    conn: &mut diesel::PgConnection,
    id: UserId,
    now: DateTime<Utc>,
    today: NaiveDate,
) -> Result<Result<Found, UserId>> {
    let told = store_people::told(conn, id)?;
    if told.canonical_id != id {
        return Ok(Err(told.canonical_id));
    }
    let known = Known {
        faces: store_people::faces(conn, &[id])?,
        names: store_people::names(conn, &[id], MOST)?,
        seats: store_people::seats(conn, &[id], MOST)?,
        active: store_people::activity(conn, &[id], today, 14)?,
    };
    let since = now - TimeDelta::days(90);
    Ok(Ok(Found {
        known,
        told,
        stitches: store_people::stitches(conn, id, MOST)?,
        decisions: store_people::decisions(conn, id, MOST)?,
        events: store_people::key_events(conn, id, since, EVENTS)?,
        contacts: contacts::of_person(conn, id)?,
    }))
}

fn show(me: &Viewer, id: UserId, found: Found, today: NaiveDate) -> Result<UserPage> {
    let Found { known, told, stitches, decisions, events, contacts } = found;
    let moment = |at| format::moment(at, me.now, me.zone);
    let heat = known.heat(id, today);
    let Known { faces, names, seats, .. } = known;
    let face = faces.into_iter().next().ok_or(Error::NotFound)?;
    let names = names
        .into_iter()
        .map(|one| {
            let call = one.said_by.as_ref().map(|call| format!("{call} call"));
            let origin: Vec<String> =
                call.into_iter().chain(one.source.map(|name| format!("from {name}"))).collect();
            Name {
                kind: kind_label(&one.kind),
                value: one.value,
                first: moment(one.first_seen_at),
                origin: origin.join(" "),
            }
        })
        .collect();
    Ok(UserPage {
        shell: me.shell(face.title().to_owned()).at(NavItem::Contacts),
        note: match face.email_kind.as_str() {
            "personal" => "private address",
            "disposable" => "disposable address",
            "role" => "shared address",
            _ => "",
        },
        heat,
        first: moment(face.first_seen_at),
        last: moment(face.last_seen_at),
        names,
        stitches: stitches.into_iter().map(|one| stitch(one, me, today)).collect(),
        decisions: decisions.into_iter().map(|one| decision(one, me)).collect(),
        lines: seats.into_iter().map(|one| line(one, me)).collect(),
        events: events
            .into_iter()
            .map(|one| Happened {
                label: one.label,
                note: one.feature,
                workspace: (one.workspace_id, one.workspace),
                at: moment(one.occurred_at),
            })
            .collect(),
        traits: traits(&told, me),
        contacts,
        may_decide: me.may(May::MergeAccounts),
        face,
    })
}

fn stitch(one: Stitch, me: &Viewer, today: NaiveDate) -> StitchLine {
    let stands = one.linked_id == Some(one.user_id)
        && one.linked_by.as_deref() == Some(one.said_by.as_str());
    let usage = match one.since {
        Some(since) => format!(
            "usage in {} since {}",
            format::count(one.workspaces, "workspace", "workspaces"),
            format::day(since, today)
        ),
        None => "no usage of its own".to_owned(),
    };
    let call =
        if one.said_by == "alias" { "an alias call" } else { "an identify call with both ids" };
    let source = one.source.map(|name| format!(" from {name}")).unwrap_or_default();
    let state = if stands {
        "stands"
    } else if one.split_id.is_some() {
        "taken apart"
    } else if one.linked_id == Some(one.user_id) {
        "says the same"
    } else if one.linked_id.is_some() {
        "came second"
    } else {
        "not merged: people decide"
    };
    // Nothing else keeps a claim from standing: the id is that of a known user.
    let is_known = !stands && one.split_id.is_none() && one.linked_id.is_none();
    StitchLine {
        visitor_id: one.visitor_id,
        user_id: one.user_id,
        text: if is_known {
            format!("A call says that user {} is user {}", one.visitor, one.user)
        } else {
            format!("Anonymous {} is user {}", one.visitor, one.user)
        },
        at: format::moment(one.said_at, me.now, me.zone),
        detail: format!("by {call}{source}; {usage}"),
        state,
        stands,
        split: one.split_id,
    }
}

fn decision(one: Decided, me: &Viewer) -> Decision {
    let moment = |at| format::moment(at, me.now, me.zone);
    let number = |key: &str| one.moved.get(key).and_then(Value::as_i64).unwrap_or(0);
    let moved = format!(
        "moved {}, {} on {} of 90",
        format::count(number("workspaces"), "workspace", "workspaces"),
        format::count(number("events_of_90"), "event", "events"),
        format::count(number("days_of_90"), "day", "days")
    );
    let by = one.decided_by.map(|name| format!("by {name}; ")).unwrap_or_default();
    let why = if one.reason.is_empty() { String::new() } else { format!("; “{}”", one.reason) };
    let merged = one.kind == "merge";
    Decision {
        id: one.id,
        text: if merged {
            format!("User {} was merged into {}", one.person, one.other)
        } else {
            format!("Anonymous {} was taken apart from user {}", one.person, one.other)
        },
        at: moment(one.decided_at),
        detail: format!("{by}{moved}{why}"),
        undone: one.undone_at.map(|at| {
            let by = one.undone_by.map(|name| format!(" by {name}")).unwrap_or_default();
            format!("taken back {}{by}", format::relative(at, me.now, me.zone))
        }),
        undo: if merged { "Undo the merge" } else { "Stitch again" },
    }
}

fn line(one: Seat, me: &Viewer) -> Line {
    let moment = |at| format::moment(at, me.now, me.zone);
    let parts = [one.role.as_deref(), one.persona.as_deref()].into_iter().flatten();
    Line {
        id: one.workspace_id,
        name: one.workspace,
        stage: one.stage,
        part: parts.map(in_words).collect::<Vec<_>>().join(", "),
        joined: moment(one.joined_at),
        left: one.left_at.map(moment),
        active: one.last_active_at.map(moment),
    }
}

/// Traits by name, each with the time at which it was last set.
fn traits(told: &Told, me: &Viewer) -> Vec<Trait> {
    let times = told.trait_times.as_object();
    let values = told.traits.as_object().into_iter().flatten();
    values
        .map(|(name, value)| {
            let at = times.and_then(|times| moment::Moment::from_json(times.get(name)?));
            let text = text_of(value).unwrap_or_else(|| value.to_string());
            Trait {
                name: name.clone(),
                value: text.chars().take(LENGTH).collect(),
                at: at.map(|said| format::moment(said.at, me.now, me.zone)),
            }
        })
        .take(usize::try_from(MOST).unwrap_or(usize::MAX))
        .collect()
}
