//! Loads a batch of workspaces as cases: five set queries, put together by walking them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::PgConnection;

use super::case::{Case, DatedSubscription, Ground};
use super::compiled::CompiledModel;
use super::store_facts::{self, MemberRow, SubscriptionRow, UsageRow, WorkspaceRow};
use super::store_models;
use crate::error::Result;
use crate::ids::WorkspaceId;
use crate::usage::day::{EVENT_LOOP, Name, Names, UsageDay};
use crate::usage::facts::{AccountFacts, Member, SubscriptionFacts, WorkspaceFacts};
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
    let taxonomy = Taxonomy::new(&events, &[], &mut names);
    let mut models = Vec::new();
    for version in store_models::published(conn)? {
        let Some(at) = version.published_at else { continue };
        let number = i64::from(version.version);
        models.push((at.date_naive(), CompiledModel::new(version.model, number, &mut names)?));
    }
    Ok(Ground { names, taxonomy, models })
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
    let mut members = Walk(store_facts::members(conn, ids)?.into_iter().peekable());
    let mut subscriptions = Walk(store_facts::subscriptions(conn, ids)?.into_iter().peekable());
    let mut usage = Walk(usage_rows(conn, ground, ids)?.into_iter().peekable());
    let mut cases = Vec::with_capacity(workspaces.len());
    for row in workspaces {
        let id = row.id;
        let rows: Vec<MemberRow> = members.take_of(|member| member.workspace_id.cmp(&id));
        let last_active_at = rows.iter().filter_map(|member| member.last_active_at).max();
        let domain = primary_domain(&row, &rows);
        let days = usage.take_of(|day| day.workspace_id.cmp(&id));
        let first_events = first_events(&days, &mut ground.names);
        cases.push(Case {
            id,
            account_id: row.account_id,
            account: account(&row),
            workspace: WorkspaceFacts { first_events, ..workspace(row, domain, last_active_at) },
            members: rows.into_iter().map(member).collect(),
            subscriptions: subscriptions
                .take_of(|one| one.workspace_id.cmp(&id))
                .chunk_by(|a, b| a.id == b.id)
                .filter_map(subscription)
                .collect(),
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

fn workspace(
    row: WorkspaceRow,
    primary_domain: Option<String>,
    last_active_at: Option<DateTime<Utc>>,
) -> WorkspaceFacts {
    WorkspaceFacts {
        external_id: row.external_id,
        name: Some(row.name),
        kind: Some(row.kind),
        status: Some(row.status),
        created_at: Some(row.created_at),
        primary_domain,
        plan_tier: row.plan_tier,
        seats_purchased: row.seats_purchased.map(i64::from),
        first_events: Vec::new(),
        last_active_at,
    }
}

/// The most common corporate domain of the members, else that of billing, else that of SSO.
fn primary_domain(row: &WorkspaceRow, members: &[MemberRow]) -> Option<String> {
    let mut domains: Vec<&str> = members
        .iter()
        .filter(|member| member.email_kind == "corporate" && member.left_at.is_none())
        .filter_map(|member| member.domain.as_deref())
        .collect();
    domains.sort_unstable();
    let most = domains
        .chunk_by(|a, b| a == b)
        .max_by_key(|same| (same.len(), std::cmp::Reverse(same.first())));
    let most = most.and_then(|same| same.first()).map(|domain| (*domain).to_owned());
    most.or_else(|| row.billing_domain.clone()).or_else(|| row.sso_domain.clone())
}

fn account(row: &WorkspaceRow) -> Option<AccountFacts> {
    row.account_id?;
    Some(AccountFacts {
        icp_fit_tier: row.icp_fit_tier.clone(),
        icp_fit_score: row.icp_fit_score.map(i64::from),
        employee_count: row.employee_count.map(i64::from),
        employee_range: row.employee_count.map(|count| employee_range(count).to_owned()),
        industry: row.industry.clone(),
        sub_industry: row.sub_industry.clone(),
        hq_country: row.country.clone(),
        hq_region: row.region.clone(),
        tech_stack: row.tech_stack.clone().unwrap_or_default(),
        is_strategic: row.is_strategic,
        lifecycle_stage: row.lifecycle_stage.clone(),
        segment: row.segment.clone(),
        territory: row.territory.clone(),
        account_score: row.account_score.map(|score| f64::from(score) / 100.0),
        account_workspace_count: Some(row.account_workspaces),
    })
}

fn employee_range(count: i32) -> &'static str {
    match count {
        ..=10 => "1-10",
        11..=50 => "11-50",
        51..=200 => "51-200",
        201..=1000 => "201-1000",
        1001..=5000 => "1001-5000",
        _ => "5001+",
    }
}

fn member(row: MemberRow) -> Member {
    Member {
        role: row.role,
        persona: row.persona,
        seniority: row.seniority,
        department: row.department,
        job_title: row.job_title,
        email_kind: Some(row.email_kind),
        joined_on: Some(row.joined_at.date_naive()),
        left_on: row.left_at.map(|at| at.date_naive()),
        ..Member::new(row.user_id)
    }
}

/// All words about one subscription, the newest last.
fn subscription(words: &[SubscriptionRow]) -> Option<DatedSubscription> {
    let (now, earlier) = words.split_last()?;
    Some(DatedSubscription { earlier: earlier.iter().map(word).collect(), ..word(now) })
}

fn word(row: &SubscriptionRow) -> DatedSubscription {
    DatedSubscription {
        facts: SubscriptionFacts {
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
