//! The pages of people: candidates to be judged, and one user with everything that is known.

pub mod merges;
pub mod user;

use chrono::NaiveDate;

use super::store_people::{Active, Face, Named, Seat};
use crate::ids::UserId;
use crate::web::charts::Heat;

/// Days of the heat row.
const DAYS: usize = 14;

/// What is known about some people.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) faces: Vec<Face>,
    pub(super) names: Vec<Named>,
    pub(super) seats: Vec<Seat>,
    pub(super) active: Vec<Active>,
}

impl Known {
    /// The last fourteen days of one of them.
    fn heat(&self, id: UserId, today: NaiveDate) -> Heat {
        let mut counts = [0_u32; DAYS];
        for one in self.active.iter().filter(|one| one.canonical_id == id) {
            let back = today.signed_duration_since(one.day).num_days();
            let place = usize::try_from(back).ok().and_then(|back| DAYS.checked_sub(back + 1));
            if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
                *count = u32::try_from(one.events).unwrap_or(u32::MAX);
            }
        }
        Heat::new(&counts, today)
    }
}

/// What a kind of identifier is called.
fn kind_label(kind: &str) -> &'static str {
    match kind {
        "user_id" => "User id",
        "sso" => "SSO subject",
        "email" => "E-mail",
        _ => "Anonymous id",
    }
}
