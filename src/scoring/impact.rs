//! What a draft would do: who changes stage, and by how much scores move. Pure.

use std::collections::BTreeMap;

use super::model::{Model, NOT_PQL};
use crate::ids::WorkspaceId;

/// A workspace's score and stage under a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Hundredths.
    pub score: i32,
    /// A key of the model, or `not_pql`.
    pub stage: String,
}

/// A workspace that a draft moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Which one.
    pub workspace: WorkspaceId,
    /// As it stands.
    pub before: Standing,
    /// As the draft would have it.
    pub after: Standing,
}

impl Move {
    fn size(&self) -> u32 {
        self.before.score.abs_diff(self.after.score)
    }
}

/// A stage and how many workspaces are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageCount {
    /// `hot_pql` .. `not_pql`.
    pub stage: String,
    /// As they stand.
    pub now: usize,
    /// As the draft would have it.
    pub then: usize,
}

impl StageCount {
    /// `then - now`.
    #[must_use]
    pub fn change(&self) -> i64 {
        i64::try_from(self.then).unwrap_or(i64::MAX) - i64::try_from(self.now).unwrap_or(0)
    }
}

/// So many workspaces are named in [`Impact::most_moved`].
const NAMED: usize = 20;

/// The effect of a draft on all workspaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impact {
    /// Scores as they stand, in hundredths.
    pub now: Vec<i32>,
    /// Scores as the draft would have them, in the same order.
    pub then: Vec<i32>,
    /// The highest stage first, `not_pql` last.
    pub stages: Vec<StageCount>,
    /// How many change from one stage to another, the largest group first.
    pub changes: Vec<(String, String, usize)>,
    /// How many rise to a higher stage.
    pub up: usize,
    /// How many fall to a lower one.
    pub down: usize,
    /// Those whose score or stage moves: stage changes first, then by the size of the move.
    pub most_moved: Vec<Move>,
}

impl Impact {
    /// How many workspaces change stage.
    #[must_use]
    pub fn changing(&self) -> usize {
        self.up + self.down
    }

    /// How many workspaces have a score.
    #[must_use]
    pub fn workspaces(&self) -> usize {
        self.now.len()
    }
}

/// Adds up what a draft does to every workspace.
#[must_use]
pub fn impact(draft: &Model, moves: impl IntoIterator<Item = Move>) -> Impact {
    let mut ranks: Vec<String> = vec![NOT_PQL.to_owned()];
    ranks.extend(draft.stages.iter().map(|stage| stage.key.clone()));
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut changes: BTreeMap<(String, String), usize> = BTreeMap::new();
    let (mut now, mut then, mut named) = (Vec::new(), Vec::new(), Vec::new());
    let (mut up, mut down) = (0, 0);
    for one in moves {
        now.push(one.before.score);
        then.push(one.after.score);
        counts.entry(one.before.stage.clone()).or_default().0 += 1;
        counts.entry(one.after.stage.clone()).or_default().1 += 1;
        if one.before.stage != one.after.stage {
            // A stage that the draft no longer has ranks below all that it has.
            let rank = |stage: &str| ranks.iter().position(|known| known == stage);
            if rank(&one.after.stage) > rank(&one.before.stage) {
                up += 1
            } else {
                down += 1
            }
            let pair = (one.before.stage.clone(), one.after.stage.clone());
            *changes.entry(pair).or_default() += 1;
        }
        if one.before != one.after {
            named.push(one);
            if named.len() >= NAMED * 50 {
                keep_largest(&mut named);
            }
        }
    }
    keep_largest(&mut named);
    let mut changes: Vec<_> = changes.into_iter().map(|((from, to), n)| (from, to, n)).collect();
    changes.sort_by_key(|(_, _, n)| std::cmp::Reverse(*n));
    for stage in counts.keys() {
        if !ranks.contains(stage) {
            ranks.push(stage.clone());
        }
    }
    let stages = ranks.into_iter().rev().map(|stage| {
        let (now, then) = counts.get(&stage).copied().unwrap_or_default();
        StageCount { stage, now, then }
    });
    Impact { stages: stages.collect(), now, then, changes, up, down, most_moved: named }
}

fn keep_largest(moves: &mut Vec<Move>) {
    moves.sort_by_key(|one| {
        let stays = one.before.stage == one.after.stage;
        (stays, std::cmp::Reverse(one.size()), one.workspace)
    });
    moves.truncate(NAMED);
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::presets;
    use super::*;

    fn moved(id: u128, before: (i32, &str), after: (i32, &str)) -> Move {
        let standing = |(score, stage): (i32, &str)| Standing { score, stage: stage.to_owned() };
        Move {
            workspace: WorkspaceId(Uuid::from_u128(id)),
            before: standing(before),
            after: standing(after),
        }
    }

    #[test]
    fn it_counts_who_goes_up_and_who_goes_down() {
        let impact = impact(
            &presets::published_recipe(),
            [
                moved(1, (7_800, "pql"), (7_800, "hot_pql")),
                moved(2, (8_100, "hot_pql"), (4_000, "not_pql")),
                moved(3, (1_000, "not_pql"), (1_000, "not_pql")),
                moved(4, (7_900, "pql"), (7_900, "hot_pql")),
            ],
        );
        assert_eq!((impact.up, impact.down, impact.changing(), impact.workspaces()), (2, 1, 3, 4));
        assert_eq!(impact.changes.first(), Some(&("pql".to_owned(), "hot_pql".to_owned(), 2)));
        let hot = impact.stages.first().unwrap();
        assert_eq!((hot.stage.as_str(), hot.now, hot.then, hot.change()), ("hot_pql", 1, 2, 1));
        assert_eq!(impact.stages.last().unwrap().stage, "not_pql");
        let ids: Vec<u128> =
            impact.most_moved.iter().map(|one| one.workspace.0.as_u128()).collect();
        assert_eq!(ids, [2, 1, 4]);
    }

    #[test]
    fn it_names_the_largest_of_many() {
        let many =
            (1..5_000).map(|n| moved(n, (0, "not_pql"), (i32::try_from(n).unwrap(), "not_pql")));
        let impact = impact(&presets::published_recipe(), many);
        assert_eq!(impact.most_moved.len(), NAMED);
        assert_eq!(impact.most_moved.first().unwrap().after.score, 4_999);
    }
}
