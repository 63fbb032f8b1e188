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

/// Browsers drop a cookie above 4 KB, and relays refuse the whole answer: a product's names are as
/// long as it likes, the message about them is not.
const LONGEST: usize = 600;

/// The cookie that carries a message to the next page.
#[must_use]
pub fn carry(flash: &Flash) -> Cookie<'static> {
    let mut said: String = flash.text.chars().take(LONGEST).collect();
    if said.len() < flash.text.len() {
        said.push('…');
    }
    let text = format!("{}:{said}", flash.tone.key());
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

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_message_fits_into_a_cookie_however_long_a_name_is() {
        let flash = Flash { tone: Tone::Warn, text: "\u{202e}🦀".repeat(10_000) };
        let cookie = carry(&flash);
        assert!(cookie.to_string().len() < 4096, "{}", cookie.to_string().len());
        let request = TestRequest::get().cookie(cookie).to_http_request();
        let told = read(&request).unwrap();
        assert!(told.text.starts_with("\u{202e}🦀") && told.text.ends_with('…'));
        let short = Flash { tone: Tone::Ok, text: "Saved.".to_owned() };
        let request = TestRequest::get().cookie(carry(&short)).to_http_request();
        assert_eq!(read(&request), Some(short));
    }
}
