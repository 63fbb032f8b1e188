//! The SQL of what records say of subscriptions.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;

use super::agreement::Said;
use crate::error::Result;
use crate::ids::WorkspaceId;

/// More subscriptions than this at once lock all of them together.
const FEW: usize = 8;

/// Waits for whoever else writes about these subscriptions, until the transaction ends. Many at once
/// take one lock: thousands would fill the server's table of locks.
///
/// # Errors
/// When the database fails.
pub fn lock(conn: &mut PgConnection, ids: &[String]) -> Result<()> {
    if ids.len() > FEW {
        return lock_all(conn);
    }
    diesel::sql_query("select pg_advisory_xact_lock_shared(hashtextextended('subscriptions', 0))")
        .execute(conn)?;
    for id in ids {
        diesel::sql_query("select pg_advisory_xact_lock(hashtextextended('stripe:' || $1, 0))")
            .bind::<Text, _>(id)
            .execute(conn)?;
    }
    Ok(())
}

/// Waits for whoever else writes about any subscription, until the transaction ends: for what may
/// concern subscriptions that somebody else is about to make known. Only what is read afterwards is
/// sure to hold.
///
/// # Errors
/// When the database fails.
pub fn lock_all(conn: &mut PgConnection) -> Result<()> {
    diesel::sql_query("select pg_advisory_xact_lock(hashtextextended('subscriptions', 0))")
        .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct WordRow {
    #[diesel(sql_type = Text)]
    subscription_id: String,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
    #[diesel(sql_type = Jsonb)]
    said: Value,
}

/// What records said of a subscription, by their moment.
pub type Words = BTreeMap<DateTime<Utc>, (WorkspaceId, Said)>;

/// What records said of these subscriptions.
///
/// # Errors
/// When the database fails.
pub fn words(conn: &mut PgConnection, ids: &[String]) -> Result<BTreeMap<String, Words>> {
    let rows: Vec<WordRow> = diesel::sql_query(
        "select subscription_id, at, workspace_id, said from subscription_words
         where subscription_id = any($1)",
    )
    .bind::<Array<Text>, _>(ids)
    .load(conn)?;
    let mut words = BTreeMap::<String, Words>::new();
    for row in rows {
        let said = match row.said {
            Value::Object(said) => Said(said),
            _ => Said::default(),
        };
        words.entry(row.subscription_id).or_default().insert(row.at, (row.workspace_id, said));
    }
    Ok(words)
}

/// A word on its way: whose, since when, of which workspace, what.
pub type NewWord<'a> = (&'a str, DateTime<Utc>, WorkspaceId, &'a Said);

/// Keeps what records said; a word of the same moment is replaced.
///
/// # Errors
/// When the database fails.
pub fn write_words(conn: &mut PgConnection, words: &[NewWord<'_>]) -> Result<()> {
    if words.is_empty() {
        return Ok(());
    }
    let said: Vec<Value> =
        words.iter().map(|(_, _, _, said)| Value::Object(said.0.clone())).collect();
    diesel::sql_query(
        "insert into subscription_words (subscription_id, at, workspace_id, said)
         select id, at, workspace_id, said
         from unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::jsonb[]) as t (id, at, workspace_id, said)
         on conflict (subscription_id, at) do update set workspace_id = excluded.workspace_id, said = excluded.said",
    )
    .bind::<Array<Text>, _>(words.iter().map(|(id, ..)| *id).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(words.iter().map(|(_, at, ..)| *at).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(words.iter().map(|(_, _, of, _)| *of).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(said)
    .execute(conn)?;
    Ok(())
}

/// Forgets what was only said again: of the words before a moment, those between two that say the
/// same. A nightly export repeats itself every night. Where Stripe speaks as well, any word may be the
/// one that comes after an event, and all stay.
///
/// # Errors
/// When the database fails.
pub fn forget_repeated(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<usize> {
    Ok(diesel::sql_query(
        "delete from subscription_words w using (
             select subscription_id, at,
                    lag((workspace_id, said)) over of_one as earlier, (workspace_id, said) as own,
                    lead((workspace_id, said)) over of_one as later
             from subscription_words
             where at < $1 and not exists (select from stripe_subscriptions s where s.id = subscription_id)
             window of_one as (partition by subscription_id order by at)) t
         where w.subscription_id = t.subscription_id and w.at = t.at and t.own = t.earlier and t.own = t.later",
    )
    .bind::<Timestamptz, _>(before)
    .execute(conn)?)
}
