//! The scorecard: a score with everything that explains it, as JSON in docs/scoring.md.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::advice::NextAction;
use super::change::Change;
use super::lead::Why;
use crate::ids::{UserId, WorkspaceId};

/// The flag of a workspace with neither an admin nor a champion.
pub const NO_BUYER_COVERAGE: &str = "no_buyer_coverage";

/// A workspace's score on one day. All points are hundredths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scorecard {
    /// Whose score.
    pub workspace_id: WorkspaceId,
    /// The UTC day.
    pub as_of: NaiveDate,
    /// The model that gave it.
    pub model: ModelRef,
    /// 0 to 10000.
    pub score: i64,
    /// `not_pql` or a stage of the model.
    pub stage: String,
    /// Whose user-level points count; none without members.
    pub lead_user: Option<LeadUser>,
    /// Such as `no_buyer_coverage`.
    pub flags: Vec<String>,
    /// The admins and champions, the lead user first; at most [`BUYERS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buyers: Vec<Buyer>,
    /// In the model's order.
    pub categories: Vec<CategoryPoints>,
    /// By category and rule, each category's clamp last; the rows add up to the score.
    pub ledger: Vec<LedgerRow>,
    /// The three largest positive rows in words.
    pub reasons: Vec<String>,
    /// The difference to the day before; the engine itself leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// What to do next; the engine itself leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_best_action: Option<NextAction>,
}

/// Which model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRef {
    /// Its name.
    pub name: String,
    /// 0 for a draft.
    pub version: i64,
}

/// The member whose user-level points count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeadUser {
    /// Who.
    pub user_id: UserId,
    /// Why this one.
    pub why: Why,
    /// The role factor.
    pub factor: f64,
}

/// An admin or a champion: somebody who decides, or speaks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    /// Who.
    pub user_id: UserId,
    /// Admin, champion or suggested champion.
    pub why: Why,
}

/// So many buyers stand on a card.
pub const BUYERS: usize = 50;

/// A category's points after its limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryPoints {
    /// The category's key.
    pub key: String,
    /// The points.
    pub points: i64,
    /// The most it can have.
    pub max: i64,
}

/// What a ledger row is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// Points for events.
    #[default]
    Event,
    /// Points for a state that holds.
    State,
    /// Points for a field's value.
    Lookup,
    /// Lost to a limit (negative), or lifted to a floor (positive).
    Clamp,
}

impl RowKind {
    fn is_event(&self) -> bool {
        *self == Self::Event
    }
}

/// One row of the ledger. `raw + capped + role + decay = net`, except on a clamp, which has a `net`
/// alone. The overall limit of 0 to 100 is a clamp without a category.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// The rule's key; none on a clamp.
    pub rule: Option<String>,
    /// The category's key.
    pub category: Option<String>,
    /// Absent in the document for events.
    #[serde(default, skip_serializing_if = "RowKind::is_event")]
    pub kind: RowKind,
    /// The rule's label, so that a stored row reads without its model.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// The member, for user-level rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Events counted within the lookback.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub events: i64,
    /// Days counted within the lookback.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub days: i64,
    /// Points before any limit.
    #[serde(default)]
    pub raw: i64,
    /// The cap's effect.
    #[serde(default)]
    pub capped: i64,
    /// The role factor's effect.
    #[serde(default)]
    pub role: i64,
    /// The effect of age.
    #[serde(default)]
    pub decay: i64,
    /// What counts.
    pub net: i64,
    /// The value that a lookup found, or "ICP fit unknown".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// A member's own score, for the table of members.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemberScore {
    /// Who.
    pub user_id: UserId,
    /// Admin, champion, suggested champion or another member.
    pub part: Why,
    /// Whether this is the lead user.
    pub leads: bool,
    /// The role factor and its label.
    pub factor: f64,
    /// Empty when no role factor applies.
    pub factor_label: String,
    /// The user score: categories clamped, then added up.
    pub score: i64,
    /// User-level points, each clamped to the category; in the model's order.
    pub categories: Vec<CategoryPoints>,
    /// The member's own ledger rows, without clamps.
    pub ledger: Vec<LedgerRow>,
}

impl Scorecard {
    /// The points of a category; 0 when the model lacks it.
    #[must_use]
    pub fn category(&self, key: &str) -> i64 {
        self.categories.iter().find(|category| category.key == key).map_or(0, |one| one.points)
    }

    /// Whether, and why, somebody is a buyer.
    #[must_use]
    pub fn buyer(&self, user: UserId) -> Option<Why> {
        self.buyers.iter().find(|buyer| buyer.user_id == user).map(|buyer| buyer.why)
    }

    /// Whether the workspace carries a flag.
    #[must_use]
    pub fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|one| one == flag)
    }
}
