//! Loads a batch of workspaces as cases: a fixed number of set queries, put together by walking them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use uuid::Uuid;

use super::case::{Case, DatedSubscription, Ground, WorkspaceState};
use super::compiled::CompiledModel;
use super::dated::Dated;
use super::histories::{self, Days};
use super::people::{DatedMembership, DatedPerson, Part, PersonFacts};
use super::store_facts::{
    self, MemberRow, MembershipDayRow, SubscriptionRow, UsageRow, WorkspaceRow,
};
use super::store_models;
use crate::error::Result;
use crate::ids::{AccountId, WorkspaceId};
use crate::ingest::store_trait_days;
use crate::ingest::trait_names::Subject;
use crate::plans::{self, plan::PlanList};
use crate::usage::day::{EVENT_LOOP, Name, Names, UsageDay};
use crate::usage::facts::{AccountFacts, SubscriptionFacts, WorkspaceFacts};
use crate::usage::hours;
use crate::usage::store_loops;
use crate::usage::taxonomy::{CatalogEvent, Taxonomy};

/// Loads what every case of a run shares.
///
/// # Errors
/// When the database fails or a published model can't be compiled.
pub fn ground(conn: &mut PgConnection) -> Result<Ground> {
    let mut names = Names::new();
    let events: Vec<CatalogEvent> = store_facts::definitions(conn)?
        .into_iter()
        .map(|row| CatalogEvent {
            key: row.key,
            label: row.label,
            category: row.category,
            milestone: row.milestone,
        })
        .collect();
    let key_features = store_facts::key_features(conn)?;
    let plans = plans::ops::load(conn)?;
    let taxonomy = Taxonomy::new(&events, &key_features, &mut names);
    let mut models = Vec::new();
    for version in store_models::published(conn)? {
        let Some(at) = version.published_at else { continue };
        let number = i64::from(version.version);
        models.push((at.date_naive(), CompiledModel::new(version.model, number, &mut names)?));
    }
    Ok(Ground { plans, key_features, names, taxonomy, models })
}

/// Loads workspaces as cases, in the order of their ids; ids that don't exist are left out.
///
/// # Errors
/// When the database fails.
pub fn cases(
    conn: &mut PgConnection,
    ground: &mut Ground,
    ids: &[WorkspaceId],
) -> Result<Vec<Case>> {
    let workspaces = store_facts::workspaces(conn, ids)?;
    let members = store_facts::members(conn, ids)?;
    let said = Said::load(conn, &workspaces, &members)?;
    let mut members = Walk(members.into_iter().peekable());
    let member_days = store_facts::membership_days(conn, ids)?;
    let mut subscriptions = Walk(store_facts::subscriptions(conn, ids)?.into_iter().peekable());
    let mut usage = Walk(usage_rows(conn, ground, ids)?.into_iter().peekable());
    let mut accounts: BTreeMap<AccountId, Dated<AccountFacts>> = BTreeMap::new();
    let mut cases = Vec::with_capacity(workspaces.len());
    for row in workspaces {
        let id = row.id;
        let rows: Vec<MemberRow> = members.take_of(|member| member.workspace_id.cmp(&id));
        let days = usage.take_of(|day| day.workspace_id.cmp(&id));
        let (by_traits, billed) = subscriptions
            .take_of(|one| one.workspace_id.cmp(&id))
            .chunk_by(|a, b| a.id == b.id)
            .filter_map(|words| subscription(words, &ground.plans))
            .partition(|one| one.by_traits);
        let people = rows.chunk_by(|a, b| a.person_id == b.person_id);
        cases.push(Case {
            id,
            first_events: first_events(&days, &mut ground.names),
            account_id: row.account_id,
            account_score: row.account_score.map(|score| f64::from(score) / 100.0),
            account: row.account_id.map(|id| {
                let load = || said.account(id, account(&row));
                accounts.entry(id).or_insert_with(load).clone()
            }),
            last_active_at: rows.iter().filter_map(|member| member.last_active_at).max(),
            people: people.filter_map(|rows| person(rows, &said, &member_days)).collect(),
            workspace: histories::workspace(
                &ground.plans,
                id,
                row.first_seen_at,
                said.days.get(&id.0),
                WorkspaceState { facts: workspace(row), by_traits },
            ),
            subscriptions: billed,
            usage: days.into_iter().map(|day| usage_day(day, &mut ground.names)).collect(),
        });
    }
    Ok(cases)
}

