//! In which workspace an event happened whose call does not say so.

use chrono::{DateTime, Utc};

use crate::ids::WorkspaceId;

/// What is known about where one person is: the union over everything stitched to that person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// Workspaces of which the person is a member now, each once, sorted.
    pub current: Vec<WorkspaceId>,
    /// When the person was said to be in which workspace: `group()` calls and joining, sorted.
    pub calls: Vec<(DateTime<Utc>, WorkspaceId)>,
}

/// How a workspace was found; kept with key events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inferred {
    /// The only workspace of which the person is a member now.
    Membership,
    /// The workspace of the last `group()` before the event, or of the first one ever.
    LastGroup,
}

impl Inferred {
    /// The name in `key_events.inferred`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Membership => "membership",
            Self::LastGroup => "last_group",
        }
    }
}

impl Trail {
    /// The workspace of an event at `at` (`spec/ingest.md`, "Workspace of an event"): the only
    /// current membership, else the last `group()` at or before the event, else the earliest one.
    /// Of two calls in the same microsecond the greater id counts.
    #[must_use]
    pub fn workspace_at(&self, at: DateTime<Utc>) -> Option<(WorkspaceId, Inferred)> {
        if let [only] = self.current.as_slice() {
            return Some((*only, Inferred::Membership));
        }
        let before = self.calls.partition_point(|(called_at, _)| *called_at <= at);
        let last = before.checked_sub(1).and_then(|index| self.calls.get(index));
        last.or_else(|| self.calls.first()).map(|(_, workspace)| (*workspace, Inferred::LastGroup))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn one_membership_decides_else_the_last_call_else_the_first() {
        let (a, b) = (WorkspaceId::of("a"), WorkspaceId::of("b"));
        let calls = vec![(at(10), a), (at(20), b)];
        let sole = Trail { current: vec![b], calls: calls.clone() };
        assert_eq!(sole.workspace_at(at(10)), Some((b, Inferred::Membership)));
        let two = Trail { current: vec![a, b], calls };
        for (second, workspace) in [(5, a), (10, a), (19, a), (20, b), (99, b)] {
            assert_eq!(two.workspace_at(at(second)), Some((workspace, Inferred::LastGroup)));
        }
        assert_eq!(Trail::default().workspace_at(at(5)), None);
    }
}
