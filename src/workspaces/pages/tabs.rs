//! The plainer tabs of a workspace: tasks, history.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::record::{self, Record, Tab};
use crate::accounts::evidence::{Piece, proposals};
use crate::accounts::store_pages;
use crate::app::App;
use crate::error::Result;
use crate::ids::{AccountId, MemberId, WorkspaceId};
use crate::routing;
use crate::routing::explained::Explained;
use crate::routing::store_log::Decided;
use crate::tasks::handoff::Handoff;
use crate::tasks::outcome::Outcome;
use crate::usage::dictionary::in_words;
use crate::web::answer;
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, View, Viewer};
use crate::web::shell::Shell;
use crate::workspaces::store_history::{self, AuditEntry, Link};
use crate::workspaces::store_list;
use crate::workspaces::store_page::{self, Head, Task};
use crate::workspaces::store_timeline::{self, Step};

// ---- Tasks --------------------------------------------------------------------------------------

/// A task with its handoff.
struct Work {
    id: uuid::Uuid,
    title: String,
    assignee: String,
    is_mine: bool,
    due: Option<Moment>,
    is_late: bool,
    snoozed: Option<Moment>,
    made: Moment,
    done: Option<(Moment, String)>,
    note: String,
    handoff: Option<Handoff>,
}

#[derive(Template)]
#[template(path = "workspaces/tasks.html")]
struct TasksPage {
    shell: Shell,
    record: Record,
    open: Vec<Work>,
    done: Vec<Work>,
}

/// `GET /workspaces/{id}/tasks`
///
/// # Errors
/// `NotFound` where there is no such workspace; when the database fails.
pub async fn tasks(
    app: web::Data<App>,
    me: Permit<View>,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let id = record::id(&path)?;
    let (head, members, found) = app
        .db
        .read_web(move |conn| {
            Ok((
                store_page::head(conn, id)?,
                store_list::owners(conn)?,
                store_page::tasks(conn, id)?,
            ))
        })
        .await?;
    let (open, done) =
        found.into_iter().map(|task| work(task, &me)).partition(|work: &Work| work.done.is_none());
    let page = TasksPage {
        shell: record::shell(&me, &head, Tab::Tasks),
        record: Record::new(&head, &me, members, Tab::Tasks),
        open,
        done,
    };
    answer::page(&page)
}

fn work(task: Task, me: &Viewer) -> Work {
    let moment = |at: DateTime<Utc>| format::moment(at, me.now, me.zone);
    let outcome = task.outcome.as_deref().map(|key| {
        Outcome::from_key(key).map_or_else(|| in_words(key), |known| known.label().to_owned())
    });
    Work {
        id: task.id,
        title: task.title,
        is_mine: task.assignee_id == me.member,
        assignee: task.assignee,
        is_late: task.completed_at.is_none() && task.due_at.is_some_and(|due| due < me.now),
        due: task.due_at.map(moment),
        snoozed: task.snoozed_until.filter(|until| *until > me.now).map(moment),
        made: moment(task.created_at),
        done: task
            .completed_at
            .map(|at| (moment(at), outcome.unwrap_or_else(|| "Done".to_owned()))),
        note: task.note,
        handoff: serde_json::from_value(task.payload).ok(),
    }
}

// ---- History ------------------------------------------------------------------------------------

/// An account that a workspace may belong to.
pub(super) struct Candidate {
    id: AccountId,
    name: String,
    confidence: i32,
    evidence: Vec<String>,
    is_linked: bool,
}

/// A dated line of what changed.
struct Entry {
    at: Moment,
    what: String,
    detail: String,
}

#[derive(Template)]
#[template(path = "workspaces/history.html")]
struct HistoryPage {
    shell: Shell,
    record: Record,
    routes: Vec<Explained>,
    entries: Vec<Entry>,
    steps: Vec<Entry>,
    link: Option<(Moment, Option<String>, i32)>,
    candidates: Vec<Candidate>,
    may_merge: bool,
}

struct Found {
    head: Head,
    members: Vec<(MemberId, String)>,
    decisions: Vec<Decided>,
    audit: Vec<AuditEntry>,
    steps: Vec<Step>,
    link: Option<Link>,
    accounts: Vec<(AccountId, String)>,
}

