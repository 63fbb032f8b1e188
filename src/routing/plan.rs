//! A decision against how things stand: what is recorded, who gets the workspace, what is withdrawn.
//!
//! All no-flapping rules live here, pure (docs/routing.md, No flapping):
//! - Whoever has a workspace keeps it while their function fits. With an open task that was accepted,
//!   or that a person gave them, they keep it whatever the rules say now; that is only noted.
//! - A task that routing gave and nobody accepted is withdrawn 72 h after the workspace fell out.
//! - The same play starts anew only after the workspace left and re-entered, and within 14 days of
//!   its last task only on high-intent evidence since then.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::engine::Decision;
use super::rule::{Channel, Destination};
use crate::ids::{DecisionId, MemberId};
use crate::ownership::eligibility::Candidate;
use crate::ownership::strategy::{Choice, Considered, Step, Strategy, Subject, choose};
use crate::team::member::Function;

/// How long an unaccepted task outlives the reason for it.
pub const WITHDRAW_AFTER: TimeDelta = TimeDelta::hours(72);
/// How long after a task the same play needs new evidence.
pub const COOL_DOWN: TimeDelta = TimeDelta::days(14);

/// The last recorded decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    /// Its id.
    pub id: DecisionId,
    /// Where it sent the workspace.
    pub destination: Destination,
    /// Who owned it then.
    pub owner: Option<MemberId>,
    /// The key of the rule that matched.
    pub rule: String,
    /// That rule's name.
    pub rule_name: String,
    /// The channels beside the destination.
    pub overlays: Vec<Channel>,
    /// Since when the destination is this one.
    pub entered_at: DateTime<Utc>,
    /// Since when the destination is a person, or since when it is none.
    pub side_since: DateTime<Utc>,
}

/// The open assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The owner.
    pub member: MemberId,
    /// Since when.
    pub assigned_at: DateTime<Utc>,
    /// Whether the owner said yes.
    pub accepted: bool,
    /// Whether a person decided it: a manager or the owner.
    pub by_person: bool,
}

/// How things stand with one workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The last decision.
    pub last: Option<Last>,
    /// The open assignment.
    pub held: Option<Held>,
    /// Whose open PQL task there is.
    pub open_task: Option<MemberId>,
    /// When the last task of each play was closed, for any reason but a reassignment.
    pub closed: BTreeMap<String, DateTime<Utc>>,
    /// The newest event of the category intent in the last 14 days.
    pub last_intent_at: Option<DateTime<Utc>>,
    /// Who owns its account.
    pub account_owner: Option<MemberId>,
    /// Its account's territory.
    pub territory: Option<String>,
}

/// What is to be done; [`Plan::is_idle`] when nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The owner from now on, with the record of how.
    pub choice: Choice,
    /// Whether a decision is written: destination, owner, rule or overlays differ from the last.
    pub record: bool,
    /// Whether ownership passes to `choice.owner`.
    pub give: bool,
    /// Whether `choice.owner` gets a new task.
    pub task: bool,
    /// Whether the open assignment and its task end.
    pub withdraw: bool,
    /// What the record says beside the trace.
    pub notes: Vec<String>,
}

impl Plan {
    /// Whether running it would change nothing.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        !(self.record || self.give || self.task || self.withdraw)
    }
}

/// Weighs a decision at `now`. `candidates` holds everybody that a strategy may name.
#[must_use]
pub fn plan(
    decision: &Decision,
    standing: &Standing,
    candidates: &[Candidate],
    now: DateTime<Utc>,
) -> Plan {
    let mut plan = match decision.destination.function() {
        None => below(decision, standing, candidates, now),
        Some(function) => person(decision, function, standing, candidates, now),
    };
    plan.record = standing.last.as_ref().is_none_or(|last| {
        last.destination != decision.destination
            || last.owner != plan.choice.owner
            || last.rule != decision.rule_key
            || last.rule_name != decision.rule_name
            || last.overlays != decision.overlays
    });
    plan
}

fn idle(choice: Choice, notes: Vec<String>) -> Plan {
    Plan { choice, record: false, give: false, task: false, withdraw: false, notes }
}