/// Usage days with the loops that are found in their hours. Where one is stored, from before hours were
/// kept, the greater number counts.
fn usage_rows(
    conn: &mut PgConnection,
    ground: &Ground,
    ids: &[WorkspaceId],
) -> Result<Vec<UsageRow>> {
    let milestones: Vec<&str> =
        ground.taxonomy.primary_milestones().map(|event| ground.names.text(event)).collect();
    let mut rows = store_facts::usage(conn, ids, &milestones)?;
    let busy = rows
        .chunk_by(|a, b| (a.workspace_id, a.day) == (b.workspace_id, b.day))
        .filter(|day| day.iter().map(|row| row.events).sum::<i64>() >= hours::LOOP)
        .flatten();
    let days = busy
        .filter(|row| row.event_key != EVENT_LOOP)
        .map(|row| ((row.workspace_id, row.day, row.user_id), row.event_key.as_str(), row.events));
    let mut loops = store_loops::loops(conn, &hours::suspects(days))?;
    if loops.is_empty() {
        return Ok(rows);
    }
    for row in rows.iter_mut().filter(|row| row.event_key == EVENT_LOOP) {
        if let Some(found) = loops.remove(&(row.workspace_id, row.day, row.user_id)) {
            row.events = row.events.max(found);
        }
    }
    rows.extend(loops.into_iter().map(|((workspace_id, day, user_id), events)| UsageRow {
        workspace_id,
        user_id,
        event_key: EVENT_LOOP.to_owned(),
        feature: String::new(),
        day,
        events,
        value: 0.0,
        first_at: None,
    }));
    rows.sort_by_key(|row| (row.workspace_id, row.day));
    Ok(rows)
}

/// The first moment of each primary milestone.
fn first_events(days: &[UsageRow], names: &mut Names) -> Vec<(Name, DateTime<Utc>)> {
    let mut first: BTreeMap<Name, DateTime<Utc>> = BTreeMap::new();
    for day in days {
        let Some(at) = day.first_at else { continue };
        let known = first.entry(names.intern(&day.event_key)).or_insert(at);
        *known = at.min(*known);
    }
    first.into_iter().collect()
}

/// What was said by day about everybody and everything in a batch.
struct Said {
    days: BTreeMap<Uuid, Days>,
    /// The workspaces that are linked to the accounts of the batch, by account.
    linked: Vec<(AccountId, WorkspaceId)>,
}

impl Said {
    fn load(
        conn: &mut PgConnection,
        workspaces: &[WorkspaceRow],
        members: &[MemberRow],
    ) -> Result<Self> {
        let accounts: BTreeSet<AccountId> =
            workspaces.iter().filter_map(|row| row.account_id).collect();
        let linked = store_facts::linked(conn, &accounts.iter().copied().collect::<Vec<_>>())?;
        let owners = accounts.iter().map(|id| id.0).collect::<Vec<_>>();
        let users: BTreeSet<Uuid> = members.iter().map(|row| row.person_id.0).collect();
        let all = workspaces.iter().map(|row| row.id.0);
        let all: BTreeSet<Uuid> =
            all.chain(linked.iter().map(|(_, workspace)| workspace.0)).collect();
        let mut days = BTreeMap::new();
        for (subject, ids) in [
            (Subject::User, users.into_iter().collect()),
            (Subject::Workspace, all.into_iter().collect()),
            (Subject::Company, owners),
        ] {
            days.extend(store_trait_days::of(conn, subject, &ids)?);
        }
        Ok(Self { days, linked })
    }

    fn account(&self, id: AccountId, now: AccountFacts) -> Dated<AccountFacts> {
        let from = self.linked.partition_point(|(account, _)| *account < id);
        let linked = self.linked.iter().skip(from).take_while(|(account, _)| *account == id);
        let workspaces: Vec<&Days> =
            linked.filter_map(|(_, workspace)| self.days.get(&workspace.0)).collect();
        histories::account(id, self.days.get(&id.0), &workspaces, now)
    }
}

/// Rows in the order of workspaces, taken one workspace after the other.
struct Walk<I: Iterator>(std::iter::Peekable<I>);

impl<I: Iterator> Walk<I> {
    /// The rows that compare equal; those before them belong to workspaces that are gone.
    fn take_of(&mut self, order: impl Fn(&I::Item) -> std::cmp::Ordering) -> Vec<I::Item> {
        while self.0.next_if(|row| order(row).is_lt()).is_some() {}
        let mut rows = Vec::new();
        while let Some(row) = self.0.next_if(|row| order(row).is_eq()) {
            rows.push(row);
        }
        rows
    }
}

/// Its primary domain is that of billing or SSO, unless its members have one.
fn workspace(row: WorkspaceRow) -> WorkspaceFacts {
    WorkspaceFacts {
        external_id: row.external_id,
        name: Some(row.name),
        kind: Some(row.kind),
        status: Some(row.status),
        created_at: Some(row.created_at),
        primary_domain: row.billing_domain.or(row.sso_domain),
        plan_tier: row.plan_tier,
        seats_purchased: row.seats_purchased.map(i64::from),
        ..WorkspaceFacts::default()
    }
}

