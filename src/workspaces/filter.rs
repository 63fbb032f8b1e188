//! What a list of workspaces shows: filter, order and place, read from a query string and written
//! back as one. Pure; a value that means nothing is left out and named, never an error.

use std::fmt;

use url::form_urlencoded::{Serializer, parse};

use super::sort::{Sort, SortKey};
use crate::clock::askable_time;
use crate::ids::{AccountId, MemberId, WorkspaceId};
use crate::plans::plan;

/// The stages in the order of their chips, with the words people read.
pub const STAGES: [(&str, &str); 4] =
    [("hot_pql", "Hot PQL"), ("pql", "PQL"), ("warm", "Warm"), ("not_pql", "Not PQL")];
/// The tiers of the product's plans.
pub const PLANS: [(&str, &str); 5] = plan::TIERS;
/// ICP tiers; `none` for an account without one, or no account.
pub const TIERS: [(&str, &str); 4] = [("A", "A"), ("B", "B"), ("C", "C"), ("none", "None")];
/// Types of workspaces.
pub const KINDS: [(&str, &str); 3] =
    [("prod", "Production"), ("sandbox", "Sandbox"), ("dev", "Development")];
/// Whether an admin was seen among the members.
pub const ADMINS: [(&str, &str); 2] = [("yes", "An admin was seen"), ("no", "No admin seen")];
/// A trial may end at most this many days ahead to be asked for.
pub const TRIAL_DAYS: u16 = 90;
/// A search is cut to so many characters.
const SEARCH_LENGTH: usize = 200;

/// Whose workspaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody's.
    Nobody,
    /// The viewer's.
    Me,
    /// A member's.
    Member(MemberId),
}

/// One thing that a filter can ask for: the name of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the parameter of its name")]
pub enum Param {
    Search,
    Stage,
    Owner,
    Plan,
    Tier,
    Account,
    Trial,
    Admin,
    Kind,
}

impl Param {
    /// Every parameter, in the order of the query string.
    pub const ALL: [Self; 9] = [
        Self::Search,
        Self::Stage,
        Self::Owner,
        Self::Plan,
        Self::Tier,
        Self::Account,
        Self::Trial,
        Self::Admin,
        Self::Kind,
    ];

    /// Its name in the query string.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Search => "q",
            Self::Stage => "stage",
            Self::Owner => "owner",
            Self::Plan => "plan",
            Self::Tier => "tier",
            Self::Account => "account",
            Self::Trial => "trial",
            Self::Admin => "admin",
            Self::Kind => "type",
        }
    }

    /// Its name for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Search => "Search",
            Self::Stage => "Stage",
            Self::Owner => "Owner",
            Self::Plan => "Plan",
            Self::Tier => "ICP tier",
            Self::Account => "Account",
            Self::Trial => "Trial",
            Self::Admin => "Admin",
            Self::Kind => "Type",
        }
    }
}

/// What must hold for every row; all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Part of a name, an external id, an account's name or a domain; empty for any.
    pub search: String,
    /// Any of these stages, in the order of [`STAGES`]; none for any.
    pub stages: Vec<&'static str>,
    /// Whose.
    pub owner: Option<Owner>,
    /// A key of [`PLANS`].
    pub plan: Option<&'static str>,
    /// A key of [`TIERS`].
    pub tier: Option<&'static str>,
    /// An account's workspaces.
    pub account: Option<AccountId>,
    /// A trial that ends within so many days, today included.
    pub trial: Option<u16>,
    /// Whether an admin was seen.
    pub admin: Option<bool>,
    /// A key of [`KINDS`].
    pub kind: Option<&'static str>,
}

impl Filter {
    /// Whether it asks for this.
    #[must_use]
    pub fn has(&self, param: Param) -> bool {
        match param {
            Param::Search => !self.search.is_empty(),
            Param::Stage => !self.stages.is_empty(),
            Param::Owner => self.owner.is_some(),
            Param::Plan => self.plan.is_some(),
            Param::Tier => self.tier.is_some(),
            Param::Account => self.account.is_some(),
            Param::Trial => self.trial.is_some(),
            Param::Admin => self.admin.is_some(),
            Param::Kind => self.kind.is_some(),
        }
    }

    /// What it asks for, in the order of the query string.
    pub fn asks(&self) -> impl Iterator<Item = Param> {
        Param::ALL.into_iter().filter(|param| self.has(*param))
    }

    /// The same filter without one of its demands.
    #[must_use]
    pub fn without(&self, param: Param) -> Self {
        let mut filter = self.clone();
        match param {
            Param::Search => filter.search.clear(),
            Param::Stage => filter.stages.clear(),
            Param::Owner => filter.owner = None,
            Param::Plan => filter.plan = None,
            Param::Tier => filter.tier = None,
            Param::Account => filter.account = None,
            Param::Trial => filter.trial = None,
            Param::Admin => filter.admin = None,
            Param::Kind => filter.kind = None,
        }
        filter
    }
}

/// The last row of the page before: the next page begins after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The row's sort value: hundredths, a count, days since 2000, or microseconds since 1970.
    /// `None` where the row has no value, and for names, which are read again by the id.
    pub value: Option<i64>,
    /// The row.
    pub id: WorkspaceId,
}

