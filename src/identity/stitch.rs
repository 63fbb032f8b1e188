//! Who is who: which claims stand, and who everybody is after them. Pure and total.
//!
//! The rules (`spec/ingest.md`, Identity) are functions of *sets*: of the calls that said something,
//! of the users that exist, and of what people decided. So no order, batching or duplication of the
//! same calls can matter.
//!
//! * A claim says that an anonymous visitor is a known user. The earliest standing one wins; of two of
//!   one instant the lesser user id. The others stay on record: a shared computer belongs to the first.
//! * An alias whose former id is a known user's claims nobody: it is evidence for a person to judge.
//! * A claim that a person split stands no more, whenever it comes again.
//! * Known users are somebody else only when a person merged them; chains are followed to their end,
//!   and a cycle, which the use cases refuse to make, would end at its least id.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::ids::UserId;

/// What made somebody somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// An `alias` call from the former id.
    Alias,
    /// An `identify` call with both ids.
    Identify,
    /// A person's judgement.
    Merge,
}

impl By {
    /// The name in `linked_by` and `said_by`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alias => "alias",
            Self::Identify => "identify",
            Self::Merge => "merge",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Alias, Self::Identify, Self::Merge].into_iter().find(|by| by.as_str() == name)
    }
}

/// That somebody is the known user `known`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// When the call was made: the earliest claim wins.
    pub at: DateTime<Utc>,
    /// Who they are said to be; of two claims of one instant the lesser id wins.
    pub known: UserId,
    /// By which kind of call.
    pub by: By,
}

/// What was said about one visitor, and what people decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visitor {
    /// Everything that calls claimed.
    pub claims: BTreeSet<Claim>,
    /// Whether a known user goes by the visitor's id.
    pub is_known_user: bool,
    /// Users that this visitor is not, as people decided.
    pub split_from: BTreeSet<UserId>,
}

impl Visitor {
    /// The claim that stands; none leaves the visitor anonymous.
    #[must_use]
    pub fn standing(&self) -> Option<Claim> {
        self.claims
            .iter()
            .filter(|claim| !self.split_from.contains(&claim.known))
            .find(|claim| claim.by != By::Alias || !self.is_known_user)
            .copied()
    }
}

/// Where following the links ends, for everybody who has one.
#[must_use]
pub fn ends(links: &BTreeMap<UserId, UserId>) -> BTreeMap<UserId, UserId> {
    links.keys().map(|person| (*person, end(links, *person))).collect()
}

fn end(links: &BTreeMap<UserId, UserId>, person: UserId) -> UserId {
    let mut passed = Vec::new();
    let mut at = person;
    while let Some(next) = links.get(&at) {
        if let Some(start) = passed.iter().position(|one| *one == at) {
            return passed.iter().skip(start).min().copied().unwrap_or(person);
        }
        passed.push(at);
        at = *next;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> UserId {
        UserId::known(name)
    }

    fn claim(second: i64, name: &str, by: By) -> Claim {
        Claim { at: DateTime::from_timestamp(second, 0).unwrap(), known: user(name), by }
    }

    fn visitor(claims: &[Claim]) -> Visitor {
        Visitor { claims: claims.iter().copied().collect(), ..Visitor::default() }
    }

    #[test]
    fn a_shared_computer_belongs_to_the_first() {
        let shared = visitor(&[claim(9, "second", By::Identify), claim(5, "first", By::Identify)]);
        assert_eq!(shared.standing().unwrap().known, user("first"));
        let (a, b) = (claim(5, "a", By::Identify), claim(5, "b", By::Identify));
        assert_eq!(visitor(&[a, b]).standing().unwrap().known, user("a").min(user("b")));
    }

    #[test]
    fn an_alias_from_a_known_user_claims_nobody() {
        let mut former = visitor(&[claim(1, "new", By::Alias)]);
        assert_eq!(former.standing().unwrap().known, user("new"));
        former.is_known_user = true;
        assert_eq!(former.standing(), None);
        former.claims.insert(claim(7, "late", By::Identify));
        assert_eq!(former.standing().unwrap().known, user("late"), "an identify still tells");
    }

    #[test]
    fn what_people_split_stays_split() {
        let mut shared = visitor(&[claim(1, "a", By::Identify), claim(2, "b", By::Identify)]);
        shared.split_from.insert(user("a"));
        assert_eq!(shared.standing().unwrap().known, user("b"));
        shared.claims.insert(claim(0, "a", By::Alias));
        assert_eq!(shared.standing().unwrap().known, user("b"));
    }

    #[test]
    fn links_end_whatever_they_are() {
        let links = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(a, b)| (user(a), user(b))).collect::<BTreeMap<_, _>>()
        };
        let chain = ends(&links(&[("a", "b"), ("b", "c")]));
        assert_eq!((chain[&user("a")], chain[&user("b")]), (user("c"), user("c")));
        let least = user("x").min(user("y")).min(user("z"));
        let cycle = ends(&links(&[("x", "y"), ("y", "z"), ("z", "x"), ("in", "x"), ("me", "me")]));
        for name in ["x", "y", "z", "in"] {
            assert_eq!(cycle[&user(name)], least, "{name}");
        }
        assert_eq!(cycle[&user("me")], user("me"));
    }
}
