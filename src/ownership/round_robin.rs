//! Whose turn it is: the least recently assigned among the eligible, ties by id.

use chrono::{DateTime, TimeDelta, Utc};

use super::eligibility::Candidate;

/// Puts the eligible in the order of their turns: somebody never assigned comes first, ties go by id.
pub fn in_order(eligible: &mut [&Candidate]) {
    eligible.sort_by_key(|candidate| (candidate.last_assigned_at, candidate.id));
}

/// The time to note for an assignment at `now`: later than every other turn, so that many in one
/// transaction keep their order, whatever the clock's grain.
#[must_use]
pub fn stamp<'a>(
    now: DateTime<Utc>,
    all: impl IntoIterator<Item = &'a Candidate>,
) -> DateTime<Utc> {
    let newest = all.into_iter().filter_map(|candidate| candidate.last_assigned_at).max();
    newest.map_or(now, |newest| now.max(newest + TimeDelta::microseconds(1)))
}
