//! What is known about a workspace besides its usage days, as plain input of pure code.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};

use super::day::Name;
use super::signal::{Fields, Value};
use crate::ids::UserId;

/// A membership: one product user in one workspace, with what is known about the person.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Who.
    pub id: UserId,
    /// The product's own id.
    pub external_id: String,
    /// `admin`, `member` or `viewer`.
    pub role: Option<String>,
    /// `builder`, `champion`, `evaluator` or `economic_buyer`; set by a person or by a trait.
    pub persona: Option<String>,
    /// `student`, `ic`, `manager`, `director`, `vp` or `c_level`.
    pub seniority: Option<String>,
    /// Such as `engineering`.
    pub department: Option<String>,
    /// As the person or the enrichment gives it.
    pub job_title: Option<String>,
    /// `corporate`, `personal`, `disposable`, `role` or `unknown`.
    pub email_kind: Option<String>,
    /// The membership's first day.
    pub joined_on: Option<NaiveDate>,
    /// The day from which it no longer exists.
    pub left_on: Option<NaiveDate>,
    /// Spans between these two in which it did not exist: from a day until before another.
    pub absences: Vec<(NaiveDate, NaiveDate)>,
    /// The first active day ever; lets a loader leave old usage days out.
    pub first_active_on: Option<NaiveDate>,
    /// The member-level signals (`usage::compute`), for user-level state rules.
    pub signals: Fields,
}

impl Member {
    /// A member of whom only the id is known.
    #[must_use]
    pub fn new(id: UserId) -> Self {
        Self {
            id,
            external_id: id.to_string(),
            role: None,
            persona: None,
            seniority: None,
            department: None,
            job_title: None,
            email_kind: None,
            joined_on: None,
            left_on: None,
            absences: Vec::new(),
            first_active_on: None,
            signals: Fields::new(),
        }
    }

    /// The order of members where nothing else decides: by the product's own id, as text.
    #[must_use]
    pub fn by_id(&self, other: &Self) -> std::cmp::Ordering {
        (&self.external_id, self.id).cmp(&(&other.external_id, other.id))
    }

    /// Whether this is an admin of the workspace.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.role.as_deref() == Some("admin")
    }

    /// Whether the persona says champion.
    #[must_use]
    pub fn is_champion(&self) -> bool {
        self.persona.as_deref() == Some("champion")
    }

    /// Whether the membership exists on `day`. A member without a first day always did.
    #[must_use]
    pub fn is_present(&self, day: NaiveDate) -> bool {
        !self.is_gone(day) && self.joined_on.is_none_or(|joined| joined <= day)
    }

    /// Whether the member counts on `day`: the membership exists, or usage shows that it did before
    /// the first day on record.
    #[must_use]
    pub fn counts(&self, day: NaiveDate, was_active: bool) -> bool {
        !self.is_gone(day) && (was_active || self.joined_on.is_none_or(|joined| joined <= day))
    }

    fn is_gone(&self, day: NaiveDate) -> bool {
        self.left_on.is_some_and(|left| left <= day)
            || self.absences.iter().any(|(from, until)| *from <= day && day < *until)
    }

    /// The member's value of a field: an attribute, else a member-level signal; `None` when the
    /// field is not a member's.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<Cow<'_, Value>> {
        let attribute = match key {
            "role" => &self.role,
            "persona" => &self.persona,
            "seniority" => &self.seniority,
            "department" => &self.department,
            "job_title" => &self.job_title,
            "email_kind" => &self.email_kind,
            _ if self.signals.has(key) => return Some(Cow::Borrowed(self.signals.get(key))),
            _ => return None,
        };
        Some(Cow::Owned(Value::from(attribute.as_deref())))
    }
}

/// Whether somebody without a persona is taken for a champion: at least 2 invites sent in 30 days, and
/// active on 5 of the last 14 days. An admin is none, see `docs/scoring.md`.
#[must_use]
pub fn suggests_champion(invites_30d: i64, active_days_14d: u32) -> bool {
    invites_30d >= 2 && active_days_14d >= 5
}

/// A workspace's attributes as of the day. Enumerations are spelled as in the dictionary.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkspaceFacts {
    /// The product's own id.
    pub external_id: String,
    /// The user-given name.
    pub name: Option<String>,
    /// `prod`, `sandbox` or `dev`.
    pub kind: Option<String>,
    /// `active`, `suspended` or `deleted`.
    pub status: Option<String>,
    /// As the product says, else the earliest event.
    pub created_at: Option<DateTime<Utc>>,
    /// The most common corporate domain of its members, or its billing or SSO domain.
    pub primary_domain: Option<String>,
    /// `free`, `trial`, `pro` or `enterprise`.
    pub plan_tier: Option<String>,
    /// Seats that the product reports; those of subscriptions go first.
    pub seats_purchased: Option<i64>,
    /// When events of primary milestones happened first; without it, activation counts from its day's
    /// start.
    pub first_events: Vec<(Name, DateTime<Utc>)>,
    /// The newest event; without it, the last active day's start stands for it.
    pub last_active_at: Option<DateTime<Utc>>,
}

/// A subscription of the workspace as of the day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubscriptionFacts {
    /// Whether nothing is ever paid for it: every price is 0, or the plan is a free one.
    pub is_free: bool,
    /// Stripe's words: `trialing`, `active`, `past_due`, `canceled`, `unpaid`, ...
    pub status: String,
    /// ISO 4217, in small letters.
    pub currency: String,
    /// Monthly recurring revenue in minor units of the currency.
    pub mrr_cents: i64,
    /// Seats bought.
    pub seats: Option<i64>,
    /// The next renewal.
    pub renewal_on: Option<NaiveDate>,
    /// The trial's last day.
    pub trial_end_on: Option<NaiveDate>,
}

/// The attributes of the workspace's account.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "each is the dictionary's field of that name")]
pub struct AccountFacts {
    pub icp_fit_tier: Option<String>,
    pub icp_fit_score: Option<i64>,
    pub employee_count: Option<i64>,
    pub employee_range: Option<String>,
    pub industry: Option<String>,
    pub sub_industry: Option<String>,
    pub hq_country: Option<String>,
    pub hq_region: Option<String>,
    pub tech_stack: Vec<String>,
    pub is_strategic: Option<bool>,
    pub lifecycle_stage: Option<String>,
    pub segment: Option<String>,
    pub territory: Option<String>,
    /// Points, 0 to 100.
    pub account_score: Option<f64>,
    pub account_workspace_count: Option<i64>,
}
