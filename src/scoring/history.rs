//! The score of a past day, as a line of history.

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

/// The score of one day, exactly what the engine says on that day about what is known then. Usage in
/// the order of days; those after `day` do not exist.
#[must_use]
pub fn score_on(
    model: &CompiledModel,
    workspace_id: WorkspaceId,
    known: &Known<'_>,
    day: NaiveDate,
) -> DayScore {
    // A day costs what had happened by then.
    let until = known.usage.partition_point(|one| one.day <= day);
    let usage = known.usage.get(..until).unwrap_or_default();
    let facts = Facts::of(model, &Known { usage, ..*known }, day);
    let tally = tally(model, &facts.world(workspace_id, usage), day);
    let stage = model.model().stage_of(tally.score).to_owned();
    DayScore { day, score: tally.score, stage, categories: tally.categories }
}
