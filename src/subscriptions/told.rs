//! The subscription that a workspace's traits describe.

use chrono::{DateTime, Utc};

use super::terms::{Terms, nearest, period_named, status_named};
use crate::ingest::traits::Traits;
use crate::plans::plan::PlanList;
use crate::values::currency::currency;
use crate::web::format;
use crate::workspaces::workspace::{PLAN, SEATS, plan_of};

const STATUS: &[&str] = &["subscription_status", "billing_status", "paid_status"];
const TRIAL_START: &[&str] = &["trial_start"];
const TRIAL_END: &[&str] = &["trial_ends_at"];
const MRR: &[&str] = &["mrr"];
const RENEWAL: &[&str] = &["renewal_date", "current_period_end"];
const CANCELED: &[&str] = &["canceled_at"];
const PERIOD: &[&str] = &["billing_period", "interval"];

/// What the traits say about paying and when they last said it; nothing without a word about it. It
/// has no memory and knows no time: a trial that nobody ended is still a trial, its end tells the rest.
#[must_use]
pub fn by_traits(traits: &Traits, plans: &PlanList) -> Option<(Terms, DateTime<Utc>)> {
    let plan = plan_of(traits, plans);
    let tier = plan.map(|plan| plan.tier);
    let trial_end_on = traits.time(TRIAL_END).map(|at| at.date_naive());
    let currency = traits
        .text(&["currency"])
        .and_then(|said| currency(&said.into()))
        .unwrap_or_else(|| "usd".to_owned());
    let mrr_cents = cents(traits, &currency);
    let said = lower(traits, STATUS).and_then(|said| status_named(&said));
    let status = match (said, tier) {
        (Some(status), _) => status,
        (None, Some("trial")) => "trialing",
        (None, _) if plan.is_some_and(|plan| plan.is_cancelled) => "canceled",
        (None, Some("pro" | "enterprise")) if trial_end_on.is_some() && mrr_cents == 0 => {
            "trialing"
        }
        (None, Some("pro" | "enterprise")) => "active",
        (None, _) if mrr_cents > 0 => "active",
        (None, None | Some("unknown")) if trial_end_on.is_some() => "trialing",
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
    let terms = Terms {
        plan: traits.text(PLAN),
        billing_period: lower(traits, PERIOD).and_then(|said| period_named(&said)),
        currency,
        mrr_cents,
        seats_purchased: whole(traits.number(SEATS)),
        trial_start_on: traits.time(TRIAL_START).map(|at| at.date_naive()),
        trial_end_on,
        started_at: traits.time(&["subscription_started_at", "subscribed_at"]),
        canceled_at: traits.time(CANCELED),
        renewal_on: traits.time(RENEWAL).map(|at| at.date_naive()),
        ..Terms::new(status)
    };
    Some((terms, traits.said_at(&all.concat())?))
}

fn lower(traits: &Traits, names: &[&str]) -> Option<String> {
    traits.text(names).map(|text| text.to_lowercase())
}

/// `mrr_cents`, else `mrr` in major units, else a twelfth of `arr`.
fn cents(traits: &Traits, currency: &str) -> i64 {
    let minor = traits.number(&["mrr_cents"]);
    let major = || {
        let mrr = traits.number(MRR).or_else(|| Some(traits.number(&["arr"])? / 12.0))?;
        Some(mrr * f64::from(10_u32.pow(format::decimals(currency))))
    };
    minor.or_else(major).map_or(0, nearest)
}

fn whole(number: Option<f64>) -> Option<i32> {
    number.filter(|number| *number >= 0.0).and_then(|number| i32::try_from(nearest(number)).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(said: &Value) -> Option<Terms> {
        let mut traits = Traits::default();
        let at: DateTime<Utc> = "2026-01-02T00:00:00Z".parse().unwrap();
        traits.say_all(said.as_object().unwrap(), at);
        by_traits(&traits, &PlanList::default()).map(|(terms, _)| terms)
    }

    #[test]
    fn a_trial_of_a_segment_group_call() {
        let terms = told(&json!({"plan": "trial", "trial_ends_at": "2026-01-16T00:00:00Z"}));
        let terms = terms.unwrap();
        assert_eq!((terms.status, terms.trial_end_on), ("trialing", "2026-01-16".parse().ok()));
    }

    #[test]
    fn the_name_of_a_plan_says_how_it_stands() {
        for (plan, status) in [
            ("Enterprise Trial", "trialing"),
            ("cancelled pro", "canceled"),
            ("Churned", "canceled"),
            ("Enterprise", "active"),
            ("Team Annual", "active"),
        ] {
            assert_eq!(told(&json!({"plan": plan})).unwrap().status, status, "{plan}");
        }
        assert_eq!(told(&json!({"plan": "basic", "mrr": 10})).unwrap().status, "active");
    }

    #[test]
    fn money_in_major_and_minor_units() {
        for said in [
            json!({"plan": "pro", "mrr": 49.99}),
            json!({"mrr_cents": 4999}),
            json!({"plan": "Team", "arr": "599.88"}),
            json!({"plan": "Team", "mrr": "4,999", "currency": "JPY"}),
        ] {
            let terms = told(&said).unwrap();
            assert_eq!((terms.mrr_cents, terms.status), (4999, "active"), "{said}");
        }
    }

    #[test]
    fn no_subscription_without_a_word_about_paying() {
        assert_eq!(told(&json!({"name": "x"})), None);
        assert_eq!(told(&json!({"plan": "free"})), None);
        for plan in ["Unpaid", "non-paid", "Nonprofit", "Industrial", "basic", "Trial expired"] {
            assert_eq!(told(&json!({"plan": plan})), None, "{plan}");
        }
        let churned = told(&json!({"plan": "free", "subscription_status": "churned"}));
        assert_eq!(churned.unwrap().status, "canceled");
    }
}
