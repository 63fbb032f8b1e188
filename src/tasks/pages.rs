//! The inbox, and a task with its whole handoff.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde::Deserialize;

use super::handoff::{Handoff, Person};
use super::outcome::Outcome;
use super::store::{self, Task};
use super::store_inbox::{self, Colleague, Entry};
use super::store_notifications;
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::ids::{MemberId, TaskId, WorkspaceId};
use crate::ownership;
use crate::web::answer::{self, Htmx};
use crate::web::charts::Sparkline;
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, View, Viewer};
use crate::web::role::{May, Role};
use crate::web::shell::{NavItem, Shell};

/// The query of the inbox.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct InboxQuery {
    /// One section alone: now, waiting or done.
    bucket: String,
    /// Whose, for managers; nothing: one's own.
    rep: String,
}

/// When something is due.
pub(super) struct Clock {
    moment: Moment,
    overdue: bool,
}

impl Clock {
    fn new(at: DateTime<Utc>, viewer: &Viewer) -> Self {
        Self { moment: format::moment(at, viewer.now, viewer.zone), overdue: at < viewer.now }
    }
}

/// One task in the inbox.
pub(super) struct Line {
    id: TaskId,
    name: String,
    account: Option<String>,
    stage: String,
    score: i32,
    change: i32,
    spark: Sparkline,
    reason: String,
    buyers: i64,
    due: Option<Clock>,
    snoozed: Option<Moment>,
    outcome: Option<&'static str>,
    is_new: bool,
    action: String,
}

impl Line {
    fn new(entry: Entry, viewer: &Viewer) -> Self {
        let people: Vec<Person> = serde_json::from_value(entry.people.clone()).unwrap_or_default();
        let open = entry.completed_at.is_none();
        let snoozed = entry.snoozed_until.filter(|until| open && *until > viewer.now);
        Self {
            id: entry.id,
            spark: Sparkline::new(&entry.sparkline),
            reason: entry.reasons.iter().take(2).cloned().collect::<Vec<_>>().join("; "),
            buyers: i64::try_from(people.iter().filter(|person| person.is_buyer()).count())
                .unwrap_or(i64::MAX),
            due: entry.due_at.filter(|_| open).map(|at| Clock::new(at, viewer)),
            snoozed: snoozed.map(|until| format::moment(until, viewer.now, viewer.zone)),
            outcome: entry.outcome().map(Outcome::label),
            is_new: open && entry.accepted_at.is_none(),
            action: entry.next_best_action.clone().unwrap_or_default(),
            name: entry.name,
            account: entry.account,
            stage: entry.stage,
            score: entry.score,
            change: entry.change,
        }
    }
}

/// One section of the inbox.
pub(super) struct Section {
    key: &'static str,
    title: &'static str,
    empty: &'static str,
    lines: Vec<Line>,
}

/// `GET /inbox`, and its rows after a change.
#[derive(Template)]
#[template(path = "tasks/inbox.html", blocks = ["rows"])]
pub(super) struct Inbox {
    shell: Shell,
    whose: Option<String>,
    rep: MemberId,
    colleagues: Vec<Colleague>,
    sections: Vec<Section>,
    open: u32,
    report: Option<String>,
}

impl Inbox {
    fn is_open(&self, colleague: &Colleague) -> bool {
        colleague.id == self.rep
    }
}

type Read = (String, Vec<Entry>, Vec<Colleague>, u32);

fn read(conn: &mut PgConnection, rep: MemberId, viewer: &Viewer) -> Result<Read> {
    let (name, hours) = store::worker(conn, rep)?;
    let today = viewer.now.with_timezone(&hours.zone).date_naive();
    let midnight = today.and_time(chrono::NaiveTime::MIN);
    let day_start = midnight
        .and_local_timezone(hours.zone)
        .earliest()
        .map_or_else(|| midnight.and_utc(), |at| at.with_timezone(&Utc));
    let entries = store_inbox::inbox(conn, rep, day_start, viewer.now)?;
    let colleagues = match viewer.role {
        Role::Rep => Vec::new(),
        _ => store_inbox::colleagues(conn)?,
    };
    let own = store_inbox::count_now(conn, viewer.member, viewer.now)?;
    Ok((name, entries, colleagues, own))
}

/// The inbox of a rep as this viewer sees it.
pub(super) async fn inbox_of(
    app: &App,
    viewer: &Viewer,
    rep: MemberId,
    bucket: &str,
    report: Option<String>,
) -> Result<Inbox> {
    let asked = viewer.clone();
    let (name, entries, colleagues, own) =
        app.db.read_web(move |conn| read(conn, rep, &asked)).await?;
    let shell = viewer.shell("Inbox").at(NavItem::Inbox);
    let mut sections = sections(entries, viewer);
    if sections.iter().any(|section| section.key == bucket) {
        sections.retain(|section| section.key == bucket);
    }
    Ok(Inbox {
        shell,
        whose: (rep != viewer.member).then_some(name),
        rep,
        colleagues,
        sections,
        open: own,
        report,
    })
}

