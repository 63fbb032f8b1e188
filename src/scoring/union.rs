//! An account as one case: the union of its production workspaces. Pure. Source: scoring.md, "From
//! users to the workspace", 5.

use std::collections::BTreeMap;

use super::case::Case;
use crate::ids::{AccountId, UserId, WorkspaceId};
use crate::usage::facts::Member;

/// The union of `cases`: usage days added up, a person who is in two workspaces counted once,
/// all subscriptions side by side (so the earliest trial end counts), the best plan, the seats
/// added up, active when any is. `None` without cases.
#[must_use]
pub fn of_account(account: AccountId, cases: &[&Case]) -> Option<Case> {
    let first = cases.first()?;
    let mut union = Case { id: WorkspaceId(account.0), ..(*first).clone() };
    let rest = cases.iter().skip(1);
    let mut members: BTreeMap<UserId, Member> =
        std::mem::take(&mut union.members).into_iter().map(|one| (one.id, one)).collect();
    for case in rest {
        let (ours, theirs) = (&mut union.workspace, &case.workspace);
        ours.created_at = ours.created_at.into_iter().chain(theirs.created_at).min();
        ours.first_events.extend(theirs.first_events.iter().copied());
        ours.last_active_at = ours.last_active_at.max(theirs.last_active_at);
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
        union.subscriptions.extend(case.subscriptions.iter().cloned());
        union.usage.extend_from_slice(&case.usage);
        for member in &case.members {
            members
                .entry(member.id)
                .and_modify(|known| merge(known, member))
                .or_insert_with(|| member.clone());
        }
    }
    union.members = members.into_values().collect();
    union.usage.sort_by_key(|day| day.day);
    Some(union)
}

/// One person in two workspaces: the stronger role, a champion anywhere, the longest stay.
fn merge(known: &mut Member, other: &Member) {
    if rank(other.role.as_deref()) > rank(known.role.as_deref()) {
        known.role.clone_from(&other.role);
    }
    if other.is_champion() || known.persona.is_none() {
        known.persona.clone_from(&other.persona);
    }
    known.joined_on = match (known.joined_on, other.joined_on) {
        (Some(a), Some(b)) => Some(a.min(b)),
        _ => None,
    };
    known.left_on = match (known.left_on, other.left_on) {
        (Some(a), Some(b)) => Some(a.max(b)),
        _ => None,
    };
    known.first_active_on = known.first_active_on.into_iter().chain(other.first_active_on).min();
}

fn rank(role: Option<&str>) -> u8 {
    match role {
        Some("admin") => 3,
        Some("member") => 2,
        Some("viewer") => 1,
        _ => 0,
    }
}

fn plan_rank(tier: Option<&str>) -> u8 {
    match tier {
        Some("enterprise") => 4,
        Some("pro") => 3,
        Some("trial") => 2,
        Some("free") => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::facts::WorkspaceFacts;

    fn case(name: &str, plan: &str, seats: i64) -> Case {
        Case {
            id: WorkspaceId::of(name),
            account_id: None,
            workspace: WorkspaceFacts {
                plan_tier: Some(plan.to_owned()),
                seats_purchased: Some(seats),
                ..WorkspaceFacts::default()
            },
            account: None,
            subscriptions: Vec::new(),
            members: Vec::new(),
            usage: Vec::new(),
        }
    }

    #[test]
    fn the_best_plan_counts_whichever_workspace_comes_first() {
        let (pilot, paid) = (case("pilot", "free", 5), case("paid", "enterprise", 20));
        for cases in [[&pilot, &paid], [&paid, &pilot]] {
            let union = of_account(AccountId::of_domain("acme.example"), &cases).unwrap().workspace;
            assert_eq!(union.plan_tier.as_deref(), Some("enterprise"));
            assert_eq!(union.seats_purchased, Some(25));
        }
    }
}
