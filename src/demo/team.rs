//! The demo's team: every role, and one who left.

use crate::clock::Clock;
use crate::db::{Database, Pool};
use crate::error::Result;
use crate::ownership;
use crate::team::audit::Actor;
use crate::team::member::{Function, Role};
use crate::team::store::{self, NewMember};
use crate::team::{ops, password};
use crate::web::token;

/// Somebody of the cast: name, role, function, open PQLs they can hold.
type Part = (&'static str, Role, Option<Function>, i32);

/// Few can hold many: some ripe workspaces find nobody and wait in the assignment view.
const CAST: &[Part] = &[
    ("Ingrid Solberg", Role::Admin, None, 0),
    ("Rui Tavares", Role::Revops, None, 0),
    ("Mara Lindqvist", Role::Manager, None, 0),
    ("Desmond Achebe", Role::Manager, None, 0),
    ("Sofia Marin", Role::Rep, Some(Function::Sdr), 2),
    ("Kenji Watanabe", Role::Rep, Some(Function::Sdr), 2),
    ("Aoife Brennan", Role::Rep, Some(Function::Sdr), 2),
    ("Tomasz Zielinski", Role::Rep, Some(Function::Sdr), 2),
    ("Hanna Vogel", Role::Rep, Some(Function::Ae), 6),
    ("Luis Ortega", Role::Rep, Some(Function::Ae), 6),
    ("Nia Campbell", Role::Rep, Some(Function::Csm), 5),
    (DEPARTED, Role::Rep, Some(Function::Sdr), 3),
];

/// Takes work, then leaves; the work goes back to the assignment view.
const DEPARTED: &str = "Pavel Horak";

/// One who can sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// As colleagues read it.
    pub name: String,
    /// To sign in with.
    pub email: String,
    /// What they may do, in words.
    pub role: String,
    /// Known in the run that made it; nobody can say it again later.
    pub password: Option<String>,
}

fn email(name: &str) -> String {
    format!("{}@demo.example", name.to_lowercase().replace(' ', "."))
}

/// Makes whoever is missing, each with a random password.
///
/// # Errors
/// The database's.
pub fn ensure(db: &Database, clock: &Clock) -> Result<Vec<Login>> {
    let mut logins = Vec::new();
    for &(name, role, function, capacity) in CAST {
        let email = email(name);
        let words = match function {
            Some(function) => format!("{}, {}", role.label(), function.label()),
            None => role.label().to_owned(),
        };
        let mut login =
            Login { name: name.to_owned(), email: email.clone(), role: words, password: None };
        if db.read(Pool::Work, |conn| store::by_email(conn, &email))?.is_none() {
            let secret: String = token::random().chars().take(20).collect();
            let new = NewMember {
                email,
                name: name.to_owned(),
                role,
                function,
                password_hash: password::hash(&secret)?,
                time_zone: "UTC".to_owned(),
            };
            let (actor, now) = (Actor::system(), clock.now());
            db.tx(Pool::Work, |conn| {
                let id = ops::create(conn, &new, now)?;
                ops::change_work(conn, &actor, id, function, capacity, &[], now)?;
                ownership::ops::function_changed(conn, id)
            })?;
            login.password = Some(secret);
        }
        if name != DEPARTED {
            logins.push(login);
        }
    }
    Ok(logins)
}

/// The one who left leaves: what they own goes back to the assignment view. How much that was; none
/// when they have left before.
///
/// # Errors
/// The database's.
pub fn part(db: &Database, clock: &Clock) -> Result<Option<usize>> {
    let (actor, now) = (Actor::system(), clock.now());
    db.tx(Pool::Work, |conn| {
        let Some((member, _)) = store::by_email(conn, &email(DEPARTED))? else { return Ok(None) };
        if member.deactivated_at.is_some() {
            return Ok(None);
        }
        ops::deactivate(conn, &actor, member.id, now)?;
        ownership::ops::return_everything(conn, member.id, &actor, now).map(Some)
    })
}
