//! The SQL of tasks.

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;

use super::business_hours::WorkingHours;
use super::handoff::Handoff;
use super::outcome::Outcome;
use crate::error::{Error, Result};
use crate::ids::{DecisionId, MemberId, TaskId, WorkspaceId};
use crate::schema::{tasks, team_members};

/// A task to be written.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// About which workspace.
    pub workspace: WorkspaceId,
    /// Whose.
    pub assignee: MemberId,
    /// One line.
    pub title: String,
    /// 1 first, 3 last.
    pub priority: i32,
    /// When the first touch is due.
    pub due_at: Option<DateTime<Utc>>,
    /// What routing decided.
    pub decision: Option<DecisionId>,
    /// Hidden until then.
    pub snoozed_until: Option<DateTime<Utc>>,
    /// Whom to call and why.
    pub payload: Handoff,
}

/// A task as it is.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// About which workspace.
    pub workspace: WorkspaceId,
    /// Whose.
    pub assignee: MemberId,
    /// One line.
    pub title: String,
    /// Whom to call and why.
    pub payload: Handoff,
    /// 1 first, 3 last.
    pub priority: i32,
    /// When the first touch is due.
    pub due_at: Option<DateTime<Utc>>,
    /// What routing decided.
    pub decision: Option<DecisionId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Hidden until then.
    pub snoozed_until: Option<DateTime<Utc>>,
    /// When it was closed.
    pub completed_at: Option<DateTime<Utc>>,
    /// How.
    pub outcome: Option<Outcome>,
    /// What was said about it.
    pub note: String,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = tasks)]
struct TaskRow {
    id: TaskId,
    workspace_id: WorkspaceId,
    assignee_id: MemberId,
    title: String,
    payload: serde_json::Value,
    priority: i32,
    due_at: Option<DateTime<Utc>>,
    decision_id: Option<DecisionId>,
    created_at: DateTime<Utc>,
    snoozed_until: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    outcome: Option<String>,
    note: String,
}

impl TaskRow {
    fn read(self) -> Result<Task> {
        Ok(Task {
            id: self.id,
            workspace: self.workspace_id,
            assignee: self.assignee_id,
            title: self.title,
            payload: serde_json::from_value(self.payload).map_err(Error::internal)?,
            priority: self.priority,
            due_at: self.due_at,
            decision: self.decision_id,
            created_at: self.created_at,
            snoozed_until: self.snoozed_until,
            completed_at: self.completed_at,
            outcome: self.outcome.as_deref().and_then(Outcome::from_key),
            note: self.note,
        })
    }
}

/// The task of an id.
///
/// # Errors
/// Not found; the database's.
pub fn task(conn: &mut PgConnection, id: TaskId) -> Result<Task> {
    tasks::table.find(id).select(TaskRow::as_select()).first(conn)?.read()
}

/// As [`task`], held against other writers until the transaction ends.
///
/// # Errors
/// Not found; the database's.
pub fn lock_task(conn: &mut PgConnection, id: TaskId) -> Result<Task> {
    tasks::table.find(id).select(TaskRow::as_select()).for_update().first(conn)?.read()
}

/// The open PQL task of a workspace.
///
/// # Errors
/// The database's.
pub fn open_task(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Option<Task>> {
    let row: Option<TaskRow> = tasks::table
        .filter(tasks::workspace_id.eq(workspace))
        .filter(tasks::completed_at.is_null())
        .select(TaskRow::as_select())
        .first(conn)
        .optional()?;
    row.map(TaskRow::read).transpose()
}

/// The tasks of a workspace, the newest first.
///
/// # Errors
/// The database's.
pub fn tasks_of(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<Task>> {
    let rows: Vec<TaskRow> = tasks::table
        .filter(tasks::workspace_id.eq(workspace))
        .order((tasks::created_at.desc(), tasks::id.desc()))
        .limit(100)
        .select(TaskRow::as_select())
        .load(conn)?;
    rows.into_iter().map(TaskRow::read).collect()
}

/// Writes a task; none when the workspace has an open one already.
///
/// # Errors
/// The database's.
pub fn insert(
    conn: &mut PgConnection,
    new: &NewTask,
    now: DateTime<Utc>,
) -> Result<Option<TaskId>> {
    let payload = serde_json::to_value(&new.payload).map_err(Error::internal)?;
    Ok(diesel::insert_into(tasks::table)
        .values((
            tasks::id.eq(TaskId::new()),
            tasks::workspace_id.eq(new.workspace),
            tasks::assignee_id.eq(new.assignee),
            tasks::kind.eq("pql"),
            tasks::title.eq(&new.title),
            tasks::payload.eq(payload),
            tasks::priority.eq(new.priority),
            tasks::due_at.eq(new.due_at),
            tasks::decision_id.eq(new.decision),
            tasks::created_at.eq(now),
            tasks::snoozed_until.eq(new.snoozed_until),
        ))
        .on_conflict_do_nothing()
        .returning(tasks::id)
        .get_result(conn)
        .optional()?)
}

/// Closes the open PQL task of a workspace, if there is one.
///
/// # Errors
/// The database's.
pub fn close_open(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    outcome: Outcome,
    note: &str,
    by: Option<MemberId>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let closed = diesel::update(
        tasks::table
            .filter(tasks::workspace_id.eq(workspace))
            .filter(tasks::kind.eq("pql"))
            .filter(tasks::completed_at.is_null()),
    )
    .set((
        tasks::completed_at.eq(now),
        tasks::completed_by.eq(by),
        tasks::outcome.eq(outcome.key()),
        tasks::note.eq(note),
    ))
    .execute(conn)?;
    Ok(closed > 0)
}

/// Closes one open task; false when it was closed already.
///
/// # Errors
/// The database's.
pub fn close(
    conn: &mut PgConnection,
    id: TaskId,
    outcome: Outcome,
    note: &str,
    by: MemberId,
    now: DateTime<Utc>,
) -> Result<bool> {
    let closed = diesel::update(tasks::table.find(id).filter(tasks::completed_at.is_null()))
        .set((
            tasks::completed_at.eq(now),
            tasks::completed_by.eq(by),
            tasks::outcome.eq(outcome.key()),
            tasks::note.eq(note),
        ))
        .execute(conn)?;
    Ok(closed > 0)
}

/// Hides an open task until then; none shows it again.
///
/// # Errors
/// The database's.
pub fn snooze(conn: &mut PgConnection, id: TaskId, until: Option<DateTime<Utc>>) -> Result<bool> {
    let changed = diesel::update(tasks::table.find(id).filter(tasks::completed_at.is_null()))
        .set(tasks::snoozed_until.eq(until))
        .execute(conn)?;
    Ok(changed > 0)
}

/// A member's name and working hours.
///
/// # Errors
/// Not found; the database's.
pub fn worker(conn: &mut PgConnection, member: MemberId) -> Result<(String, WorkingHours)> {
    let (name, zone, starts, ends, days): (String, String, NaiveTime, NaiveTime, Vec<Option<i32>>) =
        team_members::table
            .find(member)
            .select((
                team_members::name,
                team_members::time_zone,
                team_members::work_starts,
                team_members::work_ends,
                team_members::work_days,
            ))
            .first(conn)?;
    let days = days.into_iter().flatten().filter_map(|day| u32::try_from(day).ok()).collect();
    let zone = zone.parse().unwrap_or(Tz::UTC);
    Ok((name, WorkingHours { zone, starts, ends, days }))
}
