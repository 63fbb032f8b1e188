//! A decision as people read it: why this rule, why this rep, why not me. A piece for any page,
//! `{{ decision }}`, made from the stored record alone.

use askama::Template;

use super::record::{Record, last_assigned};
use super::rule::Destination;
use super::store_log::Decided;
use crate::error::{Error, Result};
use crate::ids::{DecisionId, WorkspaceId};
use crate::web::format::{self, Moment};
use crate::web::permit::Viewer;

/// One decision, folded: the outcome in a line, the whole record behind it.
#[derive(Template)]
#[template(path = "routing/explained.html")]
pub struct Explained {
    id: DecisionId,
    workspace_id: WorkspaceId,
    workspace: String,
    /// Whether the workspace is named: not on its own page.
    names_workspace: bool,
    at: Moment,
    score: i32,
    rule: String,
    version: i32,
    destination: &'static str,
    owner: Option<String>,
    unowned_reason: Option<String>,
    above: Vec<(String, String)>,
    steps: Vec<StepLine>,
    overlays: String,
    notes: Vec<String>,
    why_not_me: Option<String>,
}

// Its own template has escaped it.
impl askama::filters::HtmlSafe for Explained {}

/// One owner strategy.
struct StepLine {
    way: String,
    note: Option<String>,
    people: Vec<(String, String)>,
}

impl Explained {
    /// The decision for this reader; on a workspace's own page it is not named again.
    ///
    /// # Errors
    /// Internal when the stored record can't be read.
    pub fn new(decided: Decided, viewer: &Viewer, names_workspace: bool) -> Result<Self> {
        let record: Record = serde_json::from_value(decided.trace).map_err(Error::internal)?;
        let destination = Destination::from_key(&decided.destination).unwrap_or(Destination::None);
        let when = |at| format::absolute(at, viewer.zone);
        let why_not_me = destination
            .is_human()
            .then(|| record.why_not(viewer.member, decided.owner_id, when))
            .filter(|_| viewer.role == crate::web::role::Role::Rep);
        let above = record
            .lines
            .iter()
            .filter(|line| line.rule != record.rule)
            .map(|line| (line.name.clone(), line.words()))
            .collect();
        let steps = record
            .steps
            .iter()
            .map(|step| StepLine {
                way: step.strategy.words(),
                note: step.note.clone(),
                people: step
                    .candidates
                    .iter()
                    .map(|one| {
                        let chosen = step.chosen == Some(one.member);
                        let why = match (&one.excluded, one.turn) {
                            (Some(excluded), _) => excluded.words(),
                            (None, Some(turn)) => {
                                let last = last_assigned(one, when);
                                let mark = if chosen { "chosen" } else { "eligible" };
                                format!("{mark}, number {turn} in the round robin, {last}")
                            }
                            (None, None) if chosen => "chosen".to_owned(),
                            (None, None) => "eligible, not the turn".to_owned(),
                        };
                        (one.name.clone(), why)
                    })
                    .collect(),
            })
            .collect();
        let overlays: Vec<&str> = record.overlays.iter().map(|channel| channel.label()).collect();
        Ok(Self {
            id: decided.id,
            workspace_id: decided.workspace_id,
            workspace: decided.workspace,
            names_workspace,
            at: format::moment(decided.decided_at, viewer.now, viewer.zone),
            score: decided.score,
            rule: decided.rule_name,
            version: decided.rule_set_version,
            destination: destination.label(),
            owner: decided.owner,
            unowned_reason: decided.unowned_reason,
            above,
            steps,
            overlays: overlays.join(", "),
            notes: record.notes,
            why_not_me,
        })
    }
}
