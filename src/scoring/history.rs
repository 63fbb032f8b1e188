//! Replay: the scores of past days, as the model gives them from what is known today.

use chrono::NaiveDate;

use super::compiled::CompiledModel;
use super::engine::tally;
use super::evaluate::Facts;
use crate::ids::WorkspaceId;
use crate::usage::compute::Known;

/// The score of one past day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayScore {
    /// The UTC day.
    pub day: NaiveDate,
    /// Hundredths.
    pub score: i64,
    /// `not_pql` or a stage of the model.
    pub stage: String,
    /// Hundredths per category, in the model's order.
    pub categories: Vec<i64>,
}

/// The scores of `days`, each exactly what the engine would have said on that day about the same
/// usage and memberships. Attributes and subscriptions stand as they are known today.
pub fn replay(
    model: &CompiledModel,
    workspace_id: WorkspaceId,
    known: &Known<'_>,
    days: impl IntoIterator<Item = NaiveDate>,
) -> Vec<DayScore> {
    let mut usage = known.usage.to_vec();
    usage.sort_by_key(|day| day.day);
    let scored = days.into_iter().map(|day| {
        // A day costs what had happened by then.
        let until = usage.partition_point(|one| one.day <= day);
        let usage = usage.get(..until).unwrap_or_default();
        let facts = Facts::of(model, &Known { usage, ..*known }, day);
        let tally = tally(model, &facts.world(workspace_id, usage), day);
        let stage = model.model.stage_of(tally.score).to_owned();
        DayScore { day, score: tally.score, stage, categories: tally.categories }
    });
    scored.collect()
}
