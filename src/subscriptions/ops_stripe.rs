//! What follows from an event of Stripe's, inside the transaction that keeps it.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::PgConnection;
use serde_json::json;
use uuid::Uuid;

use super::ops::{before_all, first_day, since};
use super::store;
use super::store_stripe::{self as stripe_store, Claim, Clues, Kept};
use super::stripe::event::{About, Event, Told};
use super::stripe::order::{Shown, in_order};
use super::stripe::snapshot::{self, Snapshot, is_final};
use super::terms::{Change, Origin, Standing};
use crate::error::{Error, Result};
use crate::ids::{MemberId, WorkspaceId};
use crate::team::audit::{self, Actor};

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The subscription of a workspace stands as the event says.
    Applied,
    /// The same, but nobody knows the workspace.
    Unmapped,
    /// A newer event is known: this one is history.
    Older,
    /// The event is known.
    Duplicate,
    /// It told who pays.
    Noted,
    /// It says nothing about subscriptions.
    Ignored,
}

impl Outcome {
    /// The word in the database, in answers and on the page.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unmapped => "unmapped",
            Self::Older => "older",
            Self::Duplicate => "duplicate",
            Self::Noted => "noted",
            Self::Ignored => "ignored",
        }
    }
}

/// Takes an event in, `by` an endpoint and a secret. Any order and any repetition of the events of a
/// subscription end the same: how it stands is a function of the set of its events.
///
/// # Errors
/// When the database fails; then nothing was taken in.
pub fn take(
    conn: &mut PgConnection,
    event: &Event,
    by: (Uuid, Uuid),
    now: DateTime<Utc>,
) -> Result<Outcome> {
    if let About::Subscription(told) = &event.about {
        stripe_store::lock(conn, &told.snapshot.id)?;
    }
    if !stripe_store::keep_event(conn, event, by, now)? {
        return Ok(Outcome::Duplicate);
    }
    let outcome = match &event.about {
        About::Subscription(told) => subscription(conn, event, told, now)?,
        About::Customer(customer) => {
            stripe_store::write_customer(conn, customer, event.created)?;
            Outcome::Noted
        }
        About::Other | About::Thin => Outcome::Ignored,
    };
    stripe_store::conclude(conn, &event.id, outcome.key())?;
    Ok(outcome)
}

fn subscription(
    conn: &mut PgConnection,
    event: &Event,
    told: &Told,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    let id = &told.snapshot.id;
    let ids = [id.clone()];
    let earlier = store::changes(conn, &ids)?.remove(id).unwrap_or_default();
    let kept = stripe_store::of_second(conn, id, event.created)?;
    let snapshots: Vec<Snapshot> = placed(&kept);
    let mut all: Vec<Change> = earlier
        .iter()
        .filter(|change| change.at != event.created || change.origin != Origin::Stripe)
        .cloned()
        .collect();
    let of_second = changes_of(&kept, event.created);
    all.extend(of_second.iter().cloned());
    all.sort_by(|a, b| (a.at, a.place, &a.key).cmp(&(b.at, b.place, &b.key)));
    let gone = after_the_end(&all);
    all.retain(|change| !gone.contains(&(change.at, change.key.clone())));
    let new: Vec<Change> = of_second.into_iter().filter(|change| all.contains(change)).collect();
    let touched_since = new
        .iter()
        .filter(|change| !earlier.contains(change))
        .map(|change| since(&earlier, change))
        .min();
    store::write_changes(conn, &new)?;
    stripe_store::drop_changes(conn, id, &gone)?;
    let is_newest = all.last().is_some_and(|last| last.at == event.created);
    if let Some(last) = snapshots.last().filter(|_| is_newest) {
        let claim = Claim {
            id: id.clone(),
            livemode: event.livemode,
            customer_id: last.customer.clone(),
            named_workspace: last.workspace.clone(),
            said_at: event.created,
        };
        stripe_store::write_claim(conn, &claim, now)?;
    }
    let claims = stripe_store::claims(conn, &ids, &BTreeSet::new())?;
    let workspace = match claims.first() {
        Some(claim) => settle(conn, claim, &all, touched_since, now)?,
        None => None,
    };
    Ok(match (all.last(), workspace) {
        (Some(last), _) if last.at > event.created || !is_newest => Outcome::Older,
        (_, None) => Outcome::Unmapped,
        _ => Outcome::Applied,
    })
}

/// The snapshots of one second's events, first to last.
fn placed(kept: &[Kept]) -> Vec<Snapshot> {
    order_of(kept)
        .into_iter()
        .filter_map(|at| snapshot::read(kept.get(at)?.payload.get("object")?))
        .collect()
}

