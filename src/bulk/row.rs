//! A record, read and checked.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::kind::Kind;
use super::value::{self, Type, quoted};
use crate::ingest::moment::{self, Moment};
use crate::ingest::traits::{snake_case, text_of};
use crate::subscriptions;
use crate::values::id;
use crate::values::text::{Holds, is_empty_word};
use crate::workspaces::membership::{persona_named, role_named};

/// A record's own time may lie so far ahead of the clock; beyond, nothing could correct it for years.
const AHEAD: TimeDelta = TimeDelta::hours(24);

/// Why a record was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field at fault; none when it is the record as a whole.
    pub field: Option<String>,
    /// A stable word.
    pub code: &'static str,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl Fault {
    /// A fault of the record as a whole.
    #[must_use]
    pub fn whole(code: &'static str, message: impl Into<String>) -> Self {
        Self { field: None, code, message: message.into() }
    }

    /// A fault at a field; the message begins with its name.
    #[must_use]
    pub fn at(field: &str, code: &'static str, message: impl std::fmt::Display) -> Self {
        Self { field: Some(field.to_owned()), code, message: format!("{field}: {message}") }
    }
}

/// What names a record: fields and their values.
pub type Ids = Vec<(&'static str, String)>;

/// What a record says, and since when that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Of two words about a field the newer one wins.
    pub at: DateTime<Utc>,
    /// Its place among words of the same time, see [`Moment`]: a later line is the newer word.
    pub seq: i64,
    /// The record.
    pub said: Said,
}

/// What a record says. Traits are named as they are kept; null clears.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields of records, see `field`")]
pub enum Said {
    Workspace {
        id: String,
        traits: Map<String, Value>,
    },
    User {
        id: String,
        traits: Map<String, Value>,
    },
    /// At least one of the two ids is there.
    Account {
        domain: Option<String>,
        account_id: Option<String>,
        traits: Map<String, Value>,
    },
    Membership(Membership),
    Subscription(subscriptions::terms::Row),
}

/// What is said about a membership; what is `None` is not spoken of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The product's id of the user.
    pub user: String,
    /// The product's id of the workspace.
    pub workspace: String,
    /// `Some(None)`: has none, which ends the membership.
    pub role: Option<Option<&'static str>>,
    /// What part the person has in buying.
    pub persona: Option<&'static str>,
    /// The person joined then.
    pub joined_at: Option<DateTime<Utc>>,
    /// `Some(None)`: the person is in the workspace.
    pub left: Option<Option<DateTime<Utc>>>,
}

impl Row {
    /// When it was said, to tell which of two words is the newer.
    #[must_use]
    pub const fn moment(&self) -> Moment {
        Moment::new(self.at, self.seq)
    }

    /// What names it.
    #[must_use]
    pub fn ids(&self) -> Ids {
        match &self.said {
            Said::Workspace { id, .. } => vec![("workspace_id", id.clone())],
            Said::User { id, .. } => vec![("user_id", id.clone())],
            Said::Account { domain, account_id, .. } => {
                let ids = [("account_id", account_id), ("domain", domain)];
                ids.into_iter().filter_map(|(name, id)| Some((name, id.clone()?))).collect()
            }
            Said::Membership(said) => {
                vec![("user_id", said.user.clone()), ("workspace_id", said.workspace.clone())]
            }
            Said::Subscription(said) => {
                vec![("subscription_id", said.id.clone()), ("workspace_id", said.workspace.clone())]
            }
        }
    }
}

/// As far as they can be told: the ids of a record that may be wrong in every way.
#[must_use]
pub fn ids_of(kind: Kind, members: &Map<String, Value>) -> Ids {
    let named = members.iter().filter_map(|(name, value)| {
        let field = kind.field(&snake_case(name))?;
        let is_id = field.of == Type::Id || matches!(field.name, "domain" | "account_id");
        let text = text_of(value).filter(|_| is_id)?;
        let text: String = id::clean(&text).chars().take(200).collect();
        Some((field.name, text))
    });
    named.collect()
}

/// Reads a record. `default_at` is its receipt, which is its time unless it says one, and greater for a
/// later line; `now` is the clock's.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(
    kind: Kind,
    members: &Map<String, Value>,
    default_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Row, Vec<Fault>> {
    let mut reader = Reader { kind, faults: Vec::new(), read: Map::new(), traits: Map::new() };
    for (name, value) in members {
        reader.member(name, value);
    }
    let at = reader.time("updated_at").unwrap_or(default_at);
    if at - now > AHEAD {
        let text = format!(
            "'{}' lies in the future: nothing sent before then could change the record.",
            at.to_rfc3339()
        );
        reader.faults.push(Fault::at("updated_at", "invalid_value", text));
    }
    let said = reader.said(at, now);
    match said {
        Some(said) if reader.faults.is_empty() => {
            Ok(Row { at, seq: moment::seq(default_at, 0), said })
        }
        _ => Err(reader.faults),
    }
}

struct Reader {
    kind: Kind,
    faults: Vec<Fault>,
    /// Values by field; null: is to be cleared.
    read: Map<String, Value>,
    traits: Map<String, Value>,
}

