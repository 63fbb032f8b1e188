//! The team's forms: what was typed, checked into commands.
//!
//! Structs that hold passwords are not printable and are not put back into pages.

use chrono_tz::Tz;
use serde::Deserialize;

use super::member::{Function, Role};
use super::ops::NewInvite;
use super::password;
use crate::error::FieldErrors;
use crate::values::text::same_word;
use crate::web::form::Check;

/// `POST /login`.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct LoginForm {
    /// As typed.
    pub email: String,
    /// As typed.
    pub password: String,
    /// Where to go afterwards.
    pub next: String,
}

/// `POST /setup/{token}` and `POST /invite/{token}`.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct JoinForm {
    /// As typed; unused where the invite names the address.
    pub email: String,
    /// As typed.
    pub name: String,
    /// As typed.
    pub password: String,
}

/// Somebody's own data, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Join {
    /// Lower case.
    pub email: String,
    /// One line.
    pub name: String,
    /// Accepted by the policy.
    pub password: String,
}

impl JoinForm {
    /// Checks a form; `email` is the invite's address, if there is one.
    ///
    /// # Errors
    /// Messages at `email`, `name`, `password`.
    pub fn check(&self, invited: Option<&str>) -> Result<Join, FieldErrors> {
        let mut check = Check::default();
        let name = check.text("name", &self.name, "your name", 200);
        let email = match invited {
            Some(email) => email.to_owned(),
            None => email(&mut check, &self.email),
        };
        if let Some(refusal) = password::refusal(&self.password, &[&name, &email]) {
            check.refuse("password", refusal);
        }
        check.done(Join { email, name, password: self.password.clone() })
    }
}

/// `POST /settings/team/invites`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct InviteForm {
    /// As typed.
    pub email: String,
    /// As typed.
    pub name: String,
    /// A role's key.
    pub role: String,
    /// A function's key, or empty.
    pub function: String,
}

impl InviteForm {
    /// Checks the form.
    ///
    /// # Errors
    /// Messages at the fields.
    pub fn check(&self) -> Result<NewInvite, FieldErrors> {
        let mut check = Check::default();
        let email = email(&mut check, &self.email);
        let name = check.text("name", &self.name, "a name", 200);
        let function = function(&mut check, &self.function);
        let Some(role) = check.one_of::<Role>("role", &self.role) else {
            return Err(check.errors());
        };
        check.done(NewInvite { email, name, role, function })
    }
}

/// `POST /settings/team/{id}/role`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RoleForm {
    /// A role's key.
    pub role: String,
}

/// `POST /settings/team/{id}/work`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct WorkForm {
    /// A function's key, or empty.
    pub function: String,
    /// A whole number.
    pub capacity: String,
    /// Keys with commas between them.
    pub territories: String,
}

/// What routing looks at, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// What routing may give.
    pub function: Option<Function>,
    /// Most open PQLs.
    pub capacity: i32,
    /// Keys, each once, in the order typed.
    pub territories: Vec<String>,
}

impl WorkForm {
    /// Checks the form.
    ///
    /// # Errors
    /// Messages at the fields.
    pub fn check(&self) -> Result<Work, FieldErrors> {
        let mut check = Check::default();
        let function = function(&mut check, &self.function);
        let capacity = check.number("capacity", &self.capacity, 0, 10_000).unwrap_or_default();
        let mut territories: Vec<String> = Vec::new();
        for key in self.territories.split(',').map(str::trim).filter(|key| !key.is_empty()) {
            if key.chars().count() > 64 || key.chars().any(char::is_control) {
                check.refuse("territories", "Territory keys are short words with commas between.");
            } else if !territories.iter().any(|known| same_word(known, key)) {
                territories.push(key.to_owned());
            }
        }
        check.done(Work { function, capacity, territories })
    }
}

/// `POST /me`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProfileForm {
    /// As typed.
    pub name: String,
    /// IANA name.
    pub time_zone: String,
    /// `on` when checked.
    pub shortcuts: String,
}

impl ProfileForm {
    /// Checks the form into name, zone and whether shortcuts are on.
    ///
    /// # Errors
    /// Messages at the fields.
    pub fn check(&self) -> Result<(String, Tz, bool), FieldErrors> {
        let mut check = Check::default();
        let name = check.text("name", &self.name, "your name", 200);
        let Some(zone) = check.one_of::<Tz>("time_zone", &self.time_zone) else {
            return Err(check.errors());
        };
        check.done((name, zone, self.shortcuts == "on"))
    }
}

/// `POST /me/password`.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct PasswordForm {
    /// The password so far.
    pub current: String,
    /// The new one.
    pub new: String,
}

/// `POST /me/theme`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ThemeForm {
    /// A theme's key.
    pub theme: String,
}

/// An e-mail address in lower case: enough to tell a slip of the keyboard from an address.
pub fn email(check: &mut Check, typed: &str) -> String {
    let email = typed.trim().to_lowercase();
    let is_address = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !domain.contains('@')
    });
    let is_plain =
        email.len() <= 254 && !email.chars().any(|c| c.is_whitespace() || c.is_control());
    if !is_address || !is_plain {
        check.refuse("email", "Enter an e-mail address, for example mara@example.com.");
    }
    email
}

fn function(check: &mut Check, typed: &str) -> Option<Function> {
    if typed.is_empty() { None } else { check.one_of("function", typed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_folded_and_slips_are_caught() {
        let read = |typed: &str| {
            let mut check = Check::default();
            let address = email(&mut check, typed);
            check.done(address).ok()
        };
        assert_eq!(read(" Mara@Northwind.Example ").as_deref(), Some("mara@northwind.example"));
        for bad in ["mara", "mara@", "@x.example", "mara@x", "a b@x.example", "a@b@x.example"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn territories_are_split_trimmed_and_kept_once() {
        let form = WorkForm {
            function: "ae".into(),
            capacity: "30".into(),
            territories: "emea, na,, EMEA".into(),
        };
        let work = form.check().unwrap();
        assert_eq!(work.territories, ["emea", "na"]);
        assert_eq!((work.function, work.capacity), (Some(Function::Ae), 30));
    }

    #[test]
    fn a_bad_form_names_every_field() {
        let errors = InviteForm::default().check().unwrap_err();
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["email", "name", "role"]);
    }
}
