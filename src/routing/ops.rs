//! Use cases of routing. Each runs inside the caller's transaction.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::PgConnection;

use super::defaults;
use super::engine::{Decision, route};
use super::plan::{Plan, plan};
use super::record::Record;
use super::rule::RuleSet;
use super::store::{self, NewDecision, Scored};
use crate::error::{Error, Result};
use crate::ids::{DecisionId, MemberId, WorkspaceId};
use crate::ownership;
use crate::ownership::eligibility::Candidate;
use crate::ownership::ops::Gift;
use crate::ownership::round_robin::stamp;
use crate::tasks;
use crate::tasks::ops::{Brief, DEFAULT_SLA_HOURS};

/// Publishes the default rule set when there is none, and makes the default pools. At start; safe to
/// repeat.
///
/// # Errors
/// The database's.
pub fn ensure_defaults(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    if store::published(conn)?.is_none() {
        store::publish(conn, 1, &defaults::rule_set(), "Ripen", now)?;
    }
    ownership::ops::ensure_pools(conn)
}

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

/// Routes scored workspaces in the transaction that scored them: decisions, assignments, tasks and
/// notifications commit with the scores or not at all. Running it again changes nothing.
///
/// Most workspaces stay as they are, so a first look takes no lock. What would change is locked
/// (scores by id, pools, members by id), looked at again and carried out, so that two runs at once
/// never act twice and never pick twice.
///
/// # Errors
/// The database's; the caller's transaction rolls back.
pub fn route_workspaces(
    conn: &mut PgConnection,
    workspaces: &[WorkspaceId],
    now: DateTime<Utc>,
) -> Result<Routed> {
    let (version, rules) = match store::published(conn)? {
        Some(published) => published,
        None => {
            ensure_defaults(conn, now)?;
            store::published(conn)?.ok_or_else(|| Error::internal("no rule set to route by"))?
        }
    };
    let team = ownership::store::candidates(conn, now)?;
    let due: Vec<WorkspaceId> = store::scored(conn, workspaces, now)?
        .iter()
        .filter(|one| !plan(&route(&rules, &one.fields), &one.standing, &team, now).is_idle())
        .map(|one| one.workspace)
        .collect();
    if due.is_empty() {
        return Ok(Routed::default());
    }
    store::lock_scores(conn, &due)?;
    ownership::store_pools::lock_pools(conn)?;
    ownership::store::hold_active(conn, None)?;
    let mut run = Run {
        version,
        rules,
        team: ownership::store::candidates(conn, now)?,
        turns: BTreeMap::new(),
        decisions: Vec::new(),
        done: Routed::default(),
        now,
    };
    let planned = run.plan(store::scored(conn, &due, now)?);
    for (scored, decision, plan) in planned {
        run.carry_out(conn, &scored, &decision, plan)?;
    }
    store::insert(conn, &run.decisions)?;
    ownership::store_pools::note_turns(conn, &run.turns)?;
    Ok(run.done)
}

/// One run with the team as it changes under it.
struct Run {
    version: i32,
    rules: RuleSet,
    team: Vec<Candidate>,
    turns: BTreeMap<MemberId, DateTime<Utc>>,
    decisions: Vec<NewDecision>,
    done: Routed,
    now: DateTime<Utc>,
}

impl Run {
    /// The highest score chooses first; what is to be written is then in the order of the ids, as
    /// all who write assignments keep it.
    fn plan(&mut self, scored: Vec<Scored>) -> Vec<(Scored, Decision, Plan)> {
        let mut planned = Vec::with_capacity(scored.len());
        for one in scored {
            let decision = route(&self.rules, &one.fields);
            let plan = plan(&decision, &one.standing, &self.team, self.now);
            if plan.give
                && let Some(owner) = plan.choice.owner
            {
                self.take_turn(owner);
            }
            planned.push((one, decision, plan));
        }
        planned.sort_by_key(|(one, ..)| one.workspace);
        planned
    }

    fn take_turn(&mut self, owner: MemberId) {
        let at = stamp(self.now, &self.team);
        if let Some(candidate) = self.team.iter_mut().find(|one| one.id == owner) {
            candidate.last_assigned_at = Some(at);
            candidate.open_pqls = candidate.open_pqls.saturating_add(1);
            self.turns.insert(owner, at);
        }
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
        }
        if let Some(to) = plan.choice.owner {
            let brief = brief(scored, decision, to, id);
            if plan.give {
                let gift = Gift { from: owner, brief };
                if ownership::ops::give(conn, &gift, self.now)? {
                    self.done.given += 1;
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

/// Whom the rules would give these workspaces to now, in this order, without giving anything:
/// member and the rule's reason. For "suggest" on the assignment view.
///
/// # Errors
/// The database's.
pub fn suggest(
    conn: &mut PgConnection,
    workspaces: &[WorkspaceId],
    now: DateTime<Utc>,
) -> Result<BTreeMap<WorkspaceId, Suggestion>> {
    use crate::ownership::strategy::{Strategy, Subject, choose};
    use crate::team::member::Function;

    let rules = store::published(conn)?.map_or_else(defaults::rule_set, |(_, rules)| rules);
    let mut team = ownership::store::candidates(conn, now)?;
    let mut found = BTreeMap::new();
    for one in store::scored(conn, workspaces, now)? {
        let decision = route(&rules, &one.fields);
        let subject = Subject {
            current_owner: None,
            account_owner: one.standing.account_owner,
            territory: one.standing.territory.clone(),
        };
        // Where the rules name no person, an SDR is the first to talk: "unassigned PQL workspaces
        // go to the SDR pool".
        let function = decision.destination.function().unwrap_or(Function::Sdr);
        let fallback = [
            Strategy::AccountOwner,
            Strategy::Territory,
            Strategy::PoolRoundRobin(Function::Sdr.key().to_owned()),
        ];
        let ways: &[Strategy] =
            if decision.owners.is_empty() { &fallback } else { &decision.owners };
        let choice = choose(ways, function, &subject, &team);
        let at = stamp(now, &team);
        let chosen = choice.owner.and_then(|owner| team.iter_mut().find(|one| one.id == owner));
        let (member, name) = match chosen {
            Some(candidate) => {
                candidate.last_assigned_at = Some(at);
                candidate.open_pqls = candidate.open_pqls.saturating_add(1);
                (Some(candidate.id), candidate.name.clone())
            }
            None => (None, String::new()),
        };
        let way = choice.steps.last().map(|step| step.strategy.words()).unwrap_or_default();
        let brief = choice.brief();
        let reason =
            choice.unowned_reason.unwrap_or_else(|| format!("Rule {}: {way}", decision.rule_name));
        found.insert(one.workspace, Suggestion { member, name, brief, reason });
    }
    Ok(found)
}

/// Whom the rules would choose, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Who; none when nobody is eligible.
    pub member: Option<MemberId>,
    /// Their name.
    pub name: String,
    /// A few words for a row: "Nobody eligible: 6 at capacity", or the way to whom it would be.
    pub brief: String,
    /// The rule and the way, or why nobody.
    pub reason: String,
}
