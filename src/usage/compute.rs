//! The fields of the signal dictionary, out of facts, usage days and the catalog, as of a day.
//!
//! Definitions: spec, signals.md. Score, ownership and anomaly fields belong to later features and
//! are added by them. State rules, routing rules and lists read what is computed here.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use super::aggregate::{Aggregate, count, last, ratio};
use super::day::{Name, Names, UsageDay};
use super::facts::{AccountFacts, Member, SubscriptionFacts, WorkspaceFacts};
use super::signal::{Fields, Value};
use super::taxonomy::{Taxonomy, is_crm, is_warehouse};
use crate::ids::UserId;
use crate::subscriptions::money::{self, Amount};

/// Everything known about one workspace. Usage days in any order; those after the day do not exist.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Its attributes.
    pub workspace: &'a WorkspaceFacts,
    /// Its subscriptions.
    pub subscriptions: &'a [SubscriptionFacts],
    /// Its account, if it is mapped to one.
    pub account: Option<&'a AccountFacts>,
    /// Its memberships, also ended ones.
    pub members: &'a [Member],
    /// All its usage days.
    pub usage: &'a [UsageDay],
    /// The catalog.
    pub taxonomy: &'a Taxonomy,
    /// The names of events and features.
    pub names: &'a Names,
}

impl<'a> Known<'a> {
    fn days(&self, as_of: NaiveDate) -> impl Iterator<Item = (&'a UsageDay, i64)> + use<'a> {
        let days = self.usage.iter().filter(|day| day.count > 0);
        days.map(move |day| (day, (as_of - day.day).num_days())).filter(|(_, age)| *age >= 0)
    }

    fn people(&self, as_of: NaiveDate) -> BTreeMap<UserId, Aggregate> {
        let mut people: BTreeMap<UserId, Aggregate> =
            self.members.iter().map(|member| (member.id, Aggregate::default())).collect();
        for (day, age) in self.days(as_of) {
            if let Some(person) = people.get_mut(&day.user) {
                person.add(self.taxonomy, day, age);
            }
        }
        people
    }
}

/// The member-level signals of every member, by id: for user-level rules and the members table.
#[must_use]
pub fn member_fields(known: &Known<'_>, as_of: NaiveDate) -> BTreeMap<UserId, Fields> {
    let people = known.people(as_of).into_iter();
    let computed = people.map(|(user, person)| {
        let mut fields = Fields::new();
        person.fill(known.taxonomy, &mut fields);
        fields.set("last_active_at", person.last_day.map(start_of));
        (user, fields)
    });
    computed.collect()
}

/// The workspace-level and account-level signals.
#[must_use]
pub fn workspace_fields(known: &Known<'_>, as_of: NaiveDate) -> Fields {
    let mut fields = Fields::new();
    identity(known, as_of, &mut fields);
    activation(known, as_of, &mut fields);
    let mut whole = Aggregate::default();
    for (day, age) in known.days(as_of) {
        whole.add(known.taxonomy, day, age);
    }
    whole.fill(known.taxonomy, &mut fields);
    fields.set("high_intent_events_14d", whole.high_intent_events_14d);
    fields.set("integration_installs_30d", whole.integration_installs_30d);
    let seen = known.workspace.last_active_at.filter(|seen| seen.date_naive() <= as_of);
    fields.set("last_active_at", seen.or(whole.last_day.map(start_of)));
    integrations(known, as_of, &mut fields);
    team(known, as_of, &mut fields);
    commercial(known, as_of, &mut fields);
    account(known.account, &mut fields);
    fields
}

fn start_of(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

fn identity(known: &Known<'_>, as_of: NaiveDate, fields: &mut Fields) {
    let WorkspaceFacts { external_id, name, kind, status, created_at, primary_domain, .. } =
        known.workspace;
    fields.set("workspace_id", external_id.as_str());
    fields.set("workspace_name", name.as_deref());
    fields.set("workspace_type", kind.as_deref());
    fields.set("workspace_status", status.as_deref());
    let age = created_at.map(|at| (as_of - at.date_naive()).num_days()).filter(|age| *age >= 0);
    fields.set("workspace_age_days", age);
    fields.set("primary_domain", primary_domain.as_deref());
    fields.set("plan_tier", plan_tier(known, as_of));
}

/// The tier of the plan that the product names. A trial that is over is none: without a subscription that
/// is paid the workspace is on no plan, with one nobody has said which.
fn plan_tier<'a>(known: &Known<'a>, as_of: NaiveDate) -> Option<&'a str> {
    let tier = known.workspace.plan_tier.as_deref();
    let all = known.subscriptions;
    let is_over = |one: &SubscriptionFacts| one.status == "trialing" && !is_trialing(one, as_of);
    let no_trial = all.iter().any(is_over) && !all.iter().any(|one| is_trialing(one, as_of));
    match tier {
        Some("trial") if no_trial && all.iter().any(is_paid) => Some("unknown"),
        Some("trial") if no_trial => Some("free"),
        other => other,
    }
}

