//! An account as one case: the union of its production workspaces. Pure. Source: docs/scoring.md, "From
//! users to the workspace", 5.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::case::Case;
use super::dated::Dated;
use super::people::DatedPerson;
use crate::ids::{AccountId, UserId, WorkspaceId};
use crate::usage::facts::WorkspaceFacts;

/// The union of `cases`: usage days added up, a person who is in two workspaces counted once,
/// all subscriptions side by side (so the earliest trial end counts), the best plan, the seats
/// added up, active when any is, as of `day`. `None` without cases.
#[must_use]
pub fn of_account(account: AccountId, cases: &[&Case], day: NaiveDate) -> Option<Case> {
    let first = cases.first()?;
    let mut union = Case { id: WorkspaceId(account.0), ..(*first).clone() };
    let rest = cases.iter().skip(1);
    let mut people: BTreeMap<UserId, DatedPerson> =
        std::mem::take(&mut union.people).into_iter().map(|one| (one.id, one)).collect();
    let mut state = union.workspace.on(day).clone();
    for case in rest {
        let theirs = case.workspace.on(day);
        add(&mut state.facts, &theirs.facts);
        state.by_traits.extend_from_slice(&theirs.by_traits);
        union.last_active_at = union.last_active_at.max(case.last_active_at);
        union.first_events.extend(case.first_events.iter().copied());
        union.subscriptions.extend(case.subscriptions.iter().cloned());
        union.usage.extend_from_slice(&case.usage);
        for person in &case.people {
            people
                .entry(person.id)
                .and_modify(|known| known.memberships.extend_from_slice(&person.memberships))
                .or_insert_with(|| person.clone());
        }
    }
    union.workspace = Dated::always(state);
    union.people = people.into_values().collect();
    union.usage.sort_by_key(|day| day.day);
    Some(union)
}

fn add(ours: &mut WorkspaceFacts, theirs: &WorkspaceFacts) {
    ours.created_at = ours.created_at.into_iter().chain(theirs.created_at).min();
    if plan_rank(theirs.plan_tier.as_deref()) > plan_rank(ours.plan_tier.as_deref()) {
        ours.plan_tier.clone_from(&theirs.plan_tier);
    }
    ours.seats_purchased = match (ours.seats_purchased, theirs.seats_purchased) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (a, b) => a.or(b),
    };
    if theirs.status.as_deref() == Some("active") {
        ours.status.clone_from(&theirs.status);
    }
}

fn plan_rank(tier: Option<&str>) -> u8 {
    match tier {
        Some("enterprise") => 5,
        Some("pro") => 4,
        Some("trial") => 3,
        Some("free") => 2,
        Some("unknown") => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::WorkspaceState;
    use super::*;

    fn case(name: &str, plan: &str, seats: i64) -> Case {
        Case {
            id: WorkspaceId::of(name),
            account_id: None,
            workspace: Dated::always(WorkspaceState {
                facts: WorkspaceFacts {
                    plan_tier: Some(plan.to_owned()),
                    seats_purchased: Some(seats),
                    ..WorkspaceFacts::default()
                },
                by_traits: Vec::new(),
            }),
            last_active_at: None,
            first_events: Vec::new(),
            account: None,
            account_score: None,
            subscriptions: Vec::new(),
            people: Vec::new(),
            usage: Vec::new(),
        }
    }

    #[test]
    fn the_best_plan_counts_whichever_workspace_comes_first() {
        let (pilot, paid) = (case("pilot", "free", 5), case("paid", "enterprise", 20));
        let day = "2026-11-20".parse().unwrap();
        for cases in [[&pilot, &paid], [&paid, &pilot]] {
            let union = of_account(AccountId::of_domain("acme.example"), &cases, day).unwrap();
            let union = &union.workspace.now().facts;
            assert_eq!(union.plan_tier.as_deref(), Some("enterprise"));
            assert_eq!(union.seats_purchased, Some(25));
        }
    }
}
