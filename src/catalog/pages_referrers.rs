//! Who refers to an event by its key: what would be left pointing at nothing.

use diesel::PgConnection;

use crate::error::Result;
use crate::scoring::model::RuleKind;
use crate::scoring::ops_models;
use crate::usage::taxonomy::SIGNAL_EVENTS;

/// Events by which Ripen tells who is in a workspace and on which plan.
const READ_BY_RIPEN: [&str; 4] =
    ["workspace_created", "invite_accepted", "account_removed_user", "trial_started"];

/// In words, each once; empty when nobody does.
pub(super) fn of(conn: &mut PgConnection, key: &str) -> Result<Vec<String>> {
    let mut referrers = Vec::new();
    match ops_models::desk(conn) {
        Ok(desk) => {
            let models = [
                Some((&desk.current.model, "the scoring model in force")),
                desk.draft.as_ref().map(|draft| (&draft.model, "the draft of the scoring model")),
            ];
            for (model, what) in models.into_iter().flatten() {
                for rule in &model.rules {
                    if matches!(&rule.kind, RuleKind::Event { event, .. } if event == key) {
                        referrers.push(format!("the rule “{}” of {what}", rule.label));
                    }
                }
            }
        }
        Err(crate::error::Error::NotFound) => {}
        Err(other) => return Err(other),
    }
    if SIGNAL_EVENTS.contains(&key) {
        referrers.push("signals, which scoring, routing and filters read".to_owned());
    }
    if READ_BY_RIPEN.contains(&key) {
        referrers.push("Ripen itself, which learns from it who is in a workspace".to_owned());
    }
    Ok(referrers)
}
