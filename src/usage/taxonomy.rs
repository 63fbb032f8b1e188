//! What the catalog says about events and features, by interned name, for computing signals.

use std::collections::HashSet;

use super::day::{Name, Names};

/// One event of the catalog, spelled as its table spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogEvent {
    /// Such as `core_feature_used`.
    pub key: String,
    /// Such as "Used a core feature".
    pub label: String,
    /// `activation`, `depth`, `expansion`, `intent`, `negative` or `none`.
    pub category: String,
    /// `primary` or `secondary`, if the event is a milestone of activation.
    pub milestone: Option<String>,
}

/// A milestone: complete on the first day with its event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Milestone {
    /// The event.
    pub event: Name,
    /// The milestone's name.
    pub label: String,
    /// Whether it makes a workspace activated.
    pub is_primary: bool,
}

/// The keys of the events that signals name.
pub const SIGNAL_EVENTS: [&str; 12] = [
    "automation_run",
    "login",
    "session_started",
    "data_imported",
    "invite_sent",
    "invite_accepted",
    "integration_installed",
    "uninstall_integration",
    "upgrade_click",
    "pricing_page_view",
    "usage_limit_hit",
    "api_rate_limit_hit",
];

/// The events that signals name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub automation_run: Name,
    pub login: Name,
    pub session_started: Name,
    pub data_imported: Name,
    pub invite_sent: Name,
    pub invite_accepted: Name,
    pub integration_installed: Name,
    pub uninstall_integration: Name,
    pub upgrade_click: Name,
    pub pricing_page_view: Name,
    pub usage_limit_hit: Name,
    pub api_rate_limit_hit: Name,
}

/// A signal category of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    Activation,
    Depth,
    Intent,
    #[default]
    Other,
}

/// The catalog as the computation of signals needs it; shares its `Names` with the usage days.
#[derive(Clone, Debug)]
pub struct Taxonomy {
    pub(super) known: Known,
    kinds: Vec<Kind>,
    pub(super) milestones: Vec<Milestone>,
    key_features: HashSet<Name>,
}

/// Integrations that are a CRM, without case, space, underscore and dash.
const CRMS: &[&str] = &[
    "crm",
    "salesforce",
    "hubspot",
    "pipedrive",
    "attio",
    "zoho",
    "zohocrm",
    "dynamics",
    "dynamics365",
    "microsoftdynamics",
    "close",
    "copper",
    "sugarcrm",
];
/// Integrations that export to a data warehouse, spelled likewise.
const WAREHOUSES: &[&str] = &[
    "datawarehouse",
    "datawarehouseexport",
    "warehouse",
    "snowflake",
    "bigquery",
    "redshift",
    "databricks",
    "s3export",
];

impl Taxonomy {
    /// The taxonomy of these events. Without `key_features` every feature of a depth event is one.
    #[must_use]
    pub fn new(events: &[CatalogEvent], key_features: &[String], names: &mut Names) -> Self {
        let mut kinds = Vec::new();
        let mut milestones = Vec::new();
        for event in events {
            let name = names.intern(&event.key);
            kinds.resize_with(kinds.len().max(name.index() + 1), Kind::default);
            if let Some(kind) = kinds.get_mut(name.index()) {
                *kind = match event.category.as_str() {
                    "activation" => Kind::Activation,
                    "depth" => Kind::Depth,
                    "intent" => Kind::Intent,
                    _ => Kind::Other,
                };
            }
            if let Some(milestone) = &event.milestone {
                let is_primary = milestone == "primary";
                milestones.push(Milestone { event: name, label: event.label.clone(), is_primary });
            }
        }
        let known = Known {
            automation_run: names.intern("automation_run"),
            login: names.intern("login"),
            session_started: names.intern("session_started"),
            data_imported: names.intern("data_imported"),
            invite_sent: names.intern("invite_sent"),
            invite_accepted: names.intern("invite_accepted"),
            integration_installed: names.intern("integration_installed"),
            uninstall_integration: names.intern("uninstall_integration"),
            upgrade_click: names.intern("upgrade_click"),
            pricing_page_view: names.intern("pricing_page_view"),
            usage_limit_hit: names.intern("usage_limit_hit"),
            api_rate_limit_hit: names.intern("api_rate_limit_hit"),
        };
        let key_features = key_features.iter().map(|feature| names.intern(feature)).collect();
        Self { known, kinds, milestones, key_features }
    }

    pub(super) fn kind(&self, event: Name) -> Kind {
        self.kinds.get(event.index()).copied().unwrap_or_default()
    }

    /// Whether using this feature by this event counts as using a key feature.
    pub(super) fn is_key_feature(&self, feature: Name, event: Name) -> bool {
        if self.key_features.is_empty() {
            self.kind(event) == Kind::Depth
        } else {
            self.key_features.contains(&feature)
        }
    }

    /// The events that make a workspace activated.
    pub fn primary_milestones(&self) -> impl Iterator<Item = Name> {
        self.milestones.iter().filter(|one| one.is_primary).map(|one| one.event)
    }

    /// How many key features the catalog names; `None` when it names none.
    pub(super) fn key_feature_count(&self) -> Option<usize> {
        Some(self.key_features.len()).filter(|count| *count > 0)
    }

    /// Whether the event is about an integration, whose feature is no feature of the product.
    pub(super) fn is_integration(&self, event: Name) -> bool {
        event == self.known.integration_installed || event == self.known.uninstall_integration
    }
}

/// Whether an integration of this name is a CRM.
pub(super) fn is_crm(name: &str) -> bool {
    CRMS.contains(&folded(name).as_str())
}

/// Whether an integration of this name exports to a data warehouse.
pub(super) fn is_warehouse(name: &str) -> bool {
    WAREHOUSES.contains(&folded(name).as_str())
}

fn folded(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