impl Reader {
    fn member(&mut self, name: &str, value: &Value) {
        let Some(field) = self.kind.field(&snake_case(name)) else {
            let names: Vec<&str> = self.kind.fields().iter().map(|field| field.name).collect();
            let text = format!(
                "is no field of {}: there are {}. Your own fields go into traits.",
                self.kind.key(),
                names.join(", ")
            );
            let short: String = name.chars().take(60).collect();
            self.faults.push(Fault::at(&short, "unknown_field", text));
            return;
        };
        let is_nothing = match value {
            Value::Null => true,
            Value::String(text) => field.is_empty(text),
            _ => false,
        };
        // A warehouse writes what it does not know as "": only null may end a membership, or take back
        // that it ended.
        if !value.is_null() && is_nothing && matches!(field.name, "role" | "left_at") {
            return;
        }
        if is_nothing {
            self.read.insert(field.name.to_owned(), Value::Null);
            return;
        }
        match field.of.read(value) {
            Ok(Value::Object(own)) if field.of == Type::Traits => {
                self.traits.extend(own.into_iter().map(|(name, value)| {
                    let holds = Holds::of(&snake_case(&name));
                    let is_empty = value.as_str().is_some_and(|text| is_empty_word(text, holds));
                    (name, if is_empty { Value::Null } else { value })
                }));
            }
            Ok(kept) => {
                self.read.insert(field.name.to_owned(), kept);
            }
            Err(why) => self.faults.push(Fault::at(field.name, "invalid_value", why)),
        }
    }

    fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        self.read.get(name).and_then(|value| value::time(value).ok())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.read.get(name).and_then(text_of)
    }

    /// The text of a required field; notes its lack unless its value was refused already.
    fn required(&mut self, name: &'static str) -> Option<String> {
        let found = self.text(name);
        let is_noted = self.faults.iter().any(|fault| fault.field.as_deref() == Some(name));
        if found.is_none() && !is_noted {
            self.faults.push(Fault::at(name, "missing_field", "is missing, and names the record."));
        }
        found
    }

    fn said(&mut self, at: DateTime<Utc>, now: DateTime<Utc>) -> Option<Said> {
        match self.kind {
            Kind::Workspaces => {
                Some(Said::Workspace { id: self.required("workspace_id")?, traits: self.traits() })
            }
            Kind::Users => {
                Some(Said::User { id: self.required("user_id")?, traits: self.traits() })
            }
            Kind::Accounts => {
                let (domain, account_id) = (self.text("domain"), self.text("account_id"));
                if domain.is_none() && account_id.is_none() && self.faults.is_empty() {
                    let text = "is missing: an account is named by its domain, or by an account_id that was sent with it before.";
                    self.faults.push(Fault::at("domain", "missing_field", text));
                }
                Some(Said::Account { domain, account_id, traits: self.traits() })
            }
            Kind::Memberships => self.membership().map(Said::Membership),
            Kind::Subscriptions => self.subscription(at, now).map(Said::Subscription),
        }
    }

    fn traits(&mut self) -> Map<String, Value> {
        let mut traits = std::mem::take(&mut self.traits);
        for field in self.kind.fields() {
            let Some(value) = self.read.get(field.name) else { continue };
            let is_address = field.name == "account_id" && value.is_null();
            for (place, name) in field.traits.iter().enumerate().filter(|_| !is_address) {
                let value = if place == 0 { value.clone() } else { Value::Null };
                traits.insert((*name).to_owned(), value);
            }
        }
        traits
    }

    /// A subscription by the rules of its own feature.
    fn subscription(
        &mut self,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<subscriptions::terms::Row> {
        if !self.faults.is_empty() {
            return None;
        }
        self.read.insert("updated_at".to_owned(), at.to_rfc3339().into());
        match subscriptions::input::read(&self.read, now.max(at)) {
            Ok(row) => Some(row),
            Err(errors) => {
                for (field, messages) in errors {
                    let missing = self.read.get(&field).is_none_or(Value::is_null);
                    let code = if missing { "missing_field" } else { "invalid_value" };
                    self.faults.push(Fault::at(&field, code, messages.join(" ")));
                }
                None
            }
        }
    }

    fn membership(&mut self) -> Option<Membership> {
        let (user, workspace) = (self.required("user_id"), self.required("workspace_id"));
        if self.read.get("persona").is_some_and(Value::is_null) {
            // What a person set by hand must not be lost to an empty column.
            self.read.remove("persona");
        }
        let (joined_at, left_at) = (self.time("joined_at"), self.time("left_at"));
        if let (Some(joined), Some(left)) = (joined_at, left_at)
            && left < joined
        {
            let text = format!("{} lies before joined_at.", quoted(&left.to_rfc3339().into()));
            self.faults.push(Fault::at("left_at", "invalid_value", text));
        }
        Some(Membership {
            user: user?,
            workspace: workspace?,
            role: self.read.get("role").map(|said| role_named(said.as_str()?)),
            persona: self.text("persona").and_then(|said| persona_named(&said)),
            joined_at,
            left: self.read.contains_key("left_at").then_some(left_at),
        })
    }
}

#[cfg(test)]
#[path = "row_tests.rs"]
mod tests;