/// `GET /workspaces/{id}/history`
///
/// # Errors
/// `NotFound` where there is no such workspace; when the database fails.
pub async fn history(
    app: web::Data<App>,
    me: Permit<View>,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let id = record::id(&path)?;
    let now = me.now;
    let found = app.db.read_web(move |conn| read_history(conn, id, now)).await?;
    let moment = |at: DateTime<Utc>| format::moment(at, me.now, me.zone);
    let names: BTreeMap<MemberId, String> = found.members.iter().cloned().collect();
    let page = HistoryPage {
        shell: record::shell(&me, &found.head, Tab::History),
        routes: found
            .decisions
            .into_iter()
            .map(|one| Explained::new(one, &me, false))
            .collect::<Result<_>>()?,
        entries: found
            .audit
            .into_iter()
            .map(|entry| Entry {
                at: moment(entry.at),
                what: format!("{}: {}", entry.actor, in_words(&entry.action.replace('.', " "))),
                detail: detail_words(&entry.detail, &names),
            })
            .collect(),
        steps: found
            .steps
            .into_iter()
            .filter(|step| step.kind == "stage")
            .map(|step| Entry {
                at: moment(step.at),
                what: format!(
                    "{} to {}",
                    crate::scoring::model::stage_label(&step.detail),
                    crate::scoring::model::stage_label(&step.what)
                ),
                detail: format!("at {} points", format::points(step.score)),
            })
            .collect(),
        candidates: candidates(found.link.as_ref(), &found.accounts),
        link: found.link.map(|link| (moment(link.decided_at), link.pinned_by, link.confidence)),
        may_merge: me.may(crate::web::role::May::MergeAccounts),
        record: Record::new(&found.head, &me, found.members, Tab::History),
    };
    answer::page(&page)
}

fn read_history(
    conn: &mut diesel::PgConnection,
    id: WorkspaceId,
    now: DateTime<Utc>,
) -> Result<Found> {
    let link = store_history::link(conn, id)?;
    let named: Vec<AccountId> = link
        .iter()
        .flat_map(|link| {
            proposals(&link.evidence).into_iter().map(|one| one.account_id).chain(link.account_id)
        })
        .collect();
    Ok(Found {
        head: store_page::head(conn, id)?,
        members: store_list::owners(conn)?,
        decisions: routing::store_log::decisions_of(conn, id, 20)?,
        audit: store_history::audit(conn, id)?,
        steps: store_timeline::steps(conn, id, DateTime::UNIX_EPOCH, now)?,
        accounts: store_pages::names(conn, &named)?,
        link,
    })
}

/// The accounts that evidence names, and the linked one even without evidence.
fn candidates(link: Option<&Link>, accounts: &[(AccountId, String)]) -> Vec<Candidate> {
    let Some(link) = link else { return Vec::new() };
    let name = |id: AccountId| {
        let known = accounts.iter().find(|(one, _)| *one == id).map(|(_, name)| name.clone());
        known.unwrap_or_else(|| "an account that is gone".to_owned())
    };
    let mut found: Vec<Candidate> = proposals(&link.evidence)
        .into_iter()
        .map(|one| Candidate {
            id: one.account_id,
            name: name(one.account_id),
            confidence: one.confidence,
            evidence: one.evidence.iter().map(Piece::words).collect(),
            is_linked: link.account_id == Some(one.account_id),
        })
        .collect();
    if let Some(id) = link.account_id.filter(|id| !found.iter().any(|one| one.id == *id)) {
        let confidence = link.confidence;
        let evidence = Vec::new();
        found.insert(0, Candidate { id, name: name(id), confidence, evidence, is_linked: true });
    }
    found
}

/// The detail of an audit entry in a line: "to Ada, source manager".
fn detail_words(detail: &Value, names: &BTreeMap<MemberId, String>) -> String {
    let words = |value: &Value| match value {
        Value::Null => "nobody".to_owned(),
        Value::String(text) => {
            let member = text.parse().ok().and_then(|id: MemberId| names.get(&id).cloned());
            member.unwrap_or_else(|| text.chars().take(200).collect())
        }
        other => other.to_string().chars().take(200).collect(),
    };
    let pairs = detail.as_object().into_iter().flatten();
    pairs
        .map(|(key, value)| format!("{} {}", in_words(key).to_lowercase(), words(value)))
        .collect::<Vec<_>>()
        .join(", ")
}
