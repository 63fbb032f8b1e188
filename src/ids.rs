//! Identifiers as types, so that a workspace's id never stands where a member's is meant.
//!
//! These are Ripen's internal ids. The product's own ids (`workspace_id`, `user_id` on the wire)
//! are text and are called `external_id` inside the house.

use diesel::deserialize::{FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{Output, ToSql};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::id::clean;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            AsExpression, FromSqlRow,
        )]
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id; version 7, so that ids made later sort later.
            #[must_use]
            #[allow(clippy::new_without_default, reason = "a default id would hide a mistake")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl ToSql<diesel::sql_types::Uuid, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> diesel::serialize::Result {
                ToSql::<diesel::sql_types::Uuid, Pg>::to_sql(&self.0, out)
            }
        }

        impl FromSql<diesel::sql_types::Uuid, Pg> for $name {
            fn from_sql(bytes: PgValue<'_>) -> diesel::deserialize::Result<Self> {
                Uuid::from_sql(bytes).map(Self)
            }
        }
    )*};
}

ids! {
    /// Somebody who signs in to Ripen.
    MemberId,
    /// A product in one environment that sends events.
    SourceId,
    /// A person in the product, known or anonymous.
    UserId,
    /// A company.
    AccountId,
    /// A tenant of the product, where usage happens.
    WorkspaceId,
    /// One routing decision.
    DecisionId,
    /// A task for a member of the team.
    TaskId,
    /// A pool of members that share work.
    PoolId,
}

/// The namespace of ids made from the product's own ids: never changed, or every id would be.
const EXTERNAL: Uuid = Uuid::from_u128(0x5d0c_3a52_6b7e_4f0e_9a0e_7269_7065_6e31);

/// One id for all the ways in which files and clients write the same one, see [`clean`].
fn derived(kind: &str, external: &str) -> Uuid {
    Uuid::new_v5(&EXTERNAL, [kind, ":", clean(external)].concat().as_bytes())
}

impl UserId {
    /// The person with this `userId` of the product.
    #[must_use]
    pub fn known(external_id: &str) -> Self {
        Self(derived("known", external_id))
    }

    /// The visitor with this `anonymousId`.
    #[must_use]
    pub fn anonymous(external_id: &str) -> Self {
        Self(derived("anonymous", external_id))
    }
}

impl WorkspaceId {
    /// The workspace with this id of the product.
    #[must_use]
    pub fn of(external_id: &str) -> Self {
        Self(derived("workspace", external_id))
    }
}

impl AccountId {
    /// The account that was made from this domain.
    #[must_use]
    pub fn of_domain(domain: &str) -> Self {
        Self(derived("account", domain))
    }
}
