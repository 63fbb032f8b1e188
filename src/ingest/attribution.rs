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
    /// Puts what was gathered, in whatever order and however often, into its one form.
    pub fn settle(&mut self) {
        self.current.sort_unstable();
        self.current.dedup();
        self.calls.sort_unstable();
        self.calls.dedup();
    }

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
    use proptest::prelude::*;

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
    fn trail(current: &[u8], calls: &[(i64, u8)]) -> Trail {
        let named = |id: u8| WorkspaceId::of(&id.to_string());
        let mut trail = Trail {
            current: current.iter().map(|id| named(*id)).collect(),
            calls: calls.iter().map(|(second, id)| (at(*second), named(*id))).collect(),
        };
        trail.settle();
        trail
    }

    proptest! {
        /// Against the words of the specification, over the set of what was said.
        #[test]
        fn any_order_and_repetition_of_what_was_said_is_the_same(
            current in prop::collection::vec(0_u8..3, 0..4),
            calls in prop::collection::vec((0_i64..8, 0_u8..4), 0..8),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
            second in -1_i64..9,
        ) {
            let mut others = calls.clone();
            others.reverse();
            if !calls.is_empty() {
                others.extend(order.iter().map(|pick| calls[pick.index(calls.len())]));
            }
            let mut again = current.clone();
            again.reverse();
            again.extend(current.clone());
            let found = trail(&current, &calls).workspace_at(at(second));
            prop_assert_eq!(trail(&again, &others).workspace_at(at(second)), found);

            let said = trail(&current, &calls);
            let last = said.calls.iter().filter(|(time, _)| *time <= at(second)).max();
            let expected = match said.current.as_slice() {
                [only] => Some((*only, Inferred::Membership)),
                _ => last.or(said.calls.iter().min()).map(|call| (call.1, Inferred::LastGroup)),
            };
            prop_assert_eq!(found, expected);
        }
    }
}
