//! What can be sent as records.

use super::field::{self, Field};
use crate::ingest::trait_names::folded;

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Tenants of the product.
    Workspaces,
    /// Companies.
    Accounts,
    /// People of the product.
    Users,
    /// Who is in which workspace.
    Memberships,
    /// What workspaces pay.
    Subscriptions,
}

impl Kind {
    /// Every kind, in the order in which a form offers them.
    pub const ALL: [Self; 5] =
        [Self::Workspaces, Self::Accounts, Self::Users, Self::Memberships, Self::Subscriptions];

    /// The word in addresses and in the database.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Workspaces => "workspaces",
            Self::Accounts => "accounts",
            Self::Users => "users",
            Self::Memberships => "memberships",
            Self::Subscriptions => "subscriptions",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == word)
    }

    /// The name that people read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Workspaces => "Workspaces",
            Self::Accounts => "Accounts",
            Self::Users => "Users",
            Self::Memberships => "Memberships",
            Self::Subscriptions => "Subscriptions",
        }
    }

    /// What one record of it may say.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Workspaces => field::WORKSPACES,
            Self::Accounts => field::ACCOUNTS,
            Self::Users => field::USERS,
            Self::Memberships => field::MEMBERSHIPS,
            Self::Subscriptions => field::SUBSCRIPTIONS,
        }
    }

    /// The field of that name; `id` names the record itself, `timestamp` is `updated_at`.
    #[must_use]
    pub fn field(self, name: &str) -> Option<&'static Field> {
        let name = match (name, self) {
            ("id", Self::Workspaces) => "workspace_id",
            ("id", Self::Users) => "user_id",
            ("id", Self::Accounts) => "account_id",
            ("id", Self::Subscriptions) => "subscription_id",
            ("timestamp", _) => "updated_at",
            (name, _) => name,
        };
        let exact = self.fields().iter().find(|field| field.name == name);
        exact.or_else(|| {
            let wanted = folded(name);
            self.fields().iter().find(|field| folded(field.name) == wanted)
        })
    }
}
