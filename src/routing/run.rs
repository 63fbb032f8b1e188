//! One run of routing: under the lock of the pools it plans what waits, then what is new, and carries
//! the plans out.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::PgConnection;

use super::engine::{Decision, route};
use super::offers::Offers;
use super::plan::Plan;
use super::record::Record;
use super::rule::RuleSet;
use super::store::{self, NewDecision, Scored};
use super::store_waiting;
use crate::error::{Error, Result};
use crate::ids::{DecisionId, MemberId, WorkspaceId};
use crate::ownership;
use crate::ownership::ops::Gift;
use crate::tasks;
use crate::tasks::ops::{Brief, DEFAULT_SLA_HOURS};

/// So many of those that wait are read at once, the first in line first.
const CHUNK: usize = 200;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Routed {
    /// Decisions recorded.
    pub decisions: usize,
    /// Workspaces that got an owner.
    pub given: usize,
    /// Tasks taken back.
    pub withdrawn: usize,
}

/// A workspace with what the rules say and what is to be done.
type Planned = (Scored, Decision, Plan);

/// One run with the team as it changes under it.
pub(super) struct Run {
    version: i32,
    rules: RuleSet,
    offers: Offers,
    decisions: Vec<NewDecision>,
    done: Routed,
    /// Whether somebody lost a workspace in this run and so has room for another.
    frees_capacity: bool,
    now: DateTime<Utc>,
}

impl Run {
    /// Locks pools and members, in this order, and reads the team. Every run holds the pools while it
    /// plans and writes, so the scores of what waits need no lock of their own.
    ///
    /// # Errors
    /// The database's.
    pub(super) fn begin(
        conn: &mut PgConnection,
        version: i32,
        rules: RuleSet,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        ownership::store_pools::lock_pools(conn)?;
        ownership::store::hold_active(conn, None)?;
        Ok(Self {
            version,
            rules,
            offers: Offers::new(ownership::store::candidates(conn, now)?, now),
            decisions: Vec::new(),
            done: Routed::default(),
            frees_capacity: false,
            now,
        })
    }

    /// Plans and carries out: what waits first, then the workspaces of `due`, the highest score first.
    /// Without `due` it is a sweep.
    ///
    /// # Errors
    /// The database's.
    pub(super) fn route(mut self, conn: &mut PgConnection, due: &[WorkspaceId]) -> Result<Routed> {
        let newcomers: Vec<(Scored, Decision)> = store::scored(conn, due, self.now)?
            .into_iter()
            .map(|one| {
                let decision = route(&self.rules, &one.fields);
                (one, decision)
            })
            .collect();
        let gives =
            |(one, decision): &(Scored, Decision)| self.offers.would_give(decision, &one.standing);
        let mut planned = if due.is_empty() || newcomers.iter().any(gives) {
            self.plan_waiting(conn, due)?
        } else {
            Vec::new()
        };
        let seen: BTreeSet<WorkspaceId> = planned.iter().map(|(one, ..)| one.workspace).collect();
        for (one, decision) in newcomers {
            if !seen.contains(&one.workspace) {
                let plan = self.offers.offer(&decision, &one.standing);
                planned.push((one, decision, plan));
            }
        }
        // What is written is in the order of the ids, as all who write assignments keep it.
        planned.sort_by_key(|(one, ..)| one.workspace);
        for (scored, decision, plan) in planned {
            self.carry_out(conn, &scored, &decision, plan)?;
        }
        store::insert(conn, &self.decisions)?;
        ownership::store_pools::note_turns(conn, self.offers.turns())?;
        if self.frees_capacity || self.offers.is_put_off() {
            tasks::ops::request_sweep(conn, self.now)?;
        }
        Ok(self.done)
    }

