//! What follows from an event of Stripe's, inside the transaction that keeps it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;
use uuid::Uuid;

use super::store_stripe::{self as stripe_store, Claim, Kept, Wanted};
use super::stripe::event::{About, Event, Invoiced, Told};
use super::stripe::order::{Shown, in_order};
use super::stripe::snapshot::{self, Snapshot, is_final};
use super::terms::{Change, Origin};
use super::{ops, store, store_stripe_words, store_words};
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
    let invoiced = match &event.about {
        About::Customer(customer) => customer.invoiced.as_ref(),
        _ => None,
    };
    let concerned = match &event.about {
        About::Subscription(told) => Some(&told.snapshot.id),
        About::Session(session) => Some(&session.subscription),
        _ => invoiced.map(|invoiced| &invoiced.subscription),
    };
    if let Some(id) = concerned {
        store_words::lock(conn, std::slice::from_ref(id))?;
    }
    if !stripe_store::keep_event(conn, event, by, now)? {
        return Ok(Outcome::Duplicate);
    }
    let outcome = match &event.about {
        About::Subscription(told) => subscription(conn, event, told, now)?,
        About::Customer(customer) => {
            stripe_store::write_customer(conn, customer, event.created)?;
            if event.kind.starts_with("customer.")
                && store_stripe_words::write_customer_workspace(conn, customer, event.created)?
            {
                let customers = BTreeSet::from([customer.id.clone()]);
                settle_claims(conn, customers, BTreeSet::new(), now)?;
            }
            if let Some(Invoiced { subscription, workspace: Some(workspace) }) = invoiced {
                let names = (subscription.as_str(), workspace.as_str());
                stripe_store::write_invoiced(conn, event, customer, names, now)?;
                settle(conn, std::slice::from_ref(subscription), now)?;
            }
            Outcome::Noted
        }
        About::Session(session) => {
            store_stripe_words::write_session(conn, event, session, now)?;
            settle(conn, std::slice::from_ref(&session.subscription), now)?;
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
            ..Claim::default()
        };
        stripe_store::write_claim(conn, &claim, now)?;
    }
    let wanted = Wanted { ids: vec![id.clone()], ..Wanted::default() };
    let claims = stripe_store::claims(conn, &wanted)?;
    for (claim, clues) in stripe_store::clues(conn, &claims)? {
        agreement.claimed = Some(ops::claimed(&claim, &clues));
    }
    let newest = agreement.newest();
    ops::settle(conn, &before, &after, now)?;
    if !is_newest || newest.is_some_and(|newest| newest > event.created) {
        return Ok(Outcome::Older);
    }
    // The workspace that the metadata name may be one that nobody has heard of.
    Ok(match store::has_workspace(conn, id)? {
        Some(true) => Outcome::Applied,
        _ => Outcome::Unmapped,
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

/// Looks again whose the subscriptions of these customers are, and those that name these workspaces, by
/// the product's ids; how many there are. Whoever tells of another one at the same moment sees what the
/// caller has written, or is seen here.
///
/// # Errors
/// When the database fails.
pub fn settle_claims(
    conn: &mut PgConnection,
    customers: BTreeSet<String>,
    workspaces: BTreeSet<String>,
    now: DateTime<Utc>,
) -> Result<usize> {
    if customers.is_empty() && workspaces.is_empty() {
        return Ok(0);
    }
    store_words::lock_all(conn)?;
    let claims = stripe_store::claims(conn, &Wanted { ids: Vec::new(), customers, workspaces })?;
    let ids: Vec<String> = claims.into_iter().map(|claim| claim.id).collect();
    settle(conn, &ids, now)?;
    Ok(ids.len())
}

/// Makes what is stored of these subscriptions agree with whose they are by now.
fn settle(conn: &mut PgConnection, ids: &[String], now: DateTime<Utc>) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let before = ops::load(conn, ids)?;
    ops::settle(conn, &before, &ops::agreements(&before), now)
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
    // Before anything is read: a subscription that is being told of right now is mapped as well.
    store_words::lock_all(conn)?;
    let customers = BTreeSet::from([customer.to_owned()]);
    let wanted = Wanted { customers: customers.clone(), ..Wanted::default() };
    if stripe_store::claims(conn, &wanted)?.is_empty() {
        return Err(Error::NotFound);
    }
    let id = workspace.map(|(id, _)| id);
    stripe_store::map_customer(conn, customer, id, id.map(|_| by.1), now)?;
    let settled = settle_claims(conn, customers, BTreeSet::new(), now)?;
    let action = if id.is_some() { "stripe_customer.mapped" } else { "stripe_customer.unmapped" };
    let detail = json!({"workspace": workspace.map(|(_, name)| name), "subscriptions": settled});
    audit::record(conn, by.0, action, ("stripe_customer", customer), &detail, now)?;
    Ok(settled)
}
