//! Workspaces with scores, written straight into their tables, and sellers who can take them.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use ripen::error::Result;
use ripen::ids::{AccountId, MemberId, WorkspaceId};
use ripen::routing;
use ripen::team::member::{Function, Role};
use ripen::team::store::{NewMember, insert};
use serde_json::{Value, json};
use uuid::Uuid;

/// A Friday morning.
pub fn friday() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 10, 0, 0).unwrap()
}

/// The defaults, as at start.
pub fn seed(conn: &mut PgConnection) -> Result<()> {
    routing::ops::ensure_defaults(conn, friday())
}

/// A rep of this function, in its pool.
pub fn seller(conn: &mut PgConnection, name: &str, function: Function) -> Result<MemberId> {
    let new = NewMember {
        email: format!("{}@ripen.test", name.to_lowercase()),
        name: name.to_owned(),
        role: Role::Rep,
        function: Some(function),
        password_hash: "none".to_owned(),
        time_zone: "UTC".to_owned(),
    };
    let id = insert(conn, &new, friday())?;
    ripen::ownership::ops::function_changed(conn, id)?;
    Ok(id)
}

/// The id of the workspace with this name.
pub fn workspace_id(name: &str) -> WorkspaceId {
    WorkspaceId(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()))
}

/// A hot PQL by every rule; change what a test is about with [`score`].
pub fn hot(conn: &mut PgConnection, name: &str) -> Result<WorkspaceId> {
    let id = workspace_id(name);
    sql_query(
        "insert into workspaces (id, external_id, name, created_at, first_seen_at) \
         values ($1, $2, $2, $3, $3)",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(name)
    .bind::<Timestamptz, _>(friday() - TimeDelta::days(20))
    .execute(conn)?;
    score(conn, id, 84, json!({}))?;
    Ok(id)
}

/// Scores a workspace as the scorer would, with these signals besides those of a hot PQL.
pub fn score(conn: &mut PgConnection, id: WorkspaceId, points: i32, changes: Value) -> Result<()> {
    let stage = match points {
        80.. => "hot_pql",
        65.. => "pql",
        50.. => "warm",
        _ => "not_pql",
    };
    let mut signals = json!({
        "workspace_status": "active", "workspace_type": "prod", "has_open_anomaly": false,
        "paid_status": "trial", "pql_score": points, "icp_fit_tier": "A",
        "high_intent_events_14d": 3, "admin_present": true, "no_buyer_coverage": false,
        "usage_limit_hits_30d": 2, "wau": 7, "trial_end_date": "2026-11-27",
        "activation_percent": 75,
    });
    for (key, value) in changes.as_object().unwrap() {
        signals[key] = value.clone();
    }
    sql_query(
        "insert into workspace_scores (workspace_id, as_of, model_version, score, stage, stage_since, \
           score_7d, reasons, next_best_action, card, signals, sparkline, wau, member_count, scored_at) \
         values ($1, $2::date, 1, $3, $4, $2, $3 - 1200, \
           '{Hit a usage limit 2 times (+12.10),Used a core feature on 12 days (+14.50)}', \
           'Invite 2 teammates', '{}', $5, '{10,20,40,84}', 7, 9, $2) \
         on conflict (workspace_id) do update set score = excluded.score, stage = excluded.stage, \
           signals = excluded.signals",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(friday())
    .bind::<Integer, _>(points * 100)
    .bind::<Text, _>(stage)
    .bind::<Jsonb, _>(signals)
    .execute(conn)?;
    Ok(())
}

/// An admin of the product's workspace, with an address.
pub fn admin_of(conn: &mut PgConnection, workspace: WorkspaceId, name: &str) -> Result<Uuid> {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("person {name}").as_bytes());
    sql_query(
        "insert into product_users (id, kind, external_id, canonical_id, email, name, first_seen_at, \
           last_seen_at) values ($1, 'known', $2, $1, lower($2) || '@acme.example', $2, $3, $3)",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(name)
    .bind::<Timestamptz, _>(friday())
    .execute(conn)?;
    sql_query(
        "insert into memberships (workspace_id, user_id, role, joined_at, last_active_at) \
         values ($1, $2, 'admin', $3, $3)",
    )
    .bind::<SqlUuid, _>(workspace)
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(friday())
    .execute(conn)?;
    Ok(id)
}

/// A key event of the category intent.
pub fn limit_hit(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    user: Uuid,
    at: DateTime<Utc>,
) -> Result<()> {
    sql_query(
        "insert into event_definitions (key, label, category) \
         values ('usage_limit_hit', 'Hit a usage limit', 'intent') on conflict do nothing",
    )
    .execute(conn)?;
    sql_query(
        "insert into key_events (workspace_id, occurred_at, id, user_id, event_key, name, properties, \
           source_id) values ($1, $2, gen_random_uuid(), $3, 'usage_limit_hit', 'Usage Limit Hit', \
           '{}', gen_random_uuid())",
    )
    .bind::<SqlUuid, _>(workspace)
    .bind::<Timestamptz, _>(at)
    .bind::<SqlUuid, _>(user)
    .execute(conn)?;
    // As every key event has one.
    sql_query(
        "insert into usage_days (workspace_id, user_id, event_key, day, events) \
         values ($1, $3, 'usage_limit_hit', ($2 at time zone 'UTC')::date, 1) on conflict do nothing",
    )
    .bind::<SqlUuid, _>(workspace)
    .bind::<Timestamptz, _>(at)
    .bind::<SqlUuid, _>(user)
    .execute(conn)?;
    Ok(())
}

/// Links a workspace to an account that this member owns.
pub fn account_of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    owner: Option<MemberId>,
) -> Result<AccountId> {
    let id = AccountId(Uuid::now_v7());
    sql_query("insert into accounts (id, name, created_at) values ($1, 'Acme', $2)")
        .bind::<SqlUuid, _>(id)
        .bind::<Timestamptz, _>(friday())
        .execute(conn)?;
    sql_query(
        "insert into account_links (workspace_id, account_id, confidence, evidence, decided_at) \
         values ($1, $2, 95, '[]', $3)",
    )
    .bind::<SqlUuid, _>(workspace)
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(friday())
    .execute(conn)?;
    if owner.is_some() {
        ripen::ownership::store::set_account_owner(conn, id, owner, friday())?;
    }
    Ok(id)
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// A number by SQL: `select count(*) as n ..`.
pub fn number(conn: &mut PgConnection, sql: &str) -> Result<i64> {
    Ok(sql_query(sql).get_result::<Number>(conn)?.n)
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Nullable<Text>)]
    word: Option<String>,
}

/// A text by SQL: `select .. as word ..`.
pub fn word(conn: &mut PgConnection, sql: &str) -> Result<Option<String>> {
    Ok(sql_query(sql).get_result::<Word>(conn)?.word)
}

/// Everything that routing and ownership write, counted: decisions, assignments, tasks,
/// notifications, audit rows.
pub fn written(conn: &mut PgConnection) -> Result<[i64; 5]> {
    let mut counts = [0; 5];
    let tables = ["routing_decisions", "assignments", "tasks", "notifications", "audit_entries"];
    for (count, table) in counts.iter_mut().zip(tables) {
        *count = number(conn, &format!("select count(*) as n from {table}"))?;
    }
    Ok(counts)
}
