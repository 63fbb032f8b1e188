//! One sentence that outlives a redirect: the form says it, the next full page shows it.
//!
//! It travels in a cookie for two minutes; nothing in it is trusted, and it is escaped like any
//! text.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::shell::{Flash, Tone};

const NAME: &str = "ripen-flash";

/// The cookie that carries a message to the next page.
#[must_use]
pub fn carry(flash: &Flash) -> Cookie<'static> {
    let text = format!("{}:{}", flash.tone.key(), flash.text);
    build(URL_SAFE_NO_PAD.encode(text), Duration::minutes(2))
}

/// The message that this request brought along.
#[must_use]
pub fn read(request: &HttpRequest) -> Option<Flash> {
    let cookie = request.cookie(NAME)?;
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cookie.value()).ok()?).ok()?;
    let (tone, text) = text.split_once(':')?;
    let tone =
        [Tone::Ok, Tone::Warn, Tone::Danger].into_iter().find(|known| known.key() == tone)?;
    Some(Flash { tone, text: text.to_owned() })
}

/// The cookie that ends it.
#[must_use]
pub fn forget() -> Cookie<'static> {
    build(String::new(), Duration::ZERO)
}

fn build(value: String, age: Duration) -> Cookie<'static> {
    Cookie::build(NAME, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(age)
        .finish()
}
