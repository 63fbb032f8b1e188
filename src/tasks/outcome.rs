//! How a task ends.

/// How a task ends; the word in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody was reached.
    Contacted,
    /// It becomes a deal.
    Qualified,
    /// Later.
    NotNow,
    /// Never.
    WrongFit,
    /// Taken back.
    Withdrawn,
    /// Somebody else does it.
    Reassigned,
}

impl Outcome {
    /// The word in the database.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Contacted => "contacted",
            Self::Qualified => "qualified",
            Self::NotNow => "not_now",
            Self::WrongFit => "wrong_fit",
            Self::Withdrawn => "withdrawn",
            Self::Reassigned => "reassigned",
        }
    }

    /// The words people read.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Contacted => "Contacted",
            Self::Qualified => "Qualified",
            Self::NotNow => "Not now",
            Self::WrongFit => "Wrong fit",
            Self::Withdrawn => "Withdrawn",
            Self::Reassigned => "Reassigned",
        }
    }

    /// The outcome of a key.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        [
            Self::Contacted,
            Self::Qualified,
            Self::NotNow,
            Self::WrongFit,
            Self::Withdrawn,
            Self::Reassigned,
        ]
        .into_iter()
        .find(|outcome| outcome.key() == key)
    }
}
