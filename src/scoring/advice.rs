//! What to do next: one action from the signals, and the distance to the next stage.

use serde::{Deserialize, Serialize};

use super::card::{NO_BUYER_COVERAGE, Scorecard};
use super::model::{Model, stage_label};
use crate::usage::signal::{Fields, Value};

/// The next best action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextAction {
    /// Such as `invite_teammates`; stable, for routing and the in-app channel.
    pub key: String,
    /// One imperative sentence.
    pub text: String,
}

impl NextAction {
    fn new(key: &str, text: impl Into<String>) -> Self {
        Self { key: key.to_owned(), text: text.into() }
    }
}

/// The most useful action now. Buying signals go before set-up gaps, silence before both; a field
/// that nobody computed is no evidence.
#[must_use]
pub fn next_best_action(card: &Scorecard, fields: &Fields) -> NextAction {
    let int = |key: &str| fields.get(key).as_int();
    let at_least = |key: &str, least: i64| int(key).is_some_and(|count| count >= least);
    let paid = fields.get("paid_status").as_text() == Some("paid");
    let trial = int("trial_days_remaining");
    let whom = if card.has_flag(NO_BUYER_COVERAGE) { "the lead user" } else { "the admin" };
    if int("active_days_14d") == Some(0) && at_least("workspace_age_days", 14) {
        return NextAction::new(
            "win_back",
            "Ask what got in the way: nobody was active for 14 days",
        );
    }
    if let Some(days) = trial.filter(|days| *days <= 7 && at_least("usage_limit_hits_30d", 1)) {
        let text = format!("Call {whom} about the usage limit: the trial ends {}", in_days(days));
        return NextAction::new("call_about_limit", text);
    }
    if !paid && at_least("usage_limit_hits_30d", 1) {
        let hits = times(int("usage_limit_hits_30d").unwrap_or(1));
        return NextAction::new(
            "offer_upgrade",
            format!("Offer {whom} an upgrade: a usage limit was hit {hits} in 30 days"),
        );
    }
    if !paid && (at_least("upgrade_clicks_7d", 1) || at_least("pricing_page_views_7d", 2)) {
        return NextAction::new(
            "talk_about_plans",
            format!("Talk with {whom} about plans: pricing was on their mind this week"),
        );
    }
    if fields.get("activated") == &Value::Bool(false) {
        return NextAction::new(
            "finish_activation",
            "Help them finish activation: the key action is not done yet",
        );
    }
    if let Some(days) = trial.filter(|days| *days <= 3) {
        let text = format!("Agree on the next step with {whom}: the trial ends {}", in_days(days));
        return NextAction::new("talk_before_trial_ends", text);
    }
    if int("member_count").is_some_and(|members| members < 2) {
        return NextAction::new(
            "invite_teammates",
            "Invite 2 teammates to unlock shared workflows",
        );
    }
    if int("integrations_installed") == Some(0) {
        return NextAction::new(
            "connect_integration",
            "Connect an integration to bring the team's data in",
        );
    }
    if card.has_flag(NO_BUYER_COVERAGE) {
        return NextAction::new(
            "find_buyer",
            "Find out who decides: neither an admin nor a champion is here",
        );
    }
    if paid {
        return NextAction::new("plan_expansion", "Plan the next step together: usage is healthy");
    }
    NextAction::new("show_next_feature", "Show the next feature: usage is healthy")
}

fn in_days(days: i64) -> String {
    match days {
        ..=0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        days => format!("in {days} days"),
    }
}

fn times(count: i64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

/// How far it is to the next stage, such as "6 points to Hot PQL"; `None` in the top stage. Part of
/// a point counts as one, so that "0 points" never stands below a threshold.
#[must_use]
pub fn distance(model: &Model, score: i64) -> Option<String> {
    let (stage, missing) = model.next_stage(score)?;
    let points = missing.div_euclid(100) + i64::from(missing.rem_euclid(100) > 0);
    let unit = if points == 1 { "point" } else { "points" };
    Some(format!("{points} {unit} to {}", stage_label(&stage.key)))
}
