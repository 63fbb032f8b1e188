//! API keys: how scripts sign in to `/api`. `Authorization: Bearer <key>`, one scope each way:
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

use super::{permit, store, token};
use crate::error::{Error, Result};

/// A scope as a type.
pub trait Scope: 'static {
    /// The word in `api_keys.scopes`.
    const KEY: &'static str;
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $key:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Scope for $name {
            const KEY: &'static str = $key;
        }
    )*};
}

scopes! {
    /// Read facts, scores, decisions.
    Read = "read";
    /// Upsert facts and outcomes.
    Write = "write";
    /// Change and publish models, rules, the catalog.
    Admin = "admin";
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

impl<S: Scope> FromRequest for ApiKey<S> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = permit::app(&request)?;
            let hash = token::hash(bearer(&request).ok_or(Error::SignedOut)?);
            let now = app.clock.now();
            let (id, name, scopes) = app
                .db
                .read_web(move |conn| store::find_api_key(conn, &hash, now))
                .await?
                .ok_or(Error::SignedOut)?;
            if !scopes.iter().flatten().any(|scope| scope == S::KEY) {
                return Err(Error::Forbidden(format!(
                    "This key lacks the scope {}. Make one that has it in Settings, API keys.",
                    S::KEY
                )));
            }
            Ok(Self { id, name, scope: PhantomData })
        })
    }
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}
