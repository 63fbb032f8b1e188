//! Why a score is not yesterday's: the difference in parts that add up to it.
//!
//! Yesterday's card is recomputed from what is known today, and today's card once more without
//! today's usage. So, per rule: quiet today minus yesterday is decay, today minus quiet today is
//! activity; states and lookups changed or did not; limits took more or less. What is left between
//! the score that was stored and the one that is recomputed came from a new model, or from
//! learning something about the past: a merge, a role, late events.

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
    /// Another member leads, people were merged, or something became known about the past.
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

/// Splits the difference. `yesterday` and `today` come of one model; `quiet` is today's card without
/// usage since `yesterday.as_of`. Without a stored score, the recomputed one is the earlier score.
#[must_use]
pub fn change(
    stored: Option<Stored>,
    yesterday: &Scorecard,
    quiet: &Scorecard,
    today: &Scorecard,
) -> Change {
    let mut parts = Parts::default();
    let lead = |card: &Scorecard| card.lead_user.as_ref().map(|lead| lead.user_id);
    let aged = |row: &LedgerRow| match lead(yesterday) == lead(quiet) || row.user_id.is_none() {
        true => (PartKind::Decay, None, None),
        false => (PartKind::Identity, None, None),
    };
    let acted = |row: &LedgerRow| match lead(quiet) == lead(today) || row.user_id.is_none() {
        true => (PartKind::Activity, row.rule.clone(), None),
        false => (PartKind::Identity, None, None),
    };
    let is_event = |row: &&LedgerRow| row.kind == RowKind::Event;
    parts.subtract(yesterday.ledger.iter().filter(is_event), &aged);
    parts.add(quiet.ledger.iter().filter(is_event), &aged);
    parts.subtract(quiet.ledger.iter().filter(is_event), &acted);
    parts.add(today.ledger.iter().filter(is_event), &acted);
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
