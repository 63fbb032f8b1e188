//! `ripen user create`: a member made by whoever has the machine, for scripts and for the day on
//! which nobody can sign in.

use std::io::Read;

use clap::{Args, Subcommand};

use crate::cli::{Failure, Outcome, say};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Database, Pool};
use crate::error::{Error, FieldErrors};
use crate::team::audit::Actor;
use crate::team::forms;
use crate::team::member::{Function, Role};
use crate::team::store::{self, NewMember};
use crate::team::{ops, ops_passwords, password};
use crate::web::form::Check;

/// What to do with members.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Add a member; the password is read from standard input
    Create(Create),
    /// Give somebody who lost it a new password; it is read from standard input
    Password {
        /// E-mail address of the member
        #[arg(long)]
        email: String,
    },
}

/// Who joins.
#[derive(Debug, Args)]
pub struct Create {
    /// E-mail address to sign in with
    #[arg(long)]
    email: String,
    /// Name that colleagues read
    #[arg(long)]
    name: String,
    /// rep, manager, revops or admin
    #[arg(long)]
    role: Role,
    /// sdr, ae or csm: what routing may give them
    #[arg(long)]
    function: Option<Function>,
    /// Time zone, for example Europe/Stockholm
    #[arg(long, default_value = "UTC")]
    time_zone: chrono_tz::Tz,
}

/// Runs the sub-command.
///
/// # Errors
/// What is wrong with the input, or the database's.
pub fn run(config: &Config, user: &User) -> Outcome {
    let mut typed = String::new();
    std::io::stdin().read_to_string(&mut typed)?;
    let typed = typed.trim_end_matches(['\r', '\n']);
    match user {
        User::Create(new) => create(config, new, typed),
        User::Password { email } => reset(config, email, typed),
    }
}

fn reset(config: &Config, email: &str, typed: &str) -> Outcome {
    let email = email.trim().to_lowercase();
    let db = Database::open(config)?;
    let found = db.read(Pool::Work, |conn| store::by_email(conn, &email))?;
    let name = found.map(|(member, _)| member.name).unwrap_or_default();
    if let Some(refusal) = password::refusal(typed, &[&name, &email]) {
        return Err(Failure(format!("password: {refusal}")));
    }
    let hash = password::hash(typed)?;
    let now = Clock::system().now();
    let actor = Actor::system();
    let outcome =
        db.tx(Pool::Work, |conn| ops_passwords::reset_password(conn, &actor, &email, &hash, now));
    let member = outcome.map_err(|error| match error {
        Error::NotFound => Failure(format!("nobody in the team has the address {email}")),
        other => other.into(),
    })?;
    say(format!("{} has a new password; every browser is signed out.", member.name));
    Ok(())
}

fn create(config: &Config, create: &Create, typed: &str) -> Outcome {
    let new = checked(create, typed).map_err(in_words)?;
    let db = Database::open(config)?;
    let now = Clock::system().now();
    db.tx(Pool::Work, |conn| ops::create(conn, &new, now)).map_err(|error| match error {
        crate::error::Error::Invalid(errors) => in_words(errors),
        other => other.into(),
    })?;
    say(format!("{} can sign in as {} with {}.", new.name, new.role.label(), new.email));
    Ok(())
}

fn checked(create: &Create, typed: &str) -> Result<NewMember, FieldErrors> {
    let mut check = Check::default();
    let email = forms::email(&mut check, &create.email);
    let name = check.text("name", &create.name, "a name", 200);
    if let Some(refusal) = password::refusal(typed, &[&name, &email]) {
        check.refuse("password", refusal);
    }
    let member = NewMember {
        email,
        name,
        role: create.role,
        function: create.function,
        password_hash: String::new(),
        time_zone: create.time_zone.name().to_owned(),
    };
    let member = check.done(member)?;
    let password_hash = password::hash(typed)
        .map_err(|error| FieldErrors::from([("password".to_owned(), vec![error.to_string()])]))?;
    Ok(NewMember { password_hash, ..member })
}

fn in_words(errors: FieldErrors) -> Failure {
    let lines = errors.into_iter().flat_map(|(field, messages)| {
        messages.into_iter().map(move |message| format!("{field}: {message}"))
    });
    Failure(lines.collect::<Vec<_>>().join("\n"))
}
