//! The record of a decision: all that "why this rep, why not me" is answered from, as stored JSON.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::engine::{Decision, Line};
use super::plan::Plan;
use super::rule::Channel;
use crate::ids::MemberId;
use crate::ownership::strategy::{Considered, Step};

/// What `routing_decisions.trace` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The key of the rule that matched.
    pub rule: String,
    /// Every rule down to the match.
    pub lines: Vec<Line>,
    /// Every owner strategy that was tried.
    pub steps: Vec<Step>,
    /// Channels beside the destination.
    pub overlays: Vec<Channel>,
    /// What else there is to say.
    pub notes: Vec<String>,
    /// 1 to 3.
    pub priority: i32,
    /// The title of the task, with `{workspace}`.
    pub task: Option<String>,
}

impl Record {
    /// The record of a decision as planned.
    #[must_use]
    pub fn of(decision: &Decision, plan: &Plan) -> Self {
        Self {
            rule: decision.rule_key.clone(),
            lines: decision.trace.clone(),
            steps: plan.choice.steps.clone(),
            overlays: decision.overlays.clone(),
            notes: plan.notes.clone(),
            priority: decision.priority,
            task: decision.task.clone(),
        }
    }

    /// "Why not me?": one sentence for a member about this decision; `when` writes a time for them.
    #[must_use]
    pub fn why_not(
        &self,
        member: MemberId,
        owner: Option<MemberId>,
        when: impl Fn(DateTime<Utc>) -> String,
    ) -> String {
        if owner == Some(member) {
            return "It went to you.".to_owned();
        }
        let own = |step: &'_ Step| {
            let found = step.candidates.iter().find(|one| one.member == member).cloned();
            let winner =
                step.candidates.iter().find(|one| step.chosen == Some(one.member)).cloned();
            found.map(|one| (one, winner))
        };
        match self.steps.iter().rev().find_map(own) {
            Some((Considered { excluded: Some(excluded), .. }, _)) => {
                format!("Not you: {}.", excluded.words())
            }
            Some((me, Some(winner))) if me.turn.is_some() => format!(
                "Not you: you were eligible, but {} came before you in the round robin, {}; you were \
                 number {}, {}.",
                winner.name,
                last_assigned(&winner, &when),
                me.turn.unwrap_or_default(),
                last_assigned(&me, &when),
            ),
            Some(_) => "Not you: you were eligible, but it was a colleague's turn.".to_owned(),
            None if self.steps.is_empty() => "No owner was looked for.".to_owned(),
            None => "You were not looked at: an earlier way found the owner.".to_owned(),
        }
    }
}

/// "last assigned 19 Nov 2026, 10:00 UTC" or "never assigned before".
#[must_use]
pub fn last_assigned(one: &Considered, when: impl Fn(DateTime<Utc>) -> String) -> String {
    one.last_assigned_at.map_or_else(
        || "never assigned before".to_owned(),
        |at| format!("last assigned {}", when(at)),
    )
}
