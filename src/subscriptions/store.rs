//! All SQL that writes subscriptions.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Int4, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};

use super::terms::{Change, Origin, Standing, Terms, status_named};
use crate::error::Result;
use crate::ids::WorkspaceId;

/// The columns that a subscription and its changes share, as the database has them.
#[derive(Clone, Debug, QueryableByName)]
struct TermsRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    workspace_id: Option<WorkspaceId>,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = SmallInt)]
    place: i16,
    #[diesel(sql_type = Text)]
    origin: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    plan: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    billing_period: Option<String>,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = BigInt)]
    mrr_cents: i64,
    #[diesel(sql_type = Nullable<Int4>)]
    seats_purchased: Option<i32>,
    #[diesel(sql_type = Nullable<Date>)]
    trial_start_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    trial_end_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    started_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    canceled_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Date>)]
    ends_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    renewal_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Text>)]
    customer_id: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    flags: Vec<String>,
}

impl TermsRow {
    fn origin(&self) -> Origin {
        match self.origin.as_str() {
            "traits" => Origin::Traits,
            "stripe" => Origin::Stripe,
            _ => Origin::Api,
        }
    }

    fn terms(self) -> Terms {
        Terms {
            // The column's CHECK knows the same words.
            status: status_named(&self.status).unwrap_or("incomplete"),
            plan: self.plan,
            billing_period: match self.billing_period.as_deref() {
                Some("month") => Some("month"),
                Some("year") => Some("year"),
                _ => None,
            },
            currency: self.currency,
            mrr_cents: self.mrr_cents,
            seats_purchased: self.seats_purchased,
            trial_start_on: self.trial_start_on,
            trial_end_on: self.trial_end_on,
            started_at: self.started_at,
            canceled_at: self.canceled_at,
            ends_on: self.ends_on,
            renewal_on: self.renewal_on,
            customer_id: self.customer_id,
            flags: self.flags,
        }
    }
}

const STANDING: &str = "select id, workspace_id, updated_at as at, '' as key, 0::smallint as place, origin, status, plan,
       billing_period, currency, mrr_cents, seats_purchased, trial_start_on, trial_end_on,
       started_at, canceled_at, ends_on, renewal_on, customer_id, flags
from subscriptions";

fn standing(row: TermsRow) -> Option<Standing> {
    let (id, workspace, origin, said_at) =
        (row.id.clone(), row.workspace_id?, row.origin(), row.at);
    Some(Standing { id, workspace, terms: row.terms(), origin, said_at })
}

/// These subscriptions, as far as there are any; locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub fn load(conn: &mut PgConnection, ids: &[String]) -> Result<BTreeMap<String, Standing>> {
    let rows: Vec<TermsRow> =
        diesel::sql_query(format!("{STANDING} where id = any($1) order by id for update"))
            .bind::<Array<Text>, _>(ids)
            .load(conn)?;
    Ok(rows.into_iter().filter_map(standing).map(|one| (one.id.clone(), one)).collect())
}

