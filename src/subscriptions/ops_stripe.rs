//! What follows from an event of Stripe's, inside the transaction that keeps it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;
use uuid::Uuid;

use super::store_stripe::{self as stripe_store, Claim, Kept};
use super::stripe::event::{About, Event, Told};
use super::stripe::order::{Shown, in_order};
use super::stripe::snapshot::{self, Snapshot, is_final};
use super::terms::{Change, Origin};
use super::{ops, store_words};
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
        store_words::lock(conn, std::slice::from_ref(&told.snapshot.id))?;
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
    let kept = stripe_store::of_second(conn, id, event.created)?;
    let before = ops::load(conn, std::slice::from_ref(id))?;
    let mut after = ops::agreements(&before);
    let agreement = after.entry(id.clone()).or_default();
    agreement.stripe.retain(|change| change.at != event.created);
    agreement.stripe.extend(changes_of(&kept, event.created));
    agreement.stripe.sort_by(|a, b| (a.at, a.place, &a.key).cmp(&(b.at, b.place, &b.key)));
    drop_after_the_end(&mut agreement.stripe);
    let is_newest = agreement.stripe.last().is_some_and(|last| last.at == event.created);
    let snapshots: Vec<Snapshot> = placed(&kept);
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
    let claims = stripe_store::claims(conn, std::slice::from_ref(id), &BTreeSet::new())?;
    for (claim, clues) in stripe_store::clues(conn, &claims)? {
        agreement.claimed = Some(ops::claimed(&claim, &clues));
    }
    let (workspace, newest) = (agreement.workspace(), agreement.newest());
    ops::settle(conn, &before, &after, now)?;
    Ok(match workspace {
        _ if !is_newest || newest.is_some_and(|newest| newest > event.created) => Outcome::Older,
        None => Outcome::Unmapped,
        Some(_) => Outcome::Applied,
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

/// Takes back what says that a subscription goes on after it had ended for good: late words of before.
fn drop_after_the_end(all: &mut Vec<Change>) {
    let mut has_ended = false;
    all.retain(|change| {
        has_ended |= is_final(change.terms.status);
        !has_ended || is_final(change.terms.status)
    });
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
    store_words::lock_out_many(conn)?;
    let claims = stripe_store::claims(conn, &[], customers)?;
    let ids: Vec<String> = claims.into_iter().map(|claim| claim.id).collect();
    let before = ops::load(conn, &ids)?;
    ops::settle(conn, &before, &ops::agreements(&before), now)?;
    Ok(ids.len())
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
