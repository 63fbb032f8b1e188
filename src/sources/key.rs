//! What a key looks like: made at random, kept as a hash, recognised by its prefix.

use sha2::{Digest, Sha256};

/// How many characters of a key are kept in plain sight: `wk_` and 8 of its 40 digits.
const PREFIX_LENGTH: usize = 11;

/// How many characters a key has.
pub const LENGTH: usize = 43;

/// Whether a text begins as keys do.
#[must_use]
pub fn begins_like_ours(key: &str) -> bool {
    ["wk_", "sk_", "rk_"].iter().any(|lead| key.starts_with(lead))
}

/// What is wrong with the length of a text that begins as keys do, as the end of a sentence about
/// it; none when it is as long as a key is, or begins like no key.
#[must_use]
pub fn odd_length(key: &str) -> Option<String> {
    let key = key.trim();
    let length = key.chars().count();
    match length {
        _ if !begins_like_ours(key) || length == LENGTH => None,
        0..LENGTH => Some(format!(
            "is cut off: {length} of {LENGTH} characters arrived. Copy it whole, or make a new one."
        )),
        _ => Some(format!(
            "is too long: {length} characters arrived, a key has {LENGTH}. Copy it alone."
        )),
    }
}

/// The SHA-256 of a key. A plain hash will do: keys are 160 random bits, nobody guesses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// The hash of a key as it came over the wire. Surrounding white space is not part of a key:
    /// keys are copied by hand.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.trim().as_bytes()).into())
    }
}

/// What a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Lets an SDK send events: `wk_…`.
    Write,
    /// Lets a server send events and records: `sk_…`.
    Server,
    /// Lets a script use the JSON API: `rk_…`.
    Api,
}

/// A new key. Its text exists only here, between its making and its only showing.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey {
    text: String,
}

impl NewKey {
    /// Makes a key of 160 random bits.
    #[must_use]
    pub fn random(kind: Kind) -> Self {
        let lead = match kind {
            Kind::Write => "wk_",
            Kind::Server => "sk_",
            Kind::Api => "rk_",
        };
        Self { text: format!("{lead}{}", hex::encode(rand::random::<[u8; 20]>())) }
    }

    /// The whole key, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What is kept to recognise the key by in a list, such as `wk_3fa09c1e`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.text.get(..PREFIX_LENGTH).unwrap_or(&self.text)
    }

    /// What is kept to check the key by.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.text)
    }
}

/// Only the prefix, so that a key never gets into a log by way of `{:?}`.
impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewKey({}…)", self.prefix())
    }
}

/// What an API key may do (`api.md`). Each scope contains the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read everything.
    Read,
    /// Upsert records and report outcomes.
    Write,
    /// Change and publish models, rules, catalog.
    Admin,
}

impl Scope {
    /// The name in the database and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// Reads `read,write`; the answer is sorted, without repeats and never empty.
    ///
    /// # Errors
    /// Says which word is no scope.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let mut scopes = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            scopes.push(match word {
                "read" => Self::Read,
                "write" => Self::Write,
                "admin" => Self::Admin,
                other => return Err(format!("“{other}” is no scope: use read, write, admin")),
            });
        }
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            Err("name at least one of read, write, admin".into())
        } else {
            Ok(scopes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_kind_a_prefix_and_never_repeats() {
        let (a, b) = (NewKey::random(Kind::Write), NewKey::random(Kind::Write));
        assert!(a.reveal().starts_with("wk_") && a.reveal().len() == 43);
        assert_eq!(a.prefix(), &a.reveal()[..11]);
        assert_ne!(a, b);
        assert!(NewKey::random(Kind::Api).reveal().starts_with("rk_"));
    }

    #[test]
    fn a_key_does_not_show_itself_when_printed_for_debugging() {
        let key = NewKey::random(Kind::Api);
        assert!(!format!("{key:?}").contains(key.reveal()));
    }

    #[test]
    fn the_hash_forgives_white_space_around_a_copied_key() {
        let key = NewKey::random(Kind::Write);
        assert_eq!(KeyHash::of(&format!(" {}\n", key.reveal())), key.hash());
        assert_ne!(KeyHash::of("wk_other"), key.hash());
    }

    #[test]
    fn a_key_that_was_cut_is_told_from_a_foreign_one() {
        let key = NewKey::random(Kind::Write);
        assert_eq!(key.reveal().len(), LENGTH);
        assert_eq!(odd_length(key.reveal()), None);
        for length in [3, 11, 20, 42] {
            let said = odd_length(&key.reveal()[..length]).unwrap();
            assert!(said.contains(&format!("cut off: {length} of 43 characters")), "{said}");
        }
        assert!(odd_length("wk_01234567…").unwrap().contains("12 of 43"), "as pages show it");
        let twice = key.reveal().repeat(2);
        assert!(odd_length(&twice).unwrap().contains("86 characters arrived"));
        for foreign in ["", "wk", "AbCdEfGhIjKlMnOp", "phc_0123456789"] {
            assert_eq!(odd_length(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn scopes_are_sorted_and_checked() {
        assert_eq!(Scope::parse_list("write, read,write"), Ok(vec![Scope::Read, Scope::Write]));
        assert!(Scope::parse_list("root").is_err());
        assert!(Scope::parse_list(" , ").is_err());
    }
}
