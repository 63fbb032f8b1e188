//! In which workspace an event happened whose call does not say so.

use crate::ids::WorkspaceId;

use super::moment::Moment;

/// A time in which a person was a member of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// Where.
    pub workspace: WorkspaceId,
    /// From this moment on, itself included.
    pub from: Moment,
    /// Until this moment, itself excluded; none: until today.
    pub until: Option<Moment>,
}

impl Held {
    fn at(&self, moment: Moment) -> bool {
        self.from <= moment && self.until.is_none_or(|until| moment < until)
    }
}

/// What is known about where one person was and when: the union over everything stitched to that person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// When memberships held, sorted.
    pub held: Vec<Held>,
    /// `group()` calls, sorted.
    pub calls: Vec<(Moment, WorkspaceId)>,
    /// When the person joined, by whatever named the workspace first, sorted.
    pub joined: Vec<(Moment, WorkspaceId)>,
}

/// How a workspace was found; kept with key events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inferred {
    /// The only workspace of which the person was a member then.
    Membership,
    /// The workspace of the last `group()` before the event, without one of the last joining, or of the first
    /// of these ever.
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

/// What one statement says about a membership in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// The person was in the workspace from then on.
    Present,
    /// The person was not from then on. Of statements of the very same moment this one holds.
    Left,
}

/// When a membership held, out of what was said about it, in any order.
#[must_use]
pub fn held(workspace: WorkspaceId, mut said: Vec<(Moment, Presence)>) -> Vec<Held> {
    said.sort_unstable();
    let mut all = Vec::new();
    let mut since = None;
    for (moment, presence) in said {
        match (presence, since) {
            (Presence::Present, None) => since = Some(moment),
            (Presence::Left, Some(from)) => {
                if from < moment {
                    all.push(Held { workspace, from, until: Some(moment) });
                }
                since = None;
            }
            _ => {}
        }
    }
    all.extend(since.map(|from| Held { workspace, from, until: None }));
    all
}

impl Trail {
    /// Puts what was gathered, in whatever order and however often, into its one form.
    pub fn settle(&mut self) {
        self.held.sort_unstable();
        self.held.dedup();
        self.calls.sort_unstable();
        self.calls.dedup();
        self.joined.sort_unstable();
        self.joined.dedup();
    }

    /// The first that is known of the person: a `group()` call or a joining.
    #[must_use]
    pub fn first(&self) -> Option<(Moment, WorkspaceId)> {
        self.calls.first().into_iter().chain(self.joined.first()).min().copied()
    }

