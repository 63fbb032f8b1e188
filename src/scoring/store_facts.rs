//! The SQL that gathers what the engine sees: a batch of workspaces in a fixed number of set queries.
//!
//! Every query answers in the order of the workspace ids, so that a batch is put together by
//! walking the answers side by side.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Double, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};

use crate::error::Result;
use crate::ids::{AccountId, UserId, WorkspaceId};

/// A workspace with what its account says.
#[derive(Clone, Debug, QueryableByName)]
pub struct WorkspaceRow {
    #[diesel(sql_type = SqlUuid)]
    pub id: WorkspaceId,
    #[diesel(sql_type = Text)]
    pub external_id: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub plan_tier: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub billing_domain: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub sso_domain: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub seats_purchased: Option<i32>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub first_seen_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub account_id: Option<AccountId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub icp_fit_tier: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub icp_fit_score: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub employee_count: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    pub industry: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub sub_industry: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub country: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub region: Option<String>,
    #[diesel(sql_type = Nullable<Array<Text>>)]
    pub tech_stack: Option<Vec<String>>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub is_strategic: Option<bool>,
    #[diesel(sql_type = Nullable<Text>)]
    pub lifecycle_stage: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub segment: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub territory: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub account_score: Option<i32>,
    #[diesel(sql_type = BigInt)]
    pub account_workspaces: i64,
}

pub(super) fn workspaces(
    conn: &mut PgConnection,
    ids: &[WorkspaceId],
) -> Result<Vec<WorkspaceRow>> {
    Ok(diesel::sql_query(
        "select w.id, w.external_id, w.name, w.type as kind, w.status, w.plan_tier,
                w.billing_domain, w.sso_domain, w.seats_purchased, w.created_at, w.first_seen_at,
                a.id as account_id, a.icp_fit_tier, a.icp_fit_score, a.employee_count, a.industry,
                a.sub_industry, a.country, a.region, a.tech_stack, a.is_strategic,
                a.lifecycle_stage, a.segment, a.territory, s.score as account_score,
                (select count(*) from account_links o join workspaces ow on ow.id = o.workspace_id
                 where o.account_id = a.id and ow.type = 'prod' and ow.status <> 'deleted')
                    as account_workspaces
         from workspaces w
         left join account_links l on l.workspace_id = w.id
         left join accounts a on a.id = l.account_id
         left join account_scores s on s.account_id = a.id
         where w.id = any($1) order by w.id",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?)
}

/// A membership with its person: whoever its user is today, after stitching and merging.
#[derive(Clone, Debug, QueryableByName)]
pub struct MemberRow {
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    /// The person, whose facts these are.
    #[diesel(sql_type = SqlUuid)]
    pub person_id: UserId,
    /// The user of the membership.
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    /// The person's id in the product.
    #[diesel(sql_type = Text)]
    pub external_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub role: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub persona: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub joined_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub left_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_active_at: Option<DateTime<Utc>>,
    /// When this user created the workspace.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub created_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub seniority: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub department: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub job_title: Option<String>,
    #[diesel(sql_type = Text)]
    pub email_kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub domain: Option<String>,
}

/// The memberships of these workspaces by person, as usage days are.
pub(super) fn members(conn: &mut PgConnection, ids: &[WorkspaceId]) -> Result<Vec<MemberRow>> {
    Ok(diesel::sql_query(
        "select m.workspace_id, p.id as person_id, m.user_id, p.external_id, m.role, m.persona,
                m.joined_at, m.left_at, m.last_active_at, c.created_at, p.seniority, p.department,
                p.job_title, p.email_kind, p.domain
         from memberships m
         join product_users u on u.id = m.user_id
         join product_users p on p.id = u.canonical_id
         left join (select workspace_id, user_id, min(occurred_at) as created_at
                    from membership_events
                    where workspace_id = any($1) and event_key = 'workspace_created'
                    group by workspace_id, user_id) c
             on c.workspace_id = m.workspace_id and c.user_id = m.user_id
         where m.workspace_id = any($1) order by m.workspace_id, p.id, m.user_id",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?)
}

/// What was said about a membership on a day.
#[derive(Clone, Debug, QueryableByName)]
pub struct MembershipDayRow {
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    #[diesel(sql_type = Nullable<Text>)]
    pub role: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub persona: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub grouped_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub group_seq: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub left_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub left_seq: i64,
}

/// What was said about the memberships of these workspaces, by day.
pub(super) fn membership_days(
    conn: &mut PgConnection,
    ids: &[WorkspaceId],
) -> Result<Vec<MembershipDayRow>> {
    Ok(diesel::sql_query(
        "select workspace_id, user_id, day, role, persona, grouped_at, group_seq, left_at, left_seq
         from membership_days where workspace_id = any($1)
         order by workspace_id, user_id, day",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?)
}

/// All workspaces that are linked to these accounts.
pub(super) fn linked(
    conn: &mut PgConnection,
    accounts: &[AccountId],
) -> Result<Vec<(AccountId, WorkspaceId)>> {
    let rows: Vec<LinkRow> = diesel::sql_query(
        "select account_id, workspace_id from account_links where account_id = any($1)
         order by account_id, workspace_id",
    )
    .bind::<Array<SqlUuid>, _>(accounts)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.account_id, row.workspace_id)).collect())
}

/// A word about a subscription: what it is, or what it was from `updated_at` on.
#[derive(Clone, Debug, QueryableByName)]
pub struct SubscriptionRow {
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Bool)]
    pub by_traits: bool,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = BigInt)]
    pub mrr_cents: i64,
    #[diesel(sql_type = Nullable<Integer>)]
    pub seats_purchased: Option<i32>,
    #[diesel(sql_type = Nullable<Date>)]
    pub trial_start_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    pub trial_end_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub started_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub canceled_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Date>)]
    pub renewal_on: Option<NaiveDate>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    pub plan: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    pub flags: Vec<String>,
    #[diesel(sql_type = Bool)]
    pub by_stripe: bool,
}

