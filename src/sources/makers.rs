//! Keys and secrets by who made them, and what becomes of those of somebody who may make none any
//! more. Pure.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::key::Scope;
use crate::ids::MemberId;
use crate::web::role::{May, Role, words};

words! {
    /// What was made.
    Kind {
        /// For scripts, with scopes.
        ApiKey = "api_key", "API key";
        /// For SDKs.
        WriteKey = "write_key", "Write key";
        /// For servers, which send records too.
        ServerKey = "server_key", "Server key";
        /// With which deliveries are signed.
        WebhookSecret = "webhook_secret", "Webhook secret";
    }
}

words! {
    /// What becomes of it.
    Choice {
        /// It goes on working.
        Keep = "keep", "Keep";
        /// It ends now.
        Revoke = "revoke", "Revoke";
    }
}

/// A key or a secret that is valid, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub kind: Kind,
    pub id: Uuid,
    /// An API key's own name, else that of its source or endpoint.
    pub name: String,
    /// How it begins; of a secret how it ends.
    pub mark: String,
    /// Of API keys.
    pub scopes: Vec<Scope>,
    pub maker: MemberId,
    pub made_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
    /// Since when somebody has to decide about it.
    pub waits_since: Option<DateTime<Utc>>,
}

impl Held {
    /// The name of its field in a form of choices.
    #[must_use]
    pub fn field(&self) -> String {
        format!("held-{}", self.id)
    }
}

/// What an API key of somebody of this role may do at most: as much as they may do themselves.
#[must_use]
pub fn most(role: Role) -> Scope {
    if role.may(May::EditScoring) && role.may(May::EditCatalog) {
        Scope::Admin
    } else if role.may(May::Import) {
        Scope::Write
    } else {
        Scope::Read
    }
}

/// The scopes without those beyond `most`; none when nothing is beyond it. Each scope contains the
/// ones before it, so a key that had only a greater one keeps `most`.
#[must_use]
pub fn capped(scopes: &[Scope], most: Scope) -> Option<Vec<Scope>> {
    if scopes.iter().all(|scope| *scope <= most) {
        return None;
    }
    let mut kept: Vec<Scope> = scopes.iter().copied().filter(|scope| *scope < most).collect();
    kept.push(most);
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_no_more_than_its_maker() {
        assert_eq!([Role::Rep, Role::Manager, Role::Revops, Role::Admin].map(most), {
            [Scope::Read, Scope::Read, Scope::Admin, Scope::Admin]
        });
    }

    #[test]
    fn scopes_beyond_the_most_become_the_most() {
        use Scope::{Admin, Read, Write};
        assert_eq!(capped(&[Read], Read), None);
        assert_eq!(capped(&[Read, Write, Admin], Admin), None);
        assert_eq!(capped(&[Read, Write, Admin], Read), Some(vec![Read]));
        assert_eq!(capped(&[Admin], Read), Some(vec![Read]));
        assert_eq!(capped(&[Read, Admin], Write), Some(vec![Read, Write]));
    }

    #[test]
    fn words_read_back() {
        for kind in Kind::ALL {
            assert_eq!(kind.key().parse(), Ok(*kind));
        }
        assert_eq!("keep".parse(), Ok(Choice::Keep));
    }
}
