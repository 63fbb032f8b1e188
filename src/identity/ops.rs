//! What people decide about who is who. Each use case runs beside the drainer
//! ([`crate::ingest::aside::settle`]), so that usage, members and scores follow in its transaction.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;
use uuid::Uuid;

use super::evidence::{Pair, pair};
use super::stitch::{self, By, Claim, Visitor};
use super::store_changes::{self, Change, Moved, NewChange};
use super::{store, store_claims, store_decisions};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::ingest::chunk::Chunk;
use crate::team::audit::{self, Actor};

/// The longest reason, in characters.
const LONGEST: usize = 500;

/// Who decides, why (may be empty), and when.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// In their words.
    pub reason: &'a str,
    /// When.
    pub now: DateTime<Utc>,
}

impl Word<'_> {
    fn checked(&self) -> Result<&str> {
        let reason = self.reason.trim();
        if reason.chars().count() > LONGEST || reason.chars().any(char::is_control) {
            return Err(Error::invalid("reason", "Say why on one line of up to 500 letters."));
        }
        Ok(reason)
    }
}

/// Two known users are one person: `away` becomes `keep`. No row of usage moves; undone by [`undo`].
/// Answers with what moved.
///
/// # Errors
/// `NotFound` unless both are known users; `Conflict` when they are one already; invalid when the
/// reason is too long; the database's.
pub fn merge(
    conn: &mut PgConnection,
    chunk: &mut Chunk<'_>,
    away: UserId,
    keep: UserId,
    word: Word<'_>,
) -> Result<Moved> {
    let reason = word.checked()?;
    let known = store::known(conn, &[away, keep])?;
    let (Some(from), Some(into)) = (known.get(&away).copied(), known.get(&keep).copied()) else {
        return Err(Error::NotFound);
    };
    if from == into {
        return Err(Error::Conflict("These two are one person already.".to_owned()));
    }
    let link = Claim { at: word.now, known: into, by: By::Merge };
    store_changes::set_link(conn, from, Some(link))?;
    let moved = regroup(conn, chunk, &[from, into])?;
    let change = NewChange { kind: "merge", person: from, other: into, reason, moved };
    store_changes::insert(conn, &change, word.actor.id, word.now)?;
    store_decisions::decide_group(conn, into, "merged", word.now)?;
    let detail = json!({ "into": into, "reason": reason, "moved": moved.as_json() });
    let subject = from.to_string();
    audit::record(conn, word.actor, "user.merged", ("user", &subject), &detail, word.now)?;
    Ok(moved)
}

/// Two users are not one person; nobody is asked again unless something new speaks for it.
///
/// # Errors
/// `NotFound` when the two are no candidates; `Conflict` when they are one already; invalid when the
/// reason is too long; the database's.
pub fn keep_apart(conn: &mut PgConnection, of: Pair, word: Word<'_>) -> Result<()> {
    let reason = word.checked()?;
    let known = store::known(conn, &[of.0, of.1])?;
    let (Some(one), Some(other)) = (known.get(&of.0).copied(), known.get(&of.1).copied()) else {
        return Err(Error::NotFound);
    };
    if one == other {
        return Err(Error::Conflict("These two are one person already.".to_owned()));
    }
    if store_decisions::keep_apart(conn, one, other, word.now)? == 0 {
        return Err(Error::NotFound);
    }
    let detail = json!({ "from": of.1, "reason": reason });
    let subject = of.0.to_string();
    audit::record(conn, word.actor, "user.kept_apart", ("user", &subject), &detail, word.now)
}

/// A pair that was kept apart is asked about again.
///
/// # Errors
/// `NotFound` when there is no such pair; the database's.
pub fn ask_again(conn: &mut PgConnection, of: Pair, word: Word<'_>) -> Result<()> {
    if !store_decisions::reopen(conn, of)? {
        return Err(Error::NotFound);
    }
    let subject = of.0.to_string();
    let detail = json!({ "from": of.1 });
    audit::record(conn, word.actor, "user.asked_again", ("user", &subject), &detail, word.now)
}

/// The visitor is not the user, whatever calls say: undoes a stitch, for good. The next claim on the
/// visitor, if there is one, stands then.
///
/// # Errors
/// `NotFound` unless a call says that the visitor is the user; `Conflict` when they are split already;
/// invalid when the reason is too long; the database's.
pub fn split(
    conn: &mut PgConnection,
    chunk: &mut Chunk<'_>,
    visitor: UserId,
    user: UserId,
    word: Word<'_>,
) -> Result<Moved> {
    let reason = word.checked()?;
    let claims = store_claims::of(conn, &[visitor])?;
    let Some(claim) = claims.iter().find(|claim| claim.user_id == user) else {
        return Err(Error::NotFound);
    };
    if claim.is_split {
        return Err(Error::Conflict("Somebody took these two apart already.".to_owned()));
    }
    let none = Moved::default();
    let change = NewChange { kind: "split", person: visitor, other: user, reason, moved: none };
    let id = store_changes::insert(conn, &change, word.actor.id, word.now)?;
    let moved = restitch(conn, chunk, visitor)?;
    store_changes::set_moved(conn, id, moved)?;
    let detail = json!({ "from": user, "reason": reason, "moved": moved.as_json() });
    let subject = visitor.to_string();
    audit::record(conn, word.actor, "user.split", ("user", &subject), &detail, word.now)?;
    Ok(moved)
}

