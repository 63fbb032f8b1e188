//! Every piece of work that goes on behind the pages: projections, jobs, schedules.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use serde_json::json;
use uuid::Uuid;

use crate::db::Pool;
use crate::error::Result;
use crate::ids::{AccountId, UserId, WorkspaceId};
use crate::ingest::chunk::Chunk;
use crate::ingest::drain::Projection;
use crate::ingest::ops::REPLAY;
use crate::ingest::store_rules::RULES;
use crate::ingest::watch::WATCH;
use crate::queue::engine::{Handler, Lane, Period, Running, Schedule};
use crate::scoring::jobs::RESCORE;
use crate::tasks::ops::SWEEP;
use crate::tasks::store_notifications::notify;
use crate::team::member::Member;
use crate::usage::jobs::{BRINGS_RULES, REBUILD};
use crate::web::role::May;
use crate::{
    accounts, catalog, contacts, identity, imports, ingest, plans, queue, retention, routing,
    scoring, sources, subscriptions, tasks, team, usage, web, workspaces,
};

/// What the drainer makes of events, in the order in which each needs the one before: who, where,
/// what, whose.
pub const PROJECTIONS: [Projection; 6] = [
    identity::project::project,
    workspaces::project::project,
    contacts::project::project,
    subscriptions::project::project,
    usage::project::project,
    accounts::project::project,
];

/// What does the jobs in the queue.
pub const HANDLERS: [Handler; 9] = [
    Handler { kind: SWEEP, lane: Lane::Quick, run: sweep },
    Handler { kind: RESCORE, lane: Lane::Quick, run: rescore },
    Handler { kind: REBUILD, lane: Lane::Long, run: usage::jobs::rebuild },
    Handler { kind: TIDY, lane: Lane::Quick, run: tidy },
    Handler { kind: imports::ops::JOB, lane: Lane::Long, run: import },
    Handler { kind: plans::ops::APPLY, lane: Lane::Long, run: apply_plans },
    Handler { kind: WATCH, lane: Lane::Quick, run: watch },
    Handler { kind: REPLAY, lane: Lane::Long, run: ingest::jobs::replay },
    Handler { kind: REREAD, lane: Lane::Long, run: reread },
];

/// What is put into the queue by itself. UTC: scores are of UTC days.
pub const SCHEDULES: [Schedule; 4] = [
    // Absences end by time passing, at midnight in the zone of each member: zones differ by multiples of
    // 15 minutes. All else that makes room asks for a sweep itself.
    Schedule { kind: SWEEP, period: Period::Minutes(5) },
    // A new day has begun: everything decays by a day, and routing looks at everybody.
    Schedule { kind: RESCORE, period: Period::DailyAt(1) },
    Schedule { kind: TIDY, period: Period::Minutes(60) },
    Schedule { kind: WATCH, period: Period::Minutes(5) },
];

const TIDY: &str = "tidy";
/// Put into the queue by migrations that change how traits are read.
const REREAD: &str = "reread";
/// People, workspaces or accounts of one transaction: the drainer waits for it.
const REREAD_AT_ONCE: i64 = 1_000;
/// What came to webhooks is listed so long.
const KEEP_DELIVERIES: TimeDelta = TimeDelta::days(30);
/// Events of Stripe's are kept so long; what they said of subscriptions stays.
const KEEP_EVENTS: TimeDelta = TimeDelta::days(90);
/// What records only said again is kept so long: until then a late word finds its exact place.
const KEEP_REPEATS: TimeDelta = TimeDelta::days(35);
/// What somebody was told and has read is listed so long.
const KEEP_NOTIFICATIONS: TimeDelta = TimeDelta::days(90);
/// Sweeps are many, and nobody looks at a finished one.
const KEEP_SWEEPS: TimeDelta = TimeDelta::days(1);
/// Finished jobs are kept so long, for their page.
const KEEP_JOBS: TimeDelta = TimeDelta::days(30);

fn rescore(running: &Running<'_>) -> Result<()> {
    scoring::jobs::rescore(running, after_scoring)
}

/// What follows from the names of plans, and then every score: of the first run after an update also
/// subscriptions of Stripe's count otherwise than they did.
fn apply_plans(running: &Running<'_>) -> Result<()> {
    subscriptions::jobs::apply_plans(running)?;
    let now = running.clock.now();
    running.db.tx(Pool::Work, |conn| {
        queue::store::enqueue(conn, RESCORE, &serde_json::json!({}), Some("plans"), now)?;
        Ok(())
    })
}

fn import(running: &Running<'_>) -> Result<()> {
    imports::jobs::run(running, &PROJECTIONS)
}

/// Reads the stored traits of everybody again: what follows from them is as if it had been said today. Cut off,
/// it begins anew; what has been written stays and differs no more.
fn reread(running: &Running<'_>) -> Result<()> {
    let mut done = 0;
    in_batches(running, &mut done, UserId(Uuid::nil()), identity::reread::reread)?;
    in_batches(running, &mut done, WorkspaceId(Uuid::nil()), workspaces::reread::reread)?;
    in_batches(running, &mut done, AccountId(Uuid::nil()), accounts::reread::reread)
}

