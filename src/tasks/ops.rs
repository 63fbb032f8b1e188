//! Use cases of tasks. Each runs inside the caller's transaction.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;

use super::business_hours::due_at;
use super::handoff::{Occasion, handoff};
use super::outcome::Outcome;
use super::store::{self, NewTask, Task};
use super::store_handoff::knowledge;
use super::store_notifications::notify;
use crate::error::{Error, Result};
use crate::ids::{DecisionId, MemberId, TaskId, WorkspaceId};
use crate::queue;
use crate::team::audit::{self, Actor};

/// The kind of the job that offers workspaces without an owner to whoever has room for them.
pub const SWEEP: &str = "sweep";

/// Asks for a sweep in the caller's transaction: somebody may have room for another PQL, or may now be
/// asked. Not deduplicated: a sweep that runs already may have looked before this commits.
///
/// # Errors
/// The database's.
pub fn request_sweep(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    queue::store::enqueue(conn, SWEEP, &json!({}), None, now)?;
    Ok(())
}

/// Business hours to the first touch where no rule says otherwise.
pub const DEFAULT_SLA_HOURS: u32 = 24;

/// What a PQL task is made for.
#[derive(Clone, Debug)]
pub struct Brief {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Who works on it.
    pub assignee: MemberId,
    /// sdr, ae or csm.
    pub play: String,
    /// "Rule Hot PQL", "Assigned by Ana".
    pub because: String,
    /// The title with `{workspace}`.
    pub title: String,
    /// 1 first, 3 last.
    pub priority: i32,
    /// Business hours to the first touch.
    pub sla_hours: u32,
    /// What routing decided.
    pub decision: Option<DecisionId>,
}

/// Makes the PQL task of a workspace with its handoff, and tells the assignee. An open task of
/// somebody else is closed as reassigned.
///
/// # Errors
/// `Conflict` when others keep making one at the same moment; the database's.
pub fn open(conn: &mut PgConnection, brief: &Brief, now: DateTime<Utc>) -> Result<TaskId> {
    let (name, hours) = store::worker(conn, brief.assignee)?;
    let known = knowledge(conn, brief.workspace, now)?;
    let occasion = Occasion { play: &brief.play, because: brief.because.clone(), assignee: &name };
    let payload = handoff(known, &occasion);
    let title = brief.title.replace("{workspace}", &payload.workspace);
    let new = NewTask {
        workspace: brief.workspace,
        assignee: brief.assignee,
        title: title.clone(),
        priority: brief.priority.clamp(1, 3),
        due_at: Some(due_at(now, brief.sla_hours, &hours)),
        decision: brief.decision,
        snoozed_until: None,
        payload,
    };
    let id = replace_open(conn, &new, now)?;
    let url = format!("/tasks/{id}");
    notify(conn, brief.assignee, "pql_assigned", &title, &url, now)?;
    Ok(id)
}

/// Twice at most: a colleague's "not now" may leave a follow-up between the two statements.
fn replace_open(conn: &mut PgConnection, new: &NewTask, now: DateTime<Utc>) -> Result<TaskId> {
    for _ in 0..2 {
        store::close_open(conn, new.workspace, Outcome::Reassigned, "", None, now)?;
        if let Some(id) = store::insert(conn, new, now)? {
            return Ok(id);
        }
    }
    Err(Error::Conflict("Somebody else just made a task for this workspace.".to_owned()))
}

/// Closes the open PQL task of a workspace without a disposition.
///
/// # Errors
/// The database's.
pub fn withdraw(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    note: &str,
    by: Option<MemberId>,
    now: DateTime<Utc>,
) -> Result<bool> {
    store::close_open(conn, workspace, Outcome::Withdrawn, note, by, now)
}

/// Who works on a task: the assignee, or somebody who may work on anybody's.
#[derive(Clone, Copy, Debug)]
pub struct Doer {
    /// Who.
    pub member: MemberId,
    /// Whether other people's tasks are open to them too.
    pub anybodys: bool,
}

/// The task, if this person may work on it; else it does not exist for them.
///
/// # Errors
/// Not found; the database's.
pub fn find(conn: &mut PgConnection, id: TaskId, doer: Doer) -> Result<Task> {
    let task = store::task(conn, id)?;
    if doer.anybodys || task.assignee == doer.member { Ok(task) } else { Err(Error::NotFound) }
}

/// What the rep found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Somebody was reached.
    Contacted,
    /// It becomes a deal.
    Qualified,
    /// Come back at this time: a follow-up task waits until then.
    NotNow(DateTime<Utc>),
    /// Never; the note says why.
    WrongFit,
}

impl Disposition {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Contacted => Outcome::Contacted,
            Self::Qualified => Outcome::Qualified,
            Self::NotNow(_) => Outcome::NotNow,
            Self::WrongFit => Outcome::WrongFit,
        }
    }
}

/// Writes who did what with a task into the audit log, in the transaction in which they did it.
///
/// # Errors
/// The database's.
pub fn audit_task(
    conn: &mut PgConnection,
    actor: &Actor,
    action: &str,
    task: &Task,
    mut detail: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<()> {
    if let Some(fields) = detail.as_object_mut() {
        fields.insert("task".to_owned(), json!(task.id));
        fields.insert("assignee".to_owned(), json!(task.assignee));
    }
    let subject = task.workspace.to_string();
    audit::record(conn, actor, action, ("workspace", &subject), &detail, now)
}

/// Closes a task with what was found out. "Not now" leaves a follow-up for the same assignee.
///
/// # Errors
/// Not found; `Conflict` when it is closed already; the database's.
pub fn complete(
    conn: &mut PgConnection,
    id: TaskId,
    doer: Doer,
    disposition: &Disposition,
    note: &str,
    now: DateTime<Utc>,
) -> Result<Task> {
    find(conn, id, doer)?;
    let task = store::lock_task(conn, id)?;
    if !store::close(conn, id, disposition.outcome(), note, doer.member, now)? {
        return Err(Error::Conflict(already(&task)));
    }
    if let Disposition::NotNow(until) = disposition {
        let follow_up = NewTask {
            workspace: task.workspace,
            assignee: task.assignee,
            title: task.title.clone(),
            priority: task.priority,
            due_at: Some(*until),
            decision: task.decision,
            snoozed_until: Some(*until),
            payload: task.payload.clone(),
        };
        store::insert(conn, &follow_up, now)?;
    }
    request_sweep(conn, now)?;
    Ok(task)
}

/// Hides a task until then.
///
/// # Errors
/// Not found; `Conflict` when it is closed already; invalid when the time has passed.
pub fn snooze(
    conn: &mut PgConnection,
    id: TaskId,
    doer: Doer,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Task> {
    let task = find(conn, id, doer)?;
    if until <= now {
        return Err(Error::invalid("until", "Choose a day after today."));
    }
    if !store::snooze(conn, id, Some(until))? {
        return Err(Error::Conflict(already(&task)));
    }
    request_sweep(conn, now)?;
    Ok(task)
}

fn already(task: &Task) -> String {
    let how = task.outcome.map_or("closed", Outcome::label).to_lowercase();
    format!("This task is done already ({how}). Reload the inbox to see what is open.")
}
