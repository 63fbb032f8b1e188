//! By what a list of workspaces is ordered, in a query string and in words. Pure.

use std::fmt;

/// By what rows are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what it says")]
pub enum SortKey {
    Score,
    Change,
    Name,
    LastActive,
    Wau,
    Intent,
    TrialEnd,
}

impl SortKey {
    /// Every order there is.
    pub const ALL: [Self; 7] = [
        Self::Score,
        Self::Change,
        Self::Name,
        Self::LastActive,
        Self::Wau,
        Self::Intent,
        Self::TrialEnd,
    ];

    /// The word in the query string.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Change => "change",
            Self::Name => "name",
            Self::LastActive => "active",
            Self::Wau => "wau",
            Self::Intent => "intent",
            Self::TrialEnd => "trial_end",
        }
    }

    /// What rows are sorted by, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Change => "change in 7 days",
            Self::Name => "name",
            Self::LastActive => "last activity",
            Self::Wau => "weekly active users",
            Self::Intent => "intent",
            Self::TrialEnd => "end of trial",
        }
    }
}

/// An order and its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub key: SortKey,
    /// From high to low, or from late to early.
    pub falling: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Self { key: SortKey::Score, falling: true }
    }
}

impl Sort {
    /// `score`, `-score` and so on.
    #[must_use]
    pub fn from_key(text: &str) -> Option<Self> {
        let (falling, word) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let key = SortKey::ALL.into_iter().find(|key| key.key() == word)?;
        Some(Self { key, falling })
    }

    /// Both in words: "score, high to low".
    #[must_use]
    pub fn words(self) -> String {
        let direction = match (self.key, self.falling) {
            (SortKey::Name, false) => "A to Z",
            (SortKey::Name, true) => "Z to A",
            (SortKey::LastActive, true) => "newest first",
            (SortKey::LastActive, false) => "oldest first",
            (SortKey::TrialEnd, false) => "soonest first",
            (SortKey::TrialEnd, true) => "latest first",
            (_, true) => "high to low",
            (_, false) => "low to high",
        };
        format!("{}, {direction}", self.key.words())
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.falling { "-" } else { "" }, self.key.key())
    }
}
