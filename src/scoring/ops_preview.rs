//! What a draft would do to every workspace, computed by the engine that will do it.

use chrono::NaiveDate;
use diesel::PgConnection;
use uuid::Uuid;

use super::batch;
use super::compiled::CompiledModel;
use super::impact::{self, Impact, Move, Standing};
use super::model::Model;
use super::store_scores;
use crate::error::Result;
use crate::ids::WorkspaceId;

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
