//! Whether a webhook comes from who knows the secret: Stripe's scheme and that of Standard Webhooks.
//!
//! Both sign the raw bytes with HMAC-SHA256 and the time of the attempt; they differ in nearly
//! everything else. Comparisons take the same time wherever the first difference is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How far the sender's clock and ours may be apart, in seconds.
pub const TOLERANCE: i64 = 300;
/// No header is longer; a longer one is not worth reading.
const LONGEST_HEADER: usize = 4096;

/// A shared secret, kept as its owner writes it: `whsec_…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret of this text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A new one for Standard Webhooks: 32 random bytes.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("whsec_{}", STANDARD.encode(rand::random::<[u8; 32]>())))
    }

    /// The whole secret: to be shown once, and for the store.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Its last four characters, by which people tell secrets apart.
    #[must_use]
    pub fn hint(&self) -> String {
        let letters: Vec<char> = self.0.chars().collect();
        letters.iter().skip(letters.len().saturating_sub(4)).collect()
    }

    /// The key of Standard Webhooks: 24 to 64 bytes in base64 behind `whsec_`.
    #[must_use]
    pub fn standard_key(&self) -> Option<Vec<u8>> {
        let text = self.0.strip_prefix("whsec_").unwrap_or(&self.0);
        STANDARD.decode(text).ok().filter(|key| (24..=64).contains(&key.len()))
    }
}

/// Never the secret, so that it does not get into a log by way of `{:?}`.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret(…{})", self.hint())
    }
}

/// Why a delivery is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disbelief {
    /// There is no signature, or not all of its headers.
    Unsigned,
    /// The headers do not read.
    Malformed,
    /// No signature fits any secret that is valid now.
    Forged,
    /// Signed with a valid secret, but too long ago: a replay, or a clock that is wrong.
    Expired,
    /// Signed with a valid secret, but in the future.
    Early,
}

impl Disbelief {
    /// A stable word for the list of deliveries and for the sender.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Malformed => "malformed_signature",
            Self::Forged => "wrong_signature",
            Self::Expired => "expired",
            Self::Early => "from_the_future",
        }
    }

    /// What happened and how to mend it.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Unsigned => {
                "The request carries no signature. Only signed deliveries are taken here."
            }
            Self::Malformed => "The signature headers could not be read.",
            Self::Forged => {
                "No signature fits the secrets of this endpoint. Compare the endpoint's signing secret \
                 with the one in Ripen, and sign the raw body."
            }
            Self::Expired => {
                "The signature is more than 5 minutes old: a replay, or one of the two clocks is wrong."
            }
            Self::Early => "The signature is from the future: one of the two clocks is wrong.",
        }
    }
}

/// Checks Stripe's `Stripe-Signature` (`t=…,v1=…[,v1=…]`) over the raw body. The key is the whole
/// text of the secret; other schemes are passed by; only the past is limited. Answers which secret
/// it was, by its place.
///
/// # Errors
/// Why it is not believed.
pub fn stripe(
    header: Option<&str>,
    body: &[u8],
    secrets: &[Secret],
    now: i64,
) -> Result<usize, Disbelief> {
    let header = header.ok_or(Disbelief::Unsigned)?;
    if header.len() > LONGEST_HEADER {
        return Err(Disbelief::Malformed);
    }
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let time = parts().find(|(name, _)| *name == "t").map(|(_, time)| time);
    let time = time.ok_or(Disbelief::Malformed)?;
    let at: i64 = time.parse().map_err(|_| Disbelief::Malformed)?;
    let signatures: Vec<Vec<u8>> = parts()
        .filter(|(name, _)| *name == "v1")
        .filter_map(|(_, value)| hex::decode(value).ok())
        .collect();
    if signatures.is_empty() {
        return Err(Disbelief::Malformed);
    }
    let keys: Vec<&[u8]> = secrets.iter().map(|secret| secret.reveal().as_bytes()).collect();
    let place = matching(&keys, &[time.as_bytes(), b".", body], &signatures)?;
    if now.saturating_sub(at) > TOLERANCE { Err(Disbelief::Expired) } else { Ok(place) }
}

