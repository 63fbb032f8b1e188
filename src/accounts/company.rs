//! A company, as the traits of its people and workspaces tell it.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::icp::Company;
use crate::identity::host;
use crate::ids::AccountId;
use crate::ingest::trait_names::{self, Subject};
use crate::ingest::traits::{Traits, snake_case, text_of, yes_or_no};
use crate::values::head_count::head_count;
use crate::values::text::{Holds, is_empty_word, said};

/// A company that can be sold to.
#[derive(Clone, Debug)]
pub struct Account {
    /// Made of the domain.
    pub id: AccountId,
    /// The domain it was made from.
    pub domain: String,
    /// What was said about it; what was said about its workspaces comes on top, see [`Account::facts`].
    pub traits: Traits,
    /// The oldest event that mentions the domain.
    pub created_at: DateTime<Utc>,
}

/// What the traits say, in the words of the signal dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of the signal dictionary")]
pub struct Facts {
    pub name: String,
    pub sub_industry: Option<String>,
    pub segment: Option<&'static str>,
    pub company: Company,
    /// Empty: it was said that there is none. `None`, here and below: nothing was ever said, so that
    /// what stands stays.
    pub territory: Option<String>,
    pub is_strategic: Option<bool>,
    /// Empty: that of an account of which nothing is said.
    pub lifecycle_stage: Option<String>,
}

/// What a workspace's traits may say about the company behind it.
const SHARED: [&str; 7] =
    ["employees", "industry", "sub_industry", "hq_country", "hq_region", "tech_stack", "segment"];

/// What the people who sell say of an account: only records say it, which come by keys that are secret.
const INTERNAL: [&str; 4] = ["account_id", "territory", "is_strategic", "lifecycle_stage"];

/// Whether a trait of a company is one that its own people have no say in.
#[must_use]
pub fn is_internal(name: &str) -> bool {
    INTERNAL.contains(&trait_names::canonical(Subject::Company, name).as_str())
}

impl Account {
    /// An account first heard of at `at`.
    #[must_use]
    pub fn new(domain: &str, at: DateTime<Utc>) -> Self {
        let id = AccountId::of_domain(domain);
        Self { id, domain: domain.to_owned(), traits: Traits::default(), created_at: at }
    }

    /// What is known about the company: its own traits and those of its linked workspaces, the
    /// newest word of each. A function of all of them, so that a workspace that is linked elsewhere
    /// takes its words along.
    #[must_use]
    pub fn facts(&self, workspaces: &[Traits]) -> Facts {
        let mut all = self.traits.clone();
        for traits in workspaces {
            for name in SHARED {
                if let (Some(value), Some(at)) = (traits.values.get(name), traits.moment(name)) {
                    all.say(name, value, at);
                }
            }
        }
        let employees = all.values.get("employees").and_then(|said| head_count(said).ok());
        let said = all.text(&["segment"]).map(|text| snake_case(&text));
        let segment = ["self_serve", "smb", "mid_market", "enterprise"]
            .into_iter()
            .find(|name| said.as_deref() == Some(*name))
            .or(match employees {
                None => None,
                Some(..=50) => Some("smb"),
                Some(..=1000) => Some("mid_market"),
                Some(_) => Some("enterprise"),
            });
        Facts {
            name: self
                .traits
                .text(&["name"])
                .unwrap_or_else(|| self.domain_name())
                .chars()
                .take(200)
                .collect(),
            sub_industry: all.text(&["sub_industry"]),
            segment,
            territory: self.own("territory"),
            is_strategic: self.own("is_strategic").map(|said| yes_or_no(&said) == Some(true)),
            lifecycle_stage: self.own("lifecycle_stage"),
            company: Company {
                employees,
                industry: all.text(&["industry"]),
                country: all.text(&["hq_country"]),
                region: all.text(&["hq_region"]),
                tech_stack: texts(all.values.get("tech_stack")),
            },
        }
    }

    /// What was said about the account itself under this name: empty when the newest word clears it.
    fn own(&self, name: &str) -> Option<String> {
        self.traits.times.contains_key(name).then(|| match self.traits.values.get(name) {
            Some(Value::Bool(flag)) => flag.to_string(),
            Some(value) => said(value, Holds::of(name)).unwrap_or_default(),
            None => String::new(),
        })
    }

    /// `brightwater-labs.co.uk` is called Brightwater Labs until somebody says better, and a domain that is
    /// not shown in its script by its whole name.
    fn domain_name(&self) -> String {
        let shown = host::shown(&self.domain);
        let label = shown.split('.').next().unwrap_or_default();
        if label.starts_with("xn--") {
            return shown.into_owned();
        }
        let words = label.split('-').filter(|word| !word.is_empty()).map(|word| {
            let mut letters = word.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            first.chain(letters).collect::<String>()
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let mut texts: Vec<String> = match value {
        Some(Value::Array(values)) => values.iter().filter_map(text_of).collect(),
        Some(Value::String(text)) => {
            text.split([',', ';']).filter_map(|part| text_of(&part.into())).collect()
        }
        _ => Vec::new(),
    };
    texts.retain(|text| !is_empty_word(text, Holds::Word));
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// What a user's traits, under their canonical names, say about their company.
#[must_use]
pub fn said_of_company(traits: &Map<String, Value>) -> Map<String, Value> {
    let members = traits.iter().filter_map(|(name, value)| {
        let member = name.strip_prefix("company_").filter(|member| *member != "id")?;
        Some((member.to_owned(), value.clone()))
    });
    members.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_sellers_say_is_told_from_what_a_company_says_of_itself() {
        for name in ["territory", "Territory", "isStrategic", "accountId", "lifecycle stage"] {
            assert!(is_internal(name), "{name}");
        }
        for name in ["name", "industry", "employeeCount", "segment"] {
            assert!(!is_internal(name), "{name}");
        }
    }

    #[test]
    fn the_newest_word_of_account_and_workspaces_counts() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let mut account = Account::new("acme.co.uk", at(1));
        account.traits.say("employees", &json!(10), at(1));
        assert_eq!(account.facts(&[]).name, "Acme");
        let other = Account::new("brightwater-labs.example", at(1));
        assert_eq!(other.facts(&[]).name, "Brightwater Labs");
        let mut workspace = Traits::default();
        workspace.say("employees", &json!("201-500"), at(2));
        workspace.say("industry", &json!("Software"), at(2));
        workspace.say("name", &json!("Acme Engineering"), at(2));
        let facts = account.facts(&[workspace]);
        assert_eq!(facts.company.employees, Some(201));
        assert_eq!(facts.company.industry.as_deref(), Some("Software"));
        assert_eq!((facts.segment, facts.name.as_str()), (Some("mid_market"), "Acme"));
    }
}
