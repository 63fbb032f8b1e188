//! Who works with Ripen.

use chrono::{DateTime, NaiveTime, Utc};

use crate::ids::MemberId;
use crate::web::role::words;

pub use crate::web::role::{Role, Theme};

words! {
    /// The sales function, which routing asks for.
    Function {
        /// First contact.
        Sdr = "sdr", "SDR";
        /// Closes deals.
        Ae = "ae", "AE";
        /// Looks after customers.
        Csm = "csm", "CSM";
    }
}

/// Somebody who signs in, without the password hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Never reused: history names members by it.
    pub id: MemberId,
    /// Lower case; what they sign in with.
    pub email: String,
    /// As they wrote it.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// What routing may give them; none for those who take no PQLs.
    pub function: Option<Function>,
    /// Territory keys that routing compares.
    pub territories: Vec<String>,
    /// Open PQLs that they can hold before routing passes them by.
    pub capacity: i32,
    /// IANA name; times on pages and working hours are in it.
    pub time_zone: String,
    /// Start of the working day in their zone.
    pub work_starts: NaiveTime,
    /// End of the working day in their zone.
    pub work_ends: NaiveTime,
    /// ISO weekdays, Monday = 1.
    pub work_days: Vec<i32>,
    /// Light or dark.
    pub theme: Theme,
    /// Whether single-key shortcuts are on.
    pub shortcuts: bool,
    /// When they joined.
    pub created_at: DateTime<Utc>,
    /// When they left; they can't sign in and are given nothing.
    pub deactivated_at: Option<DateTime<Utc>>,
}