/// Checks the headers of Standard Webhooks 1.0: id, time of the attempt, and a list of
/// `v1,<base64>` of which any may fit; unknown versions are passed by. Answers which secret it was.
///
/// # Errors
/// Why it is not believed.
pub fn standard(
    id: Option<&str>,
    timestamp: Option<&str>,
    signature: Option<&str>,
    body: &[u8],
    secrets: &[Secret],
    now: i64,
) -> Result<usize, Disbelief> {
    let (Some(id), Some(timestamp), Some(signature)) = (id, timestamp, signature) else {
        return Err(Disbelief::Unsigned);
    };
    if signature.len() > LONGEST_HEADER || id.is_empty() || id.len() > LONGEST_HEADER {
        return Err(Disbelief::Malformed);
    }
    let at: i64 = timestamp.parse().map_err(|_| Disbelief::Malformed)?;
    let signatures: Vec<Vec<u8>> = signature
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
        .filter_map(|text| STANDARD.decode(text).ok())
        .collect();
    if signatures.is_empty() {
        return Err(Disbelief::Malformed);
    }
    let decoded: Vec<Vec<u8>> =
        secrets.iter().map(|secret| secret.standard_key().unwrap_or_default()).collect();
    let keys: Vec<&[u8]> = decoded.iter().map(Vec::as_slice).collect();
    let signed: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    let place = matching(&keys, &signed, &signatures)?;
    if now.saturating_sub(at) > TOLERANCE {
        Err(Disbelief::Expired)
    } else if at.saturating_sub(now) > TOLERANCE {
        Err(Disbelief::Early)
    } else {
        Ok(place)
    }
}

