//! The drainer's part: traits become subscriptions.

use std::collections::{BTreeMap, BTreeSet};

use diesel::PgConnection;

use super::ops_stripe;
use super::store;
use super::terms::{BY_TRAITS, Change, Origin, Standing};
use super::told::by_traits;
use crate::error::Result;
use crate::ingest::chunk::Chunk;
use crate::ingest::traits::Traits;
use crate::plans::{self, plan::PlanList};

/// Makes the subscriptions that traits describe agree with the traits that this chunk changed, and those
/// of Stripe's whose workspace is settled by what it says. The dated rows of traits say what Ripen
/// noticed, in the order in which it did; nothing is computed of them.
///
/// # Errors
/// When the database fails.
pub fn project(conn: &mut PgConnection, chunk: &mut Chunk<'_>) -> Result<()> {
    let plans = if chunk.retold.is_empty() { PlanList::default() } else { plans::ops::load(conn)? };
    let mut standing = BTreeMap::new();
    let mut changes = Vec::new();
    let mut gone = Vec::new();
    let mut touched = Vec::new();
    for retold in &chunk.retold {
        let (before, now) = (by_traits(&retold.before, &plans), by_traits(&retold.now, &plans));
        if before == now {
            continue;
        }
        let id = format!("{BY_TRAITS}{}", retold.external_id);
        touched.push((retold.workspace, retold.since));
        let Some((terms, said_at)) = now else {
            gone.push(id);
            continue;
        };
        if before.is_none_or(|(before, _)| before != terms) {
            changes.push(Change {
                id: id.clone(),
                at: said_at,
                key: String::new(),
                place: 0,
                terms: terms.clone(),
                origin: Origin::Traits,
            });
        }
        let one = Standing {
            id: id.clone(),
            workspace: retold.workspace,
            terms,
            origin: Origin::Traits,
            said_at,
        };
        standing.insert(id, one);
    }
    let mut customers = BTreeSet::new();
    for retold in &chunk.retold {
        let named = |traits: &Traits| traits.text(&["stripe_customer_id"]);
        let (before, now) = (named(&retold.before), named(&retold.now));
        if before != now {
            customers.extend(before.into_iter().chain(now));
        }
    }
    let appeared = std::mem::take(&mut chunk.appeared);
    ops_stripe::settle_claims(conn, customers, appeared, chunk.now)?;
    for (workspace, since) in touched {
        chunk.touch(workspace, since);
    }
    store::remove(conn, &gone, true)?;
    store::write(conn, &standing.into_values().collect::<Vec<_>>())?;
    store::write_changes(conn, &changes)
}
