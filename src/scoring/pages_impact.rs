//! What a draft of the model would do, as its template sees it: a histogram, stages, who moves most.

use super::impact::Impact;
use super::model::{Model, stage_label};
use super::store_scores::Named;
use crate::web::charts::{Band, Histogram, bins};
use crate::web::format;

/// A stage before and after.
pub(super) struct StageLine {
    pub stage: String,
    pub label: String,
    pub now: String,
    pub then: String,
    /// `+22`; empty when nothing changes.
    pub change: String,
}

/// A workspace before and after.
pub(super) struct MovedLine {
    pub id: String,
    pub name: String,
    pub from: String,
    pub to: String,
    pub before: i32,
    pub after: i32,
}

/// What a draft does, for its block.
pub(super) struct ImpactView {
    pub histogram: Histogram,
    pub stages: Vec<StageLine>,
    /// "12 workspaces change stage: 9 up, 3 down."
    pub summary: String,
    /// "9 from PQL to Hot PQL".
    pub changes: Vec<String>,
    pub moved: Vec<MovedLine>,
}

impl ImpactView {
    pub fn new(impact: &Impact, model: &Model, names: &[Named], has_draft: bool) -> Self {
        let bands: Vec<Band> = model
            .stages
            .iter()
            .map(|stage| Band {
                key: stage.key.clone(),
                label: stage_label(&stage.key),
                min: i32::try_from(stage.min_hundredths()).unwrap_or(0),
            })
            .collect();
        let now = bins(impact.now.iter().copied());
        let then = bins(impact.then.iter().copied());
        let note = format::count(count(impact.workspaces()), "workspace", "workspaces");
        let draft = has_draft.then_some(&then);
        let name = |id| names.iter().find(|one| one.workspace_id == id).map(|one| one.name.clone());
        Self {
            histogram: Histogram::new(
                "scores",
                "Scores of all workspaces",
                note,
                &now,
                draft,
                &bands,
            ),
            stages: impact
                .stages
                .iter()
                .map(|one| StageLine {
                    stage: one.stage.clone(),
                    label: stage_label(&one.stage),
                    now: format::grouped(count(one.now)),
                    then: format::grouped(count(one.then)),
                    change: match one.change() {
                        0 => String::new(),
                        less if less < 0 => format!("−{}", format::grouped(-less)),
                        more => format!("+{}", format::grouped(more)),
                    },
                })
                .collect(),
            summary: summary(impact, has_draft),
            changes: impact
                .changes
                .iter()
                .map(|(from, to, n)| {
                    let n = format::grouped(count(*n));
                    format!("{n} from {} to {}", stage_label(from), stage_label(to))
                })
                .collect(),
            moved: impact
                .most_moved
                .iter()
                .map(|one| MovedLine {
                    id: one.workspace.to_string(),
                    name: name(one.workspace).unwrap_or_else(|| one.workspace.to_string()),
                    from: one.before.stage.clone(),
                    to: one.after.stage.clone(),
                    before: one.before.score,
                    after: one.after.score,
                })
                .collect(),
        }
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn summary(impact: &Impact, has_draft: bool) -> String {
    if !has_draft {
        return "Change a number to see what it would do.".to_owned();
    }
    match impact.changing() {
        0 => "No workspace changes stage.".to_owned(),
        n => format!(
            "{} {} stage: {} up, {} down.",
            format::count(count(n), "workspace", "workspaces"),
            if n == 1 { "changes" } else { "change" },
            format::grouped(count(impact.up)),
            format::grouped(count(impact.down)),
        ),
    }
}