/// The first key under which one of the signatures is right. An empty key never is.
fn matching(keys: &[&[u8]], signed: &[&[u8]], signatures: &[Vec<u8>]) -> Result<usize, Disbelief> {
    let fits = |key: &[u8]| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
        for part in signed {
            mac.update(part);
        }
        signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    };
    keys.iter().position(|key| !key.is_empty() && fits(key)).ok_or(Disbelief::Forged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STRIPE_SECRET: &str = "whsec_test_secret";
    const STRIPE_BODY: &[u8] = b"{\"id\":\"evt_1\",\"object\":\"event\"}";
    const STRIPE_TIME: i64 = 1_790_000_000;
    /// Made with stripe 16.1.0 (PyPI), `WebhookSignature.generate_signature_header`, and the same with
    /// stripe 23.1.0 (npm), `webhooks.generateTestHeaderString`.
    const STRIPE_HEADER: &str =
        "t=1790000000,v1=765d0d35514a56905b8ddef451bc5570cc45dfa0395a213879a36689a6be55a3";

    fn sign(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }

    fn stripe_header(secret: &str, body: &[u8], at: i64) -> String {
        let time = at.to_string();
        let v1 = hex::encode(sign(secret.as_bytes(), &[time.as_bytes(), b".", body]));
        format!("t={at},v1={v1}")
    }

    fn check(header: &str, secrets: &[&str], now: i64) -> Result<usize, Disbelief> {
        let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::new(*text)).collect();
        stripe(Some(header), STRIPE_BODY, &secrets, now)
    }

    #[test]
    fn what_stripes_own_library_signs_verifies() {
        assert_eq!(check(STRIPE_HEADER, &[STRIPE_SECRET], STRIPE_TIME), Ok(0));
    }

    #[test]
    fn stripe_signs_with_the_whole_secret_and_any_v1_may_fit() {
        let good = stripe_header(STRIPE_SECRET, STRIPE_BODY, STRIPE_TIME);
        assert_eq!(check(&good, &[STRIPE_SECRET], STRIPE_TIME), Ok(0));
        assert_eq!(check(&good, &["whsec_old", STRIPE_SECRET], STRIPE_TIME), Ok(1));
        let many = format!("{},v1={},v0=ff,v2=x", good, "00".repeat(32));
        assert_eq!(check(&many, &[STRIPE_SECRET], STRIPE_TIME), Ok(0));
        let swapped = good.replace("v1=", "v0=");
        assert_eq!(check(&swapped, &[STRIPE_SECRET], STRIPE_TIME), Err(Disbelief::Malformed));
        assert_eq!(check(&good, &["whsec_other"], STRIPE_TIME), Err(Disbelief::Forged));
        assert_eq!(check(&good, &[], STRIPE_TIME), Err(Disbelief::Forged));
    }

    #[test]
    fn stripe_limits_the_past_alone() {
        let good = stripe_header(STRIPE_SECRET, STRIPE_BODY, STRIPE_TIME);
        assert_eq!(check(&good, &[STRIPE_SECRET], STRIPE_TIME + 300), Ok(0));
        let late = check(&good, &[STRIPE_SECRET], STRIPE_TIME + 301);
        assert_eq!(late, Err(Disbelief::Expired));
        assert_eq!(check(&good, &[STRIPE_SECRET], STRIPE_TIME - 9000), Ok(0));
        let forged = check(&good, &["whsec_x"], STRIPE_TIME + 9000);
        assert_eq!(forged, Err(Disbelief::Forged), "a forger learns nothing about time");
    }

    // The example of the specification of Standard Webhooks.
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = b"{\"test\": 2432232314}";
    const TIME: i64 = 1_614_265_330;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn check_standard(signature: &str, key: &str, now: i64) -> Result<usize, Disbelief> {
        let time = TIME.to_string();
        standard(Some(ID), Some(&time), Some(signature), BODY, &[Secret::new(key)], now)
    }

    #[test]
    fn the_example_of_the_specification_verifies() {
        assert_eq!(check_standard(SIGNATURE, KEY, TIME), Ok(0));
        let several = format!("v1a,hmm v1,Zm9v {SIGNATURE} v2,x");
        assert_eq!(check_standard(&several, KEY, TIME), Ok(0));
        assert_eq!(check_standard(SIGNATURE, KEY, TIME + 301), Err(Disbelief::Expired));
        assert_eq!(check_standard(SIGNATURE, KEY, TIME - 301), Err(Disbelief::Early));
        assert_eq!(check_standard("v1a,AAAA", KEY, TIME), Err(Disbelief::Malformed));
        let other = Secret::random();
        assert_eq!(check_standard(SIGNATURE, other.reveal(), TIME), Err(Disbelief::Forged));
        assert_eq!(standard(None, Some("1"), Some("v1,x"), BODY, &[], 1), Err(Disbelief::Unsigned));
    }

    /// Made with standardwebhooks 1.1.0 (PyPI), and the same with 1.1.1 (npm).
    #[test]
    fn what_the_published_libraries_sign_verifies() {
        let signature = "v1,wZzZ1zmCxOtaEuJl4NRXlweVA7ZjeAX0Ce+rVY9EJHw=";
        let body = br#"{"type":"invite.sent","data":{}}"#;
        let secrets = [Secret::new(KEY)];
        let at = Some("1790000000");
        let verdict = standard(Some("msg_1"), at, Some(signature), body, &secrets, STRIPE_TIME);
        assert_eq!(verdict, Ok(0));
    }

    #[test]
    fn a_short_key_opens_nothing() {
        let time = TIME.to_string();
        let signature =
            STANDARD.encode(sign(b"", &[ID.as_bytes(), b".", time.as_bytes(), b".", BODY]));
        for key in ["whsec_", "", "whsec_AAAA"] {
            assert_eq!(
                check_standard(&format!("v1,{signature}"), key, TIME),
                Err(Disbelief::Forged)
            );
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::random();
        assert_eq!(secret.standard_key().map(|key| key.len()), Some(32));
        assert!(!format!("{secret:?}").contains(secret.reveal()));
    }

    proptest! {
        #[test]
        fn any_header_is_answered(header in ".{0,200}", body in proptest::collection::vec(any::<u8>(), 0..50)) {
            let secrets = [Secret::new(STRIPE_SECRET)];
            prop_assert!(stripe(Some(&header), &body, &secrets, 0).is_err());
            prop_assert!(standard(Some(&header), Some(&header), Some(&header), &body, &secrets, 0).is_err());
        }

        #[test]
        fn one_changed_byte_breaks_it(at in 0..STRIPE_BODY.len(), bit in 0..8_u32) {
            let header = stripe_header(STRIPE_SECRET, STRIPE_BODY, STRIPE_TIME);
            let mut body = STRIPE_BODY.to_vec();
            body[at] ^= 1 << bit;
            let verdict = stripe(Some(&header), &body, &[Secret::new(STRIPE_SECRET)], STRIPE_TIME);
            prop_assert_eq!(verdict, Err(Disbelief::Forged));
        }
    }
}
