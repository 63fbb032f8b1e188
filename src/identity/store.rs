//! All SQL of identity.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;

use super::person::{Claim, Person};
use crate::error::Result;
use crate::ids::{SourceId, UserId};
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

/// These people, as far as they are known; locked until the transaction ends, since they are
/// written back whole.
///
/// # Errors
/// When the database fails.
pub fn load<'a>(
    conn: &mut PgConnection,
    ids: impl Iterator<Item = &'a UserId>,
) -> Result<HashMap<UserId, Person>> {
    let ids: BTreeSet<UserId> = ids.copied().collect();
    let rows: Vec<Row> = diesel::sql_query(
        "select id, kind = 'known' as known, external_id, canonical_id, linked_at, linked_by, traits, trait_times,
                first_seen_at, last_seen_at
         from product_users where id = any($1) order by id for update",
    )
    .bind::<Array<SqlUuid>, _>(ids.into_iter().collect::<Vec<_>>())
    .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let claim = match (row.linked_at, row.linked_by) {
                (Some(at), Some(by)) => Some(Claim { at, known: row.canonical_id, by }),
                _ => None,
            };
            let person = Person {
                id: row.id,
                known: row.known,
                external_id: row.external_id,
                claim,
                traits: Traits::stored(row.traits, row.trait_times),
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
        "insert into product_users (id, kind, external_id, canonical_id, linked_at, linked_by, email, email_kind,
             domain, name, job_title, seniority, department, traits, trait_times, first_seen_at, last_seen_at)
         select id, kind, external_id, canonical_id, linked_at, linked_by, email, email_kind,
                domain, name, job_title, seniority, department, traits::jsonb, trait_times::jsonb, first_at, last_at
         from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[], $6::text[], $7::text[],
                     $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
                     $15::text[], $16::timestamptz[], $17::timestamptz[])
             as t (id, kind, external_id, canonical_id, linked_at, linked_by, email, email_kind,
                   domain, name, job_title, seniority, department, traits, trait_times, first_at, last_at)
         order by id
         on conflict (id) do update set
             canonical_id = excluded.canonical_id, linked_at = excluded.linked_at, linked_by = excluded.linked_by,
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
    .bind::<Array<SqlUuid>, _>(people.iter().map(Person::canonical).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(
        people.iter().map(|person| person.claim.as_ref().map(|claim| claim.at)).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Text>>, _>(
        people.iter().map(|person| person.claim.as_ref().map(|claim| claim.by.as_str())).collect::<Vec<_>>(),
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

/// A name under which a person was seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier {
    /// `user_id`, `email` or `anonymous_id`.
    pub kind: &'static str,
    /// The name itself.
    pub value: String,
    /// Whose it is.
    pub person: UserId,
}

/// Records identifiers; the earliest time at which one was seen stays.
///
/// # Errors
/// When the database fails.
pub fn add_identifiers(
    conn: &mut PgConnection,
    identifiers: &HashMap<Identifier, (DateTime<Utc>, SourceId)>,
) -> Result<()> {
    if identifiers.is_empty() {
        return Ok(());
    }
    let mut sorted: Vec<_> = identifiers.iter().collect();
    sorted.sort_unstable_by_key(|(identifier, _)| *identifier);
    diesel::sql_query(
        "insert into identifiers (kind, value, user_id, first_seen_at, source_id)
         select * from unnest($1::text[], $2::text[], $3::uuid[], $4::timestamptz[], $5::uuid[])
         on conflict (kind, value, user_id) do update set
             first_seen_at = excluded.first_seen_at, source_id = excluded.source_id
         where (excluded.first_seen_at, excluded.source_id) < (identifiers.first_seen_at, identifiers.source_id)",
    )
    .bind::<Array<Text>, _>(sorted.iter().map(|(identifier, _)| identifier.kind).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(sorted.iter().map(|(identifier, _)| identifier.value.as_str()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(sorted.iter().map(|(identifier, _)| identifier.person).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(sorted.iter().map(|(_, heard)| heard.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(sorted.iter().map(|(_, heard)| heard.1).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// Two known users that may be one person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, QueryableByName)]
pub struct Candidate {
    /// One of the two.
    #[diesel(sql_type = SqlUuid)]
    pub one: UserId,
    /// The other.
    #[diesel(sql_type = SqlUuid)]
    pub other: UserId,
    /// `alias` or `email`.
    #[diesel(sql_type = Text)]
    pub reason: String,
}

/// Of these aliases (previous, new) those whose previous id is a known user's.
///
/// # Errors
/// When the database fails.
pub fn known_aliases(
    conn: &mut PgConnection,
    aliases: &[(UserId, UserId)],
) -> Result<Vec<Candidate>> {
    if aliases.is_empty() {
        return Ok(Vec::new());
    }
    Ok(diesel::sql_query(
        "select u.id as one, t.known as other, 'alias' as reason
         from unnest($1::uuid[], $2::uuid[]) as t (previous, known) join product_users u on u.id = t.previous",
    )
    .bind::<Array<SqlUuid>, _>(aliases.iter().map(|alias| alias.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(aliases.iter().map(|alias| alias.1).collect::<Vec<_>>())
    .load(conn)?)
}

/// Of these new people the known ones whose id an earlier alias called a previous id.
///
/// # Errors
/// When the database fails.
pub fn late_aliases(conn: &mut PgConnection, fresh: &[UserId]) -> Result<Vec<Candidate>> {
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    Ok(diesel::sql_query(
        "select k.id as one, a.canonical_id as other, 'alias' as reason
         from product_users k
         join product_users a on a.kind = 'anonymous' and a.external_id = k.external_id and a.linked_by = 'alias'
         where k.id = any($1) and k.kind = 'known' and a.canonical_id <> k.id",
    )
    .bind::<Array<SqlUuid>, _>(fresh)
    .load(conn)?)
}

/// Known users who were seen under one of these e-mails, in pairs. Somebody who says that an e-mail
/// is not verified is left out.
///
/// # Errors
/// When the database fails.
pub fn same_email(conn: &mut PgConnection, emails: &[String]) -> Result<Vec<Candidate>> {
    if emails.is_empty() {
        return Ok(Vec::new());
    }
    Ok(diesel::sql_query(
        "with owners as (
             select i.value, i.user_id from identifiers i join product_users u on u.id = i.user_id
             where i.kind = 'email' and i.value = any($1) and u.kind = 'known'
               and u.traits -> 'email_verified' is distinct from 'false'::jsonb
         )
         select distinct a.user_id as one, b.user_id as other, 'email' as reason
         from owners a join owners b on a.value = b.value and a.user_id < b.user_id",
    )
    .bind::<Array<Text>, _>(emails)
    .load(conn)?)
}

/// Puts candidates before a person, once; a decision taken stays.
///
/// # Errors
/// When the database fails.
pub fn add_candidates(
    conn: &mut PgConnection,
    candidates: &BTreeSet<Candidate>,
    at: DateTime<Utc>,
) -> Result<()> {
    if candidates.is_empty() {
        return Ok(());
    }
    let pairs: Vec<_> = candidates
        .iter()
        .map(|candidate| {
            (
                candidate.one.min(candidate.other),
                candidate.one.max(candidate.other),
                &candidate.reason,
            )
        })
        .filter(|(one, other, _)| one != other)
        .collect();
    diesel::sql_query(
        "insert into merge_candidates (user_id, other_id, reason, seen_at)
         select user_id, other_id, min(reason), $4
         from unnest($1::uuid[], $2::uuid[], $3::text[]) as t (user_id, other_id, reason)
         group by user_id, other_id order by user_id, other_id
         on conflict (user_id, other_id) do update set reason = excluded.reason
         where excluded.reason < merge_candidates.reason",
    )
    .bind::<Array<SqlUuid>, _>(pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(pairs.iter().map(|pair| pair.1).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(pairs.iter().map(|pair| pair.2.as_str()).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(at)
    .execute(conn)?;
    Ok(())
}
