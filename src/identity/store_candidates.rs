//! The SQL of evidence that two known users are one person, and of the pairs it makes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Int2, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::evidence::{self, Heard, Kind, MOST, Owner, Pair, Piece};
use crate::error::Result;
use crate::ids::{SourceId, UserId};

/// What tells one piece of evidence from another.
pub type Key = (Pair, Kind, String);

#[derive(QueryableByName)]
struct OwnerRow {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    value: String,
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
    #[diesel(sql_type = Timestamptz)]
    first_seen_at: DateTime<Utc>,
    #[diesel(sql_type = SqlUuid)]
    source_id: SourceId,
    #[diesel(sql_type = Nullable<Text>)]
    verified: Option<String>,
}

fn columns(values: &BTreeSet<(Kind, String)>) -> (Vec<&'static str>, Vec<&str>) {
    values.iter().map(|(kind, value)| (kind.as_str(), value.as_str())).unzip()
}

/// The known users who go by each of these values, one more than may speak at the most. Of an e-mail
/// that is the user's current one, what the product says about its being verified.
///
/// # Errors
/// When the database fails.
pub fn owners(
    conn: &mut PgConnection,
    values: &BTreeSet<(Kind, String)>,
) -> Result<BTreeMap<(Kind, String), Vec<Owner>>> {
    let (kinds, texts) = columns(values);
    let rows: Vec<OwnerRow> = diesel::sql_query(
        "select v.kind, v.value, o.* from unnest($1::text[], $2::text[]) as v (kind, value)
         cross join lateral (
             select i.user_id, i.first_seen_at, i.source_id,
                    case when v.kind = 'email' and u.email = i.value then u.traits ->> 'email_verified' end as verified
             from identifiers i join product_users u on u.id = i.user_id and u.kind = 'known'
             where i.kind = v.kind and i.value = v.value order by i.user_id limit $3) o",
    )
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(texts)
    .bind::<Integer, _>(i32::try_from(MOST.saturating_add(1)).unwrap_or(i32::MAX))
    .load(conn)?;
    let mut owners: BTreeMap<(Kind, String), Vec<Owner>> = BTreeMap::new();
    for row in rows {
        let Some(kind) = Kind::named(&row.kind) else { continue };
        owners.entry((kind, row.value)).or_default().push(Owner {
            user: row.user_id,
            heard: (row.first_seen_at, row.source_id),
            verified: row.verified.as_deref().and_then(crate::ingest::traits::yes_or_no),
        });
    }
    Ok(owners)
}

#[derive(QueryableByName)]
struct EvidenceRow {
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
    #[diesel(sql_type = SqlUuid)]
    other_id: UserId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    value: String,
    #[diesel(sql_type = Bool)]
    verified: bool,
    #[diesel(sql_type = Timestamptz)]
    seen_at: DateTime<Utc>,
    #[diesel(sql_type = SqlUuid)]
    source_id: SourceId,
}

fn by_key(rows: Vec<EvidenceRow>) -> BTreeMap<Key, Piece> {
    rows.into_iter()
        .filter_map(|row| {
            let key = ((row.user_id, row.other_id), Kind::named(&row.kind)?, row.value);
            Some((key, Piece { heard: (row.seen_at, row.source_id), verified: row.verified }))
        })
        .collect()
}

/// The evidence that these values make so far.
///
/// # Errors
/// When the database fails.
pub fn of_values(
    conn: &mut PgConnection,
    values: &BTreeSet<(Kind, String)>,
) -> Result<BTreeMap<Key, Piece>> {
    let (kinds, texts) = columns(values);
    let rows = diesel::sql_query(
        "select e.user_id, e.other_id, e.kind, e.value, e.verified, e.seen_at, e.source_id
         from merge_evidence e
         where (e.kind, e.value) in (select * from unnest($1::text[], $2::text[]))",
    )
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(texts)
    .load(conn)?;
    Ok(by_key(rows))
}

