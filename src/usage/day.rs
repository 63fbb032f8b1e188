//! Usage days: what one member did in one workspace on one UTC day, per event and feature.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;

use crate::ids::UserId;

/// The event that the scoring engine derives: the first active day of each member but the founder.
pub const NEW_ACTIVE_USER_DAY: &str = "new_active_user_day";
/// The event that the projection derives: one member repeated one event 100 times within an hour.
pub const EVENT_LOOP: &str = "event_loop";

/// An interned event key or feature name: only meaningful together with its `Names`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(u32);

impl Name {
    /// Its position in the table of names, dense from 0.
    #[must_use]
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// The table of interned names, so that millions of usage days carry four bytes instead of a text.
///
/// One table serves one run: the model is compiled with it and the usage days are read with it.
#[derive(Clone, Debug, Default)]
pub struct Names {
    by_text: HashMap<Arc<str>, Name>,
    texts: Vec<Arc<str>>,
}

impl Names {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The name of a text, made when it is new.
    pub fn intern(&mut self, text: &str) -> Name {
        if let Some(name) = self.by_text.get(text) {
            return *name;
        }
        let name = Name(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        let shared: Arc<str> = Arc::from(text);
        self.texts.push(Arc::clone(&shared));
        self.by_text.insert(shared, name);
        name
    }

    /// The name of a text that is already there.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Name> {
        self.by_text.get(text).copied()
    }

    /// The text of a name; empty for a name of another table.
    #[must_use]
    pub fn text(&self, name: Name) -> &str {
        self.texts.get(name.index()).map_or("", |text| text)
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

/// One row per (workspace, member, event, feature, UTC day). Rows with `count <= 0` do not exist.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UsageDay {
    /// Who.
    pub user: UserId,
    /// The event's key.
    pub event: Name,
    /// The feature that the event names, if the catalog says which property does.
    pub feature: Option<Name>,
    /// When.
    pub day: NaiveDate,
    /// How often.
    pub count: i64,
    /// The sum of the event's numeric value, where the catalog names one; else 0.
    pub value: f64,
}
