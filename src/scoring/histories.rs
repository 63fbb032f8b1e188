//! Dated facts out of what was said on which day: of people, workspaces and accounts. Pure.
//!
//! The last state of each is taken from its own row, which is what was said altogether; the states before
//! it follow from the days. Before the first day nothing was known.

use chrono::{DateTime, NaiveDate, Utc};

use super::case::{DatedSubscription, WorkspaceState};
use super::dated::Dated;
use super::people::{DatedMembership, Part, PersonFacts};
use super::store_facts::MembershipDayRow;
use crate::accounts::company::Account;
use crate::accounts::icp::IcpDefinition;
use crate::identity::person::Person;
use crate::ids::{AccountId, UserId, WorkspaceId};
use crate::ingest::moment::Moment;
use crate::ingest::trait_days::accumulate;
use crate::ingest::traits::Traits;
use crate::plans::plan::PlanList;
use crate::subscriptions::terms::Terms;
use crate::subscriptions::told::by_traits;
use crate::usage::facts::{AccountFacts, SubscriptionFacts, WorkspaceFacts};
use crate::workspaces::workspace::Workspace;

/// The days of one subject, oldest first.
pub type Days = Vec<(NaiveDate, Traits)>;

/// The states of a subject: `state` tells what traits mean, `now` is the last one.
fn states<T: Clone>(days: Option<&Days>, now: T, state: impl Fn(&Traits) -> T) -> Dated<T> {
    let held = days.map(|days| accumulate(days)).unwrap_or_default();
    let Some(((last, _), earlier)) = held.split_last() else { return Dated::always(now) };
    let mut changes: Vec<(NaiveDate, T)> =
        earlier.iter().map(|(day, traits)| (*day, state(traits))).collect();
    changes.push((*last, now.clone()));
    Dated::of(state(&Traits::default()), changes, now)
}

/// The facts of a person with this id, here and in the product.
#[must_use]
pub fn person(
    (id, external_id): (UserId, &str),
    days: Option<&Days>,
    now: PersonFacts,
) -> Dated<PersonFacts> {
    states(days, now, |traits| {
        let mut person = Person::new(id, true, external_id, DateTime::UNIX_EPOCH);
        person.traits = traits.clone();
        let facts = person.facts();
        PersonFacts {
            seniority: facts.seniority,
            department: facts.department,
            job_title: facts.job_title,
            email_kind: Some(facts.email_kind.to_owned()),
            domain: facts.domain,
        }
    })
}

/// A membership: `now` is its row, `created_on` the day on which its user created the workspace, who is
/// an admin from then on until a role is given.
#[must_use]
pub fn membership(
    now: DatedMembership,
    created_on: Option<NaiveDate>,
    days: &[MembershipDayRow],
) -> DatedMembership {
    let mut changes: Vec<(NaiveDate, Part)> = Vec::new();
    let mut absences: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    let (mut role, mut persona): (Option<&str>, Option<&str>) = (None, None);
    let (mut grouped, mut left): (Option<Moment>, Option<Moment>) = (None, None);
    let mut absent_since = None;
    let mut note = |day: NaiveDate, role: Option<&str>, persona: Option<&str>| {
        let by_default = created_on.filter(|created| *created <= day).map(|_| "admin");
        let part = Part {
            role: role.or(by_default).map(str::to_owned),
            persona: persona.map(str::to_owned),
        };
        let same_day = changes.last().is_some_and(|(last, _)| *last == day);
        if same_day {
            changes.pop();
        }
        if changes.last().map_or(part != Part::default(), |(_, before)| *before != part) {
            changes.push((day, part));
        }
    };
    let mut created = created_on;
    for row in days {
        if let Some(day) = created.take_if(|day| *day < row.day) {
            note(day, role, persona);
        }
        role = row.role.as_deref().or(role);
        persona = row.persona.as_deref().or(persona);
        note(row.day, role, persona);
        grouped = grouped.max(row.grouped_at.map(|at| Moment::new(at, row.group_seq)));
        left = left.max(row.left_at.map(|at| Moment::new(at, row.left_seq)));
        // Leaving wins over a group() of the same instant, as in `Membership::hear`.
        let is_absent = left.is_some() && left >= grouped;
        match (absent_since, is_absent) {
            (None, true) => absent_since = Some(row.day),
            (Some(since), false) => {
                absences.push((since, row.day));
                absent_since = None;
            }
            _ => {}
        }
    }
    if let Some(day) = created {
        note(day, role, persona);
    }
    // Said again to have left: it was gone since the first time.
    if let (Some(since), Some(left)) = (absent_since, now.left_on)
        && since < left
    {
        absences.push((since, left));
    }
    let part = Dated::of(Part::default(), changes, now.part.now().clone());
    DatedMembership { absences, part, ..now }
}