/// Every word about every subscription, the newest of each last. The history of what traits say follows
/// from the days of the workspace's traits.
pub(super) fn subscriptions(
    conn: &mut PgConnection,
    ids: &[WorkspaceId],
) -> Result<Vec<SubscriptionRow>> {
    Ok(diesel::sql_query(
        "select workspace_id, id, origin = 'traits' as by_traits, status, currency, mrr_cents, seats_purchased,
                trial_start_on, trial_end_on, started_at, canceled_at, renewal_on, updated_at,
                plan, flags, origin = 'stripe' as by_stripe, true as is_now, 0 as place
         from subscriptions where workspace_id = any($1)
         union all
         select s.workspace_id, s.id, false, c.status, c.currency, c.mrr_cents, c.seats_purchased,
                c.trial_start_on, c.trial_end_on, c.started_at, c.canceled_at, c.renewal_on, c.at,
                c.plan, c.flags, c.origin = 'stripe', false, c.place
         from subscriptions s join subscription_changes c on c.subscription_id = s.id
         where s.workspace_id = any($1) and s.origin <> 'traits'
         order by workspace_id, id, is_now, updated_at, place",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?)
}

/// A usage day under the person's canonical id.
#[derive(Clone, Debug, QueryableByName)]
pub struct UsageRow {
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    #[diesel(sql_type = Text)]
    pub event_key: String,
    #[diesel(sql_type = Text)]
    pub feature: String,
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    #[diesel(sql_type = BigInt)]
    pub events: i64,
    #[diesel(sql_type = Double)]
    pub value: f64,
    /// Of a primary milestone, when the first of these events happened; of one that is no key event
    /// the beginning of that hour.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub first_at: Option<DateTime<Utc>>,
}

pub(super) fn usage(
    conn: &mut PgConnection,
    ids: &[WorkspaceId],
    milestones: &[&str],
) -> Result<Vec<UsageRow>> {
    Ok(diesel::sql_query(
        "select u.workspace_id, coalesce(p.canonical_id, u.user_id) as user_id, u.event_key,
                u.feature, u.day, u.events, u.value::float8 as value,
                case when u.event_key = any($2) then coalesce(u.first_at,
                    u.day::timestamp at time zone 'UTC' + make_interval(hours =>
                        (length(u.hours::text) - length(rtrim(u.hours::text, '0'))) / 8)) end as first_at
         from usage_days u left join product_users p on p.id = u.user_id
         where u.workspace_id = any($1) order by u.workspace_id, u.day",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(milestones)
    .load(conn)?)
}

/// An event as the catalog defines it.
#[derive(Clone, Debug, QueryableByName)]
pub struct DefinitionRow {
    #[diesel(sql_type = Text)]
    pub key: String,
    #[diesel(sql_type = Text)]
    pub category: String,
    #[diesel(sql_type = Bool)]
    pub is_key: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub milestone: Option<String>,
    #[diesel(sql_type = Text)]
    pub label: String,
}

pub(super) fn definitions(conn: &mut PgConnection) -> Result<Vec<DefinitionRow>> {
    Ok(diesel::sql_query(
        "select key, category, is_key, milestone, label from event_definitions
         where muted_at is null order by position, key",
    )
    .load(conn)?)
}

/// The features that events of category depth have named.
pub(super) fn key_features(conn: &mut PgConnection) -> Result<Vec<String>> {
    use crate::schema::key_features as t;
    Ok(t::table.select(t::feature).order(t::feature).load(conn)?)
}

#[derive(QueryableByName)]
struct LinkRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: AccountId,
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
}

/// The production workspaces of accounts, by account.
pub(super) fn workspaces_of(
    conn: &mut PgConnection,
    accounts: &[AccountId],
) -> Result<Vec<(AccountId, WorkspaceId)>> {
    let rows: Vec<LinkRow> = diesel::sql_query(
        "select l.account_id, l.workspace_id
         from account_links l join workspaces w on w.id = l.workspace_id
         where l.account_id = any($1) and w.type = 'prod' and w.status <> 'deleted'
         order by l.account_id, l.workspace_id",
    )
    .bind::<Array<SqlUuid>, _>(accounts)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.account_id, row.workspace_id)).collect())
}