fn order_of(kept: &[Kept]) -> Vec<usize> {
    let read: Vec<(usize, Snapshot)> = kept
        .iter()
        .enumerate()
        .filter_map(|(at, one)| Some((at, snapshot::read(one.payload.get("object")?)?)))
        .collect();
    let shown: Vec<(usize, Shown<'_>)> = read
        .iter()
        .filter_map(|(at, snapshot)| {
            let one = kept.get(*at)?;
            let shown = Shown {
                kind: &one.kind,
                status: snapshot.terms.status,
                object: one.payload.get("object")?,
                previous: one.payload.get("previous").filter(|value| value.is_object()),
                key: &one.key,
            };
            Some((*at, shown))
        })
        .collect();
    let alone: Vec<Shown<'_>> = shown.iter().map(|(_, shown)| *shown).collect();
    in_order(&alone).into_iter().filter_map(|place| Some(shown.get(place)?.0)).collect()
}

fn changes_of(kept: &[Kept], at: DateTime<Utc>) -> Vec<Change> {
    let ordered = order_of(kept).into_iter().filter_map(|place| kept.get(place));
    ordered
        .zip(0_i16..)
        .filter_map(|(one, place)| {
            let snapshot = snapshot::read(one.payload.get("object")?)?;
            // Who pays is the subscription's, not its history's.
            let mut terms = snapshot.terms;
            terms.customer_id = None;
            let key = one.key.clone();
            Some(Change { id: snapshot.id, at, key, place, terms, origin: Origin::Stripe })
        })
        .collect()
}

/// What says that a subscription goes on after it had ended for good: late words of before.
fn after_the_end(all: &[Change]) -> Vec<(DateTime<Utc>, String)> {
    let by_stripe = |change: &&Change| change.origin == Origin::Stripe;
    let end = all.iter().filter(by_stripe).position(|change| is_final(change.terms.status));
    let Some(end) = end else { return Vec::new() };
    all.iter()
        .filter(by_stripe)
        .skip(end)
        .filter(|change| !is_final(change.terms.status))
        .map(|change| (change.at, change.key.clone()))
        .collect()
}

/// The workspace of a subscription: the one that its metadata name, if there is one; else the one to
/// which a person mapped the customer; else the only one whose trait names the customer; else the
/// one that the metadata name, which may still come.
#[must_use]
pub fn workspace_of(claim: &Claim, clues: &Clues) -> Option<WorkspaceId> {
    let named = claim.named_workspace.as_deref().map(WorkspaceId::of);
    let by_trait = match clues.by_trait.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    named.filter(|_| clues.named_exists).or(clues.mapped).or(by_trait).or(named)
}

/// Puts a subscription to the workspace that is its own by now, or takes it away from the one that
/// is not. `changed_since` is the first day on which it is otherwise than before.
fn settle(
    conn: &mut PgConnection,
    claim: &Claim,
    all: &[Change],
    changed_since: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<Option<WorkspaceId>> {
    let workspace = workspace_of(claim, &stripe_store::clues(conn, claim)?);
    stripe_store::found(conn, &claim.id, workspace)?;
    let ids = [claim.id.clone()];
    let before = store::load(conn, &ids)?.remove(&claim.id);
    // Somebody's own system may say more about a subscription than Stripe does.
    let by_others = before.as_ref().filter(|known| known.origin == Origin::Api);
    let workspace = workspace.or(by_others.map(|known| known.workspace));
    let always = all.first().map_or_else(before_all, first_day);
    let mut touched = BTreeSet::new();
    match (before.map(|known| known.workspace), workspace) {
        (Some(old), Some(new)) if old == new => {
            touched.extend(changed_since.map(|since| (new, since)))
        }
        (old, new) => touched.extend(old.into_iter().chain(new).map(|id| (id, always))),
    }
    match (workspace, all.last()) {
        (Some(workspace), Some(last)) => {
            let mut terms = last.terms.clone();
            terms.customer_id.clone_from(&claim.customer_id);
            let (id, origin, said_at) = (claim.id.clone(), last.origin, last.at);
            store::write(conn, &[Standing { id, workspace, terms, origin, said_at }])?;
        }
        _ => store::remove(conn, &ids, false)?,
    }
    store::touch(conn, &touched, now)?;
    Ok(workspace)
}

/// Looks again whose the subscriptions of these customers are; how many there are.
///
/// # Errors
/// When the database fails.
pub fn settle_customers(
    conn: &mut PgConnection,
    customers: &BTreeSet<String>,
    now: DateTime<Utc>,
) -> Result<usize> {
    if customers.is_empty() {
        return Ok(0);
    }
    let claims = stripe_store::claims(conn, &[], customers)?;
    let ids: Vec<String> = claims.iter().map(|claim| claim.id.clone()).collect();
    let changes = store::changes(conn, &ids)?;
    for claim in &claims {
        let all = changes.get(&claim.id).map(Vec::as_slice).unwrap_or_default();
        settle(conn, claim, all, None, now)?;
    }
    Ok(claims.len())
}

/// Maps all subscriptions of a customer to a workspace, or with `None` undoes that. What was said
/// of them before counts for the workspace from the beginning.
///
/// # Errors
/// [`Error::Invalid`] at `workspace` when there is none; when the database fails.
pub fn map(
    conn: &mut PgConnection,
    by: (&Actor, MemberId),
    customer: &str,
    workspace: Option<(WorkspaceId, &str)>,
    now: DateTime<Utc>,
) -> Result<usize> {
    if stripe_store::claims(conn, &[], &BTreeSet::from([customer.to_owned()]))?.is_empty() {
        return Err(Error::NotFound);
    }
    let id = workspace.map(|(id, _)| id);
    stripe_store::map_customer(conn, customer, id, id.map(|_| by.1), now)?;
    let settled = settle_customers(conn, &BTreeSet::from([customer.to_owned()]), now)?;
    let action = if id.is_some() { "stripe_customer.mapped" } else { "stripe_customer.unmapped" };
    let detail = json!({"workspace": workspace.map(|(_, name)| name), "subscriptions": settled});
    audit::record(conn, by.0, action, ("stripe_customer", customer), &detail, now)?;
    Ok(settled)
}