fn activation(known: &Known<'_>, as_of: NaiveDate, fields: &mut Fields) {
    let milestones = &known.taxonomy.milestones;
    let first_day = |event: Name| {
        known.days(as_of).filter(|(day, _)| day.event == event).map(|(day, _)| day.day).min()
    };
    let completed: Vec<_> = milestones
        .iter()
        .filter_map(|milestone| Some((first_day(milestone.event)?, milestone)))
        .collect();
    let first_events = &known.workspace.first_events;
    let moment = |day: NaiveDate, event: Name| {
        let own = first_events.iter().filter(|(name, at)| *name == event && at.date_naive() == day);
        own.map(|(_, at)| *at).min().unwrap_or(start_of(day))
    };
    let primary = completed.iter().filter(|(_, milestone)| milestone.is_primary);
    let activated = primary
        .map(|(day, milestone)| (moment(*day, milestone.event), milestone))
        .min_by_key(|(at, _)| *at);
    fields.set("activated", activated.is_some());
    fields.set("activation_date", activated.map(|(at, _)| at.date_naive()));
    fields.set("activation_path", activated.map(|(_, milestone)| milestone.label.as_str()));
    let hours =
        activated.zip(known.workspace.created_at).map(|((at, _), created)| hours(at - created));
    fields.set("time_to_activation_hours", hours);
    fields.set("milestones_completed", count(completed.len()));
    let percent = Some(100.0 * ratio(completed.len(), milestones.len()));
    fields.set("activation_percent", percent.filter(|_| !milestones.is_empty()));
}

/// Hours to a hundredth; an activation before the creation on record took none.
#[allow(clippy::as_conversions, reason = "seconds of centuries are far below 2^53")]
fn hours(span: chrono::TimeDelta) -> f64 {
    (span.num_seconds().max(0) as f64 / 36.0).round() / 100.0
}

/// An integration is installed while its last install is not followed by a removal; on a day with
/// both, the more frequent one decides.
fn integrations(known: &Known<'_>, as_of: NaiveDate, fields: &mut Fields) {
    let events = &known.taxonomy.known;
    let mut newest: BTreeMap<Option<Name>, (NaiveDate, i64)> = BTreeMap::new();
    for (day, _) in known.days(as_of) {
        let balance = match day.event {
            event if event == events.integration_installed => day.count,
            event if event == events.uninstall_integration => -day.count,
            _ => continue,
        };
        let state = newest.entry(day.feature).or_insert((day.day, 0));
        match day.day.cmp(&state.0) {
            std::cmp::Ordering::Greater => *state = (day.day, balance),
            std::cmp::Ordering::Equal => state.1 += balance,
            std::cmp::Ordering::Less => {}
        }
    }
    let installed: Vec<Option<Name>> = newest
        .into_iter()
        .filter(|(_, (_, balance))| *balance > 0)
        .map(|(feature, _)| feature)
        .collect();
    let any = |is: fn(&str) -> bool| {
        installed.iter().flatten().any(|feature| is(known.names.text(*feature)))
    };
    fields.set("integrations_installed", count(installed.len()));
    fields.set("crm_connected", any(is_crm));
    fields.set("data_warehouse_export_enabled", any(is_warehouse));
}

fn team(known: &Known<'_>, as_of: NaiveDate, fields: &mut Fields) {
    let people = known.people(as_of);
    let was_active =
        |member: &Member| people.get(&member.id).is_some_and(|one| one.last_day.is_some());
    let present: Vec<&Member> =
        known.members.iter().filter(|member| member.counts(as_of, was_active(member))).collect();
    let active = |days: u32| {
        let members = present.iter().filter_map(|member| people.get(&member.id));
        count(members.filter(|person| person.active & last(days) != 0).count())
    };
    let members = count(present.len());
    fields.set("member_count", members);
    fields.set("admin_present", present.iter().any(|member| member.is_admin()));
    let champion = |member: &&Member| {
        let suggested = people.get(&member.id).is_some_and(Aggregate::suggests_champion);
        member.is_champion() || (suggested && !member.is_admin())
    };
    fields.set("champion_present", present.iter().any(champion));
    fields.set("dau", active(1));
    fields.set("wau", active(7));
    fields.set("mau", active(30));
    fields.set("seat_count_active_7d", active(7));
    fields.set("active_seats_7d", active(7));
    let month_ago = as_of.checked_sub_days(Days::new(30)).unwrap_or(as_of);
    let then = known.members.iter().filter(|member| member.is_present(month_ago));
    fields.set("seat_growth_30d", members - count(then.count()));
    let seats = seats(known, as_of);
    fields.set("seats_purchased", seats);
    fields.set("seat_count_total", seats.unwrap_or(members));
}

fn is_running(subscription: &SubscriptionFacts) -> bool {
    matches!(subscription.status.as_str(), "active" | "past_due")
}

