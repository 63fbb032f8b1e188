//! Stored evidence for links, read back for people. Pure.

use serde::Deserialize;
use serde_json::Value;

use crate::identity::host;
use crate::ids::AccountId;

/// A proposal of the matcher, as stored with a link.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Proposal {
    /// Whom it points to.
    pub account_id: AccountId,
    /// Percent.
    pub confidence: i32,
    /// What speaks for it.
    #[serde(default)]
    pub evidence: Vec<Piece>,
}

/// One piece of evidence, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Piece {
    kind: String,
    value: String,
    weight: u32,
}

impl Piece {
    /// In words: "single sign-on domain acme.com (95 %)".
    #[must_use]
    pub fn words(&self) -> String {
        let what = match self.kind.as_str() {
            "sso_domain" => "single sign-on domain",
            "billing_domain" => "billing domain",
            "founder_domain" => "address of the founder at",
            "member_domain" => "most members have addresses at",
            "website" => "website",
            "name" => "the same name",
            other => other,
        };
        format!("{what} {} ({} %)", host::shown(&self.value), self.weight)
    }
}

/// The proposals of a stored link, the most likely first; what can't be read is left out.
#[must_use]
pub fn proposals(evidence: &Value) -> Vec<Proposal> {
    let rows = evidence.as_array().into_iter().flatten();
    rows.filter_map(|row| serde_json::from_value(row.clone()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::matching;

    #[test]
    fn what_the_matcher_writes_reads_back() {
        let written = matching::Proposal {
            account_id: AccountId::new(),
            confidence: 95,
            evidence: vec![matching::Row {
                kind: matching::Kind::SsoDomain,
                value: "acme.com".to_owned(),
                weight: 95,
            }],
        };
        let stored = serde_json::to_value([&written]).unwrap();
        let read = proposals(&stored);
        assert_eq!(read[0].account_id, written.account_id);
        assert_eq!(read[0].evidence[0].words(), "single sign-on domain acme.com (95 %)");
        assert_eq!(proposals(&Value::Null), []);
    }
}
