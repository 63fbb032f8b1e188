//! Making what follows from the names of plans again, after the lists of names changed.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::PgConnection;

use super::store;
use super::terms::{BY_TRAITS, Change, Origin, Standing};
use super::told::by_traits;
use crate::db::Pool;
use crate::error::Result;
use crate::ids::WorkspaceId;
use crate::ingest::store_drain;
use crate::plans::{self, plan::PlanList};
use crate::queue::engine::Running;
use crate::workspaces::{
    self,
    workspace::{Workspace, plan_of},
};

/// Workspaces of one transaction: the drainer waits for it.
const BATCH: i64 = 500;

/// Reads the plans of all workspaces again by the lists in force: their tiers, and the subscriptions that
/// only traits tell of. Workspaces of which something changed are scored again, from the day on which they
/// were first heard of. Run again after it was cut off, it starts over and finds most of it done.
///
/// # Errors
/// When the database fails, or the job's lease was lost.
pub fn apply_plans(running: &Running<'_>) -> Result<()> {
    let (mut done, mut last) = (0, None);
    let version = running.db.read(Pool::Work, plans::store::load)?.version;
    loop {
        let now = running.clock.now();
        let ids = running.db.tx(Pool::Work, |conn| {
            store_drain::lock(conn)?;
            let plans = plans::ops::load(conn)?;
            let ids = workspaces::store::ids_after(conn, last, BATCH)?;
            apply(conn, &plans, &ids, now)?;
            Ok(ids)
        })?;
        let Some(newest) = ids.last() else { break };
        last = Some(*newest);
        done += i64::try_from(ids.len()).unwrap_or(0);
        running.progress(done, None)?;
    }
    running.db.tx(Pool::Work, |conn| plans::store::applied(conn, version))?;
    running.progress(done, Some(done))
}

fn apply(
    conn: &mut PgConnection,
    plans: &PlanList,
    ids: &[WorkspaceId],
    now: DateTime<Utc>,
) -> Result<()> {
    let all = workspaces::store::load(conn, ids)?;
    let tiers: Vec<_> = all
        .values()
        .map(|one| (one.id, plan_of(&one.traits, plans).map(|plan| plan.tier)))
        .collect();
    let changed = workspaces::store::write_tiers(conn, &tiers)?;
    let mut touched: BTreeSet<(WorkspaceId, NaiveDate)> = changed
        .iter()
        .filter_map(|id| Some((*id, all.get(id)?.first_seen_at.date_naive())))
        .collect();
    let id_of = |one: &Workspace| format!("{BY_TRAITS}{}", one.external_id);
    let known = store::load(conn, &all.values().map(id_of).collect::<Vec<_>>())?;
    let (mut standing, mut changes, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for one in all.values() {
        let id = id_of(one);
        let before = known.get(&id);
        let after = by_traits(&one.traits, plans);
        if before.map(|before| &before.terms) == after.as_ref().map(|(terms, _)| terms) {
            continue;
        }
        touched.insert((one.id, one.first_seen_at.date_naive()));
        let Some((terms, said_at)) = after else {
            gone.push(id);
            continue;
        };
        changes.push(Change {
            id: id.clone(),
            at: said_at,
            key: String::new(),
            place: 0,
            terms: terms.clone(),
            origin: Origin::Traits,
        });
        standing.push(Standing { id, workspace: one.id, terms, origin: Origin::Traits, said_at });
    }
    store::remove(conn, &gone, true)?;
    store::write(conn, &standing)?;
    store::write_changes(conn, &changes)?;
    store::touch(conn, &touched, now)
}
