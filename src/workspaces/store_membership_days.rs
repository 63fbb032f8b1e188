//! The SQL of what was said about memberships, by day.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::membership::MembershipDay;
use super::store_memberships::Pair;
use crate::error::Result;
use crate::ingest::moment::Moment;

/// Adds what was said to the days on which it was said: of each kind of statement the newest stays, of
/// equals the one that sorts first.
///
/// # Errors
/// When the database fails.
pub fn add(
    conn: &mut PgConnection,
    days: &BTreeMap<(Pair, NaiveDate), MembershipDay>,
) -> Result<()> {
    if days.is_empty() {
        return Ok(());
    }
    let said: Vec<&MembershipDay> = days.values().collect();
    let texts = |pick: fn(&MembershipDay) -> Option<&'static str>| {
        said.iter().map(|day| pick(day)).collect::<Vec<_>>()
    };
    let times = |pick: fn(&MembershipDay) -> Option<Moment>| -> (Vec<Option<_>>, Vec<i64>) {
        let moments = said.iter().map(|day| pick(day));
        moments.map(|one| (one.map(|one| one.at), one.map_or(0, |one| one.seq))).unzip()
    };
    let (role_at, role_seq) = times(|day| day.role.map(|one| one.1));
    let (persona_at, persona_seq) = times(|day| day.persona.map(|one| one.1));
    let (grouped_at, group_seq) = times(|day| day.grouped);
    let (left_at, left_seq) = times(|day| day.left);
    // A pair of time and number is compared as a whole; nothing is older than anything.
    let newer = |what: &str, seq: &str| {
        format!(
            "(excluded.{what}_at is not null and (d.{what}_at is null
              or (excluded.{what}_at, excluded.{seq}_seq) > (d.{what}_at, d.{seq}_seq)"
        )
    };
    let moment = |what: &str, seq: &str| {
        let newer = newer(what, seq);
        format!(
            "{what}_at = case when {newer})) then excluded.{what}_at else d.{what}_at end,
             {seq}_seq = case when {newer})) then excluded.{seq}_seq else d.{seq}_seq end"
        )
    };
    let text = |what: &str| {
        let newer = newer(what, what);
        format!(
            "{what} = case when {newer} or (excluded.{what}_at, excluded.{what}_seq) = (d.{what}_at, d.{what}_seq)
                              and excluded.{what} < d.{what})) then excluded.{what} else d.{what} end"
        )
    };
    diesel::sql_query(format!(
        "insert into membership_days as d (workspace_id, user_id, day, role, role_at, role_seq, persona, persona_at,
             persona_seq, grouped_at, group_seq, left_at, left_seq)
         select * from unnest($1::uuid[], $2::uuid[], $3::date[], $4::text[], $5::timestamptz[], $6::bigint[],
                              $7::text[], $8::timestamptz[], $9::bigint[], $10::timestamptz[], $11::bigint[],
                              $12::timestamptz[], $13::bigint[])
             as t (workspace_id, user_id, day, role, role_at, role_seq, persona, persona_at, persona_seq,
                   grouped_at, group_seq, left_at, left_seq)
         order by workspace_id, user_id, day
         on conflict (workspace_id, user_id, day) do update set {}, {}, {}, {}, {}, {}",
        text("role"),
        moment("role", "role"),
        text("persona"),
        moment("persona", "persona"),
        moment("grouped", "group"),
        moment("left", "left"),
    ))
    .bind::<Array<SqlUuid>, _>(days.keys().map(|(pair, _)| pair.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(days.keys().map(|(pair, _)| pair.1).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(days.keys().map(|(_, day)| *day).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(texts(|day| day.role.map(|one| one.0)))
    .bind::<Array<Nullable<Timestamptz>>, _>(role_at)
    .bind::<Array<BigInt>, _>(role_seq)
    .bind::<Array<Nullable<Text>>, _>(texts(|day| day.persona.map(|one| one.0)))
    .bind::<Array<Nullable<Timestamptz>>, _>(persona_at)
    .bind::<Array<BigInt>, _>(persona_seq)
    .bind::<Array<Nullable<Timestamptz>>, _>(grouped_at)
    .bind::<Array<BigInt>, _>(group_seq)
    .bind::<Array<Nullable<Timestamptz>>, _>(left_at)
    .bind::<Array<BigInt>, _>(left_seq)
    .execute(conn)?;
    Ok(())
}
