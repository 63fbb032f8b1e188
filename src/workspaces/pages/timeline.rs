//! `GET /workspaces/{id}/events`: what people did in the workspace and what Ripen did with it, by day.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use super::record::{self, Record, Tab};
use super::score::name_of;
use crate::app::App;
use crate::clock::askable_time;
use crate::error::Result;
use crate::ids::{MemberId, UserId, WorkspaceId};
use crate::scoring::model::stage_label;
use crate::tasks::outcome::Outcome;
use crate::usage::dictionary::in_words;
use crate::web::answer::{self, Htmx};
use crate::web::format;
use crate::web::permit::{Permit, View, Viewer};
use crate::web::shell::Shell;
use crate::workspaces::store_list;
use crate::workspaces::store_page::{self, Head, Person};
use crate::workspaces::store_timeline::{self, KeyEvent, Kind, Step, Wanted};

/// So many events a page.
const PAGE: usize = 50;
/// Of an event's properties so many are shown, each cut to a readable length.
const PROPERTIES: usize = 20;
const PROPERTY_LENGTH: usize = 200;

/// The query of the timeline.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TimelineQuery {
    kind: String,
    person: String,
    before: String,
}

impl TimelineQuery {
    /// What it asks for; what means nothing is left out.
    fn wanted(&self) -> Wanted {
        let kind = self.kind.trim();
        let readable = !kind.is_empty() && !kind.contains(char::is_control);
        Wanted {
            kind: readable.then(|| kind.to_owned()),
            person: self.person.trim().parse().ok(),
            before: cursor(&self.before),
            until: None,
        }
    }
}

/// `<microseconds>~<uuid>`
fn cursor(text: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let (micros, id) = text.split_once('~')?;
    Some((askable_time(micros.parse().ok()?)?, id.parse().ok()?))
}

/// Something that happened.
struct Item {
    at: DateTime<Utc>,
    time: String,
    iso: String,
    title: String,
    /// Of Ripen's own doing, not of the product's people.
    ours: bool,
    label: String,
    /// Feature, value or score.
    note: String,
    person: Option<(UserId, String)>,
    /// How the workspace was found.
    inferred: Option<&'static str>,
    properties: Vec<(String, String)>,
    first: bool,
}

/// What happened on one day of the viewer.
struct DayGroup {
    label: String,
    items: Vec<Item>,
}

#[derive(Template)]
#[template(path = "workspaces/timeline.html", blocks = ["more"])]
struct TimelinePage {
    shell: Shell,
    record: Record,
    kinds: Vec<Kind>,
    people: Vec<(String, String)>,
    kind: String,
    person: String,
    is_filtered: bool,
    days: Vec<DayGroup>,
    next: Option<String>,
    start: Option<String>,
    fragment: bool,
}

struct Found {
    head: Head,
    members: Vec<(MemberId, String)>,
    people: Vec<Person>,
    kinds: Vec<Kind>,
    events: Vec<KeyEvent>,
    steps: Vec<Step>,
}

/// `GET /workspaces/{id}/events`
///
/// # Errors
/// `NotFound` where there is no such workspace; when the database fails.
pub async fn timeline(
    app: web::Data<App>,
    me: Permit<View>,
    htmx: Htmx,
    path: web::Path<String>,
    query: web::Query<TimelineQuery>,
) -> Result<HttpResponse> {
    let id = record::id(&path)?;
    let wanted = query.wanted();
    let asked = wanted.clone();
    let now = me.now;
    let found = app.db.read_web(move |conn| read(conn, id, &asked, now)).await?;
    let mut page = show(&me, id, &wanted, found);
    if htmx.wants("more") {
        page.fragment = true;
        if let Some(item) = page.days.first_mut().and_then(|day| day.items.first_mut()) {
            item.first = true;
        }
        return answer::page(&page.as_more());
    }
    answer::page(&page)
}

fn read(
    conn: &mut diesel::PgConnection,
    id: WorkspaceId,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> Result<Found> {
    let head = store_page::head(conn, id)?;
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX).saturating_add(1);
    let events = store_timeline::events(conn, id, wanted, limit)?;
    // Between the events of this page; all that is older where no page follows.
    let newest = wanted.before.map_or(now, |(at, _)| at);
    let oldest = events.get(PAGE).map_or(DateTime::UNIX_EPOCH, |event| event.at);
    let steps = if wanted.kind.is_some() || wanted.person.is_some() {
        Vec::new()
    } else {
        store_timeline::steps(conn, id, oldest, newest)?
    };
    Ok(Found {
        head,
        members: store_list::owners(conn)?,
        people: store_page::people(conn, id)?,
        kinds: store_timeline::kinds(conn, id)?,
        events,
        steps,
    })
}

