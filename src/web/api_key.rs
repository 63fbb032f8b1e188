//! API keys: how scripts sign in to `/api`. `Authorization: Bearer <key>`; a scope contains the ones
//! before it:
//!
//! ```ignore
//! pub async fn index(app: web::Data<App>, key: ApiKey<Read>) -> Result<HttpResponse> { … }
//! ```

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use super::permit;
use crate::error::{Error, Result};
use crate::sources::key::{self, KeyHash, Scope};
use crate::sources::store;

/// A scope as a type.
pub trait Reach: 'static {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Reach for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )*};
}

scopes! {
    /// Read facts, scores, decisions.
    Read;
    /// Upsert facts and outcomes.
    Write;
    /// Change and publish models, rules, the catalog.
    Admin;
}

/// Proof that the request carries a live key with the scope.
#[derive(Clone, Debug)]
pub struct ApiKey<S> {
    /// The key's id.
    pub id: Uuid,
    /// What its maker called it; the actor's name in the audit log.
    pub name: String,
    scope: PhantomData<S>,
}

impl<S: Reach> FromRequest for ApiKey<S> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = permit::app(&request)?;
            let hash = KeyHash::of(bearer(&request).ok_or(Error::SignedOut)?);
            let now = app.clock.now();
            let key = app
                .db
                .tx_web(move |conn| store::use_api_key(conn, &hash, now))
                .await?
                .ok_or(Error::SignedOut)?;
            // The words are ranked as the scopes are: each contains the ones before it.
            let opens = [Scope::Read, Scope::Write, Scope::Admin]
                .into_iter()
                .filter(|scope| *scope >= S::SCOPE)
                .any(|scope| key.scopes.iter().flatten().any(|word| word == scope.name()));
            if !opens {
                return Err(Error::Forbidden(format!(
                    "This key lacks the scope {}. Make a key that has it.",
                    S::SCOPE.name()
                )));
            }
            Ok(Self { id: key.id, name: key.name, scope: PhantomData })
        })
    }
}

/// How a request that was not let in tried to sign in, without what it sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Not at all.
    None,
    /// By something else than `Authorization: Bearer`.
    OtherScheme,
    /// By a key of another kind: a write key or a server key.
    OtherKind,
    /// By a key that is shorter or longer than keys are: so many characters.
    OddLength(usize),
    /// By a key that opens nothing.
    Unknown,
}

impl Credentials {
    /// What these headers hold.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let Some(header) = headers.get(AUTHORIZATION) else {
            let elsewhere = ["x-api-key", "api-key"].iter().any(|name| headers.contains_key(*name));
            return if elsewhere { Self::OtherScheme } else { Self::None };
        };
        let Some((scheme, key)) = header.to_str().unwrap_or_default().trim().split_once(' ') else {
            return Self::OtherScheme;
        };
        let key = key.trim();
        if !scheme.eq_ignore_ascii_case("bearer") {
            Self::OtherScheme
        } else if key.starts_with("wk_") || key.starts_with("sk_") {
            Self::OtherKind
        } else if key::odd_length(key).is_some() {
            Self::OddLength(key.chars().count())
        } else {
            Self::Unknown
        }
    }

    /// What to do, in words. It says the same whether or not a key would open: it was not looked at
    /// unless it came as it should.
    #[must_use]
    pub fn advice(self) -> String {
        match self {
            Self::None => {
                "No API key came. Send it in the header Authorization: Bearer YOUR_API_KEY."
                    .to_owned()
            }
            Self::OtherScheme => "The API takes its key as Bearer only. Send the header \
                Authorization: Bearer YOUR_API_KEY, not Basic and no other header."
                .to_owned(),
            Self::OtherKind => {
                "This is a key for sending events or records. The API needs an API key, \
                which begins with rk_: make one in Settings, Keys."
                    .to_owned()
            }
            Self::OddLength(length) if length < key::LENGTH => format!(
                "This API key is cut off: {length} of {} characters arrived. Copy it whole, or make a new one.",
                key::LENGTH
            ),
            Self::OddLength(length) => format!(
                "This API key is too long: {length} characters arrived, a key has {}. Copy it alone.",
                key::LENGTH
            ),
            Self::Unknown => {
                "This API key is unknown, revoked or expired. Make a new one in Settings, Keys."
                    .to_owned()
            }
        }
    }
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn each_wrong_way_to_sign_in_is_told_the_right_one() {
        let key = "rk_0123456789abcdef0123456789abcdef01234567";
        let of = |name: &'static str, value: String| {
            Credentials::of(
                TestRequest::get().insert_header((name, value)).to_http_request().headers(),
            )
        };
        for (header, value, expected) in [
            ("authorization", "Basic cmtfMDEyMzo=".to_owned(), Credentials::OtherScheme),
            ("authorization", format!("Token {key}"), Credentials::OtherScheme),
            ("authorization", key.to_owned(), Credentials::OtherScheme),
            ("x-api-key", key.to_owned(), Credentials::OtherScheme),
            (
                "authorization",
                format!("Bearer {}", key.replace("rk", "wk")),
                Credentials::OtherKind,
            ),
            (
                "authorization",
                format!("Bearer {}", key.replace("rk", "sk")),
                Credentials::OtherKind,
            ),
            ("authorization", format!("bearer {}", &key[..20]), Credentials::OddLength(20)),
            ("authorization", format!("Bearer {key}{key}"), Credentials::OddLength(86)),
            ("authorization", format!("Bearer {key}"), Credentials::Unknown),
            ("x-other", key.to_owned(), Credentials::None),
        ] {
            let found = of(header, value.clone());
            assert_eq!(found, expected, "{header}: {value}");
            assert!(!found.advice().contains(key));
        }
        assert!(Credentials::OtherScheme.advice().contains("Authorization: Bearer"));
        assert!(Credentials::OddLength(20).advice().contains("20 of 43 characters"));
    }
}
