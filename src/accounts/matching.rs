//! Which account a workspace belongs to, by weighing evidence.

use std::collections::BTreeMap;

use crate::ids::AccountId;

/// From here on a workspace is linked.
pub const LINKS: i32 = 80;
/// From here on a person is asked.
pub const ASKS: i32 = 50;

/// A reason to believe that a workspace belongs to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The domain of its single sign-on.
    SsoDomain,
    /// The domain of its billing contact.
    BillingDomain,
    /// The corporate domain of the person who created it.
    FounderDomain,
    /// The domain of most of its corporate members, at least three.
    MemberDomain,
    /// Its website.
    Website,
    /// Its name.
    Name,
}

impl Kind {
    /// Percent.
    #[must_use]
    pub const fn weight(self) -> u32 {
        match self {
            Self::SsoDomain => 95,
            Self::BillingDomain => 90,
            Self::FounderDomain => 80,
            Self::MemberDomain => 70,
            Self::Website => 60,
            Self::Name => 30,
        }
    }
}

/// What is known about a workspace that says whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The user-given name.
    pub name: String,
    /// Registrable domains, each where known.
    pub sso_domain: Option<String>,
    /// As above.
    pub billing_domain: Option<String>,
    /// As above.
    pub website_domain: Option<String>,
    /// As above, when corporate.
    pub founder_domain: Option<String>,
    /// The corporate domains of the current members, one entry a member.
    pub member_domains: Vec<String>,
}

/// An account that evidence may point to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Which.
    pub id: AccountId,
    /// Its name.
    pub name: String,
}

/// One account with what speaks for it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Proposal {
    /// Which account.
    pub account_id: AccountId,
    /// Percent: `1 - prod(1 - weight)`, rounded down.
    pub confidence: i32,
    /// What speaks for it, the strongest first.
    pub evidence: Vec<Row>,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// What it is.
    pub kind: Kind,
    /// The domain or name that agrees.
    pub value: String,
    /// Percent.
    pub weight: u32,
}

impl Evidence {
    /// The domain of most members with corporate addresses, if at least three have one and more
    /// than half of them share it.
    #[must_use]
    pub fn majority_domain(&self) -> Option<&str> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for domain in &self.member_domains {
            let count = counts.entry(domain).or_default();
            *count = count.saturating_add(1);
        }
        let all = self.member_domains.len();
        let (domain, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        (all >= 3 && count.saturating_mul(2) > all).then_some(domain)
    }

    /// All domains that say something.
    #[must_use]
    pub fn domains(&self) -> Vec<(Kind, &str)> {
        [
            (Kind::SsoDomain, self.sso_domain.as_deref()),
            (Kind::BillingDomain, self.billing_domain.as_deref()),
            (Kind::FounderDomain, self.founder_domain.as_deref()),
            (Kind::MemberDomain, self.majority_domain()),
            (Kind::Website, self.website_domain.as_deref()),
        ]
        .into_iter()
        .filter_map(|(kind, domain)| Some((kind, domain?)))
        .collect()
    }

    /// The accounts that evidence points to, the most likely first (of equal ones the lesser id).
    #[must_use]
    pub fn proposals(&self, by_domain: &BTreeMap<String, Account>) -> Vec<Proposal> {
        let mut found: BTreeMap<AccountId, (&Account, Vec<Row>)> = BTreeMap::new();
        for (kind, domain) in self.domains() {
            if let Some(account) = by_domain.get(domain) {
                let (_, rows) = found.entry(account.id).or_insert((account, Vec::new()));
                rows.push(Row { kind, value: domain.to_owned(), weight: kind.weight() });
            }
        }
        let mut proposals: Vec<Proposal> = found
            .into_iter()
            .map(|(account_id, (account, mut evidence))| {
                if same_name(&self.name, &account.name) {
                    let value = account.name.clone();
                    evidence.push(Row { kind: Kind::Name, value, weight: Kind::Name.weight() });
                }
                Proposal { account_id, confidence: combined(&evidence), evidence }
            })
            .collect();
        proposals
            .sort_by_key(|proposal| (std::cmp::Reverse(proposal.confidence), proposal.account_id));
        proposals
    }
}

/// `1 - prod(1 - w)` in whole percent, rounded down; computed in parts of 100^n, exactly.
fn combined(evidence: &[Row]) -> i32 {
    let doubt = evidence.iter().fold((1_u128, 1_u128), |(rest, whole), row| {
        (rest.saturating_mul(u128::from(100 - row.weight.min(100))), whole.saturating_mul(100))
    });
    let sure =
        doubt.1.saturating_sub(doubt.0).saturating_mul(100).checked_div(doubt.1).unwrap_or(0);
    i32::try_from(sure).unwrap_or(100)
}

/// The workspace is named after the account: its name, without punctuation, starts with the account's.
fn same_name(workspace: &str, account: &str) -> bool {
    let fold = |name: &str| -> String {
        name.chars()
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let account = fold(account);
    account.chars().count() >= 3 && fold(workspace).starts_with(&account)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> BTreeMap<String, Account> {
        ["acme.com", "other.org"]
            .into_iter()
            .map(|domain| {
                let name = domain.split('.').next().unwrap().to_owned();
                (domain.to_owned(), Account { id: AccountId::of_domain(domain), name })
            })
            .collect()
    }

    fn acme() -> Option<String> {
        Some("acme.com".to_owned())
    }

    #[test]
    fn never_by_members_domain_alone() {
        let three =
            Evidence { member_domains: vec!["acme.com".to_owned(); 3], ..Evidence::default() };
        assert_eq!(three.proposals(&accounts())[0].confidence, 70);
        let two =
            Evidence { member_domains: vec!["acme.com".to_owned(); 2], ..Evidence::default() };
        assert!(two.proposals(&accounts()).is_empty());
    }

    #[test]
    fn evidence_combines() {
        let evidence = Evidence {
            member_domains: vec!["acme.com".to_owned(); 3],
            website_domain: acme(),
            name: "ACME Engineering".to_owned(),
            ..Evidence::default()
        };
        // 1 - 0.3 * 0.4 * 0.7 = 0.916
        assert_eq!(evidence.proposals(&accounts())[0].confidence, 91);
        let founder = Evidence { founder_domain: acme(), ..Evidence::default() };
        assert_eq!(founder.proposals(&accounts())[0].confidence, LINKS);
    }

    #[test]
    fn the_stronger_account_comes_first() {
        let evidence = Evidence {
            billing_domain: Some("other.org".to_owned()),
            founder_domain: acme(),
            ..Evidence::default()
        };
        let proposals = evidence.proposals(&accounts());
        assert_eq!(proposals.len(), 2);
        assert_eq!(proposals[0].account_id, AccountId::of_domain("other.org"));
    }

    #[test]
    fn half_is_no_majority() {
        let domains = ["a.com", "a.com", "b.com", "b.com"].map(str::to_owned).to_vec();
        assert_eq!(
            Evidence { member_domains: domains, ..Evidence::default() }.majority_domain(),
            None
        );
    }
}
