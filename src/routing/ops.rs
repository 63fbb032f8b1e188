//! Use cases of routing. Each runs inside the caller's transaction.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::PgConnection;

use super::defaults;
use super::engine::route;
use super::offers::Offers;
use super::plan::plan;
use super::rule::RuleSet;
use super::run::{Routed, Run};
use super::{store, store_waiting};
use crate::error::{Error, Result};
use crate::ids::{MemberId, WorkspaceId};
use crate::ownership;
use crate::ownership::round_robin::stamp;

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

/// Routes scored workspaces in the transaction that scored them: decisions, assignments, tasks and
/// notifications commit with the scores or not at all. Running it again changes nothing.
///
/// Most workspaces stay as they are, so a first look takes no lock. What would change is locked
/// (scores by id, pools, members by id), looked at again and carried out, so that two runs at once
/// never act twice and never pick twice. When somebody would be given one, the workspaces that wait
/// are offered first.
///
/// # Errors
/// The database's; the caller's transaction rolls back.
pub fn route_workspaces(
    conn: &mut PgConnection,
    workspaces: &[WorkspaceId],
    now: DateTime<Utc>,
) -> Result<Routed> {
    let (version, rules) = rules_in_force(conn, now)?;
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
    Run::begin(conn, version, rules, now)?.route(conn, &due)
}

/// Offers what waits for an owner, the longest waiting first, to whoever has room. Does nothing when
/// nothing waits or nobody has room, and once when two run at the same time. What is left over for
/// somebody who was given [`MOST_IN_A_SWEEP`](ownership::eligibility::MOST_IN_A_SWEEP) is offered by
/// another sweep, which it asks for.
///
/// # Errors
/// The database's; the caller's transaction rolls back.
pub fn sweep(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Routed> {
    let (version, rules) = rules_in_force(conn, now)?;
    let offers = Offers::new(ownership::store::candidates(conn, now)?, now);
    // Without a lock: mostly there is nothing to do.
    if store_waiting::waiting(conn, &offers.whom_to_ask(&rules))?.is_empty() {
        return Ok(Routed::default());
    }
    Run::begin(conn, version, rules, now)?.route(conn, &[])
}

fn rules_in_force(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<(i32, RuleSet)> {
    if let Some(published) = store::published(conn)? {
        return Ok(published);
    }
    ensure_defaults(conn, now)?;
    store::published(conn)?.ok_or_else(|| Error::internal("no rule set to route by"))
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