/// All evidence for these pairs.
///
/// # Errors
/// When the database fails.
pub fn of_pairs(conn: &mut PgConnection, pairs: &BTreeSet<Pair>) -> Result<BTreeMap<Key, Piece>> {
    let rows = diesel::sql_query(
        "select e.user_id, e.other_id, e.kind, e.value, e.verified, e.seen_at, e.source_id
         from merge_evidence e
         where (e.user_id, e.other_id) in (select * from unnest($1::uuid[], $2::uuid[]))",
    )
    .bind::<Array<SqlUuid>, _>(pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(pairs.iter().map(|pair| pair.1).collect::<Vec<_>>())
    .load(conn)?;
    Ok(by_key(rows))
}

/// Takes evidence away that no longer holds.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut PgConnection, gone: &[Key]) -> Result<()> {
    if gone.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "delete from merge_evidence e
         using unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) as t (user_id, other_id, kind, value)
         where (e.user_id, e.other_id, e.kind, e.value) = (t.user_id, t.other_id, t.kind, t.value)",
    )
    .bind::<Array<SqlUuid>, _>(gone.iter().map(|key| key.0.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(gone.iter().map(|key| key.0.1).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(gone.iter().map(|key| key.1.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(gone.iter().map(|key| key.2.as_str()).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// Writes evidence as it is now.
///
/// # Errors
/// When the database fails.
pub fn put(conn: &mut PgConnection, pieces: &BTreeMap<Key, Piece>) -> Result<()> {
    if pieces.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into merge_evidence (user_id, other_id, kind, value, verified, seen_at, source_id)
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bool[], $6::timestamptz[], $7::uuid[])
         on conflict (user_id, other_id, kind, value) do update set
             verified = excluded.verified, seen_at = excluded.seen_at, source_id = excluded.source_id",
    )
    .bind::<Array<SqlUuid>, _>(pieces.keys().map(|key| key.0.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(pieces.keys().map(|key| key.0.1).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(pieces.keys().map(|key| key.1.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(pieces.keys().map(|key| key.2.as_str()).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(pieces.values().map(|piece| piece.verified).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(pieces.values().map(|piece| piece.heard.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(pieces.values().map(|piece| piece.heard.1).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// What a pair stands for, of all its evidence.
struct Weighed {
    reason: Kind,
    confidence: u32,
    evidence: Vec<String>,
}

fn weigh(pieces: &BTreeMap<Key, Piece>) -> BTreeMap<Pair, Weighed> {
    let mut by_pair: BTreeMap<Pair, Vec<(Kind, &str, Piece)>> = BTreeMap::new();
    for ((pair, kind, value), piece) in pieces {
        by_pair.entry(*pair).or_default().push((*kind, value, *piece));
    }
    by_pair
        .into_iter()
        .filter_map(|(pair, pieces)| {
            let worth = |one: &(Kind, &str, Piece)| evidence::weight(one.0, one.2.verified);
            let reason = pieces.iter().max_by_key(|one| worth(one))?.0;
            let confidence = evidence::confidence(pieces.iter().map(worth));
            let evidence = pieces
                .iter()
                .map(|(kind, value, _)| format!("{}:{value}", kind.as_str()))
                .collect();
            Some((pair, Weighed { reason, confidence, evidence }))
        })
        .collect()
}

/// Puts these pairs before a person as their evidence says now: a pair without any is taken away,
/// one that was kept apart is asked about again only when something new speaks for it.
///
/// # Errors
/// When the database fails.
pub fn settle(conn: &mut PgConnection, pairs: &BTreeSet<Pair>, now: DateTime<Utc>) -> Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    let weighed = weigh(&of_pairs(conn, pairs)?);
    let baseless: Vec<&Pair> = pairs.iter().filter(|pair| !weighed.contains_key(pair)).collect();
    diesel::sql_query(
        "with baseless as (select * from unnest($1::uuid[], $2::uuid[]) as t (user_id, other_id)),
         kept as (
             update merge_candidates m set evidence = '{}', confidence = 0 from baseless b
             where (m.user_id, m.other_id) = (b.user_id, b.other_id) and m.decision is not null)
         delete from merge_candidates m using baseless b
         where (m.user_id, m.other_id) = (b.user_id, b.other_id) and m.decision is null",
    )
    .bind::<Array<SqlUuid>, _>(baseless.iter().map(|pair| pair.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(baseless.iter().map(|pair| pair.1).collect::<Vec<_>>())
    .execute(conn)?;
    // A JSON array a pair: PostgreSQL has no arrays of arrays of different lengths.
    diesel::sql_query(
        "insert into merge_candidates (user_id, other_id, reason, confidence, evidence, seen_at)
         select user_id, other_id, reason, confidence, array(select jsonb_array_elements_text(evidence::jsonb)), $6
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::int2[], $5::text[])
             as t (user_id, other_id, reason, confidence, evidence)
         on conflict (user_id, other_id) do update set
             reason = excluded.reason, confidence = excluded.confidence, evidence = excluded.evidence,
             decision = case when merge_candidates.decision = 'kept_apart'
                              and not excluded.evidence <@ merge_candidates.decided_on
                             then null else merge_candidates.decision end",
    )
    .bind::<Array<SqlUuid>, _>(weighed.keys().map(|pair| pair.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(weighed.keys().map(|pair| pair.1).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(weighed.values().map(|one| one.reason.as_str()).collect::<Vec<_>>())
    .bind::<Array<Int2>, _>(
        weighed.values().map(|one| i16::try_from(one.confidence).unwrap_or(99)).collect::<Vec<_>>(),
    )
    .bind::<Array<Text>, _>(
        weighed.values().map(|one| serde_json::json!(one.evidence).to_string()).collect::<Vec<_>>(),
    )
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// The evidence that an alias call between two known users is.
#[must_use]
pub fn alias(former: (UserId, &str), user: UserId, heard: Heard) -> Option<(Key, Piece)> {
    let pair = evidence::pair(former.0, user)?;
    Some(((pair, Kind::Alias, former.1.to_owned()), Piece { heard, verified: false }))
}
