//! What a change of the catalog would do to what came lately, before it takes effect.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, Utc};
use diesel::PgConnection;
use serde::Serialize;

use super::event::Definition;
use super::matching::Catalog;
use super::pages::differences;
use crate::error::Result;
use crate::ids::{UserId, WorkspaceId};
use crate::ingest::meaning::{self, Meaning};
use crate::ingest::message::{Message, is_junk_id};
use crate::ingest::{journal, payload, store_chunks};
use crate::scoring::ops_preview::{self, Recounted};
use crate::usage::taxonomy::CatalogEvent;
use crate::web::format;

/// The days looked back.
const DAYS: u64 = 7;
/// Events read at most: a second or so.
const EVENTS: i64 = 200_000;
/// Workspaces scored anew at most.
const WORKSPACES: usize = 500;

/// What a change would do, in sentences and in numbers.
pub(super) struct Forecast {
    pub summary: String,
    pub lines: Vec<String>,
    pub changes: Vec<String>,
    pub numbers: Numbers,
}

/// A forecast for programs.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Numbers {
    /// Events that were counted both ways.
    pub events: i64,
    /// Those that would be counted otherwise.
    pub events_changed: i64,
    /// The workspaces that sent them.
    pub workspaces: i64,
    /// Workspaces that would move to a higher stage; none where too many are concerned to tell.
    pub moved_up: Option<i64>,
    /// Likewise to a lower one.
    pub moved_down: Option<i64>,
}

/// Counts the newest events by the catalog before and after. `edited` is the key of the event that
/// the form is about, empty for a whole document.
pub(super) fn forecast(
    conn: &mut PgConnection,
    before: Vec<Definition>,
    after: Vec<Definition>,
    edited: &str,
    now: DateTime<Utc>,
) -> Result<Forecast> {
    let changes = differences(&before, &after);
    let events = taxonomy(&after);
    let since = now.date_naive().checked_sub_days(Days::new(DAYS)).unwrap_or_default();
    let (rows, complete) = store_chunks::recent(conn, since, EVENTS)?;
    let (mut was, mut is) = (Catalog::new(0, before), Catalog::new(0, after));
    let mut seen = Seen::default();
    let mut oldest = now;
    for row in &rows {
        oldest = oldest.min(row.received_at);
        let Ok(lines) = payload::inflate(&row.payload) else { continue };
        for message in journal::read(&lines).unwrap_or_default() {
            seen.read = seen.read.saturating_add(1);
            let old = meaning::meaning(&mut was, &message, str::to_owned);
            let new = meaning::meaning(&mut is, &message, str::to_owned);
            seen.event(&message, old, new, edited);
        }
    }
    let window = if complete {
        format!("in the last {DAYS} days")
    } else {
        format!(
            "of the newest {} events (the last {} hours)",
            format::grouped(seen.read),
            (now - oldest).num_hours().max(1)
        )
    };
    let workspaces = i64::try_from(seen.workspaces.len()).unwrap_or(i64::MAX);
    let mut numbers = Numbers {
        events: seen.read,
        events_changed: seen.changed,
        workspaces,
        ..Numbers::default()
    };
    let mut lines = Vec::new();
    if !edited.is_empty() {
        lines.push(format!(
            "{} {window} would count as this event, now {}.",
            capital(&format::count(seen.matching, "event", "events")),
            format::grouped(seen.matched),
        ));
    }
    if seen.changed > 0 {
        lines.push(format!(
            "{} of {} would be counted otherwise than they were.",
            capital(&format::count(seen.changed, "event", "events")),
            format::count(workspaces, "workspace", "workspaces"),
        ));
    }
    if seen.workspaces.len() <= WORKSPACES {
        let moves =
            ops_preview::recounted(conn, &events, &seen.workspaces, &seen.days, now.date_naive())?;
        (numbers.moved_up, numbers.moved_down) = (Some(moves.up), Some(moves.down));
        lines.push(match (moves.up, moves.down) {
            (0, 0) => "No workspace would change its stage by it.".to_owned(),
            (up, down) => format!(
                "{} would move up a stage, {} down.",
                capital(&format::count(up, "workspace", "workspaces")),
                format::count(down, "workspace", "workspaces"),
            ),
        });
    } else {
        lines.push(format!(
            "More than {WORKSPACES} workspaces are concerned: their stages show once they are scored."
        ));
    }
    let summary = if seen.changed == 0 {
        "Nothing that came lately would be counted otherwise.".to_owned()
    } else {
        "From the moment you save it, new events are counted so. What came before is counted anew \
         only when you rebuild."
            .to_owned()
    };
    Ok(Forecast { summary, lines, changes, numbers })
}

fn capital(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get(..1) {
        let first = first.to_uppercase();
        text.replace_range(..1, &first);
    }
    text
}

/// The events as the computation of signals reads them.
fn taxonomy(definitions: &[Definition]) -> Vec<CatalogEvent> {
    definitions
        .iter()
        .filter(|one| one.muted_at.is_none())
        .map(|one| CatalogEvent {
            key: one.key.clone(),
            label: one.label.clone(),
            category: one.category.as_str().to_owned(),
            milestone: one.milestone.clone(),
        })
        .collect()
}

#[derive(Default)]
struct Seen {
    read: i64,
    matched: i64,
    matching: i64,
    changed: i64,
    /// Workspaces that name themselves in an event of the edited kind or a changed one.
    workspaces: BTreeSet<WorkspaceId>,
    days: BTreeMap<WorkspaceId, Vec<Recounted>>,
}

impl Seen {
    fn event(
        &mut self,
        message: &Message<'_>,
        old: Option<Meaning>,
        new: Option<Meaning>,
        edited: &str,
    ) {
        let is_edited =
            |meaning: &Option<Meaning>| meaning.as_ref().is_some_and(|one| one.key == edited);
        let (was, is) = (is_edited(&old), is_edited(&new));
        self.matched = self.matched.saturating_add(i64::from(was));
        self.matching = self.matching.saturating_add(i64::from(is));
        let changed = old != new;
        self.changed = self.changed.saturating_add(i64::from(changed));
        let workspace = message.workspace().filter(|id| !is_junk_id(id)).map(WorkspaceId::of);
        let Some(workspace) = workspace.filter(|_| changed || was || is) else { return };
        self.workspaces.insert(workspace);
        let user = message.user_id.as_deref().map(UserId::known);
        let anonymous = message.anonymous_id.as_deref().map(UserId::anonymous);
        let Some(user) = user.or(anonymous).filter(|_| changed) else { return };
        let day = message.at.date_naive();
        let days = self.days.entry(workspace).or_default();
        for (meaning, events) in [(old, -1), (new, 1)] {
            let Some(meaning) = meaning else { continue };
            let value = meaning.value.as_deref().and_then(|value| value.parse::<f64>().ok());
            days.push(Recounted {
                user,
                event: meaning.key,
                feature: meaning.feature,
                day,
                events,
                value: value.unwrap_or_default() * if events < 0 { -1.0 } else { 1.0 },
            });
        }
    }
}
