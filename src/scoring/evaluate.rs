//! From what is known about a workspace to its scorecard and fields: what the scorer, the preview
//! and the backtest call.

use chrono::NaiveDate;

use super::advice;
use super::card::{NO_BUYER_COVERAGE, Scorecard};
use super::change::{Steps, Stored, change};
use super::compiled::CompiledModel;
use super::engine::{World, score};
use super::points::as_points;
use crate::ids::WorkspaceId;
use crate::usage::compute::{Known, member_fields, workspace_fields};
use crate::usage::day::UsageDay;
use crate::usage::facts::Member;
use crate::usage::signal::Fields;

/// A score with the fields it was computed from; the score's own fields are among them.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The scorecard, with reasons and the next best action.
    pub card: Scorecard,
    /// The dictionary's fields as of the day, but for ownership, anomalies and score changes.
    pub fields: Fields,
}

/// The facts of one day, ready for the engine.
pub(super) struct Facts {
    pub fields: Fields,
    pub members: Vec<Member>,
}

impl Facts {
    /// The facts as of a day; member signals only when the model asks for them.
    pub fn of(model: &CompiledModel, known: &Known<'_>, as_of: NaiveDate) -> Self {
        let fields = workspace_fields(known, as_of);
        let mut members = known.members.to_vec();
        if model.asks_member_signals() {
            let mut signals = member_fields(known, as_of);
            for member in &mut members {
                member.signals.extend(signals.remove(&member.id).unwrap_or_default());
            }
        }
        Self { fields, members }
    }

    pub fn world<'a>(&'a self, workspace_id: WorkspaceId, usage: &'a [UsageDay]) -> World<'a> {
        World {
            workspace_id,
            fields: &self.fields,
            members: &self.members,
            usage,
            suggest_champions: true,
        }
    }
}

/// The evaluation of a workspace as of a day.
#[must_use]
pub fn evaluate(
    model: &CompiledModel,
    workspace_id: WorkspaceId,
    known: &Known<'_>,
    as_of: NaiveDate,
) -> Evaluation {
    let facts = Facts::of(model, known, as_of);
    let card = score(model, &facts.world(workspace_id, known.usage), as_of);
    finish(card, facts)
}

fn finish(mut card: Scorecard, facts: Facts) -> Evaluation {
    let mut fields = facts.fields;
    card.next_best_action = Some(advice::next_best_action(&card, &fields));
    fields.extend(score_fields(&card));
    Evaluation { card, fields }
}

/// The same, with the difference to the day before, given what is known of both days: the earlier one
/// may be left out where there is none. Scores four times: meant for one workspace at a time, or for the
/// few that changed.
#[must_use]
pub fn evaluate_with_change(
    model: &CompiledModel,
    workspace_id: WorkspaceId,
    (before, known): (Option<&Known<'_>>, &Known<'_>),
    as_of: NaiveDate,
    stored: Option<Stored>,
) -> Evaluation {
    let facts = Facts::of(model, known, as_of);
    let mut today = score(model, &facts.world(workspace_id, known.usage), as_of);
    if let (Some(before), Some(day)) = (before, as_of.pred_opt()) {
        let usage: Vec<UsageDay> =
            known.usage.iter().filter(|one| one.day <= day).copied().collect();
        let then = Facts::of(model, before, day);
        // People as they were, a day later; the workspace's own state is compared as a whole.
        let people = Facts::of(model, &Known { members: before.members, ..*known }, as_of);
        let aged = Facts { fields: facts.fields.clone(), members: people.members };
        let steps = Steps {
            yesterday: &score(model, &then.world(workspace_id, &usage), day),
            aged: &score(model, &aged.world(workspace_id, &usage), as_of),
            quiet: &score(model, &facts.world(workspace_id, &usage), as_of),
            today: &today,
        };
        today.change = Some(change(stored, &steps));
    }
    finish(today, facts)
}

/// The fields that a scorecard gives: score, stage, categories and buyer coverage, in points.
#[must_use]
pub fn score_fields(card: &Scorecard) -> Fields {
    let mut fields = Fields::new();
    fields.set("pql_score", as_points(card.score));
    fields.set("pql_stage", card.stage.as_str());
    fields.set("no_buyer_coverage", card.has_flag(NO_BUYER_COVERAGE));
    for category in &card.categories {
        fields.set(format!("score_{}", category.key), as_points(category.points));
    }
    fields
}
