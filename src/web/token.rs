//! Random secrets and their hashes: session cookies, one-time links, keys.
//!
//! Whoever holds the token is let in, so the database keeps only its SHA-256: a stolen copy of the
//! database opens no door. The tokens are 256 random bits, which needs no slow hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A fresh secret of 32 random bytes as 43 characters of base64url: safe in a path and a cookie.
#[must_use]
pub fn random() -> String {
    let bytes: [u8; 32] = rand::random();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The SHA-256 of a token's text: what the database keeps.
#[must_use]
pub fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// A second secret derived from `token` for one `purpose`; it does not lead back to the token.
#[must_use]
pub fn derived(token: &str, purpose: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(purpose.as_bytes());
    digest.update([0]);
    digest.update(token.as_bytes());
    URL_SAFE_NO_PAD.encode(digest.finalize())
}

/// Whether two secrets are equal, in a time that does not tell where they differ.
#[must_use]
pub fn equal(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_differ() {
        assert_eq!(random().len(), 43);
        assert_ne!(random(), random());
    }

    #[test]
    fn a_derived_secret_depends_on_token_and_purpose() {
        assert_eq!(derived("a", "csrf"), derived("a", "csrf"));
        assert_ne!(derived("a", "csrf"), derived("b", "csrf"));
        assert_ne!(derived("a", "csrf"), derived("a", "device"));
        assert!(equal("same", "same"));
        assert!(!equal("same", "other"));
    }
}
