//! A workspace and its subscription, as the product's traits tell them.

use chrono::{DateTime, NaiveDate, Utc};

use crate::identity::domain::{Email, company_domain_of_website};
use crate::ids::WorkspaceId;
use crate::ingest::traits::Traits;

/// A tenant of the product.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Made of the external id.
    pub id: WorkspaceId,
    /// The product's id.
    pub external_id: String,
    /// What was said about it.
    pub traits: Traits,
    /// The oldest event that names it.
    pub first_seen_at: DateTime<Utc>,
}

/// What the traits of a workspace say, in the words of the signal dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of the signal dictionary")]
pub struct Facts {
    pub name: String,
    pub kind: &'static str,
    pub status: &'static str,
    pub plan_tier: Option<&'static str>,
    pub website: Option<String>,
    pub website_domain: Option<String>,
    pub billing_domain: Option<String>,
    pub sso_domain: Option<String>,
    pub seats_purchased: Option<i32>,
    /// As the product says, else the oldest event.
    pub created_at: DateTime<Utc>,
}

/// What the traits say about paying.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the columns of subscriptions")]
pub struct Subscription {
    pub status: &'static str,
    pub plan: Option<String>,
    pub billing_period: Option<&'static str>,
    pub currency: String,
    pub mrr_cents: i64,
    pub seats_purchased: Option<i32>,
    pub trial_start_on: Option<NaiveDate>,
    pub trial_end_on: Option<NaiveDate>,
    pub started_at: Option<DateTime<Utc>>,
    pub canceled_at: Option<DateTime<Utc>>,
    pub renewal_on: Option<NaiveDate>,
    pub updated_at: DateTime<Utc>,
}

const PLAN: &[&str] = &["plan", "plan_name", "plan_tier", "subscription_plan"];
const SEATS: &[&str] = &["seats", "seats_purchased", "seat_count", "licenses"];
const STATUS: &[&str] = &["subscription_status", "billing_status", "paid_status"];
const TRIAL_START: &[&str] =
    &["trial_start", "trial_started_at", "trial_starts_at", "trial_start_date"];
const TRIAL_END: &[&str] = &["trial_ends_at", "trial_end", "trial_end_date", "trial_end_at"];
const MRR: &[&str] = &["mrr", "monthly_recurring_revenue"];
const RENEWAL: &[&str] = &["renewal_date", "renews_at", "renewal_on", "current_period_end"];
const CANCELED: &[&str] = &["canceled_at", "cancelled_at"];
const PERIOD: &[&str] = &["billing_period", "billing_interval", "interval"];

impl Workspace {
    /// A workspace first heard of at `at`.
    #[must_use]
    pub fn new(id: WorkspaceId, external_id: &str, at: DateTime<Utc>) -> Self {
        Self {
            id,
            external_id: external_id.to_owned(),
            traits: Traits::default(),
            first_seen_at: at,
        }
    }

    /// What the traits say.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let traits = &self.traits;
        let website = traits.text(&["website", "url"]);
        let name =
            traits.text(&["name", "workspace_name"]).unwrap_or_else(|| self.external_id.clone());
        Facts {
            name: name.chars().take(200).collect(),
            kind: match lower(traits, &["type", "workspace_type"]).as_deref() {
                Some("sandbox" | "test" | "staging" | "demo") => "sandbox",
                Some("dev" | "development") => "dev",
                _ => "prod",
            },
            status: match lower(traits, &["status", "workspace_status"]).as_deref() {
                Some("suspended" | "disabled" | "locked" | "frozen") => "suspended",
                Some("deleted" | "archived" | "closed") => "deleted",
                _ => "active",
            },
            plan_tier: self.plan_tier(),
            website_domain: website
                .as_deref()
                .or(traits.text(&["domain"]).as_deref())
                .and_then(company_domain_of_website),
            website,
            billing_domain: traits
                .text(&["billing_domain"])
                .as_deref()
                .and_then(company_domain_of_website)
                .or_else(|| {
                    let email =
                        Email::parse(&traits.text(&["billing_email", "billing_contact_email"])?)?;
                    email.company_domain().map(str::to_owned)
                }),
            sso_domain: traits.text(&["sso_domain"]).as_deref().and_then(company_domain_of_website),
            seats_purchased: whole(traits.number(SEATS)),
            created_at: traits.time(&["created_at"]).unwrap_or(self.first_seen_at),
        }
    }

    fn plan_tier(&self) -> Option<&'static str> {
        let plan = lower(&self.traits, PLAN)?;
        let named = |names: &[&str]| names.iter().any(|name| plan.contains(name));
        if named(&["enterprise"]) {
            Some("enterprise")
        } else if named(&["trial"]) {
            Some("trial")
        } else if named(&["free", "hobby", "community"]) {
            Some("free")
        } else if named(&[
            "pro", "team", "starter", "business", "premium", "growth", "plus", "standard", "paid",
            "scale",
        ]) {
            Some("pro")
        } else {
            None
        }
    }

    /// The subscription that the traits describe, if they describe one. It has no memory and knows
    /// no time: a trial that nobody ended is still a trial, its end tells the rest.
    #[must_use]
    pub fn subscription(&self) -> Option<Subscription> {
        let traits = &self.traits;
        let tier = self.plan_tier();
        let trial_end_on = traits.time(TRIAL_END).map(|at| at.date_naive());
        let mrr_cents = cents(traits);
        let said = lower(traits, STATUS).and_then(|said| status(&said));
        let status = match (said, tier) {
            (Some(status), _) => status,
            (None, Some("trial")) => "trialing",
            (None, Some("pro" | "enterprise")) if trial_end_on.is_some() && mrr_cents == 0 => {
                "trialing"
            }
            (None, Some("pro" | "enterprise")) => "active",
            (None, _) if mrr_cents > 0 => "active",
            (None, None) if trial_end_on.is_some() => "trialing",
            (None, _) => return None,
        };
        let all = [
            PLAN,
            SEATS,
            STATUS,
            TRIAL_START,
            TRIAL_END,
            MRR,
            RENEWAL,
            CANCELED,
            PERIOD,
            &["mrr_cents", "arr", "currency"],
        ];
        Some(Subscription {
            status,
            plan: traits.text(PLAN),
            billing_period: match lower(traits, PERIOD).as_deref() {
                Some("month" | "monthly") => Some("month"),
                Some("year" | "yearly" | "annual" | "annually") => Some("year"),
                _ => None,
            },
            currency: lower(traits, &["currency"])
                .filter(|code| {
                    code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_lowercase())
                })
                .unwrap_or_else(|| "usd".to_owned()),
            mrr_cents,
            seats_purchased: whole(traits.number(SEATS)),
            trial_start_on: traits.time(TRIAL_START).map(|at| at.date_naive()),
            trial_end_on,
            started_at: traits.time(&["subscription_started_at", "subscribed_at"]),
            canceled_at: traits.time(CANCELED),
            renewal_on: traits.time(RENEWAL).map(|at| at.date_naive()),
            updated_at: traits.said_at(&all.concat()).unwrap_or(self.first_seen_at),
        })
    }
}

