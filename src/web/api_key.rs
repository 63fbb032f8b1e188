//! API keys: how scripts sign in to `/api`. `Authorization: Bearer <key>`; a scope contains the ones
//! before it:
//!
//! ```ignore
//! pub async fn index(app: web::Data<App>, key: ApiKey<Read>) -> Result<HttpResponse> { … }
//! ```

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use super::permit;
use crate::error::{Error, Result};
use crate::sources::key::{KeyHash, Scope};
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

fn bearer(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}
