//! One workspace with everything that the engine asks about it, on any day. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::card::{MemberScore, Scorecard};
use super::change::Stored;
use super::compiled::CompiledModel;
use super::dated::Dated;
use super::engine;
use super::evaluate::{self, Evaluation};
use super::history::{self, DayScore};
use super::people::DatedPerson;
use crate::ids::{AccountId, WorkspaceId};
use crate::plans::plan::PlanList;
use crate::usage::compute::Known;
use crate::usage::day::{Name, Names, UsageDay};
use crate::usage::facts::{AccountFacts, Member, SubscriptionFacts, WorkspaceFacts};
use crate::usage::taxonomy::Taxonomy;

/// What all workspaces of a run share: the catalog, the interned names, the models in force.
#[derive(Debug)]
pub struct Ground {
    /// Which names of plans are free ones.
    pub plans: PlanList,
    /// The key features of the catalog.
    pub key_features: Vec<String>,
    pub names: Names,
    pub taxonomy: Taxonomy,
    /// Published models with the first day each was in force, oldest first.
    pub models: Vec<(NaiveDate, CompiledModel)>,
}

impl Ground {
    /// The model in force at the end of `day`; before the first one, the first one, so that an
    /// import of old events has a history. `None` only when nothing was ever published.
    #[must_use]
    pub fn model_on(&self, day: NaiveDate) -> Option<&CompiledModel> {
        let newest = self.models.iter().rev().find(|(from, _)| *from <= day);
        newest.or(self.models.first()).map(|(_, model)| model)
    }

    /// The model of a published version.
    #[must_use]
    pub fn version(&self, number: i64) -> Option<&CompiledModel> {
        self.models.iter().map(|(_, model)| model).find(|model| model.version() == number)
    }
}

/// A subscription with the dates that say what it was on a past day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DatedSubscription {
    /// As it stands now.
    pub facts: SubscriptionFacts,
    pub started_on: Option<NaiveDate>,
    pub trial_start_on: Option<NaiveDate>,
    pub canceled_on: Option<NaiveDate>,
    /// When its status was last said: from then on it is what it is.
    pub said_on: Option<NaiveDate>,
    /// What was said of it before, oldest first.
    pub earlier: Vec<Self>,
    /// Whose it is, in the union of an account's workspaces.
    pub of: Option<WorkspaceId>,
    /// Whether only the product's traits tell of it.
    pub by_traits: bool,
}

impl DatedSubscription {
    /// What it was on `day`: what was last said of it by then. The first word also speaks for the
    /// days before it: `None` before the subscription began, then trialing inside its trial and
    /// active between the end of the trial and its cancellation.
    #[must_use]
    pub fn on(&self, day: NaiveDate) -> Option<SubscriptionFacts> {
        let holds = |word: &&Self| word.said_on.is_some_and(|said| said <= day);
        let word = match self.earlier.first() {
            Some(first) if !holds(&self) => self.earlier.iter().rev().find(holds).unwrap_or(first),
            _ => self,
        };
        word.alone_on(day)
    }

    fn alone_on(&self, day: NaiveDate) -> Option<SubscriptionFacts> {
        let began = self.trial_start_on.into_iter().chain(self.started_on).min();
        if began.is_some_and(|began| began > day) {
            return None;
        }
        let mut facts = self.facts.clone();
        let in_trial = facts.trial_end_on.is_some_and(|end| day <= end)
            && self.said_on.is_none_or(|said| day < said);
        let is_canceled = self.canceled_on.is_none_or(|on| on <= day);
        facts.status = match facts.status.as_str() {
            "canceled" if is_canceled => facts.status,
            "canceled" | "active" | "past_due" if in_trial => "trialing".to_owned(),
            "canceled" => "active".to_owned(),
            _ => facts.status,
        };
        Some(facts)
    }
}

/// What the traits of a workspace say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkspaceState {
    /// Its attributes; the primary domain is that of billing or SSO.
    pub facts: WorkspaceFacts,
    /// The subscriptions that traits tell of: at most one of each workspace.
    pub by_traits: Vec<DatedSubscription>,
}

