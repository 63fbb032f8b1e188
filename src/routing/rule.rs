//! The rule set document: an ordered list, first match wins, one catch-all last.
//!
//! Conditions have the one grammar of the signal dictionary: all clauses of `when` must hold, a
//! clause may be a group of which any may hold. No clauses always hold.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::FieldErrors;
use crate::ownership::strategy::Strategy;
use crate::team::member::Function;
use crate::usage::condition::Clause;
use crate::usage::dictionary::{self, FieldLevel};

/// Where a workspace can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// To a person: sales development.
    Sdr,
    /// To a person: an account executive.
    Ae,
    /// To a person: customer success.
    Csm,
    /// To the lifecycle e-mail sequence.
    LifecycleEmail,
    /// To a prompt inside the product.
    InApp,
    /// To nobody for now: it keeps being scored.
    Nurture,
    /// To nobody at all: not a lead.
    None,
}

impl Destination {
    /// Every destination, the human ones first.
    pub const ALL: [Self; 7] = [
        Self::Sdr,
        Self::Ae,
        Self::Csm,
        Self::LifecycleEmail,
        Self::InApp,
        Self::Nurture,
        Self::None,
    ];

    /// The word kept in the database.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Sdr => "sdr",
            Self::Ae => "ae",
            Self::Csm => "csm",
            Self::LifecycleEmail => "lifecycle_email",
            Self::InApp => "in_app",
            Self::Nurture => "nurture",
            Self::None => "none",
        }
    }

    /// The destination of a key.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|destination| destination.key() == key)
    }

    /// The words people read.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Sdr => "SDR",
            Self::Ae => "AE",
            Self::Csm => "CSM",
            Self::LifecycleEmail => "lifecycle e-mail",
            Self::InApp => "in-app prompt",
            Self::Nurture => "nurture",
            Self::None => "not routed",
        }
    }

    /// The function of the person it goes to; `None` for machines.
    #[must_use]
    pub fn function(self) -> Option<Function> {
        match self {
            Self::Sdr => Some(Function::Sdr),
            Self::Ae => Some(Function::Ae),
            Self::Csm => Some(Function::Csm),
            _ => None,
        }
    }

    /// Whether a person works on it.
    #[must_use]
    pub fn is_human(self) -> bool {
        self.function().is_some()
    }
}

/// A second channel beside the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Lifecycle e-mail as well.
    LifecycleEmail,
    /// A prompt in the product as well.
    InApp,
    /// An account executive assists.
    AeAssist,
}

impl Channel {
    /// The words people read.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::LifecycleEmail => "lifecycle e-mail",
            Self::InApp => "in-app prompt",
            Self::AeAssist => "AE assist",
        }
    }
}

/// A channel that joins the destination while its own conditions hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// Which channel.
    pub channel: Channel,
    /// When; no clauses: whenever the rule matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Clause>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable, unique in the set.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// A disabled rule never matches.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// All must hold.
    #[serde(default)]
    pub when: Vec<Clause>,
    /// Where a match goes.
    pub destination: Destination,
    /// How the owner is found; only for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<Strategy>,
    /// Business hours from assignment to first touch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla_hours: Option<u32>,
    /// 1 first, 3 last.
    #[serde(default = "middle")]
    pub priority: i32,
    /// The title of the task; `{workspace}` stands for the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// What joins the destination.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlays: Vec<Overlay>,
}

fn yes() -> bool {
    true
}

fn middle() -> i32 {
    2
}

impl Rule {
    /// Whether it matches everything.
    #[must_use]
    pub fn is_catch_all(&self) -> bool {
        self.enabled && self.when.is_empty()
    }

    /// The conditions in words, one a clause: "Score is at least 80".
    #[must_use]
    pub fn conditions(&self) -> Vec<String> {
        self.when.iter().map(clause_words).collect()
    }

