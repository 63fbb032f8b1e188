//! What was agreed: the noun that every way in writes.

use chrono::{DateTime, NaiveDate, Utc};

use super::agreement::Said;
use crate::ids::WorkspaceId;

/// How the id begins of a subscription that a workspace's traits tell of.
pub const BY_TRAITS: &str = "traits:";

/// Where a subscription is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Traits of `group()` calls.
    Traits,
    /// The API, files, signed events: somebody's own system says it.
    Api,
    /// Stripe's webhooks.
    Stripe,
}

impl Origin {
    /// The word in the database and in the API.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Traits => "traits",
            Self::Api => "api",
            Self::Stripe => "stripe",
        }
    }
}

/// Every status, in Stripe's words.
pub const STATUSES: [&str; 8] = [
    "trialing",
    "active",
    "past_due",
    "canceled",
    "unpaid",
    "paused",
    "incomplete",
    "incomplete_expired",
];

/// The status that a word means: Stripe's own, and what products say instead.
#[must_use]
pub fn status_named(said: &str) -> Option<&'static str> {
    let said = said.trim().to_lowercase().replace([' ', '-'], "_");
    Some(match said.as_str() {
        "trial" | "in_trial" => "trialing",
        "paid" => "active",
        "cancelled" | "churned" => "canceled",
        exact => STATUSES.iter().find(|status| **status == exact)?,
    })
}

/// Whether a status is paid for: only these have MRR.
#[must_use]
pub fn is_paying(status: &str) -> bool {
    matches!(status, "active" | "past_due")
}

/// The billing period that a word means.
#[must_use]
pub fn period_named(said: &str) -> Option<&'static str> {
    match said.trim().to_lowercase().as_str() {
        "month" | "monthly" => Some("month"),
        "year" | "yearly" | "annual" | "annually" => Some("year"),
        _ => None,
    }
}

/// The nearest whole number, within what a price can be.
#[must_use]
#[allow(clippy::as_conversions, reason = "clamped to what both types hold exactly")]
pub fn nearest(number: f64) -> i64 {
    number.round().clamp(0.0, 1e14) as i64
}

/// A subscription as somebody says that it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// One of [`STATUSES`].
    pub status: &'static str,
    /// The plan's name.
    pub plan: Option<String>,
    /// `month` or `year`.
    pub billing_period: Option<&'static str>,
    /// ISO 4217, in small letters.
    pub currency: String,
    /// Monthly recurring revenue in minor units of the currency.
    pub mrr_cents: i64,
    /// Seats bought.
    pub seats_purchased: Option<i32>,
    /// The trial's first day.
    pub trial_start_on: Option<NaiveDate>,
    /// The trial's last day.
    pub trial_end_on: Option<NaiveDate>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, or was cancelled.
    pub canceled_at: Option<DateTime<Utc>>,
    /// The day on which it will end, where that is settled.
    pub ends_on: Option<NaiveDate>,
    /// The next renewal.
    pub renewal_on: Option<NaiveDate>,
    /// Who pays, in the words of the billing system.
    pub customer_id: Option<String>,
    /// What the MRR leaves out, see the column's comment.
    pub flags: Vec<String>,
}

impl Terms {
    /// A subscription of this status of which nothing else is known.
    #[must_use]
    pub fn new(status: &'static str) -> Self {
        Self {
            status,
            plan: None,
            billing_period: None,
            currency: "usd".to_owned(),
            mrr_cents: 0,
            seats_purchased: None,
            trial_start_on: None,
            trial_end_on: None,
            started_at: None,
            canceled_at: None,
            ends_on: None,
            renewal_on: None,
            customer_id: None,
            flags: Vec::new(),
        }
    }

    /// The first day on which there was anything: nobody knows it of a subscription without dates.
    #[must_use]
    pub fn began_on(&self) -> Option<NaiveDate> {
        self.trial_start_on.into_iter().chain(self.started_at.map(|at| at.date_naive())).min()
    }
}

/// What a record says of a subscription of a workspace, and since when that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The billing system's id.
    pub id: String,
    /// The product's id of the workspace.
    pub workspace: String,
    /// The fields that it names.
    pub said: Said,
    /// Since when this holds: the newer word about a field wins.
    pub said_at: DateTime<Utc>,
}

/// A subscription as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The billing system's id.
    pub id: String,
    /// Whose.
    pub workspace: WorkspaceId,
    /// What was agreed.
    pub terms: Terms,
    /// Where it is known from.
    pub origin: Origin,
    /// When this was said.
    pub said_at: DateTime<Utc>,
}

/// What a subscription was from a moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub id: String,
    /// From when on.
    pub at: DateTime<Utc>,
    /// Which of the words of one moment; mostly empty.
    pub key: String,
    /// The order within one moment.
    pub place: i16,
    /// What it was.
    pub terms: Terms,
    /// Who said so.
    pub origin: Origin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_by_their_own_and_by_other_names() {
        for status in STATUSES {
            assert_eq!(status_named(status), Some(status));
        }
        assert_eq!(status_named("Past Due"), Some("past_due"));
        assert_eq!(status_named("cancelled"), Some("canceled"));
        assert_eq!(status_named("gone"), None);
    }
}
