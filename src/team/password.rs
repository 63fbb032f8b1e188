//! Passwords: which are accepted, and how they are hashed.
//!
//! Length and guessability decide, not character classes (NIST SP 800-63B). Hashes are argon2id with
//! 47104 KiB, one pass, one lane, as PHC strings, so that the cost can be raised later.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

use crate::error::{Error, Result};

/// Fewest characters of a password.
pub const MIN_CHARS: usize = 12;
/// Most bytes: far above any passphrase, low enough that hashing is no lever.
pub const MAX_BYTES: usize = 1024;

/// The most common passwords of public breaches that are long enough to pass the length rule, and
/// the stems from which most others of that length are built.
const BREACHED: &str = include_str!("breached_passwords.txt");

/// A hash of no password: checked for unknown people, so that they take as long as known ones.
pub const NOBODY: &str = "$argon2id$v=19$m=47104,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$\
                          Gw3tiVTCa6Z1IzUoCRpNPpdGTwYRXPpGdzsYnhzsmFw";

/// Says why `password` is refused, or `None`. `context` holds what a stranger knows: the name and
/// the e-mail address.
#[must_use]
pub fn refusal(password: &str, context: &[&str]) -> Option<String> {
    if password.chars().count() < MIN_CHARS {
        return Some(format!(
            "Use at least {MIN_CHARS} characters. A few unrelated words are easy to remember."
        ));
    }
    if password.len() > MAX_BYTES {
        return Some(format!("Use at most {MAX_BYTES} bytes."));
    }
    let folded = password.to_lowercase();
    let mut rest = folded.clone();
    for word in contextual_words(context) {
        rest = rest.replace(&word, "");
    }
    if rest.chars().count() < MIN_CHARS / 2 {
        return Some(
            "This is mostly your name, your e-mail address or the name of this program: \
             the first thing somebody would try."
                .to_owned(),
        );
    }
    if is_breached(&folded) || is_monotonous(&folded) {
        return Some("This password is on the lists that attackers try first.".to_owned());
    }
    None
}

/// The words of the context of three letters or more, longest first, with the product's own name.
fn contextual_words(context: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = context
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
        .chain(["ripen"])
        .map(str::to_lowercase)
        .filter(|word| word.chars().count() >= 3)
        .collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words
}

/// Listed as such, or a listed word with digits and signs around it or repeated.
fn is_breached(folded: &str) -> bool {
    let bare = folded.trim_matches(|c: char| !c.is_alphabetic());
    BREACHED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).any(|listed| {
        folded == listed
            || bare == listed
            || (!bare.is_empty() && listed.len() >= 4 && bare.replace(listed, "").is_empty())
    })
}

/// Fewer than five different characters, or a straight run up or down.
fn is_monotonous(folded: &str) -> bool {
    let distinct: std::collections::BTreeSet<char> = folded.chars().collect();
    let codes: Vec<i64> = folded.chars().map(|c| i64::from(u32::from(c))).collect();
    let run = |step: i64| {
        codes.iter().zip(codes.iter().skip(1)).filter(|(a, b)| **b - **a == step).count() + 3
            >= codes.len()
    };
    distinct.len() < 5 || run(1) || run(-1)
}

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(47104, 1, 1, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password with a fresh salt into a PHC string. Takes tens of milliseconds and 46 MiB:
/// never on a web thread, never inside a transaction (`team::hashing` sees to both).
///
/// # Errors
/// Internal, if the random source or the hasher fails.
pub fn hash(password: &str) -> Result<String> {
    let hash = hasher()?.hash_password(password.as_bytes()).map_err(Error::internal)?;
    Ok(hash.to_string())
}

/// Whether `password` is the one that was hashed. An unreadable hash matches nothing.
///
/// # Errors
/// Internal, if the hasher cannot be set up.
pub fn matches(password: &str, phc: &str) -> Result<bool> {
    let Ok(parsed) = argon2::PasswordHash::new(phc) else { return Ok(false) };
    Ok(hasher()?.verify_password(password.as_bytes(), &parsed).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: &[&str] = &["Mara Lindqvist", "mara.lindqvist@northwind.example"];

    #[test]
    fn a_passphrase_is_accepted_and_common_ones_are_refused() {
        assert_eq!(refusal("orchard kettle violin", WHO), None);
        assert_eq!(refusal("ein schöner Morgen", WHO), None);
        for bad in [
            "short",
            "password1234",
            "Password!2345",
            "passwordpassword",
            "qwertyuiop123",
            "123456789012",
            "aaaaaaaaaaaaaaaa",
            "abcdefghijklmnop",
            "maralindqvist1",
            "ripenripenripen",
            "mara.lindqvist@northwind.example",
        ] {
            assert!(refusal(bad, WHO).is_some(), "{bad}");
        }
        assert!(refusal(&"long words ".repeat(200), WHO).is_some());
    }

    #[test]
    fn a_hash_matches_its_password_only_and_has_the_agreed_cost() {
        let phc = hash("orchard kettle violin").unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"));
        assert!(matches("orchard kettle violin", &phc).unwrap());
        assert!(!matches("orchard kettle viola", &phc).unwrap());
        assert!(!matches("anything", "not a hash").unwrap());
    }

    #[test]
    fn nobodys_hash_is_readable_and_costs_the_same() {
        let parsed = argon2::PasswordHash::new(NOBODY).unwrap();
        assert_eq!(parsed.params.to_string(), "m=47104,t=1,p=1");
        assert!(!matches("anything", NOBODY).unwrap());
    }
}