/// The states of a workspace, its plan read by `plans`. `now` is its row with the subscription that its traits tell of.
#[must_use]
pub fn workspace(
    plans: &PlanList,
    id: WorkspaceId,
    first_seen_at: DateTime<Utc>,
    days: Option<&Days>,
    mut now: WorkspaceState,
) -> Dated<WorkspaceState> {
    let external_id = now.facts.external_id.clone();
    if let Some((last, _)) = days.and_then(|days| accumulate(days).pop()) {
        for one in &mut now.by_traits {
            one.said_on = Some(last);
        }
    }
    states(days, now, |traits| {
        let mut workspace = Workspace::new(id, &external_id, first_seen_at);
        workspace.traits = traits.clone();
        let facts = workspace.facts(plans);
        WorkspaceState {
            facts: WorkspaceFacts {
                external_id: external_id.clone(),
                name: Some(facts.name),
                kind: Some(facts.kind.to_owned()),
                status: Some(facts.status.to_owned()),
                created_at: Some(facts.created_at),
                primary_domain: facts.billing_domain.or(facts.sso_domain),
                plan_tier: facts.plan_tier.map(str::to_owned),
                seats_purchased: facts.seats_purchased.map(i64::from),
                ..WorkspaceFacts::default()
            },
            by_traits: by_traits(traits, plans)
                .map(|(terms, said_at)| subscription(plans, &terms, said_at.date_naive(), id))
                .into_iter()
                .collect(),
        }
    })
}

fn subscription(
    plans: &PlanList,
    terms: &Terms,
    said_on: NaiveDate,
    of: WorkspaceId,
) -> DatedSubscription {
    let is_free_plan = |plan: &String| plans.read(plan).tier == "free";
    DatedSubscription {
        facts: SubscriptionFacts {
            is_free: terms.mrr_cents == 0 && terms.plan.as_ref().is_some_and(is_free_plan),
            status: terms.status.to_owned(),
            currency: terms.currency.clone(),
            mrr_cents: terms.mrr_cents,
            seats: terms.seats_purchased.map(i64::from),
            renewal_on: terms.renewal_on,
            trial_end_on: terms.trial_end_on,
        },
        started_on: terms.started_at.map(|at| at.date_naive()),
        trial_start_on: terms.trial_start_on,
        canceled_on: terms.canceled_at.map(|at| at.date_naive()),
        said_on: Some(said_on),
        earlier: Vec::new(),
        of: Some(of),
        by_traits: true,
    }
}

/// The facts of an account, out of its own days and those of the workspaces that are linked to it now:
/// the newest statement about each trait counts, whoever made it.
#[must_use]
pub fn account(
    id: AccountId,
    own: Option<&Days>,
    workspaces: &[&Days],
    now: AccountFacts,
) -> Dated<AccountFacts> {
    let own = own.into_iter().flatten().map(|(day, traits)| (*day, true, traits));
    let theirs = workspaces.iter().flat_map(|days| days.iter());
    let mut said: Vec<(NaiveDate, bool, &Traits)> =
        own.chain(theirs.map(|(day, traits)| (*day, false, traits))).collect();
    said.sort_by_key(|(day, ..)| *day);
    let mut account = Account {
        id,
        domain: String::new(),
        traits: Traits::default(),
        created_at: DateTime::UNIX_EPOCH,
    };
    let mut of_workspaces = [Traits::default()];
    let mut changes: Vec<(NaiveDate, AccountFacts)> = Vec::new();
    let before = facts_of(&account, &of_workspaces, &now);
    for same_day in said.chunk_by(|a, b| a.0 == b.0) {
        for (_, is_own, traits) in same_day {
            match (is_own, &mut of_workspaces) {
                (true, _) => account.traits.merge(traits),
                (false, [all]) => all.merge(traits),
            }
        }
        let Some((day, ..)) = same_day.first() else { continue };
        let facts = facts_of(&account, &of_workspaces, &now);
        if changes.last().map_or(&before, |(_, facts)| facts) != &facts {
            changes.push((*day, facts));
        }
    }
    Dated::of(before, changes, now)
}

