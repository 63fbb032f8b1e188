//! How handlers answer: a page, a fragment, a redirect.
//!
//! ```ignore
//! // One handler, one URL, two bodies:
//! if htmx.wants("rows") { answer::page(&page.as_rows()) } else { answer::page(&page) }
//! // A form that is done: 303 without JavaScript, HX-Location with it.
//! answer::told(&htmx, "/settings/team", "Mara was invited.")
//! // A form that is not: the same page or block again, as 422, with what was typed.
//! answer::unprocessable(&page)
//! ```

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, LOCATION};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use askama::Template;

use super::flash;
use super::shell::{Flash, Tone};
use crate::error::{Error, Result};

/// Whether htmx asks, and for which element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Htmx {
    /// Whether the request came from htmx.
    pub asks: bool,
    /// The id of the element that will be replaced.
    pub target: Option<String>,
}

impl Htmx {
    /// As the request's headers say.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            asks: header("hx-request") == Some("true"),
            target: header("hx-target").map(str::to_owned),
        }
    }

    /// Whether htmx asks for the block with this id; an unknown target gets the full page.
    #[must_use]
    pub fn wants(&self, target: &str) -> bool {
        self.asks && self.target.as_deref() == Some(target)
    }
}

impl FromRequest for Htmx {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request.headers())))
    }
}

/// A rendered template with a status.
///
/// # Errors
/// Internal, when the template can't be rendered.
pub fn html(status: StatusCode, template: &impl Template) -> Result<HttpResponse> {
    let body = template.render().map_err(Error::internal)?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(body))
}

/// A page or one of its blocks: 200.
///
/// # Errors
/// Internal, when the template can't be rendered.
pub fn page(template: &impl Template) -> Result<HttpResponse> {
    html(StatusCode::OK, template)
}

/// A form with its errors: 422.
///
/// # Errors
/// Internal, when the template can't be rendered.
pub fn unprocessable(template: &impl Template) -> Result<HttpResponse> {
    html(StatusCode::UNPROCESSABLE_ENTITY, template)
}

/// "See there": 303, after which the browser asks by GET.
#[must_use]
pub fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}

/// A form is done, on to `location`: 303, or HX-Location for htmx.
#[must_use]
pub fn done(htmx: &Htmx, location: &str) -> HttpResponse {
    if htmx.asks {
        HttpResponse::NoContent().insert_header(("HX-Location", location)).finish()
    } else {
        see_other(location)
    }
}

/// As [`done`], and the next page says `text`.
///
/// # Errors
/// Internal, when the message doesn't fit a cookie.
pub fn told(htmx: &Htmx, location: &str, text: impl Into<String>) -> Result<HttpResponse> {
    let mut response = done(htmx, location);
    let message = Flash { tone: Tone::Ok, text: text.into() };
    response.add_cookie(&flash::carry(&message)).map_err(Error::internal)?;
    Ok(response)
}

/// The path in `next`, if it leads to a page of ours: no other host, no trick with slashes, and
/// not back to the door.
#[must_use]
pub fn safe_next(next: &str) -> Option<&str> {
    let rest = next.strip_prefix('/')?;
    let is_plain = next.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    let is_door = ["login", "logout", "setup", "invite"].iter().any(|door| rest.starts_with(door));
    (is_plain && !rest.starts_with('/') && !is_door && next.len() <= 2000).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_stays_in_the_house() {
        assert_eq!(safe_next("/workspaces?stage=hot_pql"), Some("/workspaces?stage=hot_pql"));
        for bad in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\nb",
            "",
            "login",
            "/login",
        ] {
            assert_eq!(safe_next(bad), None, "{bad:?}");
        }
    }
}
