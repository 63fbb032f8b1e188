//! The use cases of signing in with a password, one transaction each.

use chrono::{DateTime, Utc};
use diesel::PgConnection;

use super::member::Member;
use super::ops::{Arrival, sign_in};
use super::password;
use super::store;
use super::store_attempts as attempts;
use super::throttle::{self, Subjects};
use crate::error::{Error, Result};

/// A sign-in that was heard: whose it claims to be and the hash to check the password against.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The member; none when there is none, or one who can't sign in.
    pub member: Option<Member>,
    /// Their hash, or nobody's, which takes as long to check.
    pub phc: String,
    pub(super) subjects: Subjects,
}

impl Claim {
    /// Whether the member signed in in this browser lately.
    #[must_use]
    pub const fn is_of_known_device(&self) -> bool {
        self.subjects.device.is_some()
    }
}

/// Hears a sign-in unless it has to wait, and counts it as failed until [`admit`] forgets it: so
/// attempts in parallel count as well. An account that does not exist takes the same way.
///
/// # Errors
/// `TooMany` with the seconds to wait, or the database's.
pub fn hear_claim(
    conn: &mut PgConnection,
    email: &str,
    arrival: &Arrival,
    now: DateTime<Utc>,
) -> Result<Claim> {
    let found = store::by_email(conn, &email.trim().to_lowercase())?;
    let found = found.filter(|(member, _)| member.deactivated_at.is_none());
    let known = attempts::members_of_device(conn, &arrival.device, now)?;
    let mut subjects = throttle::subjects(email, &arrival.address);
    if found.as_ref().is_some_and(|(member, _)| known.contains(&member.id)) {
        subjects = subjects.from_device(&arrival.device);
    }
    attempts::lock_attempts(conn, &subjects)?;
    let wait = match &subjects.device {
        Some(device) => throttle::wait_of_known(attempts::count(conn, device, now)?, now),
        None => throttle::wait(&attempts::counts(conn, &subjects, now)?, now),
    };
    if let Some(seconds) = wait {
        return Err(Error::TooMany(seconds));
    }
    attempts::insert_attempt(conn, &subjects, now)?;
    Ok(match found {
        Some((member, Some(phc))) => Claim { member: Some(member), phc, subjects },
        _ => Claim { member: None, phc: password::NOBODY.to_owned(), subjects },
    })
}

/// Opens a session for a claim whose password was right. Answers with the session's token.
///
/// # Errors
/// The database's.
pub fn admit(
    conn: &mut PgConnection,
    member: &Member,
    claim: &Claim,
    arrival: &Arrival,
    now: DateTime<Utc>,
) -> Result<String> {
    attempts::forget_attempts(conn, &claim.subjects, now)?;
    sign_in(conn, member.id, &member.name, arrival, now)
}
