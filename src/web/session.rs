//! The session cookie: its name, its rules and who is behind it.
//!
//! Not actix-session: that keeps a map behind an encrypted cookie, needs a key that survives
//! restarts, and knows neither whose session it is nor how to list or revoke one. Here the cookie is
//! a random token, the table keeps its SHA-256 beside the member, and nothing else is needed.
//!
//! The same cookie carries a token before anybody signed in (no row belongs to it): forms before
//! the login have a CSRF token too. Signing in always makes a new one, so that a token planted
//! earlier is worth nothing.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use chrono::TimeDelta;

use super::{client_address, token};
use crate::app::App;

/// A session that is not used ends.
pub const IDLE: TimeDelta = TimeDelta::hours(12);
/// A session ends, used or not.
pub const ABSOLUTE: TimeDelta = TimeDelta::days(7);
/// How long a browser keeps its device token; the throttle's `KNOWN_FOR`.
const DEVICE_LASTS: TimeDelta = TimeDelta::days(90);
/// `last_seen_at` is written no more often than this.
pub const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);

/// The `__Host-` prefix makes browsers insist on Secure, our exact host and the root path; over
/// plain http browsers would refuse it.
fn name(https: bool) -> &'static str {
    if https { "__Host-ripen" } else { "ripen" }
}

/// The token that the browser sent, whether or not a session belongs to it.
#[must_use]
pub fn token_of(request: &HttpRequest, app: &App) -> Option<String> {
    request
        .cookie(name(app.is_https()))
        .map(|cookie| cookie.value().to_owned())
        .filter(|token| token.len() == 43)
}

/// The cookie that carries `token`: HttpOnly, SameSite=Lax, and Secure over https.
#[must_use]
pub fn cookie(app: &App, token: String) -> Cookie<'static> {
    Cookie::build(name(app.is_https()), token)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.is_https())
        .max_age(Duration::seconds(ABSOLUTE.num_seconds()))
        .finish()
}

/// The cookie that makes the browser forget its token.
#[must_use]
pub fn forget(app: &App) -> Cookie<'static> {
    let mut cookie = cookie(app, String::new());
    cookie.set_max_age(Duration::ZERO);
    cookie
}

/// The browser's token for a page before signing in, with the cookie to set if it had none.
#[must_use]
pub fn before_sign_in(request: &HttpRequest, app: &App) -> (String, Option<Cookie<'static>>) {
    match token_of(request, app) {
        Some(token) => (token, None),
        None => {
            let token = token::random();
            (token.clone(), Some(cookie(app, token)))
        }
    }
}

/// The device token that the browser sent, or a new one for [`device_cookie`] to set. By it the throttle
/// knows a browser in which somebody signed in before; it opens nothing.
#[must_use]
pub fn device_of(request: &HttpRequest, app: &App) -> String {
    request
        .cookie(device_name(app.is_https()))
        .map(|cookie| cookie.value().to_owned())
        .filter(|token| token.len() == 43)
        .unwrap_or_else(token::random)
}

/// The cookie by which a browser is known after a sign-in: it outlives the session.
#[must_use]
pub fn device_cookie(app: &App, token: String) -> Cookie<'static> {
    Cookie::build(device_name(app.is_https()), token)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.is_https())
        .max_age(Duration::seconds(DEVICE_LASTS.num_seconds()))
        .finish()
}

fn device_name(https: bool) -> &'static str {
    if https { "__Host-ripen-device" } else { "ripen-device" }
}

/// Where a request comes from, for the throttle and the list of sessions: the peer's address, or, where
/// the peer is a trusted proxy, the one that this tells of.
#[must_use]
pub fn address(request: &HttpRequest, app: &App) -> String {
    let Some(peer) = request.peer_addr() else { return "unknown".to_owned() };
    let headers: Vec<&str> = request
        .headers()
        .get_all("x-forwarded-for")
        .map(|value| value.to_str().unwrap_or_default())
        .collect();
    let trusted = &app.config.trusted_proxies;
    client_address::client(peer.ip(), headers.into_iter(), trusted).to_string()
}

/// The browser's name as it tells it, cut to what a list can show.
#[must_use]
pub fn user_agent(request: &HttpRequest) -> String {
    request
        .headers()
        .get("user-agent")
        .and_then(|value| value.to_str().ok())
        .map(|text| text.chars().take(300).collect())
        .unwrap_or_default()
}
