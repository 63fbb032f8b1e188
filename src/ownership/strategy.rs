//! How an owner is found: strategies in the order a rule lists them, the first with an eligible
//! owner wins; if none has one the workspace stays unowned and says why.
//!
//! Pure and total. Described in docs/routing.md, Owner strategies.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::eligibility::{Candidate, Demand, Excluded, exclusion, function_label};
use super::round_robin;
use crate::ids::MemberId;
use crate::team::member::Function;

/// One way to find an owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Whoever owns the workspace now, if still active and of the right function. What they hold
    /// already is neither new work nor more of it: absence and capacity do not matter.
    KeepCurrent,
    /// Whoever owns the account, whatever their function: accounts follow their AE.
    AccountOwner,
    /// By round robin among those who work the account's territory.
    Territory,
    /// By round robin in the pool of this key.
    PoolRoundRobin(String),
    /// One person.
    Person(MemberId),
    /// Nobody: it waits in the assignment view.
    LeaveUnowned,
}

impl Strategy {
    /// The strategy as part of a sentence: "account owner", "SDR pool in turn".
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::KeepCurrent => "current owner".to_owned(),
            Self::AccountOwner => "account owner".to_owned(),
            Self::Territory => "territory in turn".to_owned(),
            Self::PoolRoundRobin(pool) => {
                format!("{} pool in turn", function_label(pool))
            }
            Self::Person(_) => "a named person".to_owned(),
            Self::LeaveUnowned => "assignment view".to_owned(),
        }
    }
}

/// What is known about the workspace that needs an owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Who owns it now.
    pub current_owner: Option<MemberId>,
    /// Who owns its account.
    pub account_owner: Option<MemberId>,
    /// Its account's territory.
    pub territory: Option<String>,
}

/// A candidate in the record of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// Who.
    pub member: MemberId,
    /// Their name at that time.
    pub name: String,
    /// Why not; nothing when eligible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<Excluded>,
    /// The place in the round robin among those eligible, from 1; none when excluded or named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    /// When they had last been assigned one, by which the round robin goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_assigned_at: Option<DateTime<Utc>>,
}

impl Considered {
    fn new(one: &Candidate, excluded: Option<Excluded>, turn: Option<u32>) -> Self {
        Self {
            member: one.id,
            name: one.name.clone(),
            excluded,
            turn,
            last_assigned_at: one.last_assigned_at,
        }
    }
}

/// One strategy that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub strategy: Strategy,
    /// Everybody it looked at: those eligible in the order of their turns, then the others by id.
    pub candidates: Vec<Considered>,
    /// Whom it yielded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<MemberId>,
    /// What else there is to say: "the account has no owner".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Step {
    /// Whether somebody was passed by for no other reason than the limit of the sweep. Then the
    /// workspace waits for the next sweep, rather than for a strategy that the rule lists later.
    fn is_put_off(&self) -> bool {
        let limited = |one: &Considered| matches!(one.excluded, Some(Excluded::SweepLimit { .. }));
        self.chosen.is_none() && self.candidates.iter().any(limited)
    }
}

/// The outcome with its whole record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The owner, if one was found.
    pub owner: Option<MemberId>,
    /// Every strategy that was tried, in order.
    pub steps: Vec<Step>,
    /// Why nobody was found; set exactly when there is no owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unowned_reason: Option<String>,
}

impl Choice {
    /// The outcome in a few words, for a row: the way to the owner, or how many are full or away.
    #[must_use]
    pub fn brief(&self) -> String {
        let Some(step) = self.steps.last() else { return "No owner strategy is set".to_owned() };
        if self.owner.is_some() {
            return step.strategy.words();
        }
        if step.strategy == Strategy::LeaveUnowned {
            return "Left to this view".to_owned();
        }
        let count = |wanted: fn(&Excluded) -> bool| {
            step.candidates
                .iter()
                .filter_map(|one| one.excluded.as_ref())
                .filter(|why| wanted(why))
                .count()
        };
        let full = count(|why| matches!(why, Excluded::AtCapacity { .. }));
        let away = count(|why| matches!(why, Excluded::OutOfOffice { .. }));
        match (full, away) {
            (0, 0) => "Nobody eligible".to_owned(),
            (full, 0) => format!("Nobody eligible: {full} at capacity"),
            (0, away) => format!("Nobody eligible: {away} away"),
            (full, away) => format!("Nobody eligible: {full} at capacity, {away} away"),
        }
    }
}

