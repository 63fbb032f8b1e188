//! All SQL of workspaces and subscriptions.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Date, Int4, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde_json::Value;

use super::workspace::{Facts, Subscription, Workspace};
use crate::error::Result;
use crate::ids::WorkspaceId;
use crate::ingest::traits::Traits;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: WorkspaceId,
    #[diesel(sql_type = Text)]
    external_id: String,
    #[diesel(sql_type = Jsonb)]
    traits: Value,
    #[diesel(sql_type = Jsonb)]
    trait_times: Value,
    #[diesel(sql_type = Timestamptz)]
    first_seen_at: DateTime<Utc>,
}

/// These workspaces, as far as they are known; locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub fn load(
    conn: &mut PgConnection,
    ids: &[WorkspaceId],
) -> Result<HashMap<WorkspaceId, Workspace>> {
    let rows: Vec<Row> = diesel::sql_query(
        "select id, external_id, traits, trait_times, first_seen_at from workspaces
         where id = any($1) order by id for update",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let traits = Traits::stored(row.traits, row.trait_times);
            let Row { id, external_id, first_seen_at, .. } = row;
            (id, Workspace { id, external_id, traits, first_seen_at })
        })
        .collect())
}

/// Writes workspaces whole, in the order of their ids.
///
/// # Errors
/// When the database fails.
pub fn upsert(conn: &mut PgConnection, workspaces: &[Workspace]) -> Result<()> {
    if workspaces.is_empty() {
        return Ok(());
    }
    let facts: Vec<Facts> = workspaces.iter().map(Workspace::facts).collect();
    let json = |map: &serde_json::Map<String, Value>| {
        serde_json::to_string(map).unwrap_or_else(|_| "{}".to_owned())
    };
    diesel::sql_query(
        "insert into workspaces (id, external_id, name, type, status, plan_tier, website, website_domain,
             billing_domain, sso_domain, seats_purchased, traits, trait_times, created_at, first_seen_at)
         select id, external_id, name, type, status, plan_tier, website, website_domain,
                billing_domain, sso_domain, seats, traits::jsonb, trait_times::jsonb, created_at, first_at
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::text[], $11::integer[], $12::text[], $13::text[], $14::timestamptz[],
                     $15::timestamptz[])
             as t (id, external_id, name, type, status, plan_tier, website, website_domain,
                   billing_domain, sso_domain, seats, traits, trait_times, created_at, first_at)
         order by id
         on conflict (id) do update set
             name = excluded.name, type = excluded.type, status = excluded.status, plan_tier = excluded.plan_tier,
             website = excluded.website, website_domain = excluded.website_domain,
             billing_domain = excluded.billing_domain, sso_domain = excluded.sso_domain,
             seats_purchased = excluded.seats_purchased, traits = excluded.traits,
             trait_times = excluded.trait_times, created_at = excluded.created_at,
             first_seen_at = excluded.first_seen_at",
    )
    .bind::<Array<SqlUuid>, _>(workspaces.iter().map(|workspace| workspace.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(workspaces.iter().map(|workspace| workspace.external_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(facts.iter().map(|facts| facts.name.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(facts.iter().map(|facts| facts.kind).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(facts.iter().map(|facts| facts.status).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(facts.iter().map(|facts| facts.plan_tier).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(facts.iter().map(|facts| facts.website.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(facts.iter().map(|facts| facts.website_domain.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(facts.iter().map(|facts| facts.billing_domain.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(facts.iter().map(|facts| facts.sso_domain.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Int4>>, _>(facts.iter().map(|facts| facts.seats_purchased).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(workspaces.iter().map(|workspace| json(&workspace.traits.values)).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(workspaces.iter().map(|workspace| json(&workspace.traits.times)).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(facts.iter().map(|facts| facts.created_at).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(workspaces.iter().map(|workspace| workspace.first_seen_at).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// Makes the subscriptions that traits describe agree with the traits of these workspaces.
///
/// # Errors
/// When the database fails.
pub fn sync_subscriptions(conn: &mut PgConnection, workspaces: &[Workspace]) -> Result<()> {
    let key = |workspace: &Workspace| format!("traits:{}", workspace.external_id);
    let described: Vec<(&Workspace, Subscription)> = workspaces
        .iter()
        .filter_map(|workspace| Some((workspace, workspace.subscription()?)))
        .collect();
    let with: BTreeSet<WorkspaceId> = described.iter().map(|(workspace, _)| workspace.id).collect();
    let without: Vec<String> =
        workspaces.iter().filter(|workspace| !with.contains(&workspace.id)).map(key).collect();
    if !without.is_empty() {
        diesel::sql_query("delete from subscriptions where id = any($1)")
            .bind::<Array<Text>, _>(without)
            .execute(conn)?;
    }
    if described.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into subscriptions (id, workspace_id, status, plan, billing_period, currency, mrr_cents,
             seats_purchased, trial_start_on, trial_end_on, started_at, canceled_at, renewal_on, origin, updated_at)
         select id, workspace_id, status, plan, period, currency, mrr, seats, trial_start, trial_end, started, canceled,
                renewal, 'traits', updated
         from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                     $8::integer[], $9::date[], $10::date[], $11::timestamptz[], $12::timestamptz[], $13::date[],
                     $14::timestamptz[])
             as t (id, workspace_id, status, plan, period, currency, mrr, seats, trial_start, trial_end, started,
                   canceled, renewal, updated)
         order by id
         on conflict (id) do update set
             status = excluded.status, plan = excluded.plan, billing_period = excluded.billing_period,
             currency = excluded.currency, mrr_cents = excluded.mrr_cents,
             seats_purchased = excluded.seats_purchased, trial_start_on = excluded.trial_start_on,
             trial_end_on = excluded.trial_end_on, started_at = excluded.started_at,
             canceled_at = excluded.canceled_at, renewal_on = excluded.renewal_on,
             updated_at = excluded.updated_at",
    )
    .bind::<Array<Text>, _>(described.iter().map(|(workspace, _)| key(workspace)).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(described.iter().map(|(workspace, _)| workspace.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(described.iter().map(|(_, s)| s.status).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(described.iter().map(|(_, s)| s.plan.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(described.iter().map(|(_, s)| s.billing_period).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(described.iter().map(|(_, s)| s.currency.as_str()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(described.iter().map(|(_, s)| s.mrr_cents).collect::<Vec<_>>())
    .bind::<Array<Nullable<Int4>>, _>(described.iter().map(|(_, s)| s.seats_purchased).collect::<Vec<_>>())
    .bind::<Array<Nullable<Date>>, _>(described.iter().map(|(_, s)| s.trial_start_on).collect::<Vec<Option<NaiveDate>>>())
    .bind::<Array<Nullable<Date>>, _>(described.iter().map(|(_, s)| s.trial_end_on).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(described.iter().map(|(_, s)| s.started_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(described.iter().map(|(_, s)| s.canceled_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<Date>>, _>(described.iter().map(|(_, s)| s.renewal_on).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(described.iter().map(|(_, s)| s.updated_at).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}