fn account(row: &WorkspaceRow) -> AccountFacts {
    AccountFacts {
        icp_fit_tier: row.icp_fit_tier.clone(),
        icp_fit_score: row.icp_fit_score.map(i64::from),
        employee_count: row.employee_count.map(i64::from),
        employee_range: row.employee_count.map(|count| histories::employee_range(count).to_owned()),
        industry: row.industry.clone(),
        sub_industry: row.sub_industry.clone(),
        hq_country: row.country.clone(),
        hq_region: row.region.clone(),
        tech_stack: row.tech_stack.clone().unwrap_or_default(),
        is_strategic: row.is_strategic,
        lifecycle_stage: row.lifecycle_stage.clone(),
        segment: row.segment.clone(),
        territory: row.territory.clone(),
        account_score: None,
        account_workspace_count: Some(row.account_workspaces),
    }
}

/// One person with all their memberships in a workspace.
fn person(rows: &[MemberRow], said: &Said, days: &[MembershipDayRow]) -> Option<DatedPerson> {
    let first = rows.first()?;
    let facts = PersonFacts {
        seniority: first.seniority.clone(),
        department: first.department.clone(),
        job_title: first.job_title.clone(),
        email_kind: Some(first.email_kind.clone()),
        domain: first.domain.clone(),
    };
    Some(DatedPerson {
        id: first.person_id,
        external_id: first.external_id.clone(),
        facts: histories::person(
            (first.person_id, &first.external_id),
            said.days.get(&first.person_id.0),
            facts,
        ),
        memberships: rows.iter().map(|row| membership(row, days)).collect(),
    })
}

/// `days` in the order of workspaces and users.
fn membership(row: &MemberRow, days: &[MembershipDayRow]) -> DatedMembership {
    let pair = (row.workspace_id, row.user_id);
    let from = days.partition_point(|day| (day.workspace_id, day.user_id) < pair);
    let to = days.partition_point(|day| (day.workspace_id, day.user_id) <= pair);
    let now = DatedMembership {
        joined_on: row.joined_at.date_naive(),
        left_on: row.left_at.map(|at| at.date_naive()),
        absences: Vec::new(),
        part: Dated::always(Part { role: row.role.clone(), persona: row.persona.clone() }),
    };
    let created_on = row.created_at.map(|at| at.date_naive());
    histories::membership(now, created_on, days.get(from..to).unwrap_or_default())
}

/// All words about one subscription, the newest last.
fn subscription(words: &[SubscriptionRow], plans: &PlanList) -> Option<DatedSubscription> {
    let (now, earlier) = words.split_last()?;
    let earlier = earlier.iter().map(|row| word(row, plans)).collect();
    Some(DatedSubscription { earlier, ..word(now, plans) })
}

/// Flags of Stripe's under which an MRR of 0 does not mean a price of 0.
const UNCOUNTED: [&str; 6] =
    ["tiered", "metered", "more_items", "collection_paused", "odd_amount", "other_currency"];

/// Whether nothing is ever paid for a subscription: of Stripe's, every price is 0; of others, nothing is
/// paid and the plan is a free one.
fn is_free(row: &SubscriptionRow, plans: &PlanList) -> bool {
    let has = |flag: &str| row.flags.iter().any(|own| own == flag);
    if row.by_stripe {
        let pays = matches!(row.status.as_str(), "active" | "past_due");
        // The flag is newer than some rows.
        return has("free")
            || (pays && row.mrr_cents == 0 && !UNCOUNTED.iter().any(|flag| has(flag)));
    }
    row.mrr_cents == 0 && row.plan.as_deref().is_some_and(|plan| plans.read(plan).tier == "free")
}

fn word(row: &SubscriptionRow, plans: &PlanList) -> DatedSubscription {
    DatedSubscription {
        facts: SubscriptionFacts {
            is_free: is_free(row, plans),
            status: row.status.clone(),
            currency: row.currency.clone(),
            mrr_cents: row.mrr_cents,
            seats: row.seats_purchased.map(i64::from),
            renewal_on: row.renewal_on,
            trial_end_on: row.trial_end_on,
        },
        of: Some(row.workspace_id),
        by_traits: row.by_traits,
        started_on: row.started_at.map(|at| at.date_naive()),
        trial_start_on: row.trial_start_on,
        canceled_on: row.canceled_at.map(|at| at.date_naive()),
        said_on: Some(row.updated_at.date_naive()),
        earlier: Vec::new(),
    }
}

fn usage_day(row: UsageRow, names: &mut Names) -> UsageDay {
    UsageDay {
        user: row.user_id,
        event: names.intern(&row.event_key),
        feature: (!row.feature.is_empty()).then(|| names.intern(&row.feature)),
        day: row.day,
        count: row.events,
        value: row.value,
    }
}
