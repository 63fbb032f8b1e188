//! Who can be given a PQL, and for everybody else the reason why not.
//!
//! Eligible = active, right function, in a pool or territory that matches, not out of office, below
//! capacity (docs/routing.md, Eligibility). Total and free of time: absences are given as of now.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::MemberId;
use crate::team::member::Function;
use crate::values::text::same_word;

/// One sweep gives at most so many waiting workspaces to one person.
pub const MOST_IN_A_SWEEP: u32 = 5;

/// A member of the team as eligibility sees them, as of now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub id: MemberId,
    /// The name in traces.
    pub name: String,
    /// Not deactivated.
    pub active: bool,
    /// What they do; none for people who do not sell.
    pub function: Option<Function>,
    /// Their territories.
    pub territories: Vec<String>,
    /// The keys of the pools they are in.
    pub pools: Vec<String>,
    /// The last day of the absence they are in today.
    pub away_until: Option<NaiveDate>,
    /// PQLs with an open task that is not snoozed.
    pub open_pqls: u32,
    /// How many open PQLs they can hold.
    pub capacity: u32,
    /// When they were last given one; the round robin goes by it.
    pub last_assigned_at: Option<DateTime<Utc>>,
    /// Whether one sweep already gave them as many waiting PQLs as it may; false outside of sweeps.
    pub at_sweep_limit: bool,
}

/// What is asked of a candidate besides being active, present and below capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand<'a> {
    /// Nothing: a person named by a rule or by the account.
    Named,
    /// A function and membership in the pool of this key.
    Pool(Function, &'a str),
    /// A function and the workspace's territory, where it is known.
    Territory(Function, Option<&'a str>),
}

/// Why somebody is passed by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Excluded {
    /// Deactivated.
    Inactive,
    /// Does something else.
    WrongFunction {
        /// What the destination needs, by key.
        needs: String,
        /// What they do, by key.
        has: Option<String>,
    },
    /// Is not in the pool.
    NotInPool {
        /// The pool's key.
        pool: String,
    },
    /// Does not work the workspace's territory.
    OutsideTerritory {
        /// The workspace's; unknown when the account has none.
        territory: Option<String>,
    },
    /// Absent today.
    OutOfOffice {
        /// The last day of the absence.
        until: NaiveDate,
    },
    /// Holds as many PQLs as they can.
    AtCapacity {
        /// PQLs with an open task.
        open: u32,
        /// How many they can hold.
        capacity: u32,
    },
    /// This sweep gave them as many waiting PQLs as it may; the next one goes on.
    SweepLimit {
        /// How many it gave them.
        given: u32,
    },
}

impl Excluded {
    /// The reason as the record shows it: "out of office until 2026-11-24".
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Inactive => "deactivated".to_owned(),
            Self::WrongFunction { needs, has: Some(has) } => {
                format!("is {}, this needs {}", function_label(has), function_label(needs))
            }
            Self::WrongFunction { needs, has: None } => {
                format!("has no sales function, this needs {}", function_label(needs))
            }
            Self::NotInPool { pool } => format!("not in the pool {pool}"),
            Self::OutsideTerritory { territory: Some(territory) } => {
                format!("does not work the territory {territory}")
            }
            Self::OutsideTerritory { territory: None } => "the account has no territory".to_owned(),
            Self::OutOfOffice { until } => format!("out of office until {until}"),
            Self::AtCapacity { open, capacity } => {
                format!("at capacity: {open} of {capacity} open PQLs")
            }
            Self::SweepLimit { given } => {
                format!("was just given {given} that had waited longer; the next sweep follows")
            }
        }
    }
}

impl Excluded {
    /// The reason that somebody has another function than the one needed.
    #[must_use]
    pub fn wrong_function(needs: Function, has: Option<Function>) -> Self {
        let has = has.map(|has| has.key().to_owned());
        Self::WrongFunction { needs: needs.key().to_owned(), has }
    }
}

/// The label of a function's key; a pool of another name keeps it.
#[must_use]
pub fn function_label(key: &str) -> &str {
    key.parse().map_or(key, |function: Function| function.label())
}

/// The first reason against this candidate; `None` when eligible.
#[must_use]
pub fn exclusion(candidate: &Candidate, demand: Demand<'_>) -> Option<Excluded> {
    if !candidate.active {
        return Some(Excluded::Inactive);
    }
    let fits = match demand {
        Demand::Named => None,
        Demand::Pool(needs, _) | Demand::Territory(needs, _) => (candidate.function != Some(needs))
            .then(|| Excluded::wrong_function(needs, candidate.function)),
    };
    fits.or_else(|| match demand {
        Demand::Pool(_, pool) => (!candidate.pools.iter().any(|key| key == pool))
            .then(|| Excluded::NotInPool { pool: pool.to_owned() }),
        Demand::Territory(_, territory) => {
            let works = territory
                .is_some_and(|named| candidate.territories.iter().any(|own| same_word(own, named)));
            (!works)
                .then(|| Excluded::OutsideTerritory { territory: territory.map(ToOwned::to_owned) })
        }
        Demand::Named => None,
    })
    .or_else(|| candidate.away_until.map(|until| Excluded::OutOfOffice { until }))
    .or_else(|| {
        (candidate.open_pqls >= candidate.capacity).then_some(Excluded::AtCapacity {
            open: candidate.open_pqls,
            capacity: candidate.capacity,
        })
    })
    .or_else(|| candidate.at_sweep_limit.then_some(Excluded::SweepLimit { given: MOST_IN_A_SWEEP }))
}