/// The destination is no person: an owner stays, an unaccepted one for 72 h.
fn below(
    decision: &Decision,
    standing: &Standing,
    candidates: &[Candidate],
    now: DateTime<Utc>,
) -> Plan {
    let Some(held) = &standing.held else { return idle(Choice::default(), Vec::new()) };
    let fell_at = match &standing.last {
        Some(last) if !last.destination.is_human() => last.side_since,
        _ => now,
    };
    let pending = !held.accepted && standing.open_task.is_some() && held.assigned_at < fell_at;
    if pending && now - fell_at >= WITHDRAW_AFTER {
        let reason = "Withdrawn: not accepted within 72 hours after it fell below.".to_owned();
        let choice = Choice { unowned_reason: Some(reason.clone()), ..Choice::default() };
        return Plan { withdraw: true, ..idle(choice, vec![reason]) };
    }
    let name = name_of(held.member, candidates);
    let note = format!(
        "Now {}; stays with {name}{}.",
        decision.destination.label(),
        if pending { " for 72 hours, unless accepted" } else { "" }
    );
    idle(kept(held.member, &name), vec![note])
}

fn person(
    decision: &Decision,
    function: Function,
    standing: &Standing,
    candidates: &[Candidate],
    now: DateTime<Utc>,
) -> Plan {
    let may_start = may_start(decision.destination, standing, now);
    if let Some(held) = &standing.held
        && let Some(why) = stays(held, function, standing, candidates)
    {
        let name = name_of(held.member, candidates);
        let task = standing.open_task.is_none() && may_start;
        let notes = vec![format!("Stays with {name}: {why}.")];
        return Plan { task, ..idle(kept(held.member, &name), notes) };
    }
    if !may_start {
        let reason = "Worked on within the last 14 days or given back: waits for a manager, or for new \
                      high-intent events after it left and came back.";
        let choice = Choice { unowned_reason: Some(reason.to_owned()), ..Choice::default() };
        // Nobody takes it from an owner whose function no longer fits without giving it to another.
        return match &standing.held {
            Some(held) => {
                let name = name_of(held.member, candidates);
                idle(kept(held.member, &name), vec![format!("Stays with {name}.")])
            }
            None => idle(choice, Vec::new()),
        };
    }
    let subject = Subject {
        current_owner: standing.held.as_ref().map(|held| held.member),
        account_owner: standing.account_owner,
        territory: standing.territory.clone(),
    };
    let choice = choose(&decision.owners, function, &subject, candidates);
    match (&choice.owner, &standing.held) {
        // A person of another function whom the rule names: theirs already.
        (Some(owner), Some(held)) if *owner == held.member => {
            Plan { task: standing.open_task.is_none(), ..idle(choice, Vec::new()) }
        }
        (Some(_), _) => Plan { give: true, task: true, ..idle(choice, Vec::new()) },
        (None, Some(held)) => {
            let name = name_of(held.member, candidates);
            let notes = vec![format!("Stays with {name}: nobody else is eligible.")];
            idle(Choice { steps: choice.steps, ..kept(held.member, &name) }, notes)
        }
        (None, None) => idle(choice, Vec::new()),
    }
}

/// Why an owner keeps the workspace; `None` when the rules may pass it on.
fn stays(
    held: &Held,
    function: Function,
    standing: &Standing,
    candidates: &[Candidate],
) -> Option<&'static str> {
    let owner = candidates.iter().find(|one| one.id == held.member && one.active)?;
    let working = standing.open_task == Some(held.member);
    if working && held.accepted {
        Some("accepted")
    } else if working && held.by_person {
        Some("assigned by a person")
    } else if owner.function == Some(function) {
        Some("owns it already")
    } else if standing.account_owner == Some(held.member) {
        Some("owns the account")
    } else {
        None
    }
}

/// Whether this play may begin: never worked on, or re-entered since, after 14 days or on evidence.
fn may_start(destination: Destination, standing: &Standing, now: DateTime<Utc>) -> bool {
    let Some(closed_at) = standing.closed.get(destination.key()).copied() else { return true };
    let entered_at = match &standing.last {
        Some(last) if last.destination == destination => last.entered_at,
        _ => now,
    };
    let evidence = standing.last_intent_at.is_some_and(|at| at > closed_at);
    entered_at > closed_at && (evidence || entered_at - closed_at >= COOL_DOWN)
}

fn name_of(member: MemberId, candidates: &[Candidate]) -> String {
    let found = candidates.iter().find(|one| one.id == member);
    found.map_or_else(|| "its owner".to_owned(), |one| one.name.clone())
}

fn kept(member: MemberId, name: &str) -> Choice {
    let one = Considered {
        member,
        name: name.to_owned(),
        excluded: None,
        turn: None,
        last_assigned_at: None,
    };
    let step = Step {
        strategy: Strategy::KeepCurrent,
        candidates: vec![one],
        chosen: Some(member),
        note: None,
    };
    Choice { owner: Some(member), steps: vec![step], unowned_reason: None }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