    /// What waits, the first in line first, as long as anybody has room. Of those that are not due only
    /// what somebody gets: nothing else about them has changed.
    fn plan_waiting(
        &mut self,
        conn: &mut PgConnection,
        due: &[WorkspaceId],
    ) -> Result<Vec<Planned>> {
        let line = store_waiting::waiting(conn, &self.offers.whom_to_ask(&self.rules))?;
        let mut planned = Vec::new();
        let mut is_whole = true;
        for chunk in line.chunks(CHUNK) {
            if !self.offers.anybody_has_room() {
                is_whole = false;
                break;
            }
            let mut scored: BTreeMap<WorkspaceId, Scored> = store::scored(conn, chunk, self.now)?
                .into_iter()
                .map(|one| (one.workspace, one))
                .collect();
            for one in chunk.iter().filter_map(|id| scored.remove(id)) {
                let decision = route(&self.rules, &one.fields);
                let plan = self.offers.offer_waiting(&decision, &one.standing);
                if plan.give || due.contains(&one.workspace) {
                    planned.push((one, decision, plan));
                }
            }
        }
        self.offers.newcomers_follow(is_whole);
        Ok(planned)
    }

    fn carry_out(
        &mut self,
        conn: &mut PgConnection,
        scored: &Scored,
        decision: &Decision,
        mut plan: Plan,
    ) -> Result<()> {
        if plan.is_idle() {
            return Ok(());
        }
        let id = if plan.record {
            Some(DecisionId::new())
        } else {
            scored.standing.last.as_ref().map(|last| last.id)
        };
        let owner = scored.standing.held.as_ref().map(|held| held.member);
        if plan.withdraw
            && let Some(owner) = owner
        {
            let reason = plan.choice.unowned_reason.clone().unwrap_or_default();
            ownership::ops::withdraw(conn, scored.workspace, owner, &reason, self.now)?;
            self.done.withdrawn += 1;
            self.frees_capacity = true;
        }
        if let Some(to) = plan.choice.owner {
            let brief = brief(scored, decision, to, id);
            if plan.give {
                let gift = Gift { from: owner, brief };
                if ownership::ops::give(conn, &gift, self.now)? {
                    self.done.given += 1;
                    self.frees_capacity |= owner.is_some();
                } else {
                    self.overtaken(conn, scored, &mut plan)?;
                }
            } else if plan.task {
                tasks::ops::open(conn, &brief, self.now)?;
            }
        }
        if plan.record
            && let Some(id) = id
        {
            self.decisions.push(self.write(scored, decision, &plan, id)?);
            self.done.decisions += 1;
        }
        Ok(())
    }

    /// A person assigned it between our look and our write: the record says whom it has now.
    fn overtaken(&self, conn: &mut PgConnection, scored: &Scored, plan: &mut Plan) -> Result<()> {
        let now = ownership::store::owner(conn, scored.workspace)?;
        plan.notes.push(match &now {
            Some((_, name)) => format!("Assigned to {name} by a person at the same moment."),
            None => "Taken back by a person at the same moment.".to_owned(),
        });
        plan.choice.owner = now.map(|(member, _)| member);
        Ok(())
    }

    fn write(
        &self,
        scored: &Scored,
        decision: &Decision,
        plan: &Plan,
        id: DecisionId,
    ) -> Result<NewDecision> {
        let record = Record::of(decision, plan);
        Ok(NewDecision {
            id,
            workspace_id: scored.workspace,
            rule_set_version: self.version,
            model_version: scored.model_version,
            score: scored.score,
            rule_name: decision.rule_name.clone(),
            destination: decision.destination.key().to_owned(),
            owner_id: plan.choice.owner,
            unowned_reason: plan.choice.unowned_reason.clone(),
            sla_hours: decision.sla_hours.and_then(|hours| i32::try_from(hours).ok()),
            trace: serde_json::to_value(record).map_err(Error::internal)?,
            facts: serde_json::to_value(&decision.facts).map_err(Error::internal)?,
            decided_at: self.now,
        })
    }
}

fn brief(
    scored: &Scored,
    decision: &Decision,
    assignee: MemberId,
    id: Option<DecisionId>,
) -> Brief {
    Brief {
        workspace: scored.workspace,
        assignee,
        play: decision.destination.key().to_owned(),
        because: format!("Rule {}", decision.rule_name),
        title: decision.task.clone().unwrap_or_else(|| "Call {workspace}".to_owned()),
        priority: decision.priority,
        sla_hours: decision.sla_hours.unwrap_or(DEFAULT_SLA_HOURS),
        decision: id,
    }
}
