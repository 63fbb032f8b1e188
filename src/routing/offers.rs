//! Who is planned first when there is not enough room for all: pure, one run's view of the team.
//!
//! Whoever waits is planned before newcomers, the longest waiting first. One run gives at most
//! [`MOST_IN_A_SWEEP`] of them to one person; what is left over for this person is put off to the next
//! run, and newcomers that would go to the same person are put off with it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::engine::Decision;
use super::plan::{Plan, Standing, plan};
use super::rule::RuleSet;
use crate::ids::MemberId;
use crate::ownership::eligibility::{Candidate, Excluded, MOST_IN_A_SWEEP};
use crate::ownership::round_robin::stamp;
use crate::ownership::strategy::Strategy;

/// Whose waiting workspaces are worth looking at: the others can't be given to anybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Askable {
    /// Destinations, by key, for which somebody has room.
    pub destinations: Vec<String>,
    /// Members with room, who may own accounts.
    pub members: Vec<MemberId>,
}

/// The team as it changes while one run plans.
#[derive(Clone, Debug)]
pub struct Offers {
    team: Vec<Candidate>,
    turns: BTreeMap<MemberId, DateTime<Utc>>,
    /// How many waiting workspaces each was given.
    given: BTreeMap<MemberId, u32>,
    /// Whom something that waits is put off for.
    put_off: BTreeSet<MemberId>,
    now: DateTime<Utc>,
}

fn has_room(one: &Candidate) -> bool {
    one.active && one.away_until.is_none() && one.open_pqls < one.capacity && !one.at_sweep_limit
}

impl Offers {
    /// A run that begins now.
    #[must_use]
    pub fn new(team: Vec<Candidate>, now: DateTime<Utc>) -> Self {
        let (turns, given) = (BTreeMap::new(), BTreeMap::new());
        Self { team, turns, given, put_off: BTreeSet::new(), now }
    }

    /// Whether anybody can be given another one in this run.
    #[must_use]
    pub fn anybody_has_room(&self) -> bool {
        self.team.iter().any(has_room)
    }

    /// For whom there is room: by function, by account and by the names in the rules.
    #[must_use]
    pub fn whom_to_ask(&self, rules: &RuleSet) -> Askable {
        let free = || self.team.iter().filter(|one| has_room(one));
        let members: Vec<MemberId> = free().map(|one| one.id).collect();
        let functions = free().filter_map(|one| one.function).map(|one| one.key().to_owned());
        let is_named = |way: &Strategy| matches!(way, Strategy::Person(id) if members.contains(id));
        let named = rules.rules.iter().filter(|rule| rule.owners.iter().any(is_named));
        let destinations: BTreeSet<String> =
            functions.chain(named.map(|rule| rule.destination.key().to_owned())).collect();
        Askable { destinations: destinations.into_iter().collect(), members }
    }

    /// Whether a workspace would be given to somebody now. Changes nothing.
    #[must_use]
    pub fn would_give(&self, decision: &Decision, standing: &Standing) -> bool {
        plan(decision, standing, &self.team, self.now).give
    }

    /// Plans for a workspace that waits; the caller keeps to the order of waiting.
    pub fn offer_waiting(&mut self, decision: &Decision, standing: &Standing) -> Plan {
        let plan = self.offer(decision, standing);
        match plan.choice.owner.filter(|_| plan.give) {
            Some(owner) => {
                let given = self.given.entry(owner).or_default();
                *given = given.saturating_add(1);
                if *given >= MOST_IN_A_SWEEP
                    && let Some(one) = self.team.iter_mut().find(|one| one.id == owner)
                {
                    one.at_sweep_limit = true;
                }
            }
            None => {
                let candidates = plan.choice.steps.iter().flat_map(|step| &step.candidates);
                let limited = candidates
                    .filter(|one| matches!(one.excluded, Some(Excluded::SweepLimit { .. })));
                self.put_off.extend(limited.map(|one| one.member));
            }
        }
        plan
    }

    /// From now on newcomers are planned. When the whole line was looked at, the limit no longer stands
    /// against those for whom nothing is left in it.
    pub fn newcomers_follow(&mut self, line_is_whole: bool) {
        for one in self.team.iter_mut().filter(|one| one.at_sweep_limit) {
            if !line_is_whole {
                self.put_off.insert(one.id);
            }
            one.at_sweep_limit = self.put_off.contains(&one.id);
        }
    }

    /// Plans for a workspace; whoever gets it has taken their turn.
    pub fn offer(&mut self, decision: &Decision, standing: &Standing) -> Plan {
        let plan = plan(decision, standing, &self.team, self.now);
        if let Some(owner) = plan.choice.owner.filter(|_| plan.give) {
            let at = stamp(self.now, &self.team);
            if let Some(candidate) = self.team.iter_mut().find(|one| one.id == owner) {
                candidate.last_assigned_at = Some(at);
                candidate.open_pqls = candidate.open_pqls.saturating_add(1);
                self.turns.insert(owner, at);
            }
        }
        plan
    }

    /// Whether something that waits is left for the next sweep.
    #[must_use]
    pub fn is_put_off(&self) -> bool {
        !self.put_off.is_empty()
    }

    /// Who was given something, and the time of the last turn.
    #[must_use]
    pub fn turns(&self) -> &BTreeMap<MemberId, DateTime<Utc>> {
        &self.turns
    }
}

#[cfg(test)]
#[path = "offers_tests.rs"]
mod tests;
