//! The SQL of accounts in the API.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde::Serialize;
use serde_json::Value;

use super::query::Query;
use super::store_list;
use crate::error::Result;
use crate::ids::AccountId;
use crate::schema::account_domains;

/// Workspaces of one account at the most.
const MOST: i64 = 500;

/// An account as the API says it, without its id inside the house.
#[derive(Clone, Debug, QueryableByName, Serialize)]
#[allow(missing_docs, reason = "documented in static/openapi.json")]
pub struct Row {
    #[diesel(sql_type = SqlUuid)]
    #[serde(skip)]
    pub id: AccountId,
    #[diesel(sql_type = Nullable<Text>)]
    pub domain: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub account_id: Option<String>,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub industry: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub sub_industry: Option<String>,
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
    pub best_workspace_score: Option<i32>,
    #[diesel(sql_type = BigInt)]
    pub workspace_count: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub owner: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// What is said of it, by name; one account alone shows it.
    #[diesel(sql_type = Jsonb)]
    #[serde(skip)]
    pub traits: Value,
    /// The value that the list is sorted by, as text.
    #[diesel(sql_type = Nullable<Text>)]
    #[serde(skip)]
    pub sort_value: Option<String>,
}

const SELECTED: &str = "a.id, a.primary_domain as domain, a.traits ->> 'account_id' as account_id, a.name,
    a.industry, a.sub_industry, a.employee_count, a.country, a.region, a.tech_stack, a.segment, a.territory,
    a.is_strategic, a.lifecycle_stage, a.icp_fit_score, a.icp_fit_tier, s.score, s.stage, s.best_workspace_score,
    (select count(*) from account_links l where l.account_id = a.id) as workspace_count, t.email as owner,
    a.created_at, a.traits";
const OWNERS: &str = "left join account_owners o on o.account_id = a.id
    left join team_members t on t.id = o.member_id";

/// A page of accounts, one row more than asked for when there are more. By score there are only those
/// that have one: their index is the order.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut PgConnection, query: &Query) -> Result<Vec<Row>> {
    let join = if query.by.key == "score" { "join" } else { "left join" };
    let from = format!(
        "select {SELECTED}, ({})::text as sort_value
         from accounts a {join} account_scores s on s.account_id = a.id {OWNERS} where true",
        query.by.sql
    );
    Ok(store_list::page(from, query).load(conn)?)
}

fn some(conn: &mut PgConnection, condition: &str, value: &str) -> Result<Vec<Row>> {
    let sql = format!(
        "select {SELECTED}, null::text as sort_value
         from accounts a left join account_scores s on s.account_id = a.id {OWNERS}
         where {condition} order by a.primary_domain, a.id limit 2"
    );
    Ok(diesel::sql_query(sql).bind::<Text, _>(value).load(conn)?)
}

/// The account of a domain, one at the most.
///
/// # Errors
/// When the database fails.
pub fn by_domain(conn: &mut PgConnection, domain: &str) -> Result<Vec<Row>> {
    let condition = "a.id = (select d.account_id from account_domains d where d.domain = $1)";
    some(conn, condition, domain)
}

/// The accounts that go by an id of the CRM: two at the most, for one alone is meant.
///
/// # Errors
/// When the database fails.
pub fn by_account_id(conn: &mut PgConnection, id: &str) -> Result<Vec<Row>> {
    if id.contains('\0') {
        return Ok(Vec::new());
    }
    some(conn, "a.traits ? 'account_id' and a.traits ->> 'account_id' = $1", id)
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

/// A workspace of an account, with how sure that is.
#[derive(Clone, Debug, QueryableByName, Serialize)]
#[allow(missing_docs, reason = "documented in static/openapi.json")]
pub struct Linked {
    #[diesel(sql_type = Text)]
    pub workspace_id: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<Integer>)]
    pub score: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    pub stage: Option<String>,
    #[diesel(sql_type = Integer)]
    pub confidence: i32,
    #[diesel(sql_type = Bool)]
    pub is_pinned: bool,
}

/// The workspaces of an account, those with the best score first.
///
/// # Errors
/// When the database fails.
pub fn workspaces(conn: &mut PgConnection, id: AccountId) -> Result<Vec<Linked>> {
    Ok(diesel::sql_query(
        "select w.external_id as workspace_id, w.name, s.score, s.stage, l.confidence,
                l.pinned_by is not null as is_pinned
         from account_links l join workspaces w on w.id = l.workspace_id
         left join workspace_scores s on s.workspace_id = w.id
         where l.account_id = $1 order by s.score desc nulls last, w.id limit $2",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<BigInt, _>(MOST)
    .load(conn)?)
}