fn show(me: &Viewer, id: WorkspaceId, wanted: &Wanted, mut found: Found) -> TimelinePage {
    let more = found.events.len() > PAGE;
    found.events.truncate(PAGE);
    let last = found.events.last().filter(|_| more).map(|event| (event.at, event.id));
    let mut items: Vec<Item> = found
        .events
        .into_iter()
        .map(|event| event_item(event, me))
        .chain(found.steps.into_iter().map(|step| step_item(step, me)))
        .collect();
    items.sort_by_key(|item| std::cmp::Reverse(item.at));
    let person = wanted.person.map(|id| id.to_string()).unwrap_or_default();
    let kind = wanted.kind.clone().unwrap_or_default();
    let address = |before: Option<(DateTime<Utc>, Uuid)>| {
        let mut query = Serializer::new(String::new());
        if !kind.is_empty() {
            query.append_pair("kind", &kind);
        }
        if !person.is_empty() {
            query.append_pair("person", &person);
        }
        if let Some((at, id)) = before {
            query.append_pair("before", &format!("{}~{id}", at.timestamp_micros()));
        }
        format!("{}?{}", Tab::Events.href(id), query.finish())
    };
    TimelinePage {
        shell: record::shell(me, &found.head, Tab::Events),
        record: Record::new(&found.head, me, found.members, Tab::Events),
        people: found.people.iter().map(|one| (one.id.to_string(), name_of(one))).collect(),
        kinds: found.kinds,
        is_filtered: wanted.kind.is_some() || wanted.person.is_some(),
        days: by_day(items, me),
        next: last.map(|last| address(Some(last))),
        start: wanted.before.map(|_| address(None)),
        kind,
        person,
        fragment: false,
    }
}

/// Groups items, the newest first, by the viewer's days.
fn by_day(items: Vec<Item>, me: &Viewer) -> Vec<DayGroup> {
    let today = me.now.with_timezone(&me.zone).date_naive();
    let mut days: Vec<(NaiveDate, DayGroup)> = Vec::new();
    for item in items {
        let day = item.at.with_timezone(&me.zone).date_naive();
        match days.last_mut() {
            Some((last, group)) if *last == day => group.items.push(item),
            _ => days.push((day, DayGroup { label: day_label(day, today), items: vec![item] })),
        }
    }
    days.into_iter().map(|(_, group)| group).collect()
}

fn day_label(day: NaiveDate, today: NaiveDate) -> String {
    match today.signed_duration_since(day).num_days() {
        0 => "Today".to_owned(),
        1 => "Yesterday".to_owned(),
        _ => format!("{}, {}", day.format("%A"), format::day(day, today)),
    }
}

fn event_item(event: KeyEvent, me: &Viewer) -> Item {
    let value = event.value.map(|value| value.to_string());
    let feature = in_words(&event.feature);
    let note = [Some(feature).filter(|feature| !feature.is_empty()), value];
    Item {
        note: note.into_iter().flatten().collect::<Vec<_>>().join(", "),
        label: event.label,
        person: Some((event.person_id, event.person)),
        inferred: event.inferred.as_deref().map(|how| match how {
            "membership" => "The call named no workspace; this person is a member of this one only",
            "last_group" => "The call named no workspace; this was the person's last one",
            _ => "The call named no workspace; this one was inferred",
        }),
        properties: properties(&event.properties),
        ..item(event.at, me)
    }
}

fn properties(properties: &Value) -> Vec<(String, String)> {
    let pairs = properties.as_object().into_iter().flatten().take(PROPERTIES);
    pairs
        .map(|(key, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (key.clone(), text.chars().take(PROPERTY_LENGTH).collect())
        })
        .collect()
}

fn step_item(step: Step, me: &Viewer) -> Item {
    let (label, note) = match step.kind.as_str() {
        "stage" => (
            format!("{} became {}", stage_label(&step.detail), stage_label(&step.what)),
            format!("at {} points", format::points(step.score)),
        ),
        "assigned" if step.detail.is_empty() => (format!("Routed to {}", step.what), String::new()),
        "assigned" if step.detail == step.what => (format!("{} took it", step.what), String::new()),
        "assigned" => (format!("Assigned to {}", step.what), format!("by {}", step.detail)),
        "accepted" => (format!("{} accepted it", step.what), String::new()),
        "ended" => (format!("No longer owned by {}", step.what), step.detail),
        "task" => (format!("Task for {}", step.detail), step.what),
        _ => {
            let outcome = Outcome::from_key(&step.detail).map(Outcome::label).unwrap_or("done");
            (format!("Task closed: {}", outcome.to_lowercase()), step.what)
        }
    };
    Item { label, note, ours: true, ..item(step.at, me) }
}

fn item(at: DateTime<Utc>, me: &Viewer) -> Item {
    let moment = format::moment(at, me.now, me.zone);
    Item {
        at,
        time: at.with_timezone(&me.zone).format("%H:%M").to_string(),
        iso: moment.iso,
        title: moment.title,
        ours: false,
        label: String::new(),
        note: String::new(),
        person: None,
        inferred: None,
        properties: Vec::new(),
        first: false,
    }
}