/// Tries the strategies in order for a destination that needs `function`.
#[must_use]
pub fn choose(
    strategies: &[Strategy],
    function: Function,
    subject: &Subject,
    candidates: &[Candidate],
) -> Choice {
    let mut choice = Choice::default();
    for strategy in strategies {
        let step = attempt(strategy, function, subject, candidates);
        choice.owner = step.chosen;
        let is_put_off = step.is_put_off();
        choice.steps.push(step);
        if choice.owner.is_some() || is_put_off || *strategy == Strategy::LeaveUnowned {
            break;
        }
    }
    if choice.owner.is_none() {
        choice.unowned_reason = Some(why_nobody(&choice.steps));
    }
    choice
}

fn attempt(
    strategy: &Strategy,
    function: Function,
    subject: &Subject,
    candidates: &[Candidate],
) -> Step {
    match strategy {
        Strategy::KeepCurrent => keep_current(function, subject, candidates),
        Strategy::AccountOwner => {
            named(strategy, subject.account_owner, "the account has no owner", candidates)
        }
        Strategy::Person(person) => {
            named(strategy, Some(*person), "this person is not in the team", candidates)
        }
        Strategy::Territory => {
            let demand = Demand::Territory(function, subject.territory.as_deref());
            in_turn(strategy, demand, candidates)
        }
        Strategy::PoolRoundRobin(pool) => {
            in_turn(strategy, Demand::Pool(function, pool), candidates)
        }
        Strategy::LeaveUnowned => empty(strategy, "the rule leaves it to the assignment view"),
    }
}

fn empty(strategy: &Strategy, note: &str) -> Step {
    Step {
        strategy: strategy.clone(),
        candidates: Vec::new(),
        chosen: None,
        note: Some(note.to_owned()),
    }
}

fn keep_current(function: Function, subject: &Subject, candidates: &[Candidate]) -> Step {
    let strategy = Strategy::KeepCurrent;
    let owner =
        subject.current_owner.and_then(|owner| candidates.iter().find(|one| one.id == owner));
    let Some(owner) = owner else { return empty(&strategy, "nobody owns it") };
    let follows_account = subject.account_owner == Some(owner.id);
    let excluded = if !owner.active {
        Some(Excluded::Inactive)
    } else if owner.function != Some(function) && !follows_account {
        Some(Excluded::wrong_function(function, owner.function))
    } else {
        None
    };
    single(&strategy, owner, excluded)
}

fn named(
    strategy: &Strategy,
    who: Option<MemberId>,
    nobody: &str,
    candidates: &[Candidate],
) -> Step {
    match who.and_then(|who| candidates.iter().find(|one| one.id == who)) {
        None => empty(strategy, nobody),
        Some(person) => single(strategy, person, exclusion(person, Demand::Named)),
    }
}

fn single(strategy: &Strategy, person: &Candidate, excluded: Option<Excluded>) -> Step {
    Step {
        strategy: strategy.clone(),
        chosen: excluded.is_none().then_some(person.id),
        candidates: vec![Considered::new(person, excluded, None)],
        note: None,
    }
}

fn in_turn(strategy: &Strategy, demand: Demand<'_>, candidates: &[Candidate]) -> Step {
    let mut eligible = Vec::new();
    let mut others = Vec::new();
    for one in candidates {
        match exclusion(one, demand) {
            None => eligible.push(one),
            Some(why) => others.push(Considered::new(one, Some(why), None)),
        }
    }
    round_robin::in_order(&mut eligible);
    let chosen = eligible.first().map(|one| one.id);
    let considered = eligible
        .into_iter()
        .zip(1..)
        .map(|(one, turn)| Considered::new(one, None, Some(turn)))
        .chain(others)
        .collect();
    Step { strategy: strategy.clone(), candidates: considered, chosen, note: None }
}

/// The last step says most: everything before it is a preference. Of a pool, those who are in it.
fn why_nobody(steps: &[Step]) -> String {
    let Some(step) = steps.last() else { return "No owner strategy is set.".to_owned() };
    if step.strategy == Strategy::LeaveUnowned {
        return "The rule leaves it to the assignment view.".to_owned();
    }
    let near: Vec<String> = step
        .candidates
        .iter()
        .filter_map(|one| match &one.excluded {
            Some(
                why @ (Excluded::OutOfOffice { .. }
                | Excluded::AtCapacity { .. }
                | Excluded::SweepLimit { .. }),
            ) => Some(format!("{} {}", one.name, why.words())),
            _ => None,
        })
        .collect();
    let what = step.strategy.words();
    if near.is_empty() {
        format!("Nobody is eligible ({what}).")
    } else {
        format!("Nobody is eligible ({what}): {}.", near.join("; "))
    }
}

#[cfg(test)]
#[path = "strategy_tests.rs"]
mod tests;
