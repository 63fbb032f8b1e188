//! All SQL of accounts and their domains.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Int4, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::{Map, Value};

use super::company::{Account, Facts};
use super::icp::IcpDefinition;
use crate::error::Result;
use crate::identity::domain::Email;
use crate::ids::{AccountId, UserId, WorkspaceId};
use crate::ingest::trait_names::Subject;
use crate::ingest::traits::Traits;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: AccountId,
    #[diesel(sql_type = Text)]
    domain: String,
    #[diesel(sql_type = Jsonb)]
    traits: Value,
    #[diesel(sql_type = Jsonb)]
    trait_times: Value,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

impl Row {
    fn account(self) -> Account {
        let traits = Traits::stored(Subject::Company, self.traits, self.trait_times);
        Account { id: self.id, domain: self.domain, traits, created_at: self.created_at }
    }
}

/// The accounts that these domains belong to, by the domain asked for; locked until the
/// transaction ends.
///
/// # Errors
/// When the database fails.
pub fn load_by_domain(
    conn: &mut PgConnection,
    domains: &[&str],
) -> Result<BTreeMap<String, Account>> {
    let rows: Vec<Row> = diesel::sql_query(
        "select a.id, d.domain, a.traits, a.trait_times, a.created_at
         from account_domains d join accounts a on a.id = d.account_id
         where d.domain = any($1) order by a.id for update of a",
    )
    .bind::<Array<Text>, _>(domains)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.domain.clone(), row.account())).collect())
}

#[derive(QueryableByName)]
struct EmailRow {
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
    #[diesel(sql_type = Text)]
    value: String,
    #[diesel(sql_type = Timestamptz)]
    first_seen_at: DateTime<Utc>,
}

/// Addresses, each with when it was first heard.
type DatedEmails = Vec<(DateTime<Utc>, Email)>;

/// The e-mails of these people, each with when it was first heard, in that order.
///
/// # Errors
/// When the database fails.
pub fn emails(
    conn: &mut PgConnection,
    people: &BTreeSet<UserId>,
) -> Result<BTreeMap<UserId, DatedEmails>> {
    let mut emails: BTreeMap<UserId, DatedEmails> = BTreeMap::new();
    if people.is_empty() {
        return Ok(emails);
    }
    let rows: Vec<EmailRow> = diesel::sql_query(
        "select user_id, value, first_seen_at from identifiers
         where user_id = any($1) and kind = 'email' order by user_id, first_seen_at, value",
    )
    .bind::<Array<SqlUuid>, _>(people.iter().copied().collect::<Vec<_>>())
    .load(conn)?;
    for row in rows {
        let email = Email::parse(&row.value).map(|email| (row.first_seen_at, email));
        emails.entry(row.user_id).or_default().extend(email);
    }
    Ok(emails)
}

fn json(map: &Map<String, Value>) -> String {
    serde_json::to_string(map).unwrap_or_else(|_| "{}".to_owned())
}

