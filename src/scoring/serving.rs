//! From an evaluation to the rows that pages read. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::Value as Json;

use super::case::Case;
use super::evaluate::Evaluation;
use super::store_accounts::AccountServing;
use super::store_scores::{PastDay, Serving};
use crate::error::{Error, Result};
use crate::ids::AccountId;
use crate::usage::signal::{Fields, Value};

/// So many days stand in the sparkline of a list.
const SPARKLINE_DAYS: u64 = 30;

/// The serving copy of a workspace: its card and signals whole, and the columns of lists.
pub(super) fn row(
    case: &Case,
    evaluation: &Evaluation,
    line: &BTreeMap<NaiveDate, PastDay>,
    stage_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Serving> {
    let (card, fields) = (&evaluation.card, &evaluation.fields);
    let days_ago = |days: u64| card.as_of.checked_sub_days(Days::new(days));
    let score_of = |days: u64| Some(line.get(&days_ago(days)?)?.score);
    let mut signals = fields.clone();
    for (key, days) in [("score_change_1d", 1), ("score_change_7d", 7)] {
        let before = score_of(days).map(|before| card.score - i64::from(before));
        signals.set(key, before.map(super::points::as_points));
    }
    // Nothing looks for anomalies yet, so none is open.
    signals.set("has_open_anomaly", false);
    let from = days_ago(SPARKLINE_DAYS - 1).unwrap_or(card.as_of);
    Ok(Serving {
        workspace_id: case.id,
        as_of: card.as_of,
        model_version: int(card.model.version)?,
        score: int(card.score)?,
        stage: card.stage.clone(),
        stage_since,
        score_1d: score_of(1),
        score_7d: score_of(7),
        lead_user_id: card.lead_user.as_ref().map(|lead| lead.user_id),
        flags: card.flags.clone(),
        reasons: card.reasons.clone(),
        next_best_action: card.next_best_action.as_ref().map(|action| action.text.clone()),
        card: json(card)?,
        signals: json(&signals)?,
        sparkline: line.range(from..=card.as_of).map(|(_, day)| day.score).collect(),
        plan_tier: text(fields, "plan_tier"),
        paid_status: text(fields, "paid_status"),
        trial_end_on: date(fields, "trial_end_date"),
        icp_fit_tier: text(fields, "icp_fit_tier"),
        wau: count(fields, "wau"),
        member_count: count(fields, "member_count"),
        seats: count(fields, "seat_count_total"),
        high_intent_14d: count(fields, "high_intent_events_14d"),
        last_active_at: time(fields, "last_active_at"),
        scored_at: now,
        account_id: case.account_id,
    })
}

/// The serving copy of an account.
pub(super) fn account_row(
    account_id: AccountId,
    evaluation: &Evaluation,
    workspaces: usize,
    best_workspace_score: i32,
    now: DateTime<Utc>,
) -> Result<AccountServing> {
    Ok(AccountServing {
        account_id,
        as_of: evaluation.card.as_of,
        score: int(evaluation.card.score)?,
        stage: evaluation.card.stage.clone(),
        workspaces: i32::try_from(workspaces).map_err(Error::internal)?,
        best_workspace_score,
        card: json(&evaluation.card)?,
        scored_at: now,
    })
}

/// A number of the engine as the database keeps it.
pub(super) fn int(number: i64) -> Result<i32> {
    i32::try_from(number).map_err(Error::internal)
}

fn json(value: &impl serde::Serialize) -> Result<Json> {
    serde_json::to_value(value).map_err(Error::internal)
}

fn text(fields: &Fields, key: &str) -> Option<String> {
    fields.get(key).as_text().map(str::to_owned)
}

fn date(fields: &Fields, key: &str) -> Option<NaiveDate> {
    if let Value::Date(date) = fields.get(key) { Some(*date) } else { None }
}

fn time(fields: &Fields, key: &str) -> Option<DateTime<Utc>> {
    if let Value::Time(time) = fields.get(key) { Some(*time) } else { None }
}

fn count(fields: &Fields, key: &str) -> i32 {
    let count = fields.get(key).as_int().unwrap_or(0);
    i32::try_from(count).unwrap_or(i32::MAX)
}
