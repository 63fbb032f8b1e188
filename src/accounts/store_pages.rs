//! The SQL of the pages of accounts: the list, and one account.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde_json::Value;

use crate::error::Result;
use crate::ids::{AccountId, MemberId, UserId, WorkspaceId};
use crate::schema::{account_domains, accounts};

/// So many rows a page.
pub const PAGE: usize = 50;
/// Of an account so many workspaces and people are listed.
const LISTED: i64 = 200;

/// An account as the list shows it. Scores in hundredths.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of accounts and account_scores")]
pub struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub id: AccountId,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub sort_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub primary_domain: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub industry: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub employee_count: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    pub icp_fit_tier: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub score: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    pub stage: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub best: Option<i32>,
    #[diesel(sql_type = BigInt)]
    pub workspaces: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub owner: Option<String>,
}

/// Where the next page begins: after an account with this score, or after the last that has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Hundredths; none for an account without a score, and in the order of names.
    pub score: Option<i32>,
    /// The account.
    pub id: AccountId,
}

/// By what accounts are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// High to low; those without a score last.
    #[default]
    Score,
    /// A to Z.
    Name,
}

const COLUMNS: &str = "select a.id, a.name, lower(a.name) as sort_name, a.primary_domain,
       a.industry, a.employee_count, a.icp_fit_tier, s.score, s.stage,
       s.best_workspace_score as best,
       (select count(*) from account_links l where l.account_id = a.id) as workspaces,
       m.name as owner ";
const OWNERS: &str = " left join account_owners o on o.account_id = a.id
       left join team_members m on m.id = o.member_id ";
const MATCHES: &str = " and ($1 = '' or a.name ilike $2 or a.primary_domain ilike $2 or exists (
       select 1 from account_domains d where d.account_id = a.id and d.domain ilike $2)) ";

/// One row more than a page of accounts whose name or a domain holds the text.
///
/// # Errors
/// When the database fails.
pub fn page(
    conn: &mut PgConnection,
    search: &str,
    order: Order,
    after: Option<Cursor>,
) -> Result<Vec<Row>> {
    if order == Order::Name {
        return part(
            conn,
            search,
            after,
            "left join",
            " and ($3::uuid is null or (lower(a.name), a.id) >
            ((select lower(name) from accounts where id = $3), $3)) and ($4::integer is null)
            order by lower(a.name), a.id",
        );
    }
    let mut rows = match after {
        Some(Cursor { score: None, .. }) => Vec::new(),
        _ => part(
            conn,
            search,
            after,
            "join",
            " and ($4::integer is null or (s.score <= $4 and
            (s.score < $4 or s.account_id > $3))) order by s.score desc, s.account_id",
        )?,
    };
    if rows.len() <= PAGE {
        let after = after.filter(|cursor| cursor.score.is_none());
        rows.extend(part(
            conn,
            search,
            after,
            "left join",
            " and s.account_id is null
            and ($3::uuid is null or a.id > $3) and ($4::integer is null) order by a.id",
        )?);
        rows.truncate(PAGE + 1);
    }
    Ok(rows)
}

fn part(
    conn: &mut PgConnection,
    search: &str,
    after: Option<Cursor>,
    join: &str,
    rest: &str,
) -> Result<Vec<Row>> {
    let text = format!(
        "{COLUMNS} from accounts a {join} account_scores s on s.account_id = a.id {OWNERS}
         where true {MATCHES} {rest} limit {}",
        PAGE + 1
    );
    Ok(diesel::sql_query(text)
        .into_boxed::<Pg>()
        .bind::<Text, _>(search.to_owned())
        .bind::<Text, _>(contains(search))
        .bind::<Nullable<SqlUuid>, _>(after.map(|cursor| cursor.id))
        .bind::<Nullable<Integer>, _>(after.and_then(|cursor| cursor.score))
        .load(conn)?)
}

/// A pattern that finds the text anywhere, its own `%` and `_` taken as they are.
fn contains(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// How many accounts there are, and how many workspaces wait for a person to say whose they are.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Counts {
    /// Accounts.
    #[diesel(sql_type = BigInt)]
    pub accounts: i64,
    /// Workspaces with evidence of 50 to 79 percent.
    #[diesel(sql_type = BigInt)]
    pub undecided: i64,
}

/// The counts over the list; each stops at 10,000.
///
/// # Errors
/// When the database fails.
pub fn counts(conn: &mut PgConnection) -> Result<Counts> {
    Ok(diesel::sql_query(
        "select (select count(*) from (select 1 from accounts limit 10000) a) as accounts,
                (select count(*) from (select 1 from account_links where account_id is null
                 and pinned_by is null and confidence >= 50 limit 10000) l) as undecided",
    )
    .get_result(conn)?)
}

/// An account's page.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of accounts and account_scores")]
pub struct Detail {
    #[diesel(sql_type = SqlUuid)]
    pub id: AccountId,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub industry: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub employee_count: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    pub country: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub region: Option<String>,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    pub tech_stack: Vec<Option<String>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub segment: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub territory: Option<String>,
    #[diesel(sql_type = Bool)]
    pub is_strategic: bool,
    #[diesel(sql_type = Text)]
    pub lifecycle_stage: String,
    #[diesel(sql_type = Nullable<Integer>)]
    pub icp_fit_score: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    pub icp_fit_tier: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub score: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    pub stage: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub scored_workspaces: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub best: Option<i32>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub card: Option<Value>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub owner_id: Option<MemberId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub owner: Option<String>,
}