/// A workspace, or the union of an account's workspaces, with all that is known about it.
#[derive(Clone, Debug)]
pub struct Case {
    pub id: WorkspaceId,
    pub workspace: Dated<WorkspaceState>,
    /// The newest activity of any member.
    pub last_active_at: Option<DateTime<Utc>>,
    /// The first moment of each primary milestone.
    pub first_events: Vec<(Name, DateTime<Utc>)>,
    /// The account that it is linked to now.
    pub account_id: Option<AccountId>,
    pub account: Option<Dated<AccountFacts>>,
    /// Points, as of now.
    pub account_score: Option<f64>,
    /// Those of billing systems and records.
    pub subscriptions: Vec<DatedSubscription>,
    /// By id.
    pub people: Vec<DatedPerson>,
    /// In the order of days.
    pub usage: Vec<UsageDay>,
}

/// What is known of a case at the end of a day.
struct OnDay {
    workspace: WorkspaceFacts,
    subscriptions: Vec<SubscriptionFacts>,
    account: Option<AccountFacts>,
    members: Vec<Member>,
}

impl Case {
    /// The first day on which anything is known of the workspace.
    #[must_use]
    pub fn first_day(&self) -> Option<NaiveDate> {
        let created = self.workspace.now().facts.created_at.map(|at| at.date_naive());
        self.usage.first().map(|usage| usage.day).into_iter().chain(created).min()
    }

    /// The scorecard and the fields of `day`.
    #[must_use]
    pub fn on(&self, ground: &Ground, model: &CompiledModel, day: NaiveDate) -> Evaluation {
        let dated = self.dated(day);
        evaluate::evaluate(model, self.id, &self.known(ground, &dated), day)
    }

    /// The same with the difference to the day before, for which `stored` was kept.
    #[must_use]
    pub fn on_with_change(
        &self,
        ground: &Ground,
        model: &CompiledModel,
        day: NaiveDate,
        stored: Option<Stored>,
    ) -> Evaluation {
        let before = day.pred_opt().map(|before| self.dated(before));
        let before = before.as_ref().map(|dated| self.known(ground, dated));
        let dated = self.dated(day);
        let known = self.known(ground, &dated);
        evaluate::evaluate_with_change(model, self.id, (before.as_ref(), &known), day, stored)
    }

    /// Every member's own score on `day`, the lead user first.
    #[must_use]
    pub fn members_on(
        &self,
        ground: &Ground,
        model: &CompiledModel,
        day: NaiveDate,
    ) -> Vec<MemberScore> {
        let dated = self.dated(day);
        let facts = evaluate::Facts::of(model, &self.known(ground, &dated), day);
        engine::member_scores(model, &facts.world(self.id, &self.usage), day)
    }

    /// The scores of `days`, each under the model that was in force and with the facts of that day.
    #[must_use]
    pub fn history(&self, ground: &Ground, days: &[NaiveDate]) -> Vec<(i64, DayScore)> {
        let scored = days.iter().filter_map(|day| {
            let model = ground.model_on(*day)?;
            let dated = self.dated(*day);
            let known = self.known(ground, &dated);
            Some((model.version(), history::score_on(model, self.id, &known, *day)))
        });
        scored.collect()
    }

    /// The scorecard of `day` under the model in force then, with the difference to the day before under
    /// the model in force then. `None` when no model was ever published.
    #[must_use]
    pub fn card_on(&self, ground: &Ground, day: NaiveDate) -> Option<Scorecard> {
        let model = ground.model_on(day)?;
        let before = day.pred_opt().and_then(|before| Some((before, ground.model_on(before)?)));
        let stored = before.filter(|(_, earlier)| earlier.version() != model.version()).map(
            |(before, earlier)| Stored {
                score: self.on(ground, earlier, before).card.score,
                model_version: earlier.version(),
            },
        );
        Some(self.on_with_change(ground, model, day, stored).card)
    }

    fn dated(&self, day: NaiveDate) -> OnDay {
        let state = self.workspace.on(day);
        let mut workspace = state.facts.clone();
        let end = day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::days(1);
        workspace.last_active_at = self.last_active_at.filter(|at| *at < end);
        workspace.first_events.clone_from(&self.first_events);
        workspace.primary_domain = self.members_domain(day).or(workspace.primary_domain);
        let mut account = self.account.as_ref().map(|account| account.on(day).clone());
        if let Some(account) = &mut account {
            account.account_score = self.account_score;
        }
        let members = self.people.iter().map(|person| person.on(day)).collect();
        OnDay { workspace, subscriptions: self.standing(day, &state.by_traits), account, members }
    }