/// Reads everything behind an id again, some at once; what follows is settled in the same transaction.
fn in_batches<Id: Copy>(
    running: &Running<'_>,
    done: &mut i64,
    first: Id,
    read: fn(&mut PgConnection, &mut Chunk<'_>, Id, i64) -> Result<Option<Id>>,
) -> Result<()> {
    let mut after = first;
    loop {
        let now = running.clock.now();
        let last = running.db.tx(Pool::Work, |conn| {
            ingest::aside::settle(conn, now, &PROJECTIONS, |conn, chunk| {
                read(conn, chunk, after, REREAD_AT_ONCE)
            })
        })?;
        *done = done.saturating_add(1);
        running.progress(*done, None)?;
        match last {
            Some(id) => after = id,
            None => return Ok(()),
        }
    }
}

/// What follows from new scores, in the transaction that writes them.
///
/// # Errors
/// The database's; the scores are then not written either.
pub fn after_scoring(
    conn: &mut PgConnection,
    workspaces: &[WorkspaceId],
    now: DateTime<Utc>,
) -> Result<()> {
    routing::ops::route_workspaces(conn, workspaces, now)?;
    Ok(())
}

/// Offers what waits for an owner to whoever has room by now.
fn sweep(running: &Running<'_>) -> Result<()> {
    let now = running.clock.now();
    running.db.tx(Pool::Work, |conn| routing::ops::sweep(conn, now))?;
    Ok(())
}

/// Looks whether ingestion is as usual; whoever may see it is told of what is not.
fn watch(running: &Running<'_>) -> Result<()> {
    let now = running.clock.now();
    running.db.tx(Pool::Work, |conn| {
        let raised = ingest::watch::look(conn, now)?;
        if raised.is_empty() {
            return Ok(());
        }
        let members = team::store::members(conn)?;
        let is_told =
            |member: &&Member| member.deactivated_at.is_none() && member.role.may(May::SeeIngest);
        for member in members.iter().filter(is_told) {
            for alert in &raised {
                let url = format!("/ingest/alerts/{}", alert.id);
                notify(conn, member.id, "ingest_alert", &alert.title, &url, now)?;
            }
        }
        Ok(())
    })
}

/// Forgets what nobody needs any more, and makes room for the days to come.
fn tidy(running: &Running<'_>) -> Result<()> {
    let now = running.clock.now();
    running.db.tx(Pool::Work, |conn| {
        ingest::store_journal::create_partitions(conn, now.date_naive())?;
        web::store::sweep_sessions(conn, now)?;
        team::store_attempts::sweep_attempts(conn, now)?;
        queue::store::forget_finished(conn, now - KEEP_JOBS)?;
        queue::store::forget_finished_of(conn, SWEEP, now - KEEP_SWEEPS)?;
        tasks::store_notifications::forget(conn, now - KEEP_NOTIFICATIONS)?;
        sources::store_webhooks::forget(conn, now - KEEP_DELIVERIES, now)?;
        subscriptions::store_stripe::forget_events(conn, now - KEEP_EVENTS)?;
        subscriptions::store_words::forget_repeated(conn, now - KEEP_REPEATS)?;
        Ok(())
    })?;
    imports::jobs::forget(running)?;
    usage::jobs::forget(running)?;
    ingest::jobs::forget(running)?;
    ingest::jobs::merge_notes(running)?;
    running.db.tx(Pool::Work, |conn| retention::store::forgotten(conn, running.clock.now()))
}

/// Makes what a new installation starts with: catalog, scoring model, routing rules, pools. Safe to
/// repeat; what is there stays.
///
/// # Errors
/// The database's.
pub fn furnish(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    catalog::ops::seed(conn, now)?;
    scoring::ops_models::ensure_model(conn, now)?;
    routing::ops::ensure_defaults(conn, now)?;
    plans::ops::catch_up(conn, now)?;
    follow_update(conn, now)
}

/// After an update that changed what stored events mean: has the journal projected again and everybody
/// scored anew, once. A new installation has nothing that older rules made.
fn follow_update(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    if ingest::store_rules::reach(conn, RULES, now)? != Some(true) {
        return Ok(());
    }
    let brings = json!({ BRINGS_RULES: RULES });
    let rebuild = queue::store::enqueue(conn, REBUILD, &brings, Some(BRINGS_RULES), now)?;
    let rescore = queue::store::enqueue(conn, RESCORE, &json!({}), Some(BRINGS_RULES), now)?;
    tracing::info!(rebuild, rescore, "this release reads stored events anew; two jobs follow");
    ingest::store_rules::note_jobs(conn, RULES, rebuild, rescore)
}