/// The subscriptions of a workspace, the newest first.
///
/// # Errors
/// When the database fails.
pub fn of_workspace(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<Standing>> {
    let rows: Vec<TermsRow> = diesel::sql_query(format!(
        "{STANDING} where workspace_id = $1 order by started_at desc nulls first, id limit 200"
    ))
    .bind::<SqlUuid, _>(workspace)
    .load(conn)?;
    Ok(rows.into_iter().filter_map(standing).collect())
}

#[derive(QueryableByName)]
struct Heard {
    #[diesel(sql_type = Bool)]
    is_heard_of: bool,
}

/// Whether anything was heard of the workspace of a subscription; `None` while it does not stand.
///
/// # Errors
/// When the database fails.
pub fn has_workspace(conn: &mut PgConnection, id: &str) -> Result<Option<bool>> {
    let one: Option<Heard> = diesel::sql_query(
        "select exists (select from workspaces w where w.id = s.workspace_id) as is_heard_of
         from subscriptions s where s.id = $1",
    )
    .bind::<Text, _>(id)
    .get_result(conn)
    .optional()?;
    Ok(one.map(|one| one.is_heard_of))
}

/// All changes of these subscriptions, oldest first.
///
/// # Errors
/// When the database fails.
pub fn changes(conn: &mut PgConnection, ids: &[String]) -> Result<BTreeMap<String, Vec<Change>>> {
    let rows: Vec<TermsRow> = diesel::sql_query(
        "select subscription_id as id, null::uuid as workspace_id, at, key, place, origin, status, plan,
                billing_period, currency, mrr_cents, seats_purchased, trial_start_on, trial_end_on,
                started_at, canceled_at, ends_on, renewal_on, null::text as customer_id, flags
         from subscription_changes where subscription_id = any($1)
         order by subscription_id, at, place, key",
    )
    .bind::<Array<Text>, _>(ids)
    .load(conn)?;
    let mut changes = BTreeMap::<String, Vec<Change>>::new();
    for row in rows {
        let (id, at, key, place, origin) =
            (row.id.clone(), row.at, row.key.clone(), row.place, row.origin());
        let change = Change { id: id.clone(), at, key, place, terms: row.terms(), origin };
        changes.entry(id).or_default().push(change);
    }
    Ok(changes)
}

/// Writes subscriptions whole.
///
/// # Errors
/// When the database fails.
pub fn write(conn: &mut PgConnection, standing: &[Standing]) -> Result<()> {
    for chunk in standing.chunks(1000) {
        let terms = || chunk.iter().map(|one| &one.terms);
        diesel::sql_query(
            "insert into subscriptions (id, workspace_id, status, plan, billing_period, currency, mrr_cents,
                 seats_purchased, trial_start_on, trial_end_on, started_at, canceled_at, renewal_on, origin,
                 updated_at, ends_on, customer_id, flags)
             select id, workspace_id, status, plan, period, currency, mrr, seats, trial_start, trial_end, started,
                    canceled, renewal, origin, updated, ends, customer,
                    coalesce(string_to_array(nullif(flags, ''), ','), '{}')
             from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                         $8::integer[], $9::date[], $10::date[], $11::timestamptz[], $12::timestamptz[], $13::date[],
                         $14::text[], $15::timestamptz[], $16::date[], $17::text[], $18::text[])
                 as t (id, workspace_id, status, plan, period, currency, mrr, seats, trial_start, trial_end, started,
                       canceled, renewal, origin, updated, ends, customer, flags)
             order by id
             on conflict (id) do update set
                 workspace_id = excluded.workspace_id, status = excluded.status, plan = excluded.plan,
                 billing_period = excluded.billing_period, currency = excluded.currency,
                 mrr_cents = excluded.mrr_cents, seats_purchased = excluded.seats_purchased,
                 trial_start_on = excluded.trial_start_on, trial_end_on = excluded.trial_end_on,
                 started_at = excluded.started_at, canceled_at = excluded.canceled_at,
                 renewal_on = excluded.renewal_on, origin = excluded.origin, updated_at = excluded.updated_at,
                 ends_on = excluded.ends_on, customer_id = excluded.customer_id, flags = excluded.flags",
        )
        .bind::<Array<Text>, _>(chunk.iter().map(|one| one.id.as_str()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(chunk.iter().map(|one| one.workspace).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(terms().map(|t| t.status).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(terms().map(|t| t.plan.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(terms().map(|t| t.billing_period).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(terms().map(|t| t.currency.as_str()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(terms().map(|t| t.mrr_cents).collect::<Vec<_>>())
        .bind::<Array<Nullable<Int4>>, _>(terms().map(|t| t.seats_purchased).collect::<Vec<_>>())
        .bind::<Array<Nullable<Date>>, _>(terms().map(|t| t.trial_start_on).collect::<Vec<_>>())
        .bind::<Array<Nullable<Date>>, _>(terms().map(|t| t.trial_end_on).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(terms().map(|t| t.started_at).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(terms().map(|t| t.canceled_at).collect::<Vec<_>>())
        .bind::<Array<Nullable<Date>>, _>(terms().map(|t| t.renewal_on).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(chunk.iter().map(|one| one.origin.key()).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(chunk.iter().map(|one| one.said_at).collect::<Vec<_>>())
        .bind::<Array<Nullable<Date>>, _>(terms().map(|t| t.ends_on).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(terms().map(|t| t.customer_id.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(terms().map(|t| t.flags.join(",")).collect::<Vec<_>>())
        .execute(conn)?;
    }
    Ok(())
}

/// Writes dated rows; one of the same moment and key is replaced.
///
/// # Errors
/// When the database fails.
pub fn write_changes(conn: &mut PgConnection, changes: &[Change]) -> Result<()> {
    for chunk in changes.chunks(1000) {
        let terms = || chunk.iter().map(|one| &one.terms);
        diesel::sql_query(
            "insert into subscription_changes (subscription_id, at, key, place, status, plan, billing_period,
                 currency, mrr_cents, seats_purchased, trial_start_on, trial_end_on, started_at, canceled_at,
                 renewal_on, origin, ends_on, flags)
             select id, at, key, place, status, plan, period, currency, mrr, seats, trial_start, trial_end, started,
                    canceled, renewal, origin, ends, coalesce(string_to_array(nullif(flags, ''), ','), '{}')
             from unnest($1::text[], $2::timestamptz[], $3::text[], $4::smallint[], $5::text[], $6::text[],
                         $7::text[], $8::text[], $9::bigint[], $10::integer[], $11::date[], $12::date[],
                         $13::timestamptz[], $14::timestamptz[], $15::date[], $16::text[], $17::date[], $18::text[])
                 as t (id, at, key, place, status, plan, period, currency, mrr, seats, trial_start, trial_end,
                       started, canceled, renewal, origin, ends, flags)
             order by id, at, key
             on conflict (subscription_id, at, key) do update set
                 place = excluded.place, status = excluded.status, plan = excluded.plan,
                 billing_period = excluded.billing_period, currency = excluded.currency,
                 mrr_cents = excluded.mrr_cents, seats_purchased = excluded.seats_purchased,
                 trial_start_on = excluded.trial_start_on, trial_end_on = excluded.trial_end_on,
                 started_at = excluded.started_at, canceled_at = excluded.canceled_at,
                 renewal_on = excluded.renewal_on, origin = excluded.origin, ends_on = excluded.ends_on,
                 flags = excluded.flags",
        )
        .bind::<Array<Text>, _>(chunk.iter().map(|one| one.id.as_str()).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(chunk.iter().map(|one| one.at).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(chunk.iter().map(|one| one.key.as_str()).collect::<Vec<_>>())
        .bind::<Array<SmallInt>, _>(chunk.iter().map(|one| one.place).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(terms().map(|t| t.status).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(terms().map(|t| t.plan.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(terms().map(|t| t.billing_period).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(terms().map(|t| t.currency.as_str()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(terms().map(|t| t.mrr_cents).collect::<Vec<_>>())
        .bind::<Array<Nullable<Int4>>, _>(terms().map(|t| t.seats_purchased).collect::<Vec<_>>())
        .bind::<Array<Nullable<Date>>, _>(terms().map(|t| t.trial_start_on).collect::<Vec<_>>())
        .bind::<Array<Nullable<Date>>, _>(terms().map(|t| t.trial_end_on).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(terms().map(|t| t.started_at).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(terms().map(|t| t.canceled_at).collect::<Vec<_>>())
        .bind::<Array<Nullable<Date>>, _>(terms().map(|t| t.renewal_on).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(chunk.iter().map(|one| one.origin.key()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Date>>, _>(terms().map(|t| t.ends_on).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(terms().map(|t| t.flags.join(",")).collect::<Vec<_>>())
        .execute(conn)?;
    }
    Ok(())
}

/// Takes back dated rows: subscription, moment and key.
///
/// # Errors
/// When the database fails.
pub fn drop_changes(
    conn: &mut PgConnection,
    gone: &[(String, DateTime<Utc>, String)],
) -> Result<()> {
    if gone.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "delete from subscription_changes c using unnest($1::text[], $2::timestamptz[], $3::text[]) as t (id, at, key)
         where c.subscription_id = t.id and c.at = t.at and c.key = t.key",
    )
    .bind::<Array<Text>, _>(gone.iter().map(|(id, ..)| id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(gone.iter().map(|(_, at, _)| *at).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(gone.iter().map(|(.., key)| key.as_str()).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// Forgets subscriptions and, unless a billing system may come back to them, what they were.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut PgConnection, ids: &[String], with_changes: bool) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "with gone as (delete from subscription_changes where $2 and subscription_id = any($1))
         delete from subscriptions where id = any($1)",
    )
    .bind::<Array<Text>, _>(ids)
    .bind::<Bool, _>(with_changes)
    .execute(conn)?;
    Ok(())
}

/// Tells the scorer that these workspaces may score differently from these days on.
///
/// # Errors
/// When the database fails.
pub fn touch(
    conn: &mut PgConnection,
    touched: &BTreeSet<(WorkspaceId, NaiveDate)>,
    now: DateTime<Utc>,
) -> Result<()> {
    if touched.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into touched_workspaces (workspace_id, since_on, touched_at)
         select id, since, $3 from unnest($1::uuid[], $2::date[]) as t (id, since)",
    )
    .bind::<Array<SqlUuid>, _>(touched.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(touched.iter().map(|(_, since)| *since).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}