    /// The most common corporate domain of the members on `day`; of equals the first by name.
    fn members_domain(&self, day: NaiveDate) -> Option<String> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for person in self.people.iter().filter(|person| person.exists(day)) {
            let facts = person.facts.on(day);
            if let (Some("corporate"), Some(domain)) = (facts.email_kind.as_deref(), &facts.domain)
            {
                *counts.entry(domain).or_default() += 1;
            }
        }
        let most = counts.into_iter().max_by_key(|(domain, count)| (*count, Reverse(*domain)));
        most.map(|(domain, _)| domain.to_owned())
    }

    /// The subscriptions of `day`. What traits say is left out where a billing system speaks for the
    /// workspace on that day: it would be the same money twice.
    fn standing(&self, day: NaiveDate, by_traits: &[DatedSubscription]) -> Vec<SubscriptionFacts> {
        let all = self.subscriptions.iter().chain(by_traits);
        let all: Vec<_> = all.filter_map(|one| Some((one, one.on(day)?))).collect();
        let billed: BTreeSet<Option<WorkspaceId>> =
            all.iter().filter(|(one, _)| !one.by_traits).map(|(one, _)| one.of).collect();
        let counted =
            all.into_iter().filter(|(one, _)| !one.by_traits || !billed.contains(&one.of));
        counted.map(|(_, facts)| facts).collect()
    }

    fn known<'a>(&'a self, ground: &'a Ground, dated: &'a OnDay) -> Known<'a> {
        Known {
            workspace: &dated.workspace,
            subscriptions: &dated.subscriptions,
            account: dated.account.as_ref(),
            members: &dated.members,
            usage: &self.usage,
            taxonomy: &ground.taxonomy,
            names: &ground.names,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn a_paid_subscription_was_a_trial_before() {
        let subscription = DatedSubscription {
            facts: SubscriptionFacts {
                status: "active".to_owned(),
                trial_end_on: Some(day("2026-11-10")),
                ..SubscriptionFacts::default()
            },
            trial_start_on: Some(day("2026-10-27")),
            ..DatedSubscription::default()
        };
        let status = |on: &str| subscription.on(day(on)).map(|facts| facts.status);
        assert_eq!(status("2026-10-26"), None);
        assert_eq!(status("2026-10-27").as_deref(), Some("trialing"));
        assert_eq!(status("2026-11-10").as_deref(), Some("trialing"));
        assert_eq!(status("2026-11-11").as_deref(), Some("active"));
    }

    #[test]
    fn who_pays_before_the_trial_ends_is_no_longer_in_trial() {
        let subscription = DatedSubscription {
            facts: SubscriptionFacts {
                status: "active".to_owned(),
                trial_end_on: Some(day("2026-11-10")),
                ..SubscriptionFacts::default()
            },
            trial_start_on: Some(day("2026-10-27")),
            said_on: Some(day("2026-11-03")),
            ..DatedSubscription::default()
        };
        let status = |on: &str| subscription.on(day(on)).map(|facts| facts.status);
        assert_eq!(status("2026-11-02").as_deref(), Some("trialing"));
        assert_eq!(status("2026-11-03").as_deref(), Some("active"));
    }

    #[test]
    fn a_cancelled_subscription_was_active_until_then() {
        let subscription = DatedSubscription {
            facts: SubscriptionFacts {
                status: "canceled".to_owned(),
                ..SubscriptionFacts::default()
            },
            canceled_on: Some(day("2026-11-10")),
            ..DatedSubscription::default()
        };
        let status = |on: &str| subscription.on(day(on)).map(|facts| facts.status);
        assert_eq!(status("2026-11-09").as_deref(), Some("active"));
        assert_eq!(status("2026-11-10").as_deref(), Some("canceled"));
    }

    #[test]
    fn each_day_has_the_word_that_held_by_then() {
        let word = |status: &str, said: &str| DatedSubscription {
            facts: SubscriptionFacts { status: status.to_owned(), ..SubscriptionFacts::default() },
            started_on: Some(day("2026-09-01")),
            said_on: Some(day(said)),
            ..DatedSubscription::default()
        };
        let earlier = vec![word("active", "2026-10-01"), word("past_due", "2026-11-01")];
        let subscription = DatedSubscription { earlier, ..word("canceled", "2026-11-10") };
        let status = |on: &str| subscription.on(day(on)).map(|facts| facts.status);
        assert_eq!(status("2026-08-31"), None, "before it began");
        assert_eq!(status("2026-09-15").as_deref(), Some("active"), "as first said");
        assert_eq!(status("2026-10-31").as_deref(), Some("active"));
        assert_eq!(status("2026-11-01").as_deref(), Some("past_due"));
        assert_eq!(status("2026-11-12").as_deref(), Some("canceled"));
    }
}
