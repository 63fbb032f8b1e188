//! Use cases of ownership. Each runs inside the caller's transaction, and everything that belongs
//! together (assignment, task, notification, audit row, turn) is written in it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;

use super::eligibility::Candidate;
use super::round_robin::stamp;
use super::store::{self, NewAssignment, Source};
use super::store_pools;
use crate::error::{Error, Result};
use crate::ids::{AccountId, MemberId, WorkspaceId};
use crate::tasks;
use crate::tasks::ops::{Brief, DEFAULT_SLA_HOURS};
use crate::team::audit::{self, Actor};
use crate::team::member::Function;

/// What routing gives to whom.
#[derive(Clone, Debug)]
pub struct Gift {
    /// Who has it now.
    pub from: Option<MemberId>,
    /// The task with its assignee.
    pub brief: Brief,
}

/// Passes a workspace on by a rule: assignment, task, notification and audit row. The caller holds
/// the pools and has chosen somebody active. False when somebody else gave it away meanwhile.
///
/// # Errors
/// The database's.
pub fn give(conn: &mut PgConnection, gift: &Gift, now: DateTime<Utc>) -> Result<bool> {
    let brief = &gift.brief;
    let new = NewAssignment {
        workspace: brief.workspace,
        member: brief.assignee,
        by: None,
        source: Source::Routing,
        decision: brief.decision,
    };
    if !pass(conn, gift.from, &new, now)? {
        return Ok(false);
    }
    tasks::ops::open(conn, brief, now)?;
    let detail = json!({ "from": gift.from, "to": brief.assignee, "because": brief.because });
    let subject = brief.workspace.to_string();
    audit::record(
        conn,
        &Actor::system(),
        "workspace.assigned",
        ("workspace", &subject),
        &detail,
        now,
    )?;
    Ok(true)
}

/// Ends what was never accepted, its task too.
///
/// # Errors
/// The database's.
pub fn withdraw(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    owner: MemberId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    if store::end(conn, workspace, owner, "withdrawn", now)? {
        tasks::ops::withdraw(conn, workspace, reason, None, now)?;
    }
    Ok(())
}

fn pass(
    conn: &mut PgConnection,
    from: Option<MemberId>,
    new: &NewAssignment,
    now: DateTime<Utc>,
) -> Result<bool> {
    if let Some(from) = from
        && !store::end(conn, new.workspace, from, "reassigned", now)?
    {
        return Ok(false);
    }
    store::open(conn, new, now)
}

/// A manager's wish, or somebody's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Which workspace.
    pub workspace: WorkspaceId,
    /// Who is to have it.
    pub to: MemberId,
    /// Who had it when the page was made: the wish holds only if that is still so.
    pub seen_owner: Option<MemberId>,
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The new owner's name.
    pub to: String,
    /// Their open PQLs now.
    pub open: u32,
    /// How many they can hold; a person may decide to go beyond.
    pub capacity: u32,
}