impl Cursor {
    fn from_key(text: &str, sort: Sort) -> Option<Self> {
        let (value, id) = text.split_once('~')?;
        let value = if value.is_empty() { None } else { Some(value.parse().ok()?) };
        let fits = match sort.key {
            SortKey::Name => value.is_none(),
            SortKey::LastActive => value.is_none_or(|micros| askable_time(micros).is_some()),
            _ => value.is_some_and(|number| i32::try_from(number).is_ok()),
        };
        fits.then_some(Self { value, id: id.parse().ok()? })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => write!(f, "{value}~{}", self.id),
            None => write!(f, "~{}", self.id),
        }
    }
}

/// A part of a query string that means nothing here; the list says so and goes on without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The parameter's name.
    pub param: String,
    /// What it was, cut to a readable length.
    pub value: String,
}

/// All that an address of the list says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Which rows.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// From where on.
    pub after: Option<Cursor>,
}

impl Query {
    /// Reads a query string. Empty values say nothing; unknown parameters are passed by; values
    /// that mean nothing are left out and named.
    #[must_use]
    pub fn parse(text: &str) -> (Self, Vec<Ignored>) {
        let mut query = Self::default();
        let mut ignored = Vec::new();
        let mut after = None;
        for (param, value) in parse(text.as_bytes()) {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            let taken = match param.as_ref() {
                "after" => {
                    after = Some(value.to_owned());
                    true
                }
                "sort" => Sort::from_key(value).map(|sort| query.sort = sort).is_some(),
                other => query.filter.take(other, value),
            };
            if !taken {
                ignored.push(Ignored { param: param.into_owned(), value: readable(value, 40) });
            }
        }
        // After the loop: what a place means depends on the order.
        if let Some(text) = after {
            query.after = Cursor::from_key(&text, query.sort);
            if query.after.is_none() {
                ignored.push(Ignored { param: "after".to_owned(), value: readable(&text, 40) });
            }
        }
        (query, ignored)
    }

    /// The one way to write it: only what differs from the plain list, in a fixed order.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        let mut out = Serializer::new(String::new());
        let filter = &self.filter;
        if !filter.search.is_empty() {
            out.append_pair("q", &filter.search);
        }
        for stage in &filter.stages {
            out.append_pair("stage", stage);
        }
        let owner = filter.owner.map(|owner| match owner {
            Owner::Nobody => "none".to_owned(),
            Owner::Me => "me".to_owned(),
            Owner::Member(id) => id.to_string(),
        });
        let rest = [
            ("owner", owner),
            ("plan", filter.plan.map(str::to_owned)),
            ("tier", filter.tier.map(str::to_owned)),
            ("account", filter.account.map(|id| id.to_string())),
            ("trial", filter.trial.map(|days| days.to_string())),
            ("admin", filter.admin.map(|seen| if seen { "yes" } else { "no" }.to_owned())),
            ("type", filter.kind.map(str::to_owned)),
            ("sort", (self.sort != Sort::default()).then(|| self.sort.to_string())),
            ("after", self.after.map(|cursor| cursor.to_string())),
        ];
        for (param, value) in rest {
            if let Some(value) = value {
                out.append_pair(param, &value);
            }
        }
        out.finish()
    }

    /// The address of this list.
    #[must_use]
    pub fn href(&self) -> String {
        let query = self.to_query_string();
        if query.is_empty() { "/workspaces".to_owned() } else { format!("/workspaces?{query}") }
    }

    /// The same list from its beginning with another filter.
    #[must_use]
    pub fn with(&self, filter: Filter) -> Self {
        Self { filter, sort: self.sort, after: None }
    }
}

impl Filter {
    /// Takes a parameter in; false where the value means nothing.
    fn take(&mut self, param: &str, value: &str) -> bool {
        match param {
            "q" => self.search = readable(value, SEARCH_LENGTH),
            "stage" => {
                // The short word of hand-written links.
                let word = if value == "hot" { "hot_pql" } else { value };
                let Some(stage) = known(&STAGES, word) else { return false };
                if !self.stages.contains(&stage) {
                    self.stages.push(stage);
                }
                self.stages.sort_by_key(|one| STAGES.iter().position(|(key, _)| key == one));
            }
            "owner" => {
                self.owner = match value {
                    "none" => Some(Owner::Nobody),
                    "me" => Some(Owner::Me),
                    id => id.parse().ok().map(Owner::Member),
                };
                return self.owner.is_some();
            }
            "plan" => return take_one(&mut self.plan, known(&PLANS, value)),
            "tier" => return take_one(&mut self.tier, known(&TIERS, value)),
            "account" => return take_one(&mut self.account, value.parse().ok()),
            "trial" => {
                let days = value.parse().ok().filter(|days| *days <= TRIAL_DAYS);
                return take_one(&mut self.trial, days);
            }
            "admin" => {
                let seen = known(&ADMINS, value).map(|word| word == "yes");
                return take_one(&mut self.admin, seen);
            }
            "type" => return take_one(&mut self.kind, known(&KINDS, value)),
            // Not a parameter of this list, such as one of a campaign.
            _ => {}
        }
        true
    }
}

fn take_one<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let taken = value.is_some();
    if taken {
        *place = value;
    }
    taken
}

fn known(list: &[(&'static str, &str)], word: &str) -> Option<&'static str> {
    list.iter().map(|(key, _)| *key).find(|key| *key == word)
}

/// Text without control characters (PostgreSQL refuses NUL), of at most so many characters.
fn readable(text: &str, longest: usize) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control()).take(longest).collect();
    plain.trim().to_owned()
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
