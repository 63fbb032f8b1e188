//! Why two known users may be one person, and how sure that makes. Pure and total.
//!
//! Two users are never merged by calls. What suggests it is kept as evidence, a function of the set of
//! everything said: the same SSO subject, the same e-mail, an alias call from one to the other. An
//! e-mail speaks less when nobody says that it is verified, and not at all when somebody says that it
//! is not. An address or subject that more than [`MOST`] users share is a shared inbox and
//! speaks for nobody, as role and throw-away addresses do.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::domain::{Email, EmailKind};
use crate::ids::{SourceId, UserId};
use crate::ingest::message::is_junk_id;

/// More owners than this make an address a shared one.
pub const MOST: usize = 10;

/// What kind of evidence; the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The same subject at the same identity provider.
    Sso,
    /// The same e-mail.
    Email,
    /// An alias call from one user's id to the other's.
    Alias,
}

impl Kind {
    /// The name in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sso => "sso",
            Self::Email => "email",
            Self::Alias => "alias",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Sso, Self::Email, Self::Alias].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// When something was first said, and by which source: the earlier counts.
pub type Heard = (DateTime<Utc>, SourceId);

/// Somebody who goes by a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Who.
    pub user: UserId,
    /// Since when.
    pub heard: Heard,
    /// What the product says about it, if anything: e-mails only.
    pub verified: Option<bool>,
}

/// Two users, the lesser id first.
pub type Pair = (UserId, UserId);

/// The pair of these two; none when they are one.
#[must_use]
pub fn pair(one: UserId, other: UserId) -> Option<Pair> {
    (one != other).then(|| (one.min(other), one.max(other)))
}

/// One piece of evidence for a pair; kind and value tell it from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Since when both are known under it.
    pub heard: Heard,
    /// Both are said to be verified.
    pub verified: bool,
}

/// The pairs for which a shared value speaks. `owners` may leave some out when there are more than
/// [`MOST`]; each user stands in it once.
#[must_use]
pub fn of_shared(kind: Kind, value: &str, owners: &[Owner]) -> BTreeMap<Pair, Piece> {
    let mut pairs = BTreeMap::new();
    if owners.len() > MOST || !speaks(kind, value) {
        return pairs;
    }
    let owners: Vec<&Owner> = owners.iter().filter(|owner| owner.verified != Some(false)).collect();
    for (place, one) in owners.iter().enumerate() {
        for other in owners.iter().skip(place.saturating_add(1)) {
            let Some(pair) = pair(one.user, other.user) else { continue };
            let verified = one.verified == Some(true) && other.verified == Some(true);
            pairs.insert(pair, Piece { heard: one.heard.max(other.heard), verified });
        }
    }
    pairs
}

/// Whether a value of this kind can tell one person from another.
fn speaks(kind: Kind, value: &str) -> bool {
    match kind {
        Kind::Sso | Kind::Alias => !is_junk_id(value),
        Kind::Email => Email::parse(value)
            .is_some_and(|email| matches!(email.kind, EmailKind::Corporate | EmailKind::Personal)),
    }
}

/// What one piece is worth, in per cent.
#[must_use]
pub const fn weight(kind: Kind, verified: bool) -> u32 {
    match (kind, verified) {
        (Kind::Sso, _) => 95,
        (Kind::Email, true) => 90,
        (Kind::Alias, _) => 80,
        (Kind::Email, false) => 60,
    }
}

/// All pieces together, in whole per cent, rounded down: `1 - prod(1 - w)`, never 100.
#[must_use]
pub fn confidence(weights: impl IntoIterator<Item = u32>) -> u32 {
    // In millionths, so that no float is needed.
    let doubt = weights.into_iter().fold(1_000_000_u64, |doubt, weight| {
        doubt.saturating_mul(u64::from(100_u32.saturating_sub(weight))) / 100
    });
    u32::try_from(1_000_000_u64.saturating_sub(doubt) / 10_000).unwrap_or(99).min(99)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(name: &str, second: i64, verified: Option<bool>) -> Owner {
        let at = DateTime::from_timestamp(second, 0).unwrap();
        Owner { user: UserId::known(name), heard: (at, SourceId(uuid::Uuid::nil())), verified }
    }

    #[test]
    fn an_e_mail_speaks_by_how_sure_it_is() {
        let (a, b) = (owner("a", 1, Some(true)), owner("b", 9, Some(true)));
        let of = |owners: &[Owner]| of_shared(Kind::Email, "dana@acme.com", owners);
        let both = of(&[a, b]);
        assert_eq!(both.len(), 1);
        let piece = both.values().next().unwrap();
        assert!(piece.verified);
        assert_eq!(piece.heard, b.heard, "since the later of the two");
        assert!(!of(&[a, owner("b", 9, None)]).values().next().unwrap().verified);
        assert!(of(&[a, owner("b", 9, Some(false))]).is_empty());
        assert!(of(&[a]).is_empty());
    }

    #[test]
    fn shared_inboxes_speak_for_nobody() {
        let two = [owner("a", 1, None), owner("b", 2, None)];
        for address in ["info@acme.com", "x@mailinator.com", "null", "a@localhost", ""] {
            assert!(of_shared(Kind::Email, address, &two).is_empty(), "{address}");
        }
        assert!(of_shared(Kind::Sso, "undefined", &two).is_empty());
        let many: Vec<Owner> = (0..11).map(|n| owner(&n.to_string(), n, None)).collect();
        assert!(of_shared(Kind::Email, "team@acme.io", &many).is_empty());
        assert_eq!(of_shared(Kind::Sso, "00u1", &many[..10]).len(), 45);
    }

    #[test]
    fn evidence_adds_up_and_never_proves() {
        assert_eq!(confidence([]), 0);
        assert_eq!(confidence([60]), 60);
        assert_eq!(confidence([80, 60]), 92);
        assert_eq!(confidence([95, 90, 80, 60]), 99);
        assert_eq!(confidence([100]), 99);
    }
}