/// Writes accounts and the domains they were made from. What follows from traits is written by
/// [`settle_facts`].
///
/// # Errors
/// When the database fails.
pub fn upsert(conn: &mut PgConnection, accounts: &[Account]) -> Result<()> {
    if accounts.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into accounts (id, name, primary_domain, traits, trait_times, created_at)
         select id, name, domain, traits::jsonb, trait_times::jsonb, created_at
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
             as t (id, name, domain, traits, trait_times, created_at)
         order by id
         on conflict (id) do update set
             traits = excluded.traits, trait_times = excluded.trait_times, created_at = excluded.created_at",
    )
    .bind::<Array<SqlUuid>, _>(accounts.iter().map(|account| account.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(accounts.iter().map(|account| account.facts(&[]).name).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(accounts.iter().map(|account| account.domain.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(accounts.iter().map(|account| json(&account.traits.values)).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(accounts.iter().map(|account| json(&account.traits.times)).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(accounts.iter().map(|account| account.created_at).collect::<Vec<_>>())
    .execute(conn)?;
    diesel::sql_query(
        "insert into account_domains (domain, account_id) select * from unnest($1::text[], $2::uuid[])
         on conflict (domain) do nothing",
    )
    .bind::<Array<Text>, _>(accounts.iter().map(|account| account.domain.as_str()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(accounts.iter().map(|account| account.id).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Linked {
    #[diesel(sql_type = SqlUuid)]
    account_id: AccountId,
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
    #[diesel(sql_type = Jsonb)]
    traits: Value,
    #[diesel(sql_type = Jsonb)]
    trait_times: Value,
}

/// Writes what follows from the traits of these accounts and of their linked workspaces, the fit
/// included; answers with the workspaces whose account changed by it.
///
/// # Errors
/// When the database fails.
pub fn settle_facts(
    conn: &mut PgConnection,
    accounts: &BTreeSet<AccountId>,
    definition: &IcpDefinition,
) -> Result<Vec<WorkspaceId>> {
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<AccountId> = accounts.iter().copied().collect();
    let rows: Vec<Row> = diesel::sql_query(
        "select id, coalesce(primary_domain, '') as domain, traits, trait_times, created_at
         from accounts where id = any($1) order by id",
    )
    .bind::<Array<SqlUuid>, _>(&ids)
    .load(conn)?;
    let linked: Vec<Linked> = diesel::sql_query(
        "select l.account_id, w.id as workspace_id, w.traits, w.trait_times
         from account_links l join workspaces w on w.id = l.workspace_id where l.account_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(&ids)
    .load(conn)?;
    let mut workspaces: BTreeMap<AccountId, Vec<(WorkspaceId, Traits)>> = BTreeMap::new();
    for row in linked {
        let traits = Traits::stored(Subject::Workspace, row.traits, row.trait_times);
        workspaces.entry(row.account_id).or_default().push((row.workspace_id, traits));
    }
    let settled: Vec<(AccountId, Facts)> = rows
        .into_iter()
        .map(|row| {
            let traits: Vec<Traits> = workspaces
                .get(&row.id)
                .map(|linked| linked.iter().map(|(_, traits)| traits.clone()).collect())
                .unwrap_or_default();
            let account = row.account();
            (account.id, account.facts(&traits))
        })
        .collect();
    let changed = write_facts(conn, &settled, definition)?;
    Ok(changed
        .into_iter()
        .filter_map(|account| workspaces.remove(&account))
        .flat_map(|linked| linked.into_iter().map(|(workspace, _)| workspace))
        .collect())
}

#[derive(QueryableByName)]
struct Changed {
    #[diesel(sql_type = SqlUuid)]
    id: AccountId,
}

fn write_facts(
    conn: &mut PgConnection,
    settled: &[(AccountId, Facts)],
    definition: &IcpDefinition,
) -> Result<Vec<AccountId>> {
    let fits: Vec<_> = settled.iter().map(|(_, facts)| definition.fit(&facts.company)).collect();
    let stacks: Vec<String> = settled
        .iter()
        .map(|(_, facts)| {
            serde_json::to_string(&facts.company.tech_stack).unwrap_or_else(|_| "[]".to_owned())
        })
        .collect();
    let text = |pick: fn(&Facts) -> Option<&str>| {
        settled.iter().map(|(_, facts)| pick(facts)).collect::<Vec<_>>()
    };
    let changed: Vec<Changed> = diesel::sql_query(
        "update accounts a set
             name = t.name, industry = t.industry, sub_industry = t.sub_industry, employee_count = t.employees,
             country = t.country, region = t.region, tech_stack = t.stack, segment = t.segment,
             icp_fit_score = t.score, icp_fit_tier = t.tier, territory = t.territory,
             is_strategic = t.strategic, lifecycle_stage = t.lifecycle
         from (select u.id, u.name, u.industry, u.sub_industry, u.employees, u.country, u.region, u.segment, u.score,
                      u.tier, array(select jsonb_array_elements_text(u.stack::jsonb)) as stack,
                      case when u.territory is null then b.territory else nullif(u.territory, '') end as territory,
                      coalesce(u.strategic, b.is_strategic) as strategic,
                      coalesce(case when u.lifecycle = '' then 'prospect' else u.lifecycle end, b.lifecycle_stage)
                          as lifecycle
               from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::text[],
                           $8::text[], $9::text[], $10::integer[], $11::text[], $12::text[], $13::boolean[],
                           $14::text[])
                   as u (id, name, industry, sub_industry, employees, country, region, stack, segment, score, tier,
                         territory, strategic, lifecycle)
               join accounts b on b.id = u.id) t
         where a.id = t.id
           and (a.name, a.industry, a.sub_industry, a.employee_count, a.country, a.region, a.tech_stack, a.segment,
                a.icp_fit_score, a.icp_fit_tier, a.territory, a.is_strategic, a.lifecycle_stage)
               is distinct from
               (t.name, t.industry, t.sub_industry, t.employees, t.country, t.region, t.stack, t.segment, t.score, t.tier,
                t.territory, t.strategic, t.lifecycle)
         returning a.id",
    )
    .bind::<Array<SqlUuid>, _>(settled.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(settled.iter().map(|(_, facts)| facts.name.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(text(|facts| facts.company.industry.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(text(|facts| facts.sub_industry.as_deref()))
    .bind::<Array<Nullable<Int4>>, _>(settled.iter().map(|(_, facts)| facts.company.employees).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(text(|facts| facts.company.country.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(text(|facts| facts.company.region.as_deref()))
    .bind::<Array<Text>, _>(stacks)
    .bind::<Array<Nullable<Text>>, _>(text(|facts| facts.segment))
    .bind::<Array<Nullable<Int4>>, _>(fits.iter().map(|fit| fit.map(|fit| fit.score)).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(fits.iter().map(|fit| fit.map(|fit| fit.tier)).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(text(|facts| facts.territory.as_deref()))
    .bind::<Array<Nullable<Bool>>, _>(settled.iter().map(|(_, facts)| facts.is_strategic).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(text(|facts| facts.lifecycle_stage.as_deref()))
    .load(conn)?;
    Ok(changed.into_iter().map(|row| row.id).collect())
}
