//! Use cases of subscriptions, inside the caller's transaction.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::PgConnection;

pub use super::agreement::Written;
use super::agreement::{Agreement, Claimed, Outlook, before_all, differs_since, first_day};
use super::store_stripe::{self as stripe_store, Claim, Clues, Wanted};
use super::terms::{Change, Origin, Row};
use super::{store, store_words};
use crate::error::Result;

/// Subscriptions as they are stored: what was said, and what followed from that.
pub(super) type Stored = BTreeMap<String, (Agreement, Outlook)>;

/// Writes what records say of subscriptions: a few statements, however many they are. How each stands
/// afterwards is a function of all that was ever said of it, see [`Agreement`]. The workspace need not
/// be known yet: its subscription waits for it. Touches the workspaces whose score may follow.
///
/// # Errors
/// When the database fails.
pub fn upsert(conn: &mut PgConnection, rows: &[&Row], now: DateTime<Utc>) -> Result<Vec<Written>> {
    let ids: BTreeSet<&String> = rows.iter().map(|row| &row.id).collect();
    let ids: Vec<String> = ids.into_iter().cloned().collect();
    store_words::lock(conn, &ids)?;
    let before = load(conn, &ids)?;
    let mut after = agreements(&before);
    let mut written = Vec::with_capacity(rows.len());
    for row in rows {
        written.push(after.entry(row.id.clone()).or_default().hear(row));
    }
    settle(conn, &before, &after, now)?;
    Ok(written)
}

/// What is known about these subscriptions, those of traits excepted.
///
/// # Errors
/// When the database fails.
pub fn known(conn: &mut PgConnection, ids: &[String]) -> Result<BTreeMap<String, Agreement>> {
    Ok(agreements(&load(conn, ids)?))
}

pub(super) fn agreements(stored: &Stored) -> BTreeMap<String, Agreement> {
    stored.iter().map(|(id, (agreement, _))| (id.clone(), agreement.clone())).collect()
}

/// Reads all that is stored about these subscriptions; how they stand is locked until the transaction
/// ends.
///
/// # Errors
/// When the database fails.
pub(super) fn load(conn: &mut PgConnection, ids: &[String]) -> Result<Stored> {
    let mut stored = Stored::new();
    for (id, one) in store::load(conn, ids)? {
        stored.entry(id).or_default().1.standing = Some(one);
    }
    for (id, changes) in store::changes(conn, ids)? {
        let (agreement, outlook) = stored.entry(id).or_default();
        let by_stripe = |change: &&Change| change.origin == Origin::Stripe;
        agreement.stripe = changes.iter().filter(by_stripe).cloned().collect();
        outlook.changes = changes;
    }
    for (id, words) in store_words::words(conn, ids)? {
        stored.entry(id).or_default().0.words = words;
    }
    let wanted = Wanted { ids: ids.to_vec(), ..Wanted::default() };
    let claims = stripe_store::claims(conn, &wanted)?;
    for (claim, clues) in stripe_store::clues(conn, &claims)? {
        stored.entry(claim.id.clone()).or_default().0.claimed = Some(claimed(&claim, &clues));
    }
    Ok(stored)
}

/// Whose a subscription is by Stripe: the first workspace that exists of those that the metadata of the
/// subscription, of its checkout session and of the customer name, and the session's reference; else the
/// one to which a person mapped the customer; else the only one whose trait names the customer.
#[must_use]
pub fn claimed(claim: &Claim, clues: &Clues) -> Claimed {
    let existing = claim.candidates().into_iter().find(|one| clues.existing.contains(one));
    let by_trait = match clues.by_trait.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    Claimed {
        workspace: existing.or(clues.mapped).or(by_trait),
        may_come: claim.may_come(),
        customer: claim.customer_id.clone(),
    }
}

/// Makes what is stored agree with what is known by now: words, dated rows, how each stands, whose it is.
pub(super) fn settle(
    conn: &mut PgConnection,
    before: &Stored,
    after: &BTreeMap<String, Agreement>,
    now: DateTime<Utc>,
) -> Result<()> {
    let nothing = (Agreement::default(), Outlook::default());
    let (mut words, mut gone, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut standing, mut fallen, mut found) = (Vec::new(), Vec::new(), Vec::new());
    let mut touched = BTreeSet::new();
    for (id, agreement) in after {
        let (known, was) = before.get(id).unwrap_or(&nothing);
        for (at, word) in &agreement.words {
            if known.words.get(at) != Some(word) {
                words.push((id.as_str(), *at, word.0, &word.1));
            }
        }
        let is = agreement.outlook(id);
        let keys: BTreeSet<_> = is.changes.iter().map(|change| (change.at, &change.key)).collect();
        let left = |change: &&Change| !keys.contains(&(change.at, &change.key));
        gone.extend(was.changes.iter().filter(left).map(|c| (id.clone(), c.at, c.key.clone())));
        let is_new = |change: &&Change| !was.changes.contains(change);
        changes.extend(is.changes.iter().filter(is_new).cloned());
        let owner = |outlook: &Outlook| outlook.standing.as_ref().map(|one| one.workspace);
        let (old, new) = (owner(was), owner(&is));
        if old == new {
            touched.extend(new.zip(differs_since(&was.changes, &is.changes)));
        } else {
            // What it was to the one, it is to the other.
            let always = [&was.changes, &is.changes].into_iter().filter_map(|all| all.first());
            let always = always.map(first_day).min().unwrap_or_else(before_all);
            touched.extend(old.into_iter().chain(new).map(|workspace| (workspace, always)));
        }
        if agreement.claimed.is_some() {
            found.push((id.clone(), agreement.workspace()));
        }
        match is.standing {
            Some(one) if was.standing.as_ref() != Some(&one) => standing.push(one),
            None if was.standing.is_some() => fallen.push(id.clone()),
            _ => {}
        }
    }
    store_words::write_words(conn, &words)?;
    store::drop_changes(conn, &gone)?;
    store::write_changes(conn, &changes)?;
    store::remove(conn, &fallen, false)?;
    store::write(conn, &standing)?;
    stripe_store::found(conn, &found)?;
    store::touch(conn, &touched, now)
}
