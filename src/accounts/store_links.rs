//! All SQL of which account a workspace belongs to, and of the evidence for it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Int4, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;

use super::matching::{Account, Evidence};
use crate::error::Result;
use crate::identity::host;
use crate::ids::{AccountId, WorkspaceId};

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: WorkspaceId,
}

/// Workspaces that name one of these domains, from before it was an account's.
///
/// # Errors
/// When the database fails.
pub fn workspaces_naming(conn: &mut PgConnection, domains: &[String]) -> Result<Vec<WorkspaceId>> {
    if domains.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Id> = diesel::sql_query(
        "select id from workspaces
         where website_domain = any($1) or billing_domain = any($1) or sso_domain = any($1)",
    )
    .bind::<Array<Text>, _>(domains)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

#[derive(QueryableByName)]
struct Own {
    #[diesel(sql_type = SqlUuid)]
    id: WorkspaceId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    website_domain: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    billing_domain: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    sso_domain: Option<String>,
}

#[derive(QueryableByName)]
struct Member {
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
    #[diesel(sql_type = Text)]
    domain: String,
    #[diesel(sql_type = Bool)]
    current: bool,
    #[diesel(sql_type = Bool)]
    founder: bool,
}

/// What is known about these workspaces that says whose they are. The founder is whoever created
/// the workspace first, else who joined first.
///
/// # Errors
/// When the database fails.
pub fn evidence(
    conn: &mut PgConnection,
    ids: &[WorkspaceId],
) -> Result<BTreeMap<WorkspaceId, Evidence>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let own: Vec<Own> = diesel::sql_query(
        "select id, name, website_domain, billing_domain, sso_domain from workspaces where id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?;
    let mut evidence: BTreeMap<WorkspaceId, Evidence> = own
        .into_iter()
        .map(|row| {
            let one = Evidence {
                name: row.name,
                website_domain: row.website_domain,
                billing_domain: row.billing_domain,
                sso_domain: row.sso_domain,
                ..Evidence::default()
            };
            (row.id, one)
        })
        .collect();
    let members: Vec<Member> = diesel::sql_query(
        "with creators as (
             select distinct on (workspace_id) workspace_id, user_id from membership_events
             where workspace_id = any($1) and event_key = 'workspace_created'
             order by workspace_id, occurred_at, id
         ), firsts as (
             select distinct on (workspace_id) workspace_id, user_id from memberships
             where workspace_id = any($1) order by workspace_id, joined_at, user_id
         ), founders as (
             select f.workspace_id, u.canonical_id as user_id
             from firsts f left join creators c on c.workspace_id = f.workspace_id
             join product_users u on u.id = coalesce(c.user_id, f.user_id)
             union
             select c.workspace_id, u.canonical_id from creators c join product_users u on u.id = c.user_id
         )
         select coalesce(m.workspace_id, f.workspace_id) as workspace_id, p.domain,
                m.workspace_id is not null as current, f.workspace_id is not null as founder
         from (select distinct s.workspace_id, u.canonical_id as user_id
               from memberships s join product_users u on u.id = s.user_id
               where s.workspace_id = any($1) and s.left_at is null) m
         full join founders f on f.workspace_id = m.workspace_id and f.user_id = m.user_id
         join product_users p on p.id = coalesce(m.user_id, f.user_id)
         where p.email_kind = 'corporate' and p.domain is not null
         order by 1, 2",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?;
    for member in members {
        let Some(one) = evidence.get_mut(&member.workspace_id) else { continue };
        if member.founder {
            one.founder_domain = Some(member.domain.clone());
        }
        if member.current {
            one.member_domains.push(member.domain);
        }
    }
    Ok(evidence)
}

#[derive(QueryableByName)]
struct Owner {
    #[diesel(sql_type = Text)]
    domain: String,
    #[diesel(sql_type = SqlUuid)]
    id: AccountId,
    #[diesel(sql_type = Nullable<Text>)]
    primary_domain: Option<String>,
    #[diesel(sql_type = Text)]
    name: String,
}

/// The accounts of these domains.
///
/// # Errors
/// When the database fails.
pub fn accounts_of(conn: &mut PgConnection, domains: &[&str]) -> Result<BTreeMap<String, Account>> {
    let rows: Vec<Owner> = diesel::sql_query(
        "select d.domain, a.id, a.primary_domain, a.name
         from account_domains d join accounts a on a.id = d.account_id where d.domain = any($1)",
    )
    .bind::<Array<Text>, _>(domains)
    .load(conn)?;
    let named = |row: Owner| {
        let label = row
            .primary_domain
            .as_deref()
            .map(|domain| host::shown(domain).split('.').next().unwrap_or_default().to_owned());
        (row.domain, Account { id: row.id, name: label.unwrap_or(row.name) })
    };
    Ok(rows.into_iter().map(named).collect())
}

/// A link as it stands.
#[derive(QueryableByName)]
pub struct Standing {
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
    /// The account, when linked.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub account_id: Option<AccountId>,
    #[diesel(sql_type = Int4)]
    confidence: i32,
    #[diesel(sql_type = Jsonb)]
    evidence: Value,
    /// Made by a person: evidence never changes it.
    #[diesel(sql_type = Bool)]
    pub pinned: bool,
}

impl Standing {
    /// Whether it says this already.
    #[must_use]
    pub fn says(&self, link: &Link) -> bool {
        (self.account_id, self.confidence, &self.evidence)
            == (link.account_id, link.confidence, &link.evidence)
    }
}

/// A link to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Of this workspace.
    pub workspace_id: WorkspaceId,
    /// To this account; none while a person is asked, or while the evidence is weak.
    pub account_id: Option<AccountId>,
    /// Percent, of the best proposal.
    pub confidence: i32,
    /// All proposals with what speaks for them, the best first.
    pub evidence: Value,
}

