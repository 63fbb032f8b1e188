//! What each role may do: the table of `ui.md` section 2 as code.

/// A closed set of words kept as text in the database and in forms.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal, $label:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every one of them, in the order in which a form offers them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word that the database and forms use.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The name that people read.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.key())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::web::role::UnknownWord;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err($crate::web::role::UnknownWord) }
            }
        }
    };
}

pub(crate) use words;

/// A word that is in none of the closed sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of the known words")]
pub struct UnknownWord;

words! {
    /// What somebody is here for; decides what they see, do and land on.
    Role {
        /// Works the PQLs that they own.
        Rep = "rep", "Rep";
        /// Assigns PQLs and sees the whole team's work.
        Manager = "manager", "Manager";
        /// Keeps scoring, routing and the event catalog right.
        Revops = "revops", "RevOps";
        /// Runs the installation: team, keys, ingestion.
        Admin = "admin", "Admin";
    }
}

words! {
    /// Light or dark.
    Theme {
        /// As the device says.
        System = "system", "As my device";
        /// Always light.
        Light = "light", "Light";
        /// Always dark.
        Dark = "dark", "Dark";
    }
}

/// One thing that a role may do. A page or action names the one it needs (`web::permit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum May {
    /// Read what everybody reads: workspaces, accounts, the scoring model, the routing log, oneself.
    View,
    /// Change work objects: tasks, notes, lists, deals (which ones is the object's own rule).
    Work,
    /// Accept, dispose of and pull PQLs: reps their own, managers anybody's.
    HandleLeads,
    /// Give a PQL to somebody, take it back, change an owner.
    Assign,
    /// Decide merge candidates and pin accounts.
    MergeAccounts,
    /// Change drafts of the scoring model.
    EditScoring,
    /// Put a draft of the scoring model into force.
    PublishScoring,
    /// See, change and publish routing rules.
    EditRouting,
    /// See the health of ingestion and its dead letters; replay them.
    SeeIngest,
    /// Change the event catalog, the ICP and territories.
    EditCatalog,
    /// Bring in files of records.
    Import,
    /// See the team with roles and capacity.
    SeeTeam,
    /// Invite, change and deactivate members.
    ManageTeam,
    /// Make and revoke write keys, API keys and webhooks.
    ManageKeys,
    /// Read the audit log.
    SeeAudit,
    /// See how long data is kept.
    SeeData,
    /// Change how long data is kept.
    EditData,
}

/// What the door says to a role that asks for a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Come in.
    Granted,
    /// You see the thing, but this is not yours to do: 403.
    Refused,
    /// For you there is no such thing: 404.
    Hidden,
}

impl May {
    /// Every right.
    pub const ALL: &'static [Self] = &[
        Self::View,
        Self::Work,
        Self::HandleLeads,
        Self::Assign,
        Self::MergeAccounts,
        Self::EditScoring,
        Self::PublishScoring,
        Self::EditRouting,
        Self::SeeIngest,
        Self::EditCatalog,
        Self::Import,
        Self::SeeTeam,
        Self::ManageTeam,
        Self::ManageKeys,
        Self::SeeAudit,
        Self::SeeData,
        Self::EditData,
    ];

    /// The right with which one sees the thing that this right changes.
    const fn shown_by(self) -> Self {
        match self {
            Self::View
            | Self::Work
            | Self::HandleLeads
            | Self::Assign
            | Self::MergeAccounts
            | Self::EditScoring
            | Self::PublishScoring => Self::View,
            Self::SeeTeam | Self::ManageTeam => Self::SeeTeam,
            Self::EditRouting => Self::EditRouting,
            Self::SeeIngest => Self::SeeIngest,
            Self::EditCatalog => Self::EditCatalog,
            Self::Import => Self::Import,
            Self::ManageKeys => Self::ManageKeys,
            Self::SeeAudit => Self::SeeAudit,
            Self::SeeData | Self::EditData => Self::SeeData,
        }
    }
}

impl Role {
    /// Whether this role has the right: `ui.md` section 2, one line a right.
    #[must_use]
    pub const fn may(self, what: May) -> bool {
        use Role::{Admin, Manager, Rep, Revops};
        match what {
            May::View | May::Work => true,
            May::HandleLeads => matches!(self, Rep | Manager),
            May::Assign | May::MergeAccounts => matches!(self, Manager | Revops | Admin),
            May::PublishScoring => matches!(self, Revops),
            May::EditScoring
            | May::EditRouting
            | May::SeeIngest
            | May::EditCatalog
            | May::Import
            | May::SeeData => matches!(self, Revops | Admin),
            May::SeeTeam => matches!(self, Manager | Admin),
            May::ManageTeam | May::ManageKeys | May::SeeAudit | May::EditData => {
                matches!(self, Admin)
            }
        }
    }

    /// Granted, refused (403) or hidden (404): what one may not see does not exist.
    #[must_use]
    pub const fn verdict(self, what: May) -> Verdict {
        if self.may(what) {
            Verdict::Granted
        } else if self.may(what.shown_by()) {
            Verdict::Refused
        } else {
            Verdict::Hidden
        }
    }

    /// Where somebody lands after signing in.
    #[must_use]
    pub const fn home(self) -> &'static str {
        match self {
            Self::Rep => "/inbox",
            Self::Manager => "/assign",
            Self::Revops => "/workspaces",
            Self::Admin => "/ingest",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for role in Role::ALL {
            assert_eq!(role.key().parse(), Ok(*role));
        }
        assert_eq!("root".parse::<Role>(), Err(UnknownWord));
        assert_eq!("dark".parse(), Ok(Theme::Dark));
    }

    #[test]
    fn only_an_admin_manages_the_team_and_a_rep_does_not_see_it() {
        assert_eq!(Role::Admin.verdict(May::ManageTeam), Verdict::Granted);
        assert_eq!(Role::Manager.verdict(May::ManageTeam), Verdict::Refused);
        assert_eq!(Role::Rep.verdict(May::ManageTeam), Verdict::Hidden);
        assert_eq!(Role::Revops.verdict(May::SeeTeam), Verdict::Hidden);
    }

    #[test]
    fn the_scoring_model_is_read_by_all_edited_by_two_published_by_one() {
        let can = |what| Role::ALL.iter().filter(|role| role.may(what)).count();
        assert_eq!((can(May::View), can(May::EditScoring), can(May::PublishScoring)), (4, 2, 1));
        assert_eq!(Role::Rep.verdict(May::EditScoring), Verdict::Refused);
        assert_eq!(Role::Rep.verdict(May::SeeIngest), Verdict::Hidden);
    }

    #[test]
    fn every_right_is_held_by_somebody() {
        for what in May::ALL {
            assert!(Role::ALL.iter().any(|role| role.may(*what)), "{what:?}");
        }
    }
}
