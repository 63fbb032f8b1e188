//! Why a score is not yesterday's: the difference in parts that add up to it.
//!
//! Between yesterday's card and today's stand two more: yesterday's people and usage a day later
//! (`aged`), and today's people with yesterday's usage (`quiet`). So, per rule: aged minus yesterday
//! is decay, quiet minus aged is what became of people's roles, today minus quiet is activity; states
//! and lookups changed or did not; limits took more or less. Where another member leads after a step,
//! that step's difference is a part of its own. What is left between the score that was stored for
//! yesterday and the one that is recomputed came from a new model, or from learning something about
//! the past: a merge, late events.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::card::{LedgerRow, RowKind, Scorecard};

/// The difference to an earlier score, in hundredths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The earlier score.
    pub from: i64,
    /// Its day.
    pub since: NaiveDate,
    /// None of them 0; their sum is the score minus `from`.
    pub parts: Vec<Part>,
}

/// Where a part comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// Events of today; `rule` says which.
    Activity,
    /// A state began or ended; `rule` says which.
    State,
    /// A looked-up value changed; `rule` says which.
    Fit,
    /// Everything got older.
    Decay,
    /// A limit took more or less; `category` says which, none for 0 to 100.
    Limit,
    /// A role, a persona or another fact about people changed.
    Role,
    /// Another member leads, because of what people did or because points aged.
    Lead,
    /// People were merged, or something else became known about the past.
    Identity,
    /// Another version of the model.
    Model,
}

/// One part of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Where it comes from.
    pub kind: PartKind,
    /// The rule's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The category's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Hundredths.
    pub net: i64,
}

/// The score that was stored for the earlier day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Hundredths.
    pub score: i64,
    /// The version of its model.
    pub model_version: i64,
}

/// The cards between which a difference is split, all of one model.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    /// Yesterday's, from what held yesterday.
    pub yesterday: &'a Scorecard,
    /// Yesterday's people and usage, as of today.
    pub aged: &'a Scorecard,
    /// Today's people with yesterday's usage.
    pub quiet: &'a Scorecard,
    /// Today's.
    pub today: &'a Scorecard,
}

/// Splits the difference. Without a stored score, the recomputed one is the earlier score.
#[must_use]
pub fn change(stored: Option<Stored>, steps: &Steps<'_>) -> Change {
    let Steps { yesterday, aged, quiet, today } = *steps;
    let mut parts = Parts::default();
    let lead = |card: &Scorecard| card.lead_user.as_ref().map(|lead| lead.user_id);
    let led = |from: &Scorecard, to: &Scorecard, row: &LedgerRow, key: Key| {
        let stays = lead(from) == lead(to) || row.user_id.is_none();
        if stays { key } else { (PartKind::Lead, None, None) }
    };
    let is_event = |row: &&LedgerRow| row.kind == RowKind::Event;
    let mut step = |from: &Scorecard, to: &Scorecard, key: &dyn Fn(&LedgerRow) -> Key| {
        parts.subtract(from.ledger.iter().filter(is_event), &key);
        parts.add(to.ledger.iter().filter(is_event), &key);
    };
    step(yesterday, aged, &|row| led(yesterday, aged, row, (PartKind::Decay, None, None)));
    step(aged, quiet, &|_| (PartKind::Role, None, None));
    let acted = |row: &LedgerRow| (PartKind::Activity, row.rule.clone(), None);
    step(quiet, today, &|row| led(quiet, today, row, acted(row)));
    let other = |row: &LedgerRow| match row.kind {
        RowKind::State => (PartKind::State, row.rule.clone(), None),
        RowKind::Lookup => (PartKind::Fit, row.rule.clone(), None),
        RowKind::Clamp | RowKind::Event => (PartKind::Limit, None, row.category.clone()),
    };
    parts.subtract(yesterday.ledger.iter().filter(|row| !is_event(row)), &other);
    parts.add(today.ledger.iter().filter(|row| !is_event(row)), &other);
    let from = stored.map_or(yesterday.score, |stored| stored.score);
    let learnt = match stored {
        Some(stored) if stored.model_version != today.model.version => PartKind::Model,
        _ => PartKind::Identity,
    };
    *parts.0.entry((learnt, None, None)).or_default() += yesterday.score - from;
    Change { from, since: yesterday.as_of, parts: parts.finish() }
}

type Key = (PartKind, Option<String>, Option<String>);

#[derive(Default)]
struct Parts(BTreeMap<Key, i64>);

impl Parts {
    fn add<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a LedgerRow>,
        key: &impl Fn(&LedgerRow) -> Key,
    ) {
        for row in rows {
            *self.0.entry(key(row)).or_default() += row.net;
        }
    }

    fn subtract<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a LedgerRow>,
        key: &impl Fn(&LedgerRow) -> Key,
    ) {
        for row in rows {
            *self.0.entry(key(row)).or_default() -= row.net;
        }
    }

    fn finish(self) -> Vec<Part> {
        let parts = self.0.into_iter().filter(|(_, net)| *net != 0);
        let mut parts: Vec<Part> =
            parts.map(|((kind, rule, category), net)| Part { kind, rule, category, net }).collect();
        parts.sort_by_key(|part| (std::cmp::Reverse(part.net.abs()), part.kind));
        parts
    }
}
