//! All SQL of identity.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;

use super::heard::{First, Identifier};
use super::person::Person;
use super::stitch::{By, Claim};
use crate::error::Result;
use crate::ids::UserId;
use crate::ingest::trait_names::Subject;
use crate::ingest::traits::Traits;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: UserId,
    #[diesel(sql_type = Bool)]
    known: bool,
    #[diesel(sql_type = Text)]
    external_id: String,
    #[diesel(sql_type = SqlUuid)]
    canonical_id: UserId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    linked_id: Option<UserId>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    linked_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    linked_by: Option<String>,
    #[diesel(sql_type = Jsonb)]
    traits: Value,
    #[diesel(sql_type = Jsonb)]
    trait_times: Value,
    #[diesel(sql_type = Timestamptz)]
    first_seen_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    last_seen_at: DateTime<Utc>,
}

/// These people, as far as they are known. They are written back whole: whoever does so holds the
/// drainer's lock, which is dearer to wait for and cheaper to hold than a lock on each of thousands
/// of rows.
///
/// # Errors
/// When the database fails.
pub fn load<'a>(
    conn: &mut PgConnection,
    ids: impl Iterator<Item = &'a UserId>,
) -> Result<HashMap<UserId, Person>> {
    let ids: BTreeSet<UserId> = ids.copied().collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = diesel::sql_query(
        "select id, kind = 'known' as known, external_id, canonical_id, linked_id, linked_at, linked_by, traits, trait_times,
                first_seen_at, last_seen_at
         from product_users where id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids.into_iter().collect::<Vec<_>>())
    .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let by = row.linked_by.as_deref().and_then(By::named);
            let link = match (row.linked_id, row.linked_at, by) {
                (Some(known), Some(at), Some(by)) => Some(Claim { at, known, by }),
                _ => None,
            };
            let person = Person {
                id: row.id,
                known: row.known,
                external_id: row.external_id,
                link,
                canonical: row.canonical_id,
                traits: Traits::stored(Subject::User, row.traits, row.trait_times),
                first_seen_at: row.first_seen_at,
                last_seen_at: row.last_seen_at,
            };
            (row.id, person)
        })
        .collect())
}

