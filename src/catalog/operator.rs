//! The operators of conditions, the same wherever people write conditions: on what an event carries
//! (the catalog) and on what is known of a workspace (scoring, routing, filters).

use serde::{Deserialize, Serialize};

/// How a value is compared with what somebody wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the operators")]
pub enum Op {
    #[serde(rename = "=")]
    Eq,
    #[serde(rename = "!=")]
    Ne,
    #[serde(rename = "<")]
    Lt,
    #[serde(rename = "<=")]
    Le,
    #[serde(rename = ">")]
    Gt,
    #[serde(rename = ">=")]
    Ge,
    #[serde(rename = "in")]
    In,
    #[serde(rename = "not_in")]
    NotIn,
    /// A text contains a text, whatever the case of its letters; a list contains a value.
    #[serde(rename = "contains")]
    Contains,
    #[serde(rename = "is_set")]
    IsSet,
    #[serde(rename = "is_not_set")]
    IsNotSet,
}

impl Op {
    /// Every operator with its spelling and its words, in the order in which the editor offers them.
    pub const ALL: [(Self, &'static str, &'static str); 11] = [
        (Self::Eq, "=", "is"),
        (Self::Ne, "!=", "is not"),
        (Self::Lt, "<", "is below"),
        (Self::Le, "<=", "is at most"),
        (Self::Gt, ">", "is above"),
        (Self::Ge, ">=", "is at least"),
        (Self::In, "in", "is one of"),
        (Self::NotIn, "not_in", "is none of"),
        (Self::Contains, "contains", "contains"),
        (Self::IsSet, "is_set", "is set"),
        (Self::IsNotSet, "is_not_set", "is not set"),
    ];

    /// As documents and forms spell it.
    #[must_use]
    pub fn key(self) -> &'static str {
        Self::ALL.iter().find(|(op, ..)| *op == self).map_or("=", |(_, key, _)| key)
    }

    /// In a sentence.
    #[must_use]
    pub fn words(self) -> &'static str {
        Self::ALL.iter().find(|(op, ..)| *op == self).map_or("is", |(.., words)| words)
    }

    /// The operator that `key` spells.
    #[must_use]
    pub fn named(key: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == key).map(|(op, ..)| *op)
    }

    /// Whether there is something to compare with.
    #[must_use]
    pub const fn takes_value(self) -> bool {
        !matches!(self, Self::IsSet | Self::IsNotSet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_forms_spell_them_alike() {
        for (op, key, _) in Op::ALL {
            assert_eq!((Op::named(key), op.key()), (Some(op), key));
            assert_eq!(serde_json::to_string(&op).unwrap(), format!("\"{key}\""));
        }
        assert_eq!(Op::named("~"), None);
    }
}