fn is_paid(subscription: &SubscriptionFacts) -> bool {
    is_running(subscription) && !subscription.is_free
}

/// Whether this is a trial on `as_of`: one whose last day is past is none, whoever has not said so yet.
fn is_trialing(subscription: &SubscriptionFacts, as_of: NaiveDate) -> bool {
    subscription.status == "trialing" && subscription.trial_end_on.is_none_or(|end| end >= as_of)
}

/// Whether it never came to be: its first payment is awaited, or never came.
fn never_began(subscription: &SubscriptionFacts) -> bool {
    matches!(subscription.status.as_str(), "incomplete" | "incomplete_expired")
}

/// `free`, `trial`, `paid` or `churned`; nothing when there is no subscription and the product names a
/// plan that nobody knows.
fn paid_status(known: &Known<'_>, as_of: NaiveDate) -> Option<&'static str> {
    let all = known.subscriptions;
    let is_canceled = |one: &SubscriptionFacts| one.status == "canceled";
    if all.iter().any(is_paid) {
        Some("paid")
    } else if all.iter().any(|one| is_trialing(one, as_of)) {
        Some("trial")
    } else if all.iter().any(|one| is_canceled(one) && !one.is_free)
        && all.iter().all(|one| is_canceled(one) || never_began(one))
    {
        Some("churned")
    } else if all.is_empty() && known.workspace.plan_tier.as_deref() == Some("unknown") {
        None
    } else {
        Some("free")
    }
}

/// Seats of the current subscriptions, else those that the product reports.
fn seats(known: &Known<'_>, as_of: NaiveDate) -> Option<i64> {
    let current = known.subscriptions.iter();
    let current = current.filter(|one| is_running(one) || is_trialing(one, as_of));
    let bought: Vec<i64> = current.filter_map(|one| one.seats).collect();
    if bought.is_empty() { known.workspace.seats_purchased } else { Some(bought.iter().sum()) }
}

fn commercial(known: &Known<'_>, as_of: NaiveDate, fields: &mut Fields) {
    let all = known.subscriptions;
    let status = paid_status(known, as_of);
    fields.set("paid_status", status);
    let paying = || all.iter().filter(|one| is_paid(one));
    revenue(&paying().map(amount).collect::<Vec<_>>(), fields);
    let renewal = paying().filter_map(|one| one.renewal_on).filter(|day| *day >= as_of).min();
    fields.set("renewal_date", renewal);
    fields.set("days_to_renewal", renewal.map(|day| (day - as_of).num_days()));
    let trials = all.iter().filter(|one| status == Some("trial") && is_trialing(one, as_of));
    let trial_end = trials.filter_map(|one| one.trial_end_on).min();
    fields.set("trial_end_date", trial_end);
    fields.set("trial_days_remaining", trial_end.map(|day| (day - as_of).num_days()));
}

fn amount(subscription: &SubscriptionFacts) -> Amount<'_> {
    Amount { currency: &subscription.currency, minor: subscription.mrr_cents }
}

/// Revenue in the currency that speaks for all; what is paid in others is not counted, since nobody
/// knows what it is worth in this one.
fn revenue(paid: &[Amount<'_>], fields: &mut Fields) {
    let currency = money::main_currency(paid.iter().copied());
    let own = paid.iter().filter(|one| Some(one.currency) == currency);
    let sum = own.copied().map(money::hundredths).fold(0, i64::saturating_add);
    let mrr = currency.map(|_| sum);
    fields.set("mrr", mrr);
    fields.set("arr", mrr.map(|mrr| mrr.saturating_mul(12)));
    fields.set("mrr_currency", currency);
}

fn account(account: Option<&AccountFacts>, fields: &mut Fields) {
    let nobody = AccountFacts::default();
    let account = account.unwrap_or(&nobody);
    fields.set("icp_fit_tier", account.icp_fit_tier.as_deref());
    fields.set("icp_fit_score", account.icp_fit_score);
    fields.set("employee_count", account.employee_count);
    fields.set("employee_range", account.employee_range.as_deref());
    fields.set("industry", account.industry.as_deref());
    fields.set("sub_industry", account.sub_industry.as_deref());
    fields.set("hq_country", account.hq_country.as_deref());
    fields.set("hq_region", account.hq_region.as_deref());
    let stack: Vec<Value> =
        account.tech_stack.iter().map(|tool| Value::from(tool.as_str())).collect();
    fields.set("tech_stack", Some(stack).filter(|stack| !stack.is_empty()));
    fields.set("is_strategic", account.is_strategic);
    fields.set("lifecycle_stage", account.lifecycle_stage.as_deref());
    fields.set("segment", account.segment.as_deref());
    fields.set("territory", account.territory.as_deref());
    fields.set("account_score", account.account_score);
    fields.set("account_workspace_count", account.account_workspace_count);
}

#[cfg(test)]
#[path = "compute_tests.rs"]
mod tests;
