//! From users to the workspace: factors, champions, and the one member who leads.

use std::cmp::Reverse;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::compiled::{CompiledModel, Limits};
use super::engine::World;
use super::grants::Activity;
use super::model::RoleFactor;
use crate::usage::facts::{Member, suggests_champion};

/// Why a member leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The best admin.
    Admin,
    /// The best champion, set by a person or by a trait.
    Champion,
    /// The best champion, suggested by what the member did.
    SuggestedChampion,
    /// The best other member: there is neither an admin nor a champion.
    BestMember,
}

impl Why {
    /// Whether this is an admin or a champion: only without any of them another member leads, and the
    /// workspace is flagged `no_buyer_coverage`.
    #[must_use]
    pub fn is_buyer(self) -> bool {
        self != Self::BestMember
    }
}

/// The part a member can play, from facts and activity.
pub(super) fn part(member: &Member, activity: Option<&Activity>) -> Why {
    let suggested =
        |activity: &Activity| suggests_champion(activity.invites_30d, activity.active_days_14d());
    if member.is_admin() {
        Why::Admin
    } else if member.is_champion() {
        Why::Champion
    } else if activity.is_some_and(suggested) {
        Why::SuggestedChampion
    } else {
        Why::BestMember
    }
}

/// The first role factor whose conditions all hold for the member.
pub(super) fn factor<'a>(
    model: &'a CompiledModel,
    world: &World<'_>,
    member: &Member,
) -> Option<&'a RoleFactor> {
    model.model.role_factors.iter().find(|row| {
        row.when.iter().all(|clause| clause.holds(|key| world.member_field(member, key)))
    })
}

/// Whether the membership counts at `as_of`: it exists, or its usage shows that it did before the
/// first day on record.
pub(super) fn is_present(member: &Member, activity: Option<&Activity>, as_of: NaiveDate) -> bool {
    member.counts(as_of, activity.is_some_and(|activity| activity.first_active.is_some()))
}

/// A member who could lead, with unclamped user-level points per category.
pub(super) struct Candidate<'a> {
    pub why: Why,
    pub facts: &'a Member,
    pub points: &'a [i64],
}

impl Candidate<'_> {
    /// The user score in hundredths: each category clamped, then added up.
    pub fn user_score(&self, limits: &[Limits]) -> i64 {
        self.points.iter().zip(limits).map(|(points, limits)| limits.clamp(*points)).sum()
    }
}

/// The workspace's points per category if this member leads.
pub(super) fn categories<'a>(
    user: &'a [i64],
    workspace: &'a [i64],
    limits: &'a [Limits],
) -> impl Iterator<Item = i64> + 'a {
    let sums = user.iter().zip(workspace).zip(limits);
    sums.map(|((user, workspace), limits)| limits.clamp(limits.clamp(*user) + workspace))
}

/// The place of the leading candidate: among admins and champions, if there are any, the one with
/// whom the workspace scores highest; ties by the higher user score, the earlier join date, the
/// lower id of the product's.
pub(super) fn choose(
    candidates: &[Candidate<'_>],
    workspace: &[i64],
    limits: &[Limits],
) -> Option<usize> {
    let covered = candidates.iter().any(|candidate| candidate.why.is_buyer());
    let pool =
        candidates.iter().enumerate().filter(|(_, candidate)| !covered || candidate.why.is_buyer());
    let rank = |candidate: &Candidate<'_>| {
        let total: i64 = categories(candidate.points, workspace, limits).sum();
        let joined = candidate.facts.joined_on.unwrap_or(NaiveDate::MAX);
        let score = total.clamp(0, 10_000);
        (score, candidate.user_score(limits), Reverse(joined))
    };
    let order = |one: &Candidate<'_>, other: &Candidate<'_>| {
        rank(one).cmp(&rank(other)).then_with(|| other.facts.by_id(one.facts))
    };
    pool.max_by(|(_, one), (_, other)| order(one, other)).map(|(at, _)| at)
}