    /// What a match leads to: "SDR · account owner, else SDR pool in turn · first touch within 4 h".
    #[must_use]
    pub fn outcome(&self) -> String {
        let mut parts = vec![self.destination.label().to_owned()];
        if !self.owners.is_empty() {
            let ways: Vec<String> = self.owners.iter().map(Strategy::words).collect();
            parts.push(ways.join(", else "));
        }
        if let Some(hours) = self.sla_hours {
            parts.push(format!("first touch within {hours} business hours"));
        }
        for overlay in &self.overlays {
            let when: Vec<String> = overlay.when.iter().map(clause_words).collect();
            let label = overlay.channel.label();
            parts.push(if when.is_empty() {
                format!("with {label}")
            } else {
                format!("with {label} if {}", when.join(" and "))
            });
        }
        parts.join(" · ")
    }
}

/// A clause as people read it; the alternatives of a group are joined by "or".
#[must_use]
pub fn clause_words(clause: &Clause) -> String {
    let parts: Vec<String> = clause
        .conditions()
        .iter()
        .map(|condition| condition.to_words(&dictionary::label(&condition.field)))
        .collect();
    if parts.is_empty() { "never".to_owned() } else { parts.join(" or ") }
}

/// The whole document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// In order: the first match wins.
    pub rules: Vec<Rule>,
}

impl RuleSet {
    /// Checks the whole document. Keys of the errors are `rules.<position>.<field>`.
    ///
    /// # Errors
    /// Everything that is wrong, each with how to mend it.
    pub fn validate(&self) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::new();
        let mut say = |at: usize, field: &str, message: &str| {
            errors.entry(format!("rules.{at}.{field}")).or_default().push(message.to_owned());
        };
        let mut keys = BTreeSet::new();
        for (at, rule) in self.rules.iter().enumerate() {
            let last = at + 1 == self.rules.len();
            if rule.key.is_empty() || !keys.insert(&rule.key) {
                say(at, "key", "Give every rule a key of its own.");
            }
            if rule.name.trim().is_empty() || rule.name.chars().count() > 100 {
                say(at, "name", "Enter a name of 1 to 100 characters.");
            }
            if last && !rule.is_catch_all() {
                say(at, "when", "The last rule catches everything else: no conditions, enabled.");
            }
            if !last && rule.when.is_empty() && rule.enabled {
                say(at, "when", "Without conditions no rule below would ever match.");
            }
            let overlaid = rule.overlays.iter().flat_map(|overlay| &overlay.when);
            for message in rule.when.iter().chain(overlaid).filter_map(wrong_clause) {
                say(at, "when", &message);
            }
            if rule.destination.is_human() == rule.owners.is_empty() {
                say(at, "owners", "Say how the owner is found, for people and only for people.");
            }
            let waits = rule.owners.iter().position(|one| *one == Strategy::LeaveUnowned);
            if waits.is_some_and(|waits| waits + 1 < rule.owners.len()) {
                say(at, "owners", "Nothing is tried after the assignment view: move it last.");
            }
            if rule.sla_hours.is_some_and(|hours| !(1..=720).contains(&hours)) {
                say(at, "sla_hours", "Enter 1 to 720 business hours.");
            }
            if !(1..=3).contains(&rule.priority) {
                say(at, "priority", "Choose 1, 2 or 3.");
            }
        }
        if self.rules.is_empty() {
            errors.insert("rules".to_owned(), vec!["Add a rule that catches everything.".into()]);
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

fn wrong_clause(clause: &Clause) -> Option<String> {
    if clause.conditions().is_empty() {
        return Some("Add a condition to the group or remove it.".to_owned());
    }
    clause.conditions().iter().find_map(|condition| {
        let Some(field) = dictionary::find(&condition.field) else {
            return Some(format!("There is no field {}.", condition.field));
        };
        if field.level == FieldLevel::User {
            return Some(format!("{} belongs to a person, not to a workspace.", field.label));
        }
        condition.check(field.kind, field.values).err()
    })
}