fn sections(entries: Vec<Entry>, viewer: &Viewer) -> Vec<Section> {
    let (mut now, mut waiting, mut done) = (Vec::new(), Vec::new(), Vec::new());
    let today = |at: DateTime<Utc>| {
        let zone = viewer.zone;
        at.with_timezone(&zone).date_naive() == viewer.now.with_timezone(&zone).date_naive()
    };
    for entry in entries {
        let closed_at = entry.completed_at;
        let line = Line::new(entry, viewer);
        match closed_at {
            Some(at) if today(at) => done.push(line),
            Some(_) => waiting.push(line),
            None if line.snoozed.is_some() => waiting.push(line),
            None => now.push(line),
        }
    }
    vec![
        Section {
            key: "now",
            title: "Now",
            empty: "Nothing is due. New PQLs appear here as soon as a rule or a manager gives you one.",
            lines: now,
        },
        Section {
            key: "waiting",
            title: "Waiting",
            empty: "Nothing is snoozed and nobody owes you an answer.",
            lines: waiting,
        },
        Section {
            key: "done",
            title: "Done today",
            empty: "Nothing is done yet today.",
            lines: done,
        },
    ]
}

/// `GET /inbox`: one's own; a manager may open anybody's.
pub async fn inbox(
    app: web::Data<App>,
    me: Permit<View>,
    htmx: Htmx,
    query: web::Query<InboxQuery>,
) -> Result<HttpResponse> {
    let rep = match query.rep.parse() {
        Ok(rep) if me.role != Role::Rep => rep,
        _ => me.member,
    };
    let page = inbox_of(&app, &me, rep, &query.bucket, None).await?;
    if htmx.wants("rows") { answer::page(&page.as_rows()) } else { answer::page(&page) }
}

/// Somebody to call.
pub(super) struct Contact {
    name: String,
    email: Option<String>,
    job_title: Option<String>,
    why: String,
    seen: Option<Moment>,
}

/// Something that happened.
pub(super) struct Happened {
    at: Moment,
    label: String,
    feature: String,
    who: String,
}

/// `GET /tasks/{id}`, and the pane beside the inbox.
#[derive(Template)]
#[template(path = "tasks/show.html", blocks = ["pane"])]
pub(super) struct TaskPage {
    shell: Shell,
    id: TaskId,
    workspace: WorkspaceId,
    title: String,
    assignee: String,
    handoff: Handoff,
    contacts: Vec<Contact>,
    events: Vec<Happened>,
    due: Option<Clock>,
    snoozed: Option<Moment>,
    done: Option<(&'static str, Moment)>,
    note: String,
    /// Whether this viewer may work on it.
    may_work: bool,
    /// Whether the owner has not yet said yes.
    is_new: bool,
    /// Whether it stands beside the inbox.
    in_pane: bool,
    pub errors: FieldErrors,
    /// What was typed, when it came back.
    pub typed: String,
}

struct Found {
    task: Task,
    assignee: String,
    is_owner: bool,
    is_new: bool,
}

fn find(conn: &mut PgConnection, id: TaskId, viewer: &Viewer) -> Result<Found> {
    let task = store::task(conn, id)?;
    if viewer.role == Role::Rep && task.assignee != viewer.member {
        return Err(Error::NotFound);
    }
    let (assignee, _) = store::worker(conn, task.assignee)?;
    let held = ownership::store::standing(conn, task.workspace)?;
    let held = held.filter(|(owner, _)| *owner == task.assignee);
    Ok(Found {
        is_owner: held.is_some(),
        is_new: held.is_some_and(|(_, accepted)| !accepted),
        task,
        assignee,
    })
}

/// The task as this viewer sees it.
pub(super) async fn task_page(
    app: &App,
    viewer: &Viewer,
    id: TaskId,
    in_pane: bool,
) -> Result<TaskPage> {
    let asked = viewer.clone();
    let found = app.db.read_web(move |conn| find(conn, id, &asked)).await?;
    let task = found.task;
    let moment = |at: DateTime<Utc>| format::moment(at, viewer.now, viewer.zone);
    let open = task.completed_at.is_none();
    let shell = viewer.shell(task.title.clone()).at(NavItem::Inbox);
    Ok(TaskPage {
        shell,
        id: task.id,
        workspace: task.workspace,
        title: task.title,
        assignee: found.assignee,
        contacts: task
            .payload
            .people
            .iter()
            .map(|person| Contact {
                name: person.name.clone(),
                email: person.email.clone(),
                job_title: person.job_title.clone(),
                why: person.why(),
                seen: person.last_active_at.map(moment),
            })
            .collect(),
        events: task
            .payload
            .events
            .iter()
            .map(|event| Happened {
                at: moment(event.at),
                label: event.label.clone(),
                feature: event.feature.clone(),
                who: event.who.clone(),
            })
            .collect(),
        due: task.due_at.filter(|_| open).map(|at| Clock::new(at, viewer)),
        snoozed: task.snoozed_until.filter(|until| open && *until > viewer.now).map(moment),
        done: task
            .completed_at
            .map(|at| (task.outcome.map_or("Closed", Outcome::label), moment(at))),
        note: task.note,
        may_work: open
            && viewer.may(May::HandleLeads)
            && (viewer.role != Role::Rep || task.assignee == viewer.member),
        is_new: open && found.is_owner && found.is_new,
        handoff: task.payload,
        in_pane,
        errors: FieldErrors::new(),
        typed: String::new(),
    })
}

/// `GET /tasks/{id}`: seen by the assignee it counts as read.
pub async fn show(
    app: web::Data<App>,
    me: Permit<View>,
    htmx: Htmx,
    id: web::Path<TaskId>,
) -> Result<HttpResponse> {
    let in_pane = htmx.wants("pane");
    let page = task_page(&app, &me, *id, in_pane).await?;
    let (member, now, url) = (me.member, me.now, format!("/tasks/{id}"));
    app.db.tx_web(move |conn| store_notifications::mark_read(conn, member, &url, now)).await?;
    if in_pane { answer::page(&page.as_pane()) } else { answer::page(&page) }
}
