//! Use cases of subscriptions, inside the caller's transaction.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::PgConnection;

use super::store;
use super::terms::{Change, Origin, Row, Standing, Terms};
use crate::error::Result;
use crate::ids::WorkspaceId;

/// What became of a word about a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Nobody knew it.
    New,
    /// It stands otherwise than before.
    Changed,
    /// It stands as it stood.
    Same,
    /// A newer word is known: this one is history now, and changed nothing of today.
    Older,
}

/// Writes one subscription as somebody's system says that it stands; the newer word wins by its
/// `said_at`, of two words of one moment the one that comes last. The workspace need not be known
/// yet: its subscription waits for it. Touches the workspaces whose score may follow.
///
/// # Errors
/// When the database fails.
pub fn upsert(
    conn: &mut PgConnection,
    origin: Origin,
    row: &Row,
    now: DateTime<Utc>,
) -> Result<Written> {
    let ids = [row.id.clone()];
    let workspace = WorkspaceId::of(&row.workspace);
    let known = store::load(conn, &ids)?.remove(&row.id);
    let earlier = store::changes(conn, &ids)?.remove(&row.id).unwrap_or_default();
    let standing = Standing {
        id: row.id.clone(),
        workspace,
        terms: row.terms.clone(),
        origin,
        said_at: row.said_at,
    };
    let written = match &known {
        None => Written::New,
        Some(known) if known.said_at > row.said_at => Written::Older,
        Some(known) if (&known.terms, known.workspace) == (&row.terms, workspace) => Written::Same,
        Some(_) => Written::Changed,
    };
    let mut touched = BTreeSet::new();
    let holds_already = earlier
        .iter()
        .rev()
        .find(|change| change.at <= row.said_at)
        .is_some_and(|change| same_agreement(&change.terms, &row.terms));
    if !holds_already {
        let change = Change {
            id: row.id.clone(),
            at: row.said_at,
            key: String::new(),
            place: 0,
            terms: row.terms.clone(),
            origin,
        };
        let since = since(&earlier, &change);
        store::write_changes(conn, &[change])?;
        touched.insert((workspace, since));
    }
    if written != Written::Older {
        if let Some(before) = known.filter(|known| known.workspace != workspace) {
            // What it was to the one, it is to the other.
            let since = earlier.first().map_or_else(before_all, first_day);
            touched.insert((before.workspace, since));
            touched.insert((workspace, since));
        }
        store::write(conn, &[standing])?;
    }
    store::touch(conn, &touched, now)?;
    Ok(written)
}

/// Before anything that Ripen knows.
pub(super) fn before_all() -> NaiveDate {
    DateTime::UNIX_EPOCH.date_naive()
}

/// The first day that may look otherwise with this change. A word holds from its own day on; the
/// first one also speaks for the days before it, as far as its dates reach.
#[must_use]
pub fn since(earlier: &[Change], new: &Change) -> NaiveDate {
    let own = new.at.date_naive();
    match earlier.first() {
        Some(first) if first.at <= new.at => own,
        Some(first) => first_day(first).min(first_day(new)),
        None => first_day(new),
    }
}

/// The first day for which the first word speaks: the day its dates name, or all days.
pub(super) fn first_day(first: &Change) -> NaiveDate {
    first.terms.began_on().map_or_else(before_all, |began| began.min(first.at.date_naive()))
}

/// Whether both say the same; who pays is no part of an agreement's history.
fn same_agreement(a: &Terms, b: &Terms) -> bool {
    Terms { customer_id: None, ..a.clone() } == Terms { customer_id: None, ..b.clone() }
}
