//! Re-scoring everything, beside streaming the same rows out of PostgreSQL.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use ripen::db::Pool;
use ripen::ids::WorkspaceId;
use ripen::scoring;

use crate::fill;
use crate::place::Place;
use crate::raw;
use crate::table::{Table, per_second, ratio, thousands};

const BATCH: usize = 250;

pub fn run(workspaces: i64) {
    let place = Place::new();
    fill::workspaces(&place, workspaces);
    let ids = ids(&place, workspaces);
    let days = u64::try_from(place.number("select count(*) from usage_days")).unwrap_or(0);
    let count = u64::try_from(workspaces).unwrap_or(0);
    // The first pass warms the cache of PostgreSQL for both.
    raw::stream_out(&place);
    let (streamed, bytes) = raw::stream_out(&place);
    let now = place.clock.now();
    let first = rescore(&place, &ids, now);
    let again = rescore(&place, &ids, now);
    let next_day = rescore(&place, &ids, now + TimeDelta::days(1));
    let mut table = Table::new();
    table.row(
        "raw: the same rows streamed out by COPY",
        format!("{:.2} s", streamed.as_secs_f64()),
        format!("{} MB", bytes / 1_000_000),
    );
    for (what, took) in [
        ("scored the first time, with 90 days of history", first),
        ("scored again, nothing happened", again),
        ("scored the day after, everything decayed", next_day),
    ] {
        table.row(
            what,
            format!("{:.2} s", took.as_secs_f64()),
            format!(
                "{} workspaces, {} x COPY",
                per_second(count, took),
                ratio(took.as_secs_f64(), streamed.as_secs_f64())
            ),
        );
    }
    let title =
        format!("Scores of {} workspaces with {} usage days", thousands(count), thousands(days));
    table.print(&title, &place.machine());
}

pub fn ids(place: &Place, workspaces: i64) -> Vec<WorkspaceId> {
    use diesel::prelude::*;
    let ids: Vec<WorkspaceId> = place
        .db
        .read(Pool::Work, |conn| {
            use ripen::schema::workspaces;
            Ok(workspaces::table.select(workspaces::id).order(workspaces::id).load(conn)?)
        })
        .expect("the workspaces");
    assert_eq!(i64::try_from(ids.len()).unwrap_or(0), workspaces);
    ids
}

/// As the nightly job does it: batches in the order of ids, a transaction each.
pub fn rescore(place: &Place, ids: &[WorkspaceId], now: DateTime<Utc>) -> Duration {
    let started = Instant::now();
    for batch in ids.chunks(BATCH) {
        place
            .db
            .tx(Pool::Work, |conn| scoring::ops::rescore(conn, batch, now, |_, _, _| Ok(())))
            .expect("scores");
    }
    started.elapsed()
}
