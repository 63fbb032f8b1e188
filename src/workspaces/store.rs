//! All SQL of workspaces.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Int4, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;

use super::workspace::{Facts, Workspace};
use crate::error::Result;
use crate::ids::WorkspaceId;
use crate::ingest::trait_names::Subject;
use crate::ingest::traits::Traits;
use crate::plans::plan::PlanList;

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

#[derive(QueryableByName)]
struct FirstSeen {
    #[diesel(sql_type = SqlUuid)]
    id: WorkspaceId,
    #[diesel(sql_type = Timestamptz)]
    first_seen_at: DateTime<Utc>,
}

/// When these workspaces were first heard of, as far as they are known.
///
/// # Errors
/// When the database fails.
pub fn first_seen(
    conn: &mut PgConnection,
    ids: &[WorkspaceId],
) -> Result<HashMap<WorkspaceId, DateTime<Utc>>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<FirstSeen> =
        diesel::sql_query("select id, first_seen_at from workspaces where id = any($1)")
            .bind::<Array<SqlUuid>, _>(ids)
            .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row.first_seen_at)).collect())
}

/// The stored domains of a workspace.
#[derive(QueryableByName)]
pub struct Domains {
    /// Which.
    #[diesel(sql_type = SqlUuid)]
    pub id: WorkspaceId,
    #[diesel(sql_type = Nullable<Text>)]
    website_domain: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    billing_domain: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    sso_domain: Option<String>,
}

impl Domains {
    /// Whether these facts have the same.
    #[must_use]
    pub fn holds(&self, facts: &Facts) -> bool {
        (&self.website_domain, &self.billing_domain, &self.sso_domain)
            == (&facts.website_domain, &facts.billing_domain, &facts.sso_domain)
    }
}

/// The stored domains of up to `limit` workspaces behind `after`, by id.
///
/// # Errors
/// When the database fails.
pub fn domains(conn: &mut PgConnection, after: WorkspaceId, limit: i64) -> Result<Vec<Domains>> {
    Ok(diesel::sql_query(
        "select id, website_domain, billing_domain, sso_domain from workspaces
         where id > $1 order by id limit $2",
    )
    .bind::<SqlUuid, _>(after)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// These workspaces, as far as they are known; written back whole under the drainer's lock.
///
/// # Errors
/// When the database fails.
pub fn load(
    conn: &mut PgConnection,
    ids: &[WorkspaceId],
) -> Result<HashMap<WorkspaceId, Workspace>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = diesel::sql_query(
        "select id, external_id, traits, trait_times, first_seen_at from workspaces
         where id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let traits = Traits::stored(Subject::Workspace, row.traits, row.trait_times);
            let Row { id, external_id, first_seen_at, .. } = row;
            (id, Workspace { id, external_id, traits, first_seen_at })
        })
        .collect())
}

/// The workspaces after this one in the order of ids, at most so many: pages through all of them.
///
/// # Errors
/// When the database fails.
pub fn ids_after(
    conn: &mut PgConnection,
    after: Option<WorkspaceId>,
    limit: i64,
) -> Result<Vec<WorkspaceId>> {
    use crate::schema::workspaces as w;
    let after = after.unwrap_or(WorkspaceId(uuid::Uuid::nil()));
    Ok(w::table.filter(w::id.gt(after)).order(w::id).limit(limit).select(w::id).load(conn)?)
}

/// Writes the tiers of plans where they differ; answers with the workspaces of which one did.
///
/// # Errors
/// When the database fails.
pub fn write_tiers(
    conn: &mut PgConnection,
    tiers: &[(WorkspaceId, Option<&'static str>)],
) -> Result<Vec<WorkspaceId>> {
    #[derive(QueryableByName)]
    struct Changed {
        #[diesel(sql_type = SqlUuid)]
        id: WorkspaceId,
    }
    let rows: Vec<Changed> = diesel::sql_query(
        "update workspaces w set plan_tier = t.tier from unnest($1::uuid[], $2::text[]) as t (id, tier)
         where w.id = t.id and w.plan_tier is distinct from t.tier returning w.id",
    )
    .bind::<Array<SqlUuid>, _>(tiers.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(tiers.iter().map(|(_, tier)| *tier).collect::<Vec<_>>())
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Writes workspaces whole, in the order of their ids.
///
/// # Errors
/// When the database fails.
pub fn upsert(conn: &mut PgConnection, workspaces: &[Workspace], plans: &PlanList) -> Result<()> {
    if workspaces.is_empty() {
        return Ok(());
    }
    let facts: Vec<Facts> = workspaces.iter().map(|one| one.facts(plans)).collect();
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
