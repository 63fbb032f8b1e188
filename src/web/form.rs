//! Forms: strings as typed, checked into a command or answered with 422 and what was typed.
//!
//! ```ignore
//! #[derive(Clone, Default, Deserialize)]
//! #[serde(default)]
//! pub struct InviteForm { email: String, role: String }
//!
//! impl InviteForm {
//!     fn check(&self) -> Result<Invite, FieldErrors> {
//!         let mut check = Check::default();
//!         let name = check.text("name", &self.name, "the name", 200);
//!         let role = check.one_of::<Role>("role", &self.role);
//!         let Some(role) = role else { return Err(check.errors()) };
//!         check.done(Invite { name, role })
//!     }
//! }
//!
//! // POST: form: Form<InviteForm>
//! match form.check() { Ok(invite) => …, Err(errors) => answer::unprocessable(&page(form, errors)) }
//! ```
//!
//! A form struct that holds a password is never put back into a page whole: the template leaves
//! the password's input empty.

use std::ops::Deref;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

use super::{address, csrf};
use crate::error::{Error, FieldErrors, Result};

/// A form as a struct of strings: fields that were not sent are empty (`#[serde(default)]`).
#[derive(Clone, Debug)]
pub struct Form<T>(pub T);

impl<T> Deref for Form<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = web::Payload::from_request(request, payload);
        Box::pin(async move {
            // `csrf` has read it within the same limit; actix's own for bytes is lower.
            let payload = payload.await.map_err(|_| unreadable())?;
            let body = payload.to_bytes_limited(csrf::LARGEST_FORM).await;
            let body = body.map_err(|_| unreadable())?.map_err(|_| unreadable())?;
            if address::holds_nul(&body) {
                return Err(Error::invalid(
                    "",
                    "The form holds a NUL character, which is no part of any text. Leave it out.",
                ));
            }
            serde_urlencoded::from_bytes(&body).map(Self).map_err(|_| unreadable())
        })
    }
}

/// A form as pairs in the order sent: for lists of checkboxes and rows that repeat a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// The first value of a name; empty when it was not sent.
    #[must_use]
    pub fn text<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or("")
    }

    /// Every value of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl FromRequest for Fields {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = Form::<Vec<(String, String)>>::from_request(request, payload);
        Box::pin(async move { form.await.map(|form| Self(form.0)) })
    }
}

fn unreadable() -> Error {
    Error::invalid("", "The form could not be read. Reload the page and try again.")
}

/// Collects what is wrong with a form while reading it.
#[derive(Clone, Debug, Default)]
pub struct Check(FieldErrors);

impl Check {
    /// Notes what is wrong with a field and how to mend it; `""` is the form as a whole.
    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.0.entry(field.to_owned()).or_default().push(message.into());
    }

    /// One line of text, trimmed, not empty, of at most `longest` characters. `what` names it in
    /// the message: "the name".
    pub fn text(&mut self, field: &str, typed: &str, what: &str, longest: usize) -> String {
        let text = typed.trim();
        if text.is_empty() {
            self.refuse(field, format!("Enter {what}."));
        } else if text.chars().count() > longest {
            self.refuse(field, format!("Shorten {what} to {longest} characters."));
        } else if text.chars().any(char::is_control) {
            self.refuse(field, format!("Write {what} on one line, without control characters."));
        }
        text.to_owned()
    }

    /// One of a closed set of words.
    pub fn one_of<T: FromStr>(&mut self, field: &str, typed: &str) -> Option<T> {
        let read = typed.parse().ok();
        if read.is_none() {
            self.refuse(field, "Choose one of the list.");
        }
        read
    }

    /// A whole number within limits, both included.
    pub fn number(&mut self, field: &str, typed: &str, least: i32, most: i32) -> Option<i32> {
        let read = typed.trim().parse().ok().filter(|number| (least..=most).contains(number));
        if read.is_none() {
            self.refuse(field, format!("Enter a whole number from {least} to {most}."));
        }
        read
    }

    /// What was noted so far.
    #[must_use]
    pub fn errors(self) -> FieldErrors {
        self.0
    }

    /// The command, if nothing was noted.
    ///
    /// # Errors
    /// What was noted.
    pub fn done<T>(self, command: T) -> Result<T, FieldErrors> {
        if self.0.is_empty() { Ok(command) } else { Err(self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_collects_everything_that_is_wrong() {
        let mut check = Check::default();
        assert_eq!(check.text("name", "  Ada ", "the name", 10), "Ada");
        check.text("team", " ", "the team", 10);
        check.number("capacity", "-1", 0, 10);
        assert_eq!(check.number("capacity", " 7 ", 0, 10), Some(7));
        let errors = check.done(()).unwrap_err();
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["capacity", "team"]);
    }

    #[test]
    fn repeated_names_are_kept_in_order() {
        let pairs = serde_urlencoded::from_str("w=1&w=2&to=a").unwrap();
        let fields = Fields(pairs);
        assert_eq!(fields.all("w").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!((fields.text("to"), fields.text("gone")), ("a", ""));
    }
}
