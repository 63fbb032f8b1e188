//! The SQL of forgetting: known messages, settled dead letters, days of the journal.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Text};

use crate::error::Result;

/// Forgets messages that were projected before `before`, at most so many. How many.
///
/// # Errors
/// When the database fails.
pub fn forget_seen(conn: &mut PgConnection, before: NaiveDate, at_most: i64) -> Result<usize> {
    Ok(diesel::sql_query(
        "delete from seen_messages where ctid = any (array
             (select ctid from seen_messages where received_on < $1 limit $2))",
    )
    .bind::<Date, _>(before)
    .bind::<BigInt, _>(at_most)
    .execute(conn)?)
}

/// Forgets dead letters that were received before `before` and replayed or discarded, and those that
/// wait for the workspace of a visitor who never became anybody. Other open ones wait.
///
/// # Errors
/// When the database fails.
pub fn forget_letters(conn: &mut PgConnection, before: NaiveDate) -> Result<()> {
    diesel::sql_query(
        "delete from dead_letters d
         where received_at < $1
           and (replayed_at is not null or discarded_at is not null
                or code = 'missing_workspace'
                   and exists (select from product_users p
                               where p.id = d.person_id and p.kind = 'anonymous' and p.canonical_id = p.id))",
    )
    .bind::<Date, _>(before)
    .execute(conn)?;
    Ok(())
}

/// Makes one row a day of the minutes before `before`: what was sent since the beginning stays known,
/// and adding it up stays cheap.
///
/// # Errors
/// When the database fails.
pub fn fold_minutes(conn: &mut PgConnection, before: NaiveDate) -> Result<()> {
    diesel::sql_query(
        "with old as (
             delete from ingest_minutes where minute < $1 and minute <> date_trunc('day', minute)
             returning source_id, date_trunc('day', minute) as day, accepted, rejected, duplicates
         )
         insert into ingest_minutes (source_id, minute, accepted, rejected, duplicates)
         select source_id, day, sum(accepted), sum(rejected), sum(duplicates) from old
         group by source_id, day order by source_id, day
         on conflict (source_id, minute) do update set
             accepted = ingest_minutes.accepted + excluded.accepted,
             rejected = ingest_minutes.rejected + excluded.rejected,
             duplicates = ingest_minutes.duplicates + excluded.duplicates",
    )
    .bind::<Date, _>(before)
    .execute(conn)?;
    Ok(())
}

/// Forgets what was measured before `measured`, and the days of event names before `named`.
///
/// # Errors
/// When the database fails.
pub fn forget_measures(
    conn: &mut PgConnection,
    measured: NaiveDate,
    named: NaiveDate,
) -> Result<()> {
    diesel::sql_query("delete from ingest_measures where minute < $1")
        .bind::<Date, _>(measured)
        .execute(conn)?;
    diesel::sql_query("delete from event_name_days where received_on < $1")
        .bind::<Date, _>(named)
        .execute(conn)?;
    Ok(())
}

/// Forgets which events were placed without naming their workspace, or wait for one, that were received
/// before `before`; at most so many. How many. They stay where they count today; the newest of a
/// person in a workspace is kept, since it says when that person was last active there.
///
/// # Errors
/// When the database fails.
pub fn forget_inferred(conn: &mut PgConnection, before: NaiveDate, at_most: i64) -> Result<usize> {
    Ok(diesel::sql_query(
        "delete from inferred_events where (user_id, occurred_at, id) in
             (select user_id, occurred_at, id from inferred_events i
              where i.received_on < $1
                and (i.workspace_id is null
                     or exists (select from inferred_events n
                                where n.user_id = i.user_id and n.workspace_id = i.workspace_id
                                  and (n.occurred_at, n.id) > (i.occurred_at, i.id)))
              limit $2)",
    )
    .bind::<Date, _>(before)
    .bind::<BigInt, _>(at_most)
    .execute(conn)?)
}

#[derive(QueryableByName)]
struct Partition {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The partitions of days before `before` that were drained to the last row.
///
/// # Errors
/// When the database fails.
pub fn old_partitions(conn: &mut PgConnection, before: NaiveDate) -> Result<Vec<String>> {
    let old: Vec<Partition> = diesel::sql_query(
        "select c.relname::text as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = 'journal'::regclass and c.relname ~ '^journal_[0-9]{8}$'
           and c.relname < 'journal_' || to_char($1, 'YYYYMMDD')
           and not exists (select from journal_pending p
                           where 'journal_' || to_char(p.received_on, 'YYYYMMDD') = c.relname)
         order by 1",
    )
    .bind::<Date, _>(before)
    .load(conn)?;
    Ok(old.into_iter().map(|partition| partition.name).collect())
}

/// Drops a partition, of the journal or of another table that lies in days.
///
/// # Errors
/// When the database fails, or when a lock is not to be had within a second (events come first).
pub fn drop_partition(conn: &mut PgConnection, name: &str) -> Result<()> {
    diesel::sql_query("set local lock_timeout = '1s'").execute(conn)?;
    // The name is of our own making, read from the catalog.
    diesel::sql_query(format!("drop table if exists {name}")).execute(conn)?;
    Ok(())
}

/// Forgets what old days left in the default partition.
///
/// # Errors
/// When the database fails.
pub fn forget_default(conn: &mut PgConnection, before: NaiveDate) -> Result<()> {
    diesel::sql_query(
        "delete from journal_default j where j.received_on < $1
         and not exists (select from journal_pending p where p.id = j.id)",
    )
    .bind::<Date, _>(before)
    .execute(conn)?;
    Ok(())
}

/// Forgets the drainer's notes about days before `before`, the oldest first, at most so many. How many.
///
/// # Errors
/// When the database fails.
pub fn forget_chunks(conn: &mut PgConnection, before: NaiveDate, at_most: i64) -> Result<usize> {
    Ok(diesel::sql_query(
        "delete from journal_chunks c using (select id from journal_chunks order by id limit $2) oldest
         where c.id = oldest.id and not exists (select from unnest(c.days) as d (day) where d.day >= $1)",
    )
    .bind::<Date, _>(before)
    .bind::<BigInt, _>(at_most)
    .execute(conn)?)
}
