//! The SQL of traits by day.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Jsonb, Text, Uuid as SqlUuid};
use serde_json::Value;
use uuid::Uuid;

use super::trait_days::{self, TraitDays};
use super::trait_names::Subject;
use super::traits::Traits;
use crate::error::Result;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    subject_id: Uuid,
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = Jsonb)]
    traits: Value,
    #[diesel(sql_type = Jsonb)]
    trait_times: Value,
}

/// Adds what was said to the days on which it was said. Whoever does so holds the drainer's lock.
///
/// # Errors
/// When the database fails.
pub fn add(conn: &mut PgConnection, days: &TraitDays) -> Result<()> {
    if days.said.is_empty() {
        return Ok(());
    }
    let (subjects, dates): (Vec<Uuid>, Vec<NaiveDate>) = days.said.keys().copied().unzip();
    let rows: Vec<Row> = diesel::sql_query(
        "select d.subject_id, d.day, d.traits, d.trait_times
         from unnest($1::uuid[], $2::date[]) as t (subject_id, day)
         join trait_days d on d.subject_id = t.subject_id and d.day = t.day",
    )
    .bind::<Array<SqlUuid>, _>(&subjects)
    .bind::<Array<Date>, _>(&dates)
    .load(conn)?;
    let mut known: BTreeMap<(Uuid, NaiveDate), Traits> = rows
        .into_iter()
        .map(|row| {
            ((row.subject_id, row.day), Traits::stored(days.subject, row.traits, row.trait_times))
        })
        .collect();
    let (mut traits, mut times) = (Vec::new(), Vec::new());
    for (key, said) in &days.said {
        let mut day = known.remove(key).unwrap_or_default();
        for (at, said) in said {
            day.say_all(said, *at);
        }
        traits.push(Value::Object(day.values).to_string());
        times.push(Value::Object(day.times).to_string());
    }
    diesel::sql_query(
        "insert into trait_days (subject_id, day, traits, trait_times)
         select subject_id, day, traits::jsonb, times::jsonb
         from unnest($1::uuid[], $2::date[], $3::text[], $4::text[]) as t (subject_id, day, traits, times)
         order by subject_id, day
         on conflict (subject_id, day) do update set
             traits = excluded.traits, trait_times = excluded.trait_times",
    )
    .bind::<Array<SqlUuid>, _>(subjects)
    .bind::<Array<Date>, _>(dates)
    .bind::<Array<Text>, _>(traits)
    .bind::<Array<Text>, _>(times)
    .execute(conn)?;
    Ok(())
}

/// The days of these subjects, which are of one kind, oldest first. Days that only say again what the day before them said are
/// left out. What was stored before days were kept is older than anything that was said on a day, so that
/// projecting the journal again brings up the days that it still holds.
///
/// # Errors
/// When the database fails.
pub fn of(
    conn: &mut PgConnection,
    subject: Subject,
    subjects: &[Uuid],
) -> Result<BTreeMap<Uuid, Vec<(NaiveDate, Traits)>>> {
    let mut days: BTreeMap<Uuid, Vec<(NaiveDate, Traits)>> = BTreeMap::new();
    if subjects.is_empty() {
        return Ok(days);
    }
    let rows: Vec<Row> = diesel::sql_query(
        "select subject_id, day, traits, trait_times
         from (select d.*, lag(traits) over (partition by subject_id order by day) as before
               from trait_days d where subject_id = any($1)) d
         where traits is distinct from before
         order by subject_id, day",
    )
    .bind::<Array<SqlUuid>, _>(subjects)
    .load(conn)?;
    for row in rows {
        let mut traits = Traits::stored(subject, row.traits, row.trait_times);
        if row.day == trait_days::before_all() {
            traits.times.values_mut().for_each(|at| *at = Value::from(0));
        }
        days.entry(row.subject_id).or_default().push((row.day, traits));
    }
    Ok(days)
}