/// Gives a workspace to somebody, by a manager or by themselves (`actor` is the new owner).
///
/// # Errors
/// `Conflict` naming who has it when somebody was faster; invalid when the person is deactivated or
/// out of office; not found for an unknown workspace.
pub fn assign(
    conn: &mut PgConnection,
    wish: &Wish,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Assigned> {
    let held = store::hold_active(conn, Some(&[wish.to]))?;
    let Some(name) = held.get(&wish.to) else {
        return Err(Error::invalid("member", "This person is not in the team any more."));
    };
    let team = store::candidates(conn, now)?;
    let candidate = team.iter().find(|one| one.id == wish.to);
    if let Some(until) = candidate.and_then(|one| one.away_until) {
        let message = format!("{name} is out of office until {}.", until.format("%-d %B"));
        return Err(Error::invalid("member", message));
    }
    let advice = store::advice(conn, wish.workspace)?;
    let oneself = actor.id == Some(wish.to);
    let new = NewAssignment {
        workspace: wish.workspace,
        member: wish.to,
        by: actor.id,
        source: if oneself { Source::Oneself } else { Source::Manager },
        decision: advice.as_ref().map(|advice| advice.id),
    };
    let same = wish.seen_owner == Some(wish.to);
    if same || !pass(conn, wish.seen_owner, &new, now)? {
        return Err(taken(conn, wish.workspace)?);
    }
    tasks::ops::open(conn, &brief(wish, candidate, advice, actor, oneself), now)?;
    if wish.seen_owner.is_some() {
        tasks::ops::request_sweep(conn, now)?;
    }
    let turn = stamp(now, &team);
    store_pools::note_turns(conn, &BTreeMap::from([(wish.to, turn)]))?;
    let detail = json!({ "from": wish.seen_owner, "to": wish.to });
    let subject = wish.workspace.to_string();
    audit::record(conn, actor, "workspace.assigned", ("workspace", &subject), &detail, now)?;
    let (open, capacity) = candidate.map_or((0, 0), |one| (one.open_pqls, one.capacity));
    Ok(Assigned { to: name.clone(), open: open.saturating_add(1), capacity })
}

fn brief(
    wish: &Wish,
    candidate: Option<&Candidate>,
    advice: Option<store::Advice>,
    actor: &Actor,
    oneself: bool,
) -> Brief {
    let function = candidate.and_then(|one| one.function).unwrap_or(Function::Sdr);
    let human = advice.as_ref().filter(|advice| advice.destination.parse::<Function>().is_ok());
    let hours =
        human.and_then(|advice| advice.sla_hours).and_then(|hours| u32::try_from(hours).ok());
    Brief {
        workspace: wish.workspace,
        assignee: wish.to,
        play: human.map_or(function.key(), |advice| &advice.destination).to_owned(),
        because: match (oneself, human) {
            (true, _) => "Taken by yourself".to_owned(),
            (false, Some(advice)) => {
                format!("Assigned by {}, rule {}", actor.name, advice.rule_name)
            }
            (false, None) => format!("Assigned by {}", actor.name),
        },
        title: human
            .and_then(|advice| advice.task.clone())
            .unwrap_or_else(|| "Call {workspace}".to_owned()),
        priority: human.and_then(|advice| advice.priority).unwrap_or(2),
        sla_hours: hours.unwrap_or(DEFAULT_SLA_HOURS),
        decision: advice.as_ref().map(|advice| advice.id),
    }
}

/// Who has it now, as the conflict that the slower one reads.
fn taken(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Error> {
    Ok(Error::Conflict(match store::owner(conn, workspace)? {
        Some((_, name)) => format!("{name} has it already."),
        None => "Somebody took it back a moment ago. Reload to see who has it.".to_owned(),
    }))
}

/// Takes a workspace from its owner, back to the assignment view. Nothing happens when nobody owns it.
///
/// # Errors
/// `Conflict` when somebody else has it meanwhile; the database's.
pub fn unassign(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    seen_owner: MemberId,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<()> {
    if !store::end(conn, workspace, seen_owner, "unassigned", now)? {
        return Err(taken(conn, workspace)?);
    }
    tasks::ops::withdraw(conn, workspace, "Taken back", actor.id, now)?;
    tasks::ops::request_sweep(conn, now)?;
    let detail = json!({ "from": seen_owner });
    let subject = workspace.to_string();
    audit::record(conn, actor, "workspace.unassigned", ("workspace", &subject), &detail, now)
}

/// The owner says yes: from now on no rule takes it away.
///
/// # Errors
/// `Conflict` when this member does not own it.
pub fn accept(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    owner: MemberId,
    now: DateTime<Utc>,
) -> Result<()> {
    if store::accept(conn, workspace, owner, now)? { Ok(()) } else { Err(taken(conn, workspace)?) }
}

/// Whoever works on a task has said yes to it. Nothing happens when they don't own the workspace.
///
/// # Errors
/// The database's.
pub fn touched(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    assignee: MemberId,
    now: DateTime<Utc>,
) -> Result<()> {
    store::accept(conn, workspace, assignee, now)?;
    Ok(())
}

/// The owner says no and why: back to the assignment view.
///
/// # Errors
/// Invalid without a reason; `Conflict` when this member does not own it.
pub fn reject(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    owner: MemberId,
    reason: &str,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<()> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 500 {
        return Err(Error::invalid("reason", "Say in 1 to 500 characters why it is not for you."));
    }
    if !store::end(conn, workspace, owner, &format!("rejected: {reason}"), now)? {
        return Err(taken(conn, workspace)?);
    }
    tasks::ops::withdraw(conn, workspace, &format!("Rejected: {reason}"), actor.id, now)?;
    tasks::ops::request_sweep(conn, now)?;
    let detail = json!({ "from": owner, "reason": reason });
    let subject = workspace.to_string();
    audit::record(conn, actor, "workspace.rejected", ("workspace", &subject), &detail, now)
}

/// A member leaves: everything they own goes to the assignment view. Call it in the transaction that
/// deactivates them, after that. How many workspaces went back.
///
/// # Errors
/// The database's.
pub fn return_everything(
    conn: &mut PgConnection,
    member: MemberId,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<usize> {
    let owned = store::owned_by(conn, member)?;
    for workspace in &owned {
        if store::end(conn, *workspace, member, "owner deactivated", now)? {
            tasks::ops::withdraw(conn, *workspace, "The owner left the team", actor.id, now)?;
            let detail = json!({ "from": member, "because": "deactivated" });
            let subject = workspace.to_string();
            audit::record(
                conn,
                actor,
                "workspace.unassigned",
                ("workspace", &subject),
                &detail,
                now,
            )?;
        }
    }
    store::end_account_ownership(conn, member)?;
    tasks::ops::request_sweep(conn, now)?;
    Ok(owned.len())
}

/// Sets who owns an account, and with it its new workspaces' PQLs.
///
/// # Errors
/// Invalid when the person is deactivated; the database's.
pub fn set_account_owner(
    conn: &mut PgConnection,
    account: AccountId,
    member: Option<MemberId>,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<()> {
    if let Some(member) = member
        && !store::hold_active(conn, Some(&[member]))?.contains_key(&member)
    {
        return Err(Error::invalid("member", "This person is not in the team any more."));
    }
    store::set_account_owner(conn, account, member, now)?;
    tasks::ops::request_sweep(conn, now)?;
    let subject = account.to_string();
    let detail = json!({ "to": member });
    audit::record(conn, actor, "account.owner_changed", ("account", &subject), &detail, now)
}

/// Makes the three pools and puts everybody into the pool of their function. At start; safe to repeat.
///
/// # Errors
/// The database's.
pub fn ensure_pools(conn: &mut PgConnection) -> Result<()> {
    for function in Function::ALL {
        store_pools::ensure_pool(conn, function.key(), &format!("{} pool", function.label()))?;
    }
    store_pools::join_pools(conn, None)
}

/// A member joined or changed function: into its pool, out of the others.
///
/// # Errors
/// The database's.
pub fn function_changed(conn: &mut PgConnection, member: MemberId) -> Result<()> {
    store_pools::leave_foreign_pools(conn, member)?;
    store_pools::join_pools(conn, Some(member))
}
