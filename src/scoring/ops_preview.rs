//! What a draft would do to every workspace, computed by the engine that will do it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::PgConnection;
use uuid::Uuid;

use super::batch;
use super::case::{Case, Ground};
use super::compiled::CompiledModel;
use super::impact::{self, Impact, Move, Standing};
use super::model::{Model, Stage};
use super::store_scores;
use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};
use crate::usage::day::{Names, UsageDay};
use crate::usage::taxonomy::{CatalogEvent, Taxonomy};

/// Workspaces loaded at a time: bounds the memory.
const CHUNK: i64 = 500;

/// How many workspaces a preview has to look at.
///
/// # Errors
/// When the database fails.
pub fn size(conn: &mut PgConnection) -> Result<i64> {
    store_scores::scored_count(conn)
}

/// Whether two models give equal scores, so that only the stages can differ: then a preview needs
/// no engine.
#[must_use]
pub fn differ_only_in_stages(current: &Model, draft: &Model) -> bool {
    let moved =
        Model { stages: current.stages.clone(), name: current.name.clone(), ..draft.clone() };
    moved == *current
}

/// The effect of `draft` on every workspace that has a score, as of `today`. Exact: publishing the
/// draft and scoring everything gives these scores and stages, as long as nothing new happens.
///
/// # Errors
/// When the database fails or the draft can't be compiled.
pub fn preview(
    conn: &mut PgConnection,
    current: &Model,
    draft: &Model,
    today: NaiveDate,
) -> Result<Impact> {
    let engine_needed = !differ_only_in_stages(current, draft);
    let mut moves = Vec::new();
    let mut after = WorkspaceId(Uuid::nil());
    let mut ground = if engine_needed { Some(batch::ground(conn)?) } else { None };
    let model = match &mut ground {
        Some(ground) => Some(CompiledModel::new(draft.clone(), 0, &mut ground.names)?),
        None => None,
    };
    loop {
        let standings = store_scores::standings_after(conn, after, CHUNK)?;
        let Some((last, ..)) = standings.last() else { break };
        after = *last;
        let ids: Vec<WorkspaceId> = standings.iter().map(|(id, ..)| *id).collect();
        let cases = match &mut ground {
            Some(ground) => batch::cases(conn, ground, &ids)?,
            None => Vec::new(),
        };
        let mut cases = cases.iter().peekable();
        for (workspace, score, stage) in standings {
            let case = cases.next_if(|case| case.id == workspace);
            let then = match (case, &ground, &model) {
                (Some(case), Some(ground), Some(model)) => {
                    let card = case.on(ground, model, today).card;
                    i32::try_from(card.score).unwrap_or(score)
                }
                _ => score,
            };
            let reached = draft.stage_of(i64::from(then)).to_owned();
            moves.push(Move {
                workspace,
                before: Standing { score, stage },
                after: Standing { score: then, stage: reached },
            });
        }
    }
    Ok(impact::impact(draft, moves))
}

/// A usage day that another catalog would count otherwise: so much more, or less.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the columns of usage_days")]
pub struct Recounted {
    pub user: UserId,
    pub event: String,
    pub feature: String,
    pub day: NaiveDate,
    pub events: i64,
    pub value: f64,
}

/// How many workspaces would be in another stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// In a higher one.
    pub up: i64,
    /// In a lower one.
    pub down: i64,
}

/// What another catalog would do to these workspaces as of `today`: `events` are its events, `days`
/// what it counts otherwise. Visitors stitched to a user count as themselves here.
///
/// # Errors
/// When the database fails.
pub fn recounted(
    conn: &mut PgConnection,
    events: &[CatalogEvent],
    workspaces: &BTreeSet<WorkspaceId>,
    days: &BTreeMap<WorkspaceId, Vec<Recounted>>,
    today: NaiveDate,
) -> Result<Moves> {
    let mut ground = batch::ground(conn)?;
    let after = Taxonomy::new(events, &ground.key_features, &mut ground.names);
    let ids: Vec<WorkspaceId> = workspaces.iter().copied().collect();
    let mut cases = batch::cases(conn, &mut ground, &ids)?;
    let mut moves = Moves::default();
    let ranks = |ground: &Ground, cases: &[Case]| -> Vec<Option<i64>> {
        let Some(model) = ground.model_on(today) else { return Vec::new() };
        let rank = |case: &Case| {
            let score = case.on(ground, model, today).card.score;
            let stages = &model.model().stages;
            let stage = model.model().stage_of(score);
            stages.iter().find(|one| one.key == stage).map(Stage::min_hundredths)
        };
        cases.iter().map(rank).collect()
    };
    let was = ranks(&ground, &cases);
    ground.taxonomy = after;
    for case in &mut cases {
        for more in days.get(&case.id).into_iter().flatten() {
            recount(case, more, &mut ground.names);
        }
        case.usage.sort_by_key(|usage| usage.day);
    }
    for (was, is) in was.into_iter().zip(ranks(&ground, &cases)) {
        moves.up += i64::from(is > was);
        moves.down += i64::from(is < was);
    }
    Ok(moves)
}

fn recount(case: &mut Case, more: &Recounted, names: &mut Names) {
    let event = names.intern(&more.event);
    let feature = (!more.feature.is_empty()).then(|| names.intern(&more.feature));
    let same = |usage: &&mut UsageDay| {
        (usage.user, usage.event, usage.feature, usage.day) == (more.user, event, feature, more.day)
    };
    match case.usage.iter_mut().find(same) {
        Some(usage) => {
            usage.count = usage.count.saturating_add(more.events);
            usage.value += more.value;
        }
        None => case.usage.push(UsageDay {
            user: more.user,
            event,
            feature,
            day: more.day,
            count: more.events,
            value: more.value,
        }),
    }
}