    /// The workspace of an event of this moment (`spec/ingest.md`, "Workspace of an event"): that of the
    /// only membership that held then. Of several that held, that of the last `group()` until then; of none,
    /// that of the last one ever until then. Without such a `group()` the last joining until then decides,
    /// and before all of them the first of them. A call that only names a workspace is no `group()`.
    #[must_use]
    pub fn workspace_at(&self, moment: Moment) -> Option<(WorkspaceId, Inferred)> {
        let mut members: Vec<WorkspaceId> =
            self.held.iter().filter(|one| one.at(moment)).map(|one| one.workspace).collect();
        // Sorted by workspace already.
        members.dedup();
        if let [only] = members.as_slice() {
            return Some((*only, Inferred::Membership));
        }
        let last = |said: &[(Moment, WorkspaceId)]| {
            let before = said.partition_point(|(at, _)| *at <= moment);
            let mut until_then = said.iter().take(before).rev().copied();
            until_then.find(|(_, place)| members.is_empty() || members.contains(place))
        };
        let found = last(&self.calls).or_else(|| last(&self.joined)).or_else(|| self.first());
        found.map(|(_, workspace)| (workspace, Inferred::LastGroup))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Moment {
        Moment::new(DateTime::from_timestamp(second, 0).unwrap(), 5)
    }

    fn named(id: u8) -> WorkspaceId {
        WorkspaceId::of(&id.to_string())
    }

    /// What was said: second, workspace, and whether the person was there from then on or left.
    type Word = (i64, u8, bool);

    fn trail(words: &[Word]) -> Trail {
        let mut trail = Trail::default();
        for id in 0..4 {
            let of: Vec<&Word> = words.iter().filter(|word| word.1 == id).collect();
            let presence = |left| if left { Presence::Left } else { Presence::Present };
            trail.held.extend(held(
                named(id),
                of.iter().map(|word| (at(word.0), presence(word.2))).collect(),
            ));
            let calls = of.iter().filter(|word| !word.2);
            trail.calls.extend(calls.map(|word| (at(word.0), named(id))));
        }
        trail.settle();
        trail
    }

    fn places(trail: &Trail, seconds: &[i64]) -> Vec<Option<(WorkspaceId, Inferred)>> {
        seconds.iter().map(|second| trail.workspace_at(at(*second))).collect()
    }

    #[test]
    fn leaving_moves_no_history_to_the_next_workspace() {
        let (a, b) = (named(1), named(2));
        let moved = trail(&[(10, 1, false), (28, 1, true), (29, 2, false)]);
        let (member, last) = (Inferred::Membership, Inferred::LastGroup);
        assert_eq!(
            places(&moved, &[5, 10, 27, 28, 29, 99]),
            [(a, last), (a, member), (a, member), (a, last), (b, member), (b, member)].map(Some)
        );
        // Who comes back is a member again; what happened in between stays where it was.
        let back =
            trail(&[(10, 1, false), (28, 1, true), (29, 2, false), (40, 2, true), (50, 1, false)]);
        assert_eq!(
            places(&back, &[27, 35, 45, 50]),
            [(a, member), (b, member), (b, last), (a, member)].map(Some)
        );
        assert_eq!(Trail::default().workspace_at(at(5)), None);
    }

    #[test]
    fn of_several_memberships_the_last_group_counts_that_was_not_left() {
        let (a, b) = (named(1), named(2));
        let two = trail(&[(10, 1, false), (20, 2, false), (30, 3, false), (40, 3, true)]);
        let last = Inferred::LastGroup;
        assert_eq!(
            places(&two, &[9, 19, 20, 39, 40]),
            [
                Some((a, last)),
                Some((a, Inferred::Membership)),
                Some((b, last)),
                Some((named(3), last)),
                Some((b, last)),
            ]
        );
    }

    #[test]
    fn joining_decides_only_where_no_group_call_does() {
        let (a, b) = (named(1), named(2));
        let last = Inferred::LastGroup;
        // In both since 10 and 20; group() of the first at 10, or at 30, or never.
        let both = |called: Option<i64>| {
            let mut trail = trail(&[(10, 1, false), (20, 2, false)]);
            trail.joined = std::mem::take(&mut trail.calls);
            trail.calls = called.map(|second| (at(second), a)).into_iter().collect();
            places(&trail, &[5, 15, 25, 35])
        };
        let member = (a, Inferred::Membership);
        for (called, expected) in [
            (Some(10), [(a, last), member, (a, last), (a, last)]),
            (Some(30), [(a, last), member, (b, last), (a, last)]),
            (None, [(a, last), member, (b, last), (b, last)]),
        ] {
            assert_eq!(both(called), expected.map(Some), "{called:?}");
        }
    }

    #[test]
    fn of_equal_times_the_place_in_the_request_decides() {
        let time = at(10).at;
        let (a, b) = (named(1), named(2));
        let calls = vec![(Moment::new(time, 10), a), (Moment::new(time, 12), b)];
        let trail = Trail { calls, ..Trail::default() };
        for (seq, workspace) in [(9, a), (10, a), (11, a), (12, b), (13, b)] {
            let found = trail.workspace_at(Moment::new(time, seq)).unwrap();
            assert_eq!(found.0, workspace, "{seq}");
        }
        let said = |group, left| {
            let words = vec![
                (Moment::new(time, group), Presence::Present),
                (Moment::new(time, left), Presence::Left),
            ];
            held(a, words).iter().any(|one| one.until.is_none())
        };
        assert!(said(2, 1) && !said(1, 2) && !said(1, 1));
    }

    proptest! {
        /// Against the words of the specification, over the set of what was said.
        #[test]
        fn any_order_and_repetition_of_what_was_said_is_the_same(
            words in prop::collection::vec((0_i64..9, 0_u8..4, any::<bool>()), 0..10),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
            second in -1_i64..10,
        ) {
            let mut others = words.clone();
            others.reverse();
            if !words.is_empty() {
                others.extend(picks.iter().map(|pick| words[pick.index(words.len())]));
            }
            let found = trail(&words).workspace_at(at(second));
            prop_assert_eq!(trail(&others).workspace_at(at(second)), found);

            let is_member = |id: &u8| {
                let until: Vec<&Word> =
                    words.iter().filter(|word| word.1 == *id && word.0 <= second).collect();
                let last = until.iter().map(|word| word.0).max();
                last.is_some_and(|last| !until.iter().any(|word| word.0 == last && word.2))
            };
            let members: Vec<u8> = (0..4).filter(is_member).collect();
            let expected = match members.as_slice() {
                [only] => Some((named(*only), Inferred::Membership)),
                _ => {
                    let calls = || words.iter().filter(|word| !word.2);
                    let last = calls()
                        .filter(|word| word.0 <= second)
                        .filter(|word| members.is_empty() || members.contains(&word.1))
                        .max_by_key(|word| (word.0, named(word.1)));
                    let first = || calls().min_by_key(|word| (word.0, named(word.1)));
                    last.or_else(first).map(|word| (named(word.1), Inferred::LastGroup))
                }
            };
            prop_assert_eq!(found, expected);
        }
    }
}
