//! A workspace, as the product's traits tell it.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::identity::domain::{Email, company_domain, company_domain_of_website};
use crate::ids::WorkspaceId;
use crate::ingest::traits::Traits;
use crate::plans::plan::{Plan, PlanList};

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

/// The trait that names the plan.
pub const PLAN: &[&str] = &["plan"];
/// The trait that counts the seats bought.
pub const SEATS: &[&str] = &["seats"];
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
    pub fn facts(&self, plans: &PlanList) -> Facts {
        let traits = &self.traits;
        let website = traits.text(&["website"]);
        let name = traits.text(&["name"]).unwrap_or_else(|| self.external_id.clone());
        Facts {
            name: name.chars().take(200).collect(),
            kind: match lower(traits, &["type"]).as_deref() {
                Some("sandbox" | "test" | "staging" | "demo") => "sandbox",
                Some("dev" | "development") => "dev",
                _ => "prod",
            },
            status: match lower(traits, &["status"]).as_deref() {
                Some("suspended" | "disabled" | "locked" | "frozen") => "suspended",
                Some("deleted" | "archived" | "closed") => "deleted",
                _ => "active",
            },
            plan_tier: plan_of(traits, plans).map(|plan| plan.tier),
            website_domain: website
                .as_deref()
                .and_then(company_domain_of_website)
                .or_else(|| company_domain(&traits.text(&["domain"])?)),
            website,
            billing_domain: traits
                .text(&["billing_domain"])
                .as_deref()
                .and_then(company_domain)
                .or_else(|| {
                    let email = Email::parse(&traits.text(&["billing_email"])?)?;
                    email.company_domain().map(str::to_owned)
                }),
            sso_domain: traits.text(&["sso_domain"]).as_deref().and_then(company_domain),
            seats_purchased: whole(traits.number(SEATS)),
            created_at: traits.time(&["created_at"]).unwrap_or(self.first_seen_at),
        }
    }
}

/// The billing and sign-on domains that one call names: strong enough to know the company even before
/// anybody signs up with it. What an older or a newer call says does not matter, so that any order of
/// calls knows the same companies.
#[must_use]
pub fn named_domains(said: &Map<String, Value>, at: DateTime<Utc>) -> Vec<String> {
    let names = |key: &String| key.starts_with("billing_") || key.starts_with("sso_");
    if !said.keys().any(names) {
        return Vec::new();
    }
    let mut alone = Workspace::new(WorkspaceId::of(""), "", at);
    alone.traits.say_all(said, at);
    let facts = alone.facts(&PlanList::default());
    facts.billing_domain.into_iter().chain(facts.sso_domain).collect()
}

/// What the name of the plan says that traits give; nothing when they give none.
#[must_use]
pub fn plan_of(traits: &Traits, plans: &PlanList) -> Option<Plan> {
    Some(plans.read(&traits.text(PLAN)?))
}

fn lower(traits: &Traits, names: &[&str]) -> Option<String> {
    traits.text(names).map(|text| text.to_lowercase())
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
        workspace.traits.say_all(
            traits.as_object().unwrap(),
            "2026-01-02T00:00:00Z".parse::<DateTime<Utc>>().unwrap(),
        );
        workspace
    }

    #[test]
    fn traits_of_a_segment_group_call() {
        let workspace = workspace(&json!({
            "name": "Acme Engineering", "plan": "trial", "website": "https://www.acme.com/about",
            "createdAt": "2026-01-02T03:05:00Z", "trial_ends_at": "2026-01-16T00:00:00Z", "seats": "25",
        }));
        let facts = workspace.facts(&PlanList::default());
        assert_eq!((facts.plan_tier, facts.seats_purchased), (Some("trial"), Some(25)));
        assert_eq!(facts.website_domain.as_deref(), Some("acme.com"));
        assert_eq!(facts.created_at, "2026-01-02T03:05:00Z".parse::<DateTime<Utc>>().unwrap());
    }
}