/// What traits say of an account; what only people set stays as it is now.
fn facts_of(account: &Account, workspaces: &[Traits], now: &AccountFacts) -> AccountFacts {
    let facts = account.facts(workspaces);
    let fit = IcpDefinition::default().fit(&facts.company);
    let employee_count = facts.company.employees;
    AccountFacts {
        icp_fit_tier: fit.map(|fit| fit.tier.to_owned()),
        icp_fit_score: fit.map(|fit| i64::from(fit.score)),
        employee_count: employee_count.map(i64::from),
        employee_range: employee_count.map(|count| employee_range(count).to_owned()),
        industry: facts.company.industry,
        sub_industry: facts.sub_industry,
        hq_country: facts.company.country,
        hq_region: facts.company.region,
        tech_stack: facts.company.tech_stack,
        segment: facts.segment.map(str::to_owned),
        ..now.clone()
    }
}

/// The range of a number of employees.
#[must_use]
pub fn employee_range(count: i32) -> &'static str {
    match count {
        ..=10 => "1-10",
        11..=50 => "11-50",
        51..=200 => "51-200",
        201..=1000 => "201-1000",
        1001..=5000 => "1001-5000",
        _ => "5001+",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        format!("2026-11-{text}").parse().unwrap()
    }

    fn row(on: &str, role: Option<&str>, grouped: bool, left: bool) -> MembershipDayRow {
        let at = day(on).and_hms_opt(if left { 12 } else { 9 }, 0, 0).unwrap().and_utc();
        MembershipDayRow {
            workspace_id: WorkspaceId::of("w"),
            user_id: UserId::known("u"),
            day: day(on),
            role: role.map(str::to_owned),
            persona: None,
            grouped_at: grouped.then_some(at),
            group_seq: 0,
            left_at: left.then_some(at),
            left_seq: 0,
        }
    }

    fn now(role: Option<&str>, left: Option<&str>) -> DatedMembership {
        let part = Part { role: role.map(str::to_owned), persona: None };
        DatedMembership {
            joined_on: day("01"),
            left_on: left.map(day),
            absences: Vec::new(),
            part: Dated::always(part),
        }
    }

    #[test]
    fn a_role_holds_from_the_day_on_which_it_was_given() {
        let days = [row("01", Some("member"), true, false), row("20", Some("admin"), true, false)];
        let membership = membership(now(Some("admin"), None), None, &days);
        let role = |on: &str| membership.part.on(day(on)).role.clone();
        assert_eq!(role("10").as_deref(), Some("member"));
        assert_eq!(role("20").as_deref(), Some("admin"));
    }

    #[test]
    fn who_created_the_workspace_is_an_admin_until_a_role_is_given() {
        let days = [row("09", Some("viewer"), true, false)];
        let membership = membership(now(Some("viewer"), None), Some(day("03")), &days);
        let role = |on: &str| membership.part.on(day(on)).role.clone();
        assert_eq!(role("02"), None);
        assert_eq!(role("03").as_deref(), Some("admin"));
        assert_eq!(role("09").as_deref(), Some("viewer"));
    }

    #[test]
    fn between_leaving_and_coming_back_nobody_is_there() {
        let days = [
            row("01", None, true, false),
            row("05", None, false, true),
            row("08", None, true, false),
            row("12", None, false, true),
            row("14", None, false, true),
        ];
        let membership = membership(now(None, Some("14")), None, &days);
        assert_eq!(membership.absences, [(day("05"), day("08")), (day("12"), day("14"))]);
    }

    #[test]
    fn a_company_is_what_was_said_of_it_by_then() {
        let said = |on: &str, json: serde_json::Value| {
            let at = day(on).and_hms_opt(9, 0, 0).unwrap().and_utc();
            let mut traits = Traits::default();
            traits.say_all(json.as_object().unwrap(), at);
            (day(on), traits)
        };
        let own = vec![said("02", serde_json::json!({"employees": 5, "industry": "Retail"}))];
        let theirs =
            vec![said("20", serde_json::json!({"employees": 420, "industry": "Software"}))];
        let now = AccountFacts { icp_fit_tier: Some("A".to_owned()), ..AccountFacts::default() };
        let account = account(AccountId::of_domain("acme.com"), Some(&own), &[&theirs], now);
        let tier = |on: &str| account.on(day(on)).icp_fit_tier.clone();
        assert_eq!(tier("01"), None);
        assert_eq!(tier("10").as_deref(), Some("C"));
        assert_eq!(tier("20").as_deref(), Some("A"));
    }
}
