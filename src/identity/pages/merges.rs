//! `GET /contacts/merges`: pairs of users that may be one person, with the evidence, to be judged.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use diesel::PgConnection;
use serde::Deserialize;
use uuid::Uuid;

use super::Known;
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::identity::evidence::Pair;
use crate::identity::host;
use crate::identity::ops;
use crate::identity::store_merges::{self, After, Candidate, Piece};
use crate::identity::store_people;
use crate::ids::{UserId, WorkspaceId};
use crate::web::answer;
use crate::web::charts::Heat;
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, View, Viewer};
use crate::web::role::May;
use crate::web::shell::{NavItem, Shell};

/// So many pairs a page: each is read closely.
const PAGE: usize = 10;
/// Kept-apart pairs that are shown; the newest ones.
const KEPT: i64 = 50;
/// Names and workspaces that one page reads at the most.
const MOST: i64 = 1000;
/// Of each of the two so many names and workspaces are shown.
const SHOWN: usize = 6;

/// The query of the page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MergesQuery {
    after: String,
    show: String,
}

impl MergesQuery {
    /// `<confidence>~<uuid>~<uuid>`
    fn after(&self) -> Option<After> {
        let mut parts = self.after.splitn(3, '~');
        let confidence = parts.next()?.parse().ok()?;
        Some((confidence, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

/// One of the two, as the card shows them.
struct Side {
    id: UserId,
    title: String,
    external_id: String,
    note: &'static str,
    emails: Vec<String>,
    others: Vec<String>,
    workspaces: Vec<(WorkspaceId, String, String)>,
    more: usize,
    heat: Heat,
    first: Moment,
    last: Moment,
    /// What moves when this one becomes the other.
    moves: String,
}

/// A pair to be judged.
struct Card {
    pair: Pair,
    /// Tells whether either of the two changed since the page was made.
    version: String,
    confidence: i16,
    evidence: Vec<(String, Moment, String)>,
    sides: [Side; 2],
    decided: Option<Moment>,
    reason: String,
    errors: FieldErrors,
}

impl Card {
    fn key(&self) -> String {
        format!("{}-{}", self.pair.0, self.pair.1)
    }
}

#[derive(Template)]
#[template(path = "identity/merges.html")]
pub(in crate::identity) struct MergesPage {
    shell: Shell,
    cards: Vec<Card>,
    kept: bool,
    next: Option<String>,
    may_decide: bool,
    conflict: Option<String>,
}

/// `GET /contacts/merges`
///
/// # Errors
/// When the database fails.
pub async fn index(
    app: web::Data<App>,
    me: Permit<View>,
    query: web::Query<MergesQuery>,
) -> Result<HttpResponse> {
    let kept = query.show == "kept";
    let after = query.after();
    let today = app.clock.today();
    let (candidates, pieces, known) = app
        .db
        .read_web(move |conn| {
            let limit = i64::try_from(PAGE).unwrap_or(i64::MAX).saturating_add(1);
            let candidates = if kept {
                store_merges::kept_apart(conn, KEPT)?
            } else {
                store_merges::open(conn, after, limit)?
            };
            let (pieces, known) = read(conn, &candidates, today)?;
            Ok((candidates, pieces, known))
        })
        .await?;
    let next = (!kept && candidates.len() > PAGE)
        .then(|| candidates.get(PAGE.saturating_sub(1)))
        .flatten()
        .map(|last| {
            let (one, other) = last.pair();
            format!("/contacts/merges?after={}~{one}~{other}", last.confidence)
        });
    let most = if kept { candidates.len() } else { PAGE };
    let cards = candidates
        .iter()
        .take(most)
        .filter_map(|candidate| card(candidate, &pieces, &known, &me, today))
        .collect();
    answer::page(&page(&me, cards, kept, next, None))
}

fn page(
    me: &Viewer,
    cards: Vec<Card>,
    kept: bool,
    next: Option<String>,
    conflict: Option<String>,
) -> MergesPage {
    let title = if conflict.is_some() { "Error: Same person?" } else { "Same person?" };
    MergesPage {
        shell: me.shell(title).at(NavItem::Contacts),
        cards,
        kept,
        next,
        may_decide: me.may(May::MergeAccounts),
        conflict,
    }
}

/// Evidence and people of these candidates.
fn read(
    conn: &mut PgConnection,
    candidates: &[Candidate],
    today: NaiveDate,
) -> Result<(Vec<Piece>, Known)> {
    let pairs: Vec<Pair> = candidates.iter().map(Candidate::pair).collect();
    let mut ids: Vec<UserId> =
        candidates.iter().flat_map(|candidate| [candidate.one, candidate.other]).collect();
    ids.sort_unstable();
    ids.dedup();
    let known = Known {
        faces: store_people::faces(conn, &ids)?,
        names: store_people::names(conn, &ids, MOST)?,
        seats: store_people::seats(conn, &ids, MOST)?,
        active: store_people::activity(conn, &ids, today, 90)?,
    };
    Ok((store_merges::evidence(conn, &pairs)?, known))
}

/// The version of a pair as it is now: what a decision must have been made on.
///
/// # Errors
/// `NotFound` when the two are no candidates; when the database fails.
pub(in crate::identity) fn version(
    conn: &mut PgConnection,
    pair: Pair,
    today: NaiveDate,
) -> Result<String> {
    let candidate = store_merges::one(conn, pair)?;
    let (pieces, known) = read(conn, std::slice::from_ref(&candidate), today)?;
    Ok(version_of(&candidate, &pieces, &known))
}

/// Who the two of a pair are today.
///
/// # Errors
/// `NotFound` when the two are no candidates; when the database fails.
pub(in crate::identity) fn people(conn: &mut PgConnection, pair: Pair) -> Result<[UserId; 2]> {
    let candidate = store_merges::one(conn, pair)?;
    Ok([candidate.one, candidate.other])
}

/// Who the two are, what speaks for it, what they are called and where they are; not when they were
/// last active, which changes all the time.
fn version_of(candidate: &Candidate, pieces: &[Piece], known: &Known) -> String {
    let mut text = format!("{}{}{:?}", candidate.one, candidate.other, candidate.decision);
    for piece in pieces.iter().filter(|piece| (piece.user_id, piece.other_id) == candidate.pair()) {
        text.push_str(&format!("\n{} {} {}", piece.kind, piece.value, piece.verified));
    }
    for id in [candidate.one, candidate.other] {
        for face in known.faces.iter().filter(|face| face.id == id) {
            text.push_str(&format!(
                "\n{:?} {:?} {} {}",
                face.name, face.email, face.users, face.visitors
            ));
        }
        for seat in known.seats.iter().filter(|seat| seat.canonical_id == id) {
            text.push_str(&format!("\n{} {:?}", seat.workspace_id, seat.role));
        }
    }
    Uuid::new_v5(&candidate.user_id.0, text.as_bytes()).simple().to_string()
}

fn card(
    candidate: &Candidate,
    pieces: &[Piece],
    known: &Known,
    me: &Viewer,
    today: NaiveDate,
) -> Option<Card> {
    let moment = |at| format::moment(at, me.now, me.zone);
    let evidence = pieces
        .iter()
        .filter(|piece| (piece.user_id, piece.other_id) == candidate.pair())
        .map(|piece| {
            let source = piece.source.as_ref().map(|name| format!("from {name}"));
            (words(piece), moment(piece.seen_at), source.unwrap_or_default())
        })
        .collect();
    // The one that was there first stands first and is what the other becomes, unless somebody says so.
    let since =
        |id: UserId| known.faces.iter().find(|face| face.id == id).map(|face| face.first_seen_at);
    let (mut first, mut second) = (candidate.one, candidate.other);
    if since(second) < since(first) {
        (first, second) = (second, first);
    }
    Some(Card {
        pair: candidate.pair(),
        version: version_of(candidate, pieces, known),
        confidence: candidate.confidence,
        evidence,
        sides: [side(first, known, me, today)?, side(second, known, me, today)?],
        decided: candidate.decided_at.filter(|_| candidate.decision.is_some()).map(moment),
        reason: String::new(),
        errors: FieldErrors::new(),
    })
}

fn words(piece: &Piece) -> String {
    match (piece.kind.as_str(), piece.verified) {
        ("sso", _) => format!("The same SSO subject, {}", piece.value),
        ("email", true) => format!("The same verified e-mail, {}", host::shown(&piece.value)),
        ("email", false) => {
            format!("The same e-mail, {}; not said to be verified", host::shown(&piece.value))
        }
        _ => format!("An alias call from user id {}", piece.value),
    }
}

fn side(id: UserId, known: &Known, me: &Viewer, today: NaiveDate) -> Option<Side> {
    let face = known.faces.iter().find(|face| face.id == id)?;
    let of = |kind: &str| {
        known
            .names
            .iter()
            .filter(|one| one.canonical_id == id && one.kind == kind)
            .map(|one| one.value.clone())
            .take(SHOWN)
            .collect::<Vec<_>>()
    };
    let seats: Vec<_> = known.seats.iter().filter(|seat| seat.canonical_id == id).collect();
    let active: Vec<_> = known.active.iter().filter(|one| one.canonical_id == id).collect();
    let events: i64 = active.iter().map(|one| one.events).sum();
    let days = i64::try_from(active.len()).unwrap_or(i64::MAX);
    let places = i64::try_from(seats.len()).unwrap_or(i64::MAX);
    let mut moves = vec![format::count(places, "workspace", "workspaces")];
    if face.visitors > 0 {
        moves.push(format::count(face.visitors, "anonymous visitor", "anonymous visitors"));
    }
    moves.push(format!(
        "{} on {} of the last 90",
        format::count(events, "event", "events"),
        format::count(days, "day", "days")
    ));
    let mut others = of("user_id");
    others.retain(|one| *one != face.external_id);
    others.extend(of("sso"));
    Some(Side {
        id,
        title: face.title().to_owned(),
        external_id: face.external_id.clone(),
        note: match face.email_kind.as_str() {
            "personal" => "private address",
            "disposable" => "disposable address",
            "role" => "shared address",
            _ => "",
        },
        emails: of("email"),
        others,
        more: seats.len().saturating_sub(SHOWN),
        workspaces: seats
            .iter()
            .take(SHOWN)
            .map(|seat| {
                let role = match (&seat.left_at, &seat.role) {
                    (Some(_), _) => "left".to_owned(),
                    (None, role) => role.clone().unwrap_or_default(),
                };
                (seat.workspace_id, seat.workspace.clone(), role)
            })
            .collect(),
        heat: known.heat(id, today),
        first: format::moment(face.first_seen_at, me.now, me.zone),
        last: format::moment(face.last_seen_at, me.now, me.zone),
        moves: moves.join(", "),
    })
}

/// The page once more after a decision that could not be taken: 409 with what changed since, 422 with
/// what is wrong, and in both what was typed.
///
/// # Errors
/// `NotFound` when the two are no candidates; when the database fails.
pub(in crate::identity) async fn again(
    app: &App,
    me: &Viewer,
    pair: (String, String),
    reason: String,
    error: Error,
) -> Result<HttpResponse> {
    let pair = ops::pair_of(&pair.0, &pair.1)?;
    let today = app.clock.today();
    let (candidate, pieces, known) = app
        .db
        .read_web(move |conn| {
            let candidate = store_merges::one(conn, pair)?;
            let (pieces, known) = read(conn, std::slice::from_ref(&candidate), today)?;
            Ok((candidate, pieces, known))
        })
        .await?;
    let mut card = card(&candidate, &pieces, &known, me, today);
    let open = candidate.one != candidate.other && candidate.decision.is_none();
    let (status, conflict) = match error {
        Error::Invalid(errors) => {
            if let Some(card) = &mut card {
                card.errors = errors;
            }
            (StatusCode::UNPROCESSABLE_ENTITY, None)
        }
        Error::Conflict(text) => (StatusCode::CONFLICT, Some(text)),
        other => return Err(other),
    };
    if let Some(card) = &mut card {
        card.reason = reason;
    }
    let cards = card.into_iter().filter(|_| open).collect();
    answer::html(status, &page(me, cards, false, None, conflict))
}