/// Writes people whole, in the order of their ids.
///
/// # Errors
/// When the database fails.
pub fn upsert(conn: &mut PgConnection, people: &[Person]) -> Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    let facts: Vec<_> = people.iter().map(Person::facts).collect();
    diesel::sql_query(
        "insert into product_users (id, kind, external_id, canonical_id, linked_id, linked_at, linked_by, email, email_kind,
             domain, name, job_title, seniority, department, traits, trait_times, first_seen_at, last_seen_at)
         select id, kind, external_id, canonical_id, linked_id, linked_at, linked_by, email, email_kind,
                domain, name, job_title, seniority, department, traits::jsonb, trait_times::jsonb, first_at, last_at
         from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[], $6::text[], $7::text[],
                     $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
                     $15::text[], $16::timestamptz[], $17::timestamptz[], $18::uuid[])
             as t (id, kind, external_id, canonical_id, linked_at, linked_by, email, email_kind,
                   domain, name, job_title, seniority, department, traits, trait_times, first_at, last_at, linked_id)
         order by id
         on conflict (id) do update set
             canonical_id = excluded.canonical_id, linked_id = excluded.linked_id, linked_at = excluded.linked_at, linked_by = excluded.linked_by,
             email = excluded.email, email_kind = excluded.email_kind, domain = excluded.domain,
             name = excluded.name, job_title = excluded.job_title, seniority = excluded.seniority,
             department = excluded.department, traits = excluded.traits, trait_times = excluded.trait_times,
             first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at",
    )
    .bind::<Array<SqlUuid>, _>(people.iter().map(|person| person.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(
        people.iter().map(|person| if person.known { "known" } else { "anonymous" }).collect::<Vec<_>>(),
    )
    .bind::<Array<Text>, _>(people.iter().map(|person| person.external_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(people.iter().map(|person| person.canonical).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(
        people.iter().map(|person| person.link.map(|link| link.at)).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Text>>, _>(
        people.iter().map(|person| person.link.map(|link| link.by.as_str())).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Text>>, _>(facts.iter().map(|facts| facts.email.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(facts.iter().map(|facts| facts.email_kind).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(facts.iter().map(|facts| facts.domain.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(facts.iter().map(|facts| facts.name.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(facts.iter().map(|facts| facts.job_title.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(facts.iter().map(|facts| facts.seniority.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(facts.iter().map(|facts| facts.department.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(people.iter().map(|person| json(&person.traits.values)).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(people.iter().map(|person| json(&person.traits.times)).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(people.iter().map(|person| person.first_seen_at).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(people.iter().map(|person| person.last_seen_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(
        people.iter().map(|person| person.link.map(|link| link.known)).collect::<Vec<_>>(),
    )
    .execute(conn)?;
    Ok(())
}

fn json(map: &serde_json::Map<String, Value>) -> String {
    serde_json::to_string(map).unwrap_or_else(|_| "{}".to_owned())
}

/// Writes only when these people were seen first and last.
///
/// # Errors
/// When the database fails.
pub fn widen(conn: &mut PgConnection, people: &[Person]) -> Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "update product_users u set first_seen_at = t.first_at, last_seen_at = t.last_at
         from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) as t (id, first_at, last_at)
         where u.id = t.id",
    )
    .bind::<Array<SqlUuid>, _>(people.iter().map(|person| person.id).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(
        people.iter().map(|person| person.first_seen_at).collect::<Vec<_>>(),
    )
    .bind::<Array<Timestamptz>, _>(
        people.iter().map(|person| person.last_seen_at).collect::<Vec<_>>(),
    )
    .execute(conn)?;
    Ok(())
}

/// A name that was new, or is known since an earlier time.
#[derive(Clone, Debug, QueryableByName)]
pub struct Changed {
    /// `sso` or `email`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// The name itself.
    #[diesel(sql_type = Text)]
    pub value: String,
    /// Whose it is.
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
}

/// Records identifiers; the earliest call in which one was seen stays. Answers with the e-mails and
/// SSO subjects that are new or known since an earlier time.
///
/// # Errors
/// When the database fails.
pub fn add_identifiers(
    conn: &mut PgConnection,
    identifiers: &BTreeMap<Identifier, First>,
) -> Result<Vec<Changed>> {
    if identifiers.is_empty() {
        return Ok(Vec::new());
    }
    let all = identifiers;
    Ok(diesel::sql_query(
        // Nearly all are known already, and an upsert would lock every one of those rows.
        "with changed as (
             insert into identifiers (kind, value, user_id, first_seen_at, source_id, said_by)
             select t.* from unnest($1::text[], $2::text[], $3::uuid[], $4::timestamptz[], $5::uuid[], $6::text[])
                 as t (kind, value, user_id, first_at, source_id, said_by)
             left join identifiers i on i.kind = t.kind and i.value = t.value and i.user_id = t.user_id
             where i.user_id is null
                or (t.first_at, t.source_id, t.said_by) < (i.first_seen_at, i.source_id, i.said_by)
             on conflict (kind, value, user_id) do update set
                 first_seen_at = excluded.first_seen_at, source_id = excluded.source_id, said_by = excluded.said_by
             where (excluded.first_seen_at, excluded.source_id, excluded.said_by)
                 < (identifiers.first_seen_at, identifiers.source_id, identifiers.said_by)
             returning kind, value, user_id
         )
         select * from changed where kind in ('email', 'sso')",
    )
    .bind::<Array<Text>, _>(all.keys().map(|one| one.kind).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(all.keys().map(|one| one.value.as_str()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(all.keys().map(|one| one.person).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(all.values().map(|first| first.0.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(all.values().map(|first| first.0.1).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(all.values().map(|first| first.1).collect::<Vec<_>>())
    .load(conn)?)
}

#[derive(QueryableByName)]
struct Canonical {
    #[diesel(sql_type = SqlUuid)]
    id: UserId,
    #[diesel(sql_type = SqlUuid)]
    canonical_id: UserId,
}

/// Of these ids those that are known users, each with who that is today.
///
/// # Errors
/// When the database fails.
pub fn known(conn: &mut PgConnection, ids: &[UserId]) -> Result<HashMap<UserId, UserId>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Canonical> = diesel::sql_query(
        "select id, canonical_id from product_users where id = any($1) and kind = 'known'",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row.canonical_id)).collect())
}