/// The links of these workspaces.
///
/// # Errors
/// When the database fails.
pub fn load(
    conn: &mut PgConnection,
    ids: &[WorkspaceId],
) -> Result<BTreeMap<WorkspaceId, Standing>> {
    let rows: Vec<Standing> = diesel::sql_query(
        "select workspace_id, account_id, confidence, evidence, pinned_by is not null as pinned
         from account_links where workspace_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.workspace_id, row)).collect())
}

/// The workspaces of these accounts.
///
/// # Errors
/// When the database fails.
pub fn linked(conn: &mut PgConnection, accounts: &BTreeSet<AccountId>) -> Result<Vec<WorkspaceId>> {
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Id> = diesel::sql_query(
        "select workspace_id as id from account_links where account_id = any($1) order by 1",
    )
    .bind::<Array<SqlUuid>, _>(accounts.iter().copied().collect::<Vec<_>>())
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Writes links; one that a person pinned meanwhile stays.
///
/// # Errors
/// When the database fails.
pub fn upsert(conn: &mut PgConnection, links: &[Link], at: DateTime<Utc>) -> Result<()> {
    if links.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into account_links (workspace_id, account_id, confidence, evidence, decided_at)
         select workspace_id, account_id, confidence, evidence::jsonb, $5
         from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[]) as t (workspace_id, account_id, confidence, evidence)
         order by workspace_id
         on conflict (workspace_id) do update set
             account_id = excluded.account_id, confidence = excluded.confidence, evidence = excluded.evidence,
             decided_at = excluded.decided_at
         where account_links.pinned_by is null",
    )
    .bind::<Array<SqlUuid>, _>(links.iter().map(|link| link.workspace_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(links.iter().map(|link| link.account_id).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(links.iter().map(|link| link.confidence).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(links.iter().map(|link| link.evidence.to_string()).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(at)
    .execute(conn)?;
    Ok(())
}

/// Removes links for which nothing speaks any more.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut PgConnection, ids: &[WorkspaceId]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "delete from account_links where workspace_id = any($1) and pinned_by is null",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .execute(conn)?;
    Ok(())
}