fn lower(traits: &Traits, names: &[&str]) -> Option<String> {
    traits.text(names).map(|text| text.to_lowercase())
}

fn status(said: &str) -> Option<&'static str> {
    Some(match said.replace([' ', '-'], "_").as_str() {
        "trialing" | "trial" | "in_trial" => "trialing",
        "active" | "paid" => "active",
        "past_due" => "past_due",
        "canceled" | "cancelled" | "churned" => "canceled",
        "unpaid" => "unpaid",
        "paused" => "paused",
        "incomplete" => "incomplete",
        "incomplete_expired" => "incomplete_expired",
        _ => return None,
    })
}

/// `mrr_cents`, else `mrr` in major units, else a twelfth of `arr`.
fn cents(traits: &Traits) -> i64 {
    let minor = traits.number(&["mrr_cents"]);
    let major = || {
        traits.number(MRR).or_else(|| Some(traits.number(&["arr"])? / 12.0)).map(|mrr| mrr * 100.0)
    };
    minor.or_else(major).map_or(0, nearest)
}

/// The nearest whole number, within what a price can be.
#[allow(clippy::as_conversions, reason = "clamped to what both types hold exactly")]
fn nearest(number: f64) -> i64 {
    number.round().clamp(0.0, 1e14) as i64
}

fn whole(number: Option<f64>) -> Option<i32> {
    number.filter(|number| *number >= 0.0).and_then(|number| i32::try_from(nearest(number)).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn workspace(traits: &Value) -> Workspace {
        let mut workspace = Workspace::new(WorkspaceId::of("w"), "w", DateTime::UNIX_EPOCH);
        workspace
            .traits
            .say_all(traits.as_object().unwrap(), "2026-01-02T00:00:00Z".parse().unwrap());
        workspace
    }

    #[test]
    fn traits_of_a_segment_group_call() {
        let workspace = workspace(&json!({
            "name": "Acme Engineering", "plan": "trial", "website": "https://www.acme.com/about",
            "createdAt": "2026-01-02T03:05:00Z", "trial_ends_at": "2026-01-16T00:00:00Z", "seats": "25",
        }));
        let facts = workspace.facts();
        assert_eq!((facts.plan_tier, facts.seats_purchased), (Some("trial"), Some(25)));
        assert_eq!(facts.website_domain.as_deref(), Some("acme.com"));
        assert_eq!(facts.created_at, "2026-01-02T03:05:00Z".parse::<DateTime<Utc>>().unwrap());
        let subscription = workspace.subscription().unwrap();
        assert_eq!(
            (subscription.status, subscription.trial_end_on),
            ("trialing", "2026-01-16".parse().ok())
        );
    }

    #[test]
    fn money_in_major_and_minor_units() {
        for traits in [
            json!({"plan": "pro", "mrr": 49.99}),
            json!({"mrr_cents": 4999}),
            json!({"plan": "Team", "arr": "599.88"}),
        ] {
            let subscription = workspace(&traits).subscription().unwrap();
            assert_eq!((subscription.mrr_cents, subscription.status), (4999, "active"), "{traits}");
        }
    }

    #[test]
    fn no_subscription_without_a_word_about_paying() {
        assert_eq!(workspace(&json!({"name": "x"})).subscription(), None);
        assert_eq!(workspace(&json!({"plan": "free"})).subscription(), None);
        assert_eq!(
            workspace(&json!({"plan": "free", "subscription_status": "canceled"}))
                .subscription()
                .unwrap()
                .status,
            "canceled"
        );
    }
}
