//! One workspace with everything that the engine asks about it, on any day. Pure.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveTime, TimeDelta};

use super::card::MemberScore;
use super::change::Stored;
use super::compiled::CompiledModel;
use super::engine;
use super::evaluate::{self, Evaluation};
use super::history::{self, DayScore};
use crate::ids::{AccountId, WorkspaceId};
use crate::usage::compute::Known;
use crate::usage::day::{Names, UsageDay};
use crate::usage::facts::{AccountFacts, Member, SubscriptionFacts, WorkspaceFacts};
use crate::usage::taxonomy::Taxonomy;

/// What all workspaces of a run share: the catalog, the interned names, the models in force.
#[derive(Debug)]
pub struct Ground {
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

/// A workspace, or the union of an account's workspaces, with all that is known about it.
#[derive(Clone, Debug)]
pub struct Case {
    pub id: WorkspaceId,
    pub account_id: Option<AccountId>,
    pub workspace: WorkspaceFacts,
    pub account: Option<AccountFacts>,
    pub subscriptions: Vec<DatedSubscription>,
    /// By id.
    pub members: Vec<Member>,
    /// In the order of days.
    pub usage: Vec<UsageDay>,
}

/// The part of a case that differs from day to day.
struct Dated {
    workspace: WorkspaceFacts,
    subscriptions: Vec<SubscriptionFacts>,
}

impl Case {
    /// The first day on which anything is known of the workspace.
    #[must_use]
    pub fn first_day(&self) -> Option<NaiveDate> {
        let created = self.workspace.created_at.map(|at| at.date_naive());
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
        let dated = self.dated(day);
        evaluate::evaluate_with_change(model, self.id, &self.known(ground, &dated), day, stored)
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

    /// The scores of `days`, which are consecutive, each under the model that was in force. Runs of
    /// days with the same model and the same subscriptions are replayed together.
    #[must_use]
    pub fn history(&self, ground: &Ground, days: &[NaiveDate]) -> Vec<(i64, DayScore)> {
        let version = |day: &NaiveDate| ground.model_on(*day).map(CompiledModel::version);
        let runs = days
            .chunk_by(|a, b| version(a) == version(b) && self.standing(*a) == self.standing(*b));
        let mut scores = Vec::with_capacity(days.len());
        for run in runs {
            let Some(last) = run.last() else { continue };
            let Some(model) = ground.model_on(*last) else { continue };
            let dated = self.dated(*last);
            let known = self.known(ground, &dated);
            let replayed = history::replay(model, self.id, &known, run.iter().copied());
            scores.extend(replayed.into_iter().map(|score| (model.version(), score)));
        }
        scores
    }

    fn dated(&self, day: NaiveDate) -> Dated {
        let mut workspace = self.workspace.clone();
        let end = day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::days(1);
        workspace.last_active_at = workspace.last_active_at.filter(|at| *at < end);
        Dated { workspace, subscriptions: self.standing(day) }
    }

    /// The subscriptions of `day`. What traits say is left out where a billing system speaks for the
    /// workspace on that day: it would be the same money twice.
    fn standing(&self, day: NaiveDate) -> Vec<SubscriptionFacts> {
        let all: Vec<_> =
            self.subscriptions.iter().filter_map(|one| Some((one, one.on(day)?))).collect();
        let billed: BTreeSet<Option<WorkspaceId>> =
            all.iter().filter(|(one, _)| !one.by_traits).map(|(one, _)| one.of).collect();
        let counted =
            all.into_iter().filter(|(one, _)| !one.by_traits || !billed.contains(&one.of));
        counted.map(|(_, facts)| facts).collect()
    }

    fn known<'a>(&'a self, ground: &'a Ground, dated: &'a Dated) -> Known<'a> {
        Known {
            workspace: &dated.workspace,
            subscriptions: &dated.subscriptions,
            account: self.account.as_ref(),
            members: &self.members,
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