/// One account.
///
/// # Errors
/// `NotFound` where there is none; when the database fails.
pub fn detail(conn: &mut PgConnection, id: AccountId) -> Result<Detail> {
    Ok(diesel::sql_query(
        "select a.id, a.name, a.industry, a.employee_count, a.country, a.region, a.tech_stack,
                a.segment, a.territory, a.is_strategic, a.lifecycle_stage, a.icp_fit_score,
                a.icp_fit_tier, s.score, s.stage, s.workspaces as scored_workspaces,
                s.best_workspace_score as best, s.card, o.member_id as owner_id, m.name as owner
         from accounts a left join account_scores s on s.account_id = a.id
         left join account_owners o on o.account_id = a.id
         left join team_members m on m.id = o.member_id where a.id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .get_result(conn)?)
}

/// The domains of an account.
///
/// # Errors
/// When the database fails.
pub fn domains(conn: &mut PgConnection, id: AccountId) -> Result<Vec<String>> {
    Ok(account_domains::table
        .filter(account_domains::account_id.eq(id))
        .order(account_domains::domain)
        .select(account_domains::domain)
        .load(conn)?)
}

/// A workspace of an account, with why it is one.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of workspaces, account_links and workspace_scores")]
pub struct Workspace {
    #[diesel(sql_type = SqlUuid)]
    pub id: WorkspaceId,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Nullable<Integer>)]
    pub score: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub score_7d: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    pub stage: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub wau: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    pub plan_tier: Option<String>,
    #[diesel(sql_type = Nullable<Date>)]
    pub trial_end_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_active_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub owner: Option<String>,
    #[diesel(sql_type = Integer)]
    pub confidence: i32,
    #[diesel(sql_type = Jsonb)]
    pub evidence: Value,
    #[diesel(sql_type = Nullable<Text>)]
    pub pinned_by: Option<String>,
}

const WORKSPACE: &str = "select w.id, w.name, w.type as kind, w.status, s.score, s.score_7d,
       s.stage, s.wau, coalesce(s.plan_tier, w.plan_tier) as plan_tier, s.trial_end_on,
       s.last_active_at, m.name as owner, l.confidence, l.evidence, p.name as pinned_by
   from account_links l join workspaces w on w.id = l.workspace_id
   left join workspace_scores s on s.workspace_id = w.id
   left join assignments o on o.workspace_id = w.id and o.ended_at is null
   left join team_members m on m.id = o.member_id
   left join team_members p on p.id = l.pinned_by";

/// An account's workspaces, by score.
///
/// # Errors
/// When the database fails.
pub fn workspaces(conn: &mut PgConnection, id: AccountId) -> Result<Vec<Workspace>> {
    let text = format!(
        "{WORKSPACE} where l.account_id = $1
         order by w.type <> 'prod', s.score desc nulls last, w.id limit $2"
    );
    Ok(diesel::sql_query(text).bind::<SqlUuid, _>(id).bind::<BigInt, _>(LISTED).load(conn)?)
}

/// Workspaces whose evidence asks a person, the most likely first.
///
/// # Errors
/// When the database fails.
pub fn undecided(conn: &mut PgConnection) -> Result<Vec<Workspace>> {
    let text = format!(
        "{WORKSPACE} where l.account_id is null and l.pinned_by is null and l.confidence >= 50
         order by l.confidence desc, s.score desc nulls last, w.id limit $1"
    );
    Ok(diesel::sql_query(text).bind::<BigInt, _>(LISTED).load(conn)?)
}

/// A person of an account, after stitching.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of product_users and memberships")]
pub struct Person {
    #[diesel(sql_type = SqlUuid)]
    pub id: UserId,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub job_title: Option<String>,
    #[diesel(sql_type = Bool)]
    pub is_admin: bool,
    #[diesel(sql_type = Bool)]
    pub is_champion: bool,
    #[diesel(sql_type = BigInt)]
    pub workspaces: i64,
    #[diesel(sql_type = SqlUuid)]
    pub workspace: WorkspaceId,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_active_at: Option<DateTime<Utc>>,
}

/// The people of an account: admins and champions first, then the most recently active; at most 25.
///
/// # Errors
/// When the database fails.
pub fn people(conn: &mut PgConnection, id: AccountId) -> Result<Vec<Person>> {
    Ok(diesel::sql_query(
        "select p.id, coalesce(nullif(p.name, ''), p.email, p.external_id) as name, p.email,
                p.job_title, j.is_admin, j.is_champion, j.workspaces, j.workspace, j.last_active_at
         from (
             select u.canonical_id, coalesce(bool_or(ms.role = 'admin'), false) as is_admin,
                    coalesce(bool_or(ms.persona = 'champion'), false) as is_champion,
                    count(distinct ms.workspace_id) as workspaces,
                    (array_agg(ms.workspace_id order by ms.last_active_at desc nulls last))[1] as workspace,
                    max(ms.last_active_at) as last_active_at
             from account_links l join memberships ms on ms.workspace_id = l.workspace_id
             join product_users u on u.id = ms.user_id
             where l.account_id = $1 and ms.left_at is null group by u.canonical_id) j
         join product_users p on p.id = j.canonical_id
         order by j.is_admin or j.is_champion desc, j.last_active_at desc nulls last, p.id limit 25",
    )
    .bind::<SqlUuid, _>(id)
    .load(conn)?)
}

/// The names of accounts.
///
/// # Errors
/// When the database fails.
pub fn names(conn: &mut PgConnection, ids: &[AccountId]) -> Result<Vec<(AccountId, String)>> {
    Ok(accounts::table
        .filter(accounts::id.eq_any(ids))
        .order(accounts::id)
        .select((accounts::id, accounts::name))
        .load(conn)?)
}
