//! Passwords: which are accepted, and how they are hashed.
//!
//! Length and guessability decide, not character classes (NIST SP 800-63B): at least twelve characters,
//! none of the 100,000 commonest passwords, nothing that an attacker with a dictionary guesses soon. Hashes are argon2id with
//! 47104 KiB, one pass, one lane, as PHC strings, so that the cost can be raised later.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Fewest characters of a password.
pub const MIN_CHARS: usize = 12;
/// Most bytes: far above any passphrase, low enough that hashing is no lever.
pub const MAX_BYTES: usize = 1024;

/// The commonest passwords of public breaches: [`common_key`]s, sorted; `common_passwords.md` says whence.
const COMMON: &[u8] = include_bytes!("common_passwords.bin");
/// Guesses, as a power of ten, that a password has to withstand at least: an attacker who knows people's
/// habits (words, names, dates, keyboards, swapped letters) needs more of them.
const LEAST_GUESSES_LOG10: f64 = 8.5;
/// Digits and signs that people put around a common password.
const LONGEST_ADDITION: usize = 6;

/// A hash of no password: checked for unknown people, so that they take as long as known ones.
pub const NOBODY: &str = "$argon2id$v=19$m=47104,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$\
                          Gw3tiVTCa6Z1IzUoCRpNPpdGTwYRXPpGdzsYnhzsmFw";

/// Says why `password` is refused, or `None`: the same wherever one is set. `context` holds what a
/// stranger knows: the name and the e-mail address.
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
    let words = contextual_words(context);
    let rest = words.iter().fold(folded.clone(), |rest, word| rest.replace(word.as_str(), ""));
    if rest.chars().count() < MIN_CHARS / 2 {
        return Some(
            "This is mostly your name, your e-mail address or the name of this program: \
             the first thing somebody would try."
                .to_owned(),
        );
    }
    if is_common(&folded) || is_guessable(password, &words) {
        return Some(
            "This password is common or easy to guess. Use a few unrelated words instead."
                .to_owned(),
        );
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

/// Whether an attacker needs few guesses: parts of it are words, names, dates, rows of keys, repetitions or
/// the context's.
fn is_guessable(password: &str, words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    zxcvbn::zxcvbn(password, &words).guesses_log10() < LEAST_GUESSES_LOG10
}

/// Whether a password in lower case is a listed one, also without the signs between its letters and
/// with a few digits or signs around it.
fn is_common(folded: &str) -> bool {
    let joined: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
    let letters: Vec<char> = folded.chars().collect();
    let added = |found: usize| found.min(LONGEST_ADDITION);
    let before = added(letters.iter().take_while(|c| !c.is_alphabetic()).count());
    let behind = added(letters.iter().rev().take_while(|c| !c.is_alphabetic()).count());
    let without = |before: usize, behind: usize| {
        let kept = letters.len().saturating_sub(before).saturating_sub(behind);
        let core: String = letters.iter().skip(before).take(kept).collect();
        kept >= MIN_CHARS / 2 && is_listed(&core)
    };
    is_listed(&joined)
        || (0..=behind).any(|behind| without(0, behind))
        || (1..=before).any(|before| without(before, 0) || without(before, behind))
}

fn is_listed(folded: &str) -> bool {
    COMMON.as_chunks().0.binary_search(&common_key(folded)).is_ok()
}

/// What the list of common passwords keeps of one in lower case.
#[must_use]
pub fn common_key(folded: &str) -> [u8; 4] {
    let digest: [u8; 32] = Sha256::digest(folded.as_bytes()).into();
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
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

    /// The passwords of twelve or more characters among the 30,000 commonest that zxcvbn lists.
    const ZXCVBN: &str = include_str!("../../tests/fixtures/common_passwords.txt");

    #[test]
    fn a_passphrase_is_accepted() {
        for good in [
            "orchard kettle violin",
            "ein schöner Morgen",
            "mittens and socks",
            "kitchen table 99",
            "xK9#mQ2$vL7p",
            "8273645192837",
            "日本語の合言葉は長い方がよい",
            "correct-horse-battery-staple-7",
        ] {
            assert_eq!(refusal(good, WHO), None, "{good}");
        }
    }

    #[test]
    fn common_and_guessable_ones_are_refused() {
        for bad in [
            "short",
            "password1234",
            "Password!2345",
            "passwordpassword",
            "P@ssw0rdP@ssw0rd",
            "qwertyuiop123",
            "qazwsxedcrfvtgb1",
            "123456789012",
            "aaaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaaab",
            "abcdefghijklmnop",
            "letmein-letmein-1",
            "i love you forever",
            "sunshine sunshine",
            "Winter2026!!!",
            "Summer2026Summer",
            "20261129202611",
            "maralindqvist1",
            "MaraLindqvist2026",
            "tsivqdnilaram",
            "ripenripenripen",
            "Ripen2026Ripen!",
            "Northwind2026!",
            "mara.lindqvist@northwind.example",
        ] {
            assert!(refusal(bad, WHO).is_some(), "{bad}");
        }
        assert!(refusal(&"long words ".repeat(200), WHO).is_some());
    }

    #[test]
    fn the_commonest_are_refused_also_in_capitals_and_with_an_addition() {
        assert_eq!(ZXCVBN.lines().count(), 229);
        for word in ZXCVBN.lines() {
            let mut capital = word.to_owned();
            if let Some(first) = capital.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            for variant in [
                word.to_owned(),
                word.to_uppercase(),
                format!("{capital}1"),
                format!("{capital}!"),
                format!("{word}123"),
                format!("{word}2026"),
                format!("{capital}2026!"),
                format!("{word}#1"),
                format!("1{word}"),
                format!("!{word}!"),
                format!("{word}{word}"),
            ] {
                assert!(refusal(&variant, &[]).is_some(), "{variant}");
            }
        }
    }

    #[test]
    fn the_list_is_whole_and_takes_few_others_for_listed() {
        let (entries, rest) = COMMON.as_chunks::<4>();
        assert_eq!((entries.len(), rest.len()), (100_000, 0));
        assert!(entries.is_sorted());
        // Listed, and not among the 30,000 of zxcvbn.
        for listed in ["iloveyouforever", "thisismypassword", "passwordpassword", "ilovemyself"] {
            assert!(is_listed(listed), "{listed}");
        }
        let found = (0..100_000).filter(|n| is_listed(&format!("unlisted words {n}"))).count();
        assert!(found < 20, "{found}");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged(text in ".{0,130}", name in ".{0,40}") {
            let _ = refusal(&text, &[&name]);
        }
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
