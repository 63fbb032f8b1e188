//! The SQL of what is measured.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Int2, Text, Timestamptz, Uuid as SqlUuid};

use super::measure::{Measure, Measures, Place, Spread, Tally};
use crate::error::Result;
use crate::ids::SourceId;

/// Adds up; one statement, and none for nothing. The last of its transaction: others add to the same
/// rows and must not wait for anything slow.
///
/// # Errors
/// When the database fails.
pub fn add(conn: &mut PgConnection, measures: &Measures) -> Result<()> {
    if measures.is_empty() {
        return Ok(());
    }
    let (places, tallies): (Vec<&Place>, Vec<&Tally>) = measures.iter().unzip();
    diesel::sql_query(
        "insert into ingest_measures (source_id, measure, minute, bucket, times, highest)
         select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::smallint[], $5::bigint[], $6::bigint[])
         on conflict (source_id, measure, minute, bucket) do update set
             times = ingest_measures.times + excluded.times,
             highest = greatest(ingest_measures.highest, excluded.highest)",
    )
    .bind::<Array<SqlUuid>, _>(places.iter().map(|place| place.source).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(places.iter().map(|place| place.measure.as_str()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(places.iter().map(|place| place.minute).collect::<Vec<_>>())
    .bind::<Array<Int2>, _>(places.iter().map(|place| place.bucket).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(tallies.iter().map(|tally| tally.times).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(tallies.iter().map(|tally| tally.highest).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    source_id: SourceId,
    #[diesel(sql_type = Timestamptz)]
    slot: DateTime<Utc>,
    #[diesel(sql_type = Int2)]
    bucket: i16,
    #[diesel(sql_type = BigInt)]
    times: i64,
    #[diesel(sql_type = BigInt)]
    highest: i64,
}

/// A measure of one source within a slot of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub source: SourceId,
    /// Its begin.
    pub at: DateTime<Utc>,
    pub spread: Spread,
}

/// A measure of these sources since `since`, in slots of so many seconds, oldest first; slots without
/// a value are missing.
///
/// # Errors
/// When the database fails.
pub fn slots(
    conn: &mut PgConnection,
    sources: &[SourceId],
    measure: Measure,
    since: DateTime<Utc>,
    seconds: i64,
) -> Result<Vec<Slot>> {
    let rows: Vec<Row> = diesel::sql_query(
        "select source_id, to_timestamp(floor(extract(epoch from minute) / $4) * $4) as slot, bucket,
                sum(times)::bigint as times, max(highest) as highest
         from ingest_measures
         where source_id = any($1) and measure = $2 and minute >= $3
         group by 1, 2, 3 order by 1, 2, 3",
    )
    .bind::<Array<SqlUuid>, _>(sources)
    .bind::<Text, _>(measure.as_str())
    .bind::<Timestamptz, _>(since)
    .bind::<BigInt, _>(seconds.max(60))
    .load(conn)?;
    let mut slots: Vec<Slot> = Vec::new();
    for row in rows {
        let tally = Tally { times: row.times, highest: row.highest };
        match slots.last_mut() {
            Some(last) if (last.source, last.at) == (row.source_id, row.slot) => {
                last.spread.add(row.bucket, tally);
            }
            _ => {
                let mut spread = Spread::default();
                spread.add(row.bucket, tally);
                slots.push(Slot { source: row.source_id, at: row.slot, spread });
            }
        }
    }
    Ok(slots)
}
