//! A key or a secret in a list of choices, as pages show it.

use super::makers::{Held, Kind};
use crate::web::format::{self, Moment};
use crate::web::permit::Viewer;

/// One of the list.
pub struct HeldLine {
    pub held: Held,
    pub field: String,
    pub made: Moment,
    pub used: Option<Moment>,
    pub waits: Option<Moment>,
    /// Whether Revoke is chosen unless somebody says otherwise.
    pub is_to_go: bool,
}

impl HeldLine {
    /// As this viewer reads it. API keys of somebody who `leaves` go unless somebody keeps them.
    #[must_use]
    pub fn new(held: Held, leaves: bool, me: &Viewer) -> Self {
        let moment = |at| format::moment(at, me.now, me.zone);
        Self {
            field: held.field(),
            made: moment(held.made_at),
            used: held.used_at.map(moment),
            waits: held.waits_since.map(moment),
            is_to_go: leaves && held.kind == Kind::ApiKey,
            held,
        }
    }

    /// What it may do, in words; empty but for API keys.
    #[must_use]
    pub fn scopes(&self) -> String {
        self.held.scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(", ")
    }
}