/// Takes a decision back: a merge (the pair counts as kept apart from then on) or a split (calls say
/// again who the visitor is).
///
/// # Errors
/// `NotFound` when there is no such decision, `Conflict` when it was taken back already.
pub fn undo(
    conn: &mut PgConnection,
    chunk: &mut Chunk<'_>,
    change: Uuid,
    word: Word<'_>,
) -> Result<Change> {
    let change = store_changes::lock(conn, change)?.ok_or(Error::NotFound)?;
    if change.undone_at.is_some() {
        return Err(Error::Conflict("Somebody took this back already.".to_owned()));
    }
    store_changes::mark_undone(conn, change.id, word.actor.id, word.now)?;
    let moved = if change.kind == "merge" {
        store_changes::set_link(conn, change.person_id, None)?;
        let was = store::known(conn, &[change.person_id])?;
        let roots: Vec<UserId> = was.values().copied().chain([change.person_id]).collect();
        let moved = regroup(conn, chunk, &roots)?;
        store_decisions::keep_apart_again(conn, &roots, word.now)?;
        moved
    } else {
        restitch(conn, chunk, change.person_id)?
    };
    let detail = json!({ "kind": change.kind, "from": change.other_id, "moved": moved.as_json() });
    let subject = change.person_id.to_string();
    audit::record(conn, word.actor, "user.change_undone", ("user", &subject), &detail, word.now)?;
    Ok(change)
}

/// Says anew whom the claims on a visitor name.
fn restitch(conn: &mut PgConnection, chunk: &mut Chunk<'_>, id: UserId) -> Result<Moved> {
    let mut people = store::load(conn, [&id].into_iter())?;
    let person = people.remove(&id).ok_or(Error::NotFound)?;
    let former = UserId::known(&person.external_id);
    let mut visitor = Visitor {
        is_known_user: store::known(conn, &[former])?.contains_key(&former),
        ..Visitor::default()
    };
    for row in store_claims::of(conn, &[id])? {
        let Some(by) = By::named(&row.said_by) else { continue };
        visitor.claims.insert(Claim { at: row.said_at, known: row.user_id, by });
        if row.is_split {
            visitor.split_from.insert(row.user_id);
        }
    }
    let standing = visitor.standing();
    store_changes::set_link(conn, id, standing)?;
    let named: Vec<UserId> = standing.iter().map(|claim| claim.known).collect();
    let mut roots: Vec<UserId> = store::known(conn, &named)?.into_values().collect();
    roots.push(person.canonical);
    regroup(conn, chunk, &roots)
}

/// Follows the links of all who are one of these anew; whoever is somebody else now moves, with the
/// past, in the features that follow.
fn regroup(conn: &mut PgConnection, chunk: &mut Chunk<'_>, canonical: &[UserId]) -> Result<Moved> {
    let rows = store_changes::tree(conn, canonical)?;
    let links: BTreeMap<UserId, UserId> =
        rows.iter().filter_map(|row| Some((row.id, row.linked_id?))).collect();
    let ends = stitch::ends(&links);
    let mut changed = BTreeMap::new();
    for row in &rows {
        let end = ends.get(&row.id).copied().unwrap_or(row.id);
        if end != row.canonical_id {
            changed.insert(row.id, end);
            chunk.stitched.insert(row.id);
            chunk.canonical.insert(row.id, end);
            chunk.replace.insert(row.canonical_id, None);
            chunk.replace.insert(end, None);
        }
    }
    store_changes::set_canonical(conn, &changed)?;
    let people = changed.into_keys().collect();
    for (workspace, since) in store_changes::places(conn, &people)? {
        chunk.touch(workspace, since);
        chunk.relink.insert(workspace);
    }
    store_changes::moved(conn, &people, chunk.now.date_naive())
}

/// The pair of two ids as they stand in an address or a form.
///
/// # Errors
/// Invalid unless both are ids, and different ones.
pub fn pair_of(one: &str, other: &str) -> Result<Pair> {
    let unnamed =
        || Error::invalid("", "The form names no pair. Open the page again and decide there.");
    let id = |text: &str| text.parse::<UserId>().map_err(|_| unnamed());
    pair(id(one)?, id(other)?).ok_or_else(unnamed)
}
