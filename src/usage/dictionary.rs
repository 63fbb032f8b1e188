//! The signal dictionary: every built-in field with its key, type, level and definition.
//!
//! Scoring rules, routing rules, filters, lists and the API name fields by these keys
//! (spec: signals.md). Custom signals are rows of a table and stand beside this list.

use super::signal::{Fields, Value};

/// What kind of value a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the types")]
pub enum FieldType {
    Text,
    Bool,
    Int,
    Number,
    /// Hundredths of the unit of `mrr_currency`, as a whole number.
    Money,
    Date,
    Time,
    List,
}

impl FieldType {
    /// Whether `<` and `>` mean something.
    #[must_use]
    pub fn is_ordered(self) -> bool {
        !matches!(self, Self::Text | Self::Bool | Self::List)
    }

    /// Whether a condition on such a field can be compared with this value.
    #[must_use]
    pub fn accepts(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text | Self::List, Value::Text(_))
            | (Self::List, Value::List(_))
            | (Self::Bool, Value::Bool(_))
            | (Self::Int | Self::Number | Self::Money, Value::Int(_) | Value::Number(_))
            | (Self::Date | Self::Time, Value::Date(_) | Value::Time(_)) => true,
            (Self::Date | Self::Time, Value::Text(text)) => {
                text.parse::<chrono::NaiveDate>().is_ok()
                    || chrono::DateTime::parse_from_rfc3339(text).is_ok()
            }
            _ => false,
        }
    }

    /// The value as a form asks for it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Number => "a number",
            Self::Money => "an amount in hundredths of the currency's unit, such as 4990 for 49.90",
            Self::Date => "a date such as 2026-11-20",
            Self::Time => "a date or time such as 2026-11-20T09:30:00Z",
            Self::List => "a text or a list of texts",
        }
    }
}

/// Whose property a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldLevel {
    /// Of the workspace.
    Workspace,
    /// Of the workspace, and of each member by itself.
    Both,
    /// Of the workspace's account; reads like a workspace field.
    Account,
    /// Of a member.
    User,
}

/// The section of the dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the sections")]
pub enum Group {
    Identity,
    Activation,
    Depth,
    Expansion,
    Intent,
    Commercial,
    Account,
    Member,
    Score,
    Ownership,
}

/// One field of the dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The section it stands in.
    pub group: Group,
    /// The key by which everything refers to it.
    pub key: &'static str,
    /// The kind of its value.
    pub kind: FieldType,
    /// Whose property it is.
    pub level: FieldLevel,
    /// Its name on a page.
    pub label: &'static str,
    /// One line that says what is counted.
    pub definition: &'static str,
    /// All values it can have; empty when there is no fixed set.
    pub values: &'static [&'static str],
}

impl Field {
    /// Whether a scoring model may use it: scores and what follows from them would be circular.
    #[must_use]
    pub fn is_scorable(&self) -> bool {
        !matches!(self.group, Group::Score | Group::Ownership) && self.key != "account_score"
    }
}

/// The field with this key.
#[must_use]
pub fn find(key: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.key == key)
}

/// Signals as they are stored, with the types that JSON lacks: days and times are texts there, and a text
/// has no order.
///
/// # Errors
/// When this is no map of fields.
pub fn restore(stored: serde_json::Value) -> Result<Fields, serde_json::Error> {
    let mut fields: Fields = serde_json::from_value(stored)?;
    for field in FIELDS {
        let Value::Text(text) = fields.get(field.key) else { continue };
        let typed = match field.kind {
            FieldType::Date => text.parse().ok().map(Value::Date),
            FieldType::Time => {
                let time = chrono::DateTime::parse_from_rfc3339(text).ok();
                time.map(|time| Value::Time(time.to_utc()))
            }
            _ => None,
        };
        if let Some(typed) = typed {
            fields.set(field.key, typed);
        }
    }
    Ok(fields)
}

/// The dictionary as a Markdown table, for docs/signals.md.
#[must_use]
pub fn table() -> String {
    let mut text =
        String::from("| field | type | level | definition |\n| --- | --- | --- | --- |\n");
    let mut group = None;
    for field in FIELDS {
        if group != Some(field.group) {
            group = Some(field.group);
            text.push_str(&format!(
                "| **{}** | | | |\n",
                format!("{:?}", field.group).to_lowercase()
            ));
        }
        let level = match field.level {
            FieldLevel::Both => "workspace, member".to_owned(),
            FieldLevel::User => "member".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
        let kind = if field.values.is_empty() {
            format!("{:?}", field.kind).to_lowercase()
        } else {
            field.values.join(", ")
        };
        text.push_str(&format!("| `{}` | {kind} | {level} | {} |\n", field.key, field.definition));
    }
    text
}

/// The label of a field; of a custom signal or an unknown key, the key in words.
#[must_use]
pub fn label(key: &str) -> String {
    find(key).map_or_else(|| in_words(key), |field| field.label.to_owned())
}

/// A key as a label: `core_feature_used` becomes "Core feature used".
#[must_use]
pub fn in_words(key: &str) -> String {
    let text = key.replace('_', " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

const fn field(
    group: Group,
    key: &'static str,
    kind: FieldType,
    level: FieldLevel,
    label: &'static str,
    definition: &'static str,
    values: &'static [&'static str],
) -> Field {
    Field { group, key, kind, level, label, definition, values }
}

/// All built-in fields, by section. One line each: a table reads better than its folding.
#[rustfmt::skip]
pub static FIELDS: &[Field] = &[
    field(Group::Identity, "workspace_id", FieldType::Text, FieldLevel::Workspace, "Workspace ID", "The product's own id; it never changes.", &[]),
    field(Group::Identity, "workspace_name", FieldType::Text, FieldLevel::Workspace, "Workspace name", "The name its users gave it.", &[]),
    field(Group::Identity, "workspace_type", FieldType::Text, FieldLevel::Workspace, "Workspace type", "Production, sandbox or dev; set by a trait or by a person.", &["prod", "sandbox", "dev"]),
    field(Group::Identity, "workspace_status", FieldType::Text, FieldLevel::Workspace, "Workspace status", "Whether the product says it is active, suspended or deleted.", &["active", "suspended", "deleted"]),
    field(Group::Identity, "workspace_age_days", FieldType::Int, FieldLevel::Workspace, "Workspace age in days", "Days since it was created.", &[]),
    field(Group::Identity, "primary_domain", FieldType::Text, FieldLevel::Workspace, "Primary domain", "The most common corporate domain of its members, or its billing or SSO domain.", &[]),
    field(Group::Identity, "member_count", FieldType::Int, FieldLevel::Workspace, "Members", "Current memberships.", &[]),
    field(Group::Identity, "admin_present", FieldType::Bool, FieldLevel::Workspace, "Admin present", "An admin is among its members.", &[]),
    field(Group::Identity, "champion_present", FieldType::Bool, FieldLevel::Workspace, "Champion present", "A champion is among its members, set or suggested.", &[]),
    field(Group::Activation, "activated", FieldType::Bool, FieldLevel::Workspace, "Activated", "The primary milestone of the catalog is complete.", &[]),
    field(Group::Activation, "activation_date", FieldType::Date, FieldLevel::Workspace, "Activation date", "The day on which the primary milestone was completed.", &[]),
    field(Group::Activation, "activation_path", FieldType::Text, FieldLevel::Workspace, "Activation path", "The name of the primary milestone that was completed.", &[]),
    field(Group::Activation, "time_to_activation_hours", FieldType::Number, FieldLevel::Workspace, "Hours to activation", "From its creation to the moment of the event that activated it.", &[]),
    field(Group::Activation, "milestones_completed", FieldType::Int, FieldLevel::Workspace, "Milestones completed", "How many of the catalog's milestones are complete.", &[]),
    field(Group::Activation, "activation_percent", FieldType::Number, FieldLevel::Workspace, "Activation percent", "Milestones completed out of the catalog's milestones, 0 to 100.", &[]),
    field(Group::Depth, "dau", FieldType::Int, FieldLevel::Workspace, "Daily active users", "Distinct active members on the last day.", &[]),
    field(Group::Depth, "wau", FieldType::Int, FieldLevel::Workspace, "Weekly active users", "Distinct active members in the last 7 days.", &[]),
    field(Group::Depth, "mau", FieldType::Int, FieldLevel::Workspace, "Monthly active users", "Distinct active members in the last 30 days.", &[]),
    field(Group::Depth, "active_days_14d", FieldType::Int, FieldLevel::Both, "Active days, 14 days", "Distinct active days in the last 14 days.", &[]),
    field(Group::Depth, "active_days_30d", FieldType::Int, FieldLevel::Both, "Active days, 30 days", "Distinct active days in the last 30 days.", &[]),
    field(Group::Depth, "core_feature_days_14d", FieldType::Int, FieldLevel::Both, "Core feature days, 14 days", "Distinct days with an event of the category depth in the last 14 days.", &[]),
    field(Group::Depth, "core_actions_7d", FieldType::Int, FieldLevel::Both, "Core actions, 7 days", "Events of the categories depth and activation in the last 7 days.", &[]),
    field(Group::Depth, "features_activated", FieldType::Int, FieldLevel::Both, "Features activated", "Distinct features ever used.", &[]),
    field(Group::Depth, "key_feature_adoption_ratio", FieldType::Number, FieldLevel::Both, "Key feature adoption", "Key features used in the last 30 days out of the catalog's key features, 0 to 1.", &[]),
    field(Group::Depth, "core_feature_adoption_count_14d", FieldType::Int, FieldLevel::Both, "Key features used, 14 days", "Distinct key features used in the last 14 days.", &[]),
    field(Group::Depth, "core_feature_adoption_count_30d", FieldType::Int, FieldLevel::Both, "Key features used, 30 days", "Distinct key features used in the last 30 days.", &[]),
    field(Group::Depth, "automation_runs_7d", FieldType::Int, FieldLevel::Both, "Automation runs, 7 days", "Automation runs in the last 7 days.", &[]),
    field(Group::Depth, "logins_7d", FieldType::Int, FieldLevel::Both, "Logins, 7 days", "Logins in the last 7 days.", &[]),
    field(Group::Depth, "sessions_7d", FieldType::Int, FieldLevel::Both, "Sessions, 7 days", "Sessions in the last 7 days.", &[]),
    field(Group::Depth, "sessions_14d", FieldType::Int, FieldLevel::Both, "Sessions, 14 days", "Sessions in the last 14 days.", &[]),
    field(Group::Depth, "records_imported", FieldType::Number, FieldLevel::Both, "Records imported", "The sum of the value of data_imported, ever.", &[]),
    field(Group::Depth, "last_active_at", FieldType::Time, FieldLevel::Both, "Last active", "When an active member was last seen.", &[]),
    field(Group::Expansion, "seat_count_total", FieldType::Int, FieldLevel::Workspace, "Seats", "Seats purchased, or members if none were.", &[]),
    field(Group::Expansion, "seat_count_active_7d", FieldType::Int, FieldLevel::Workspace, "Active seats, 7 days", "Members active in the last 7 days.", &[]),
    field(Group::Expansion, "active_seats_7d", FieldType::Int, FieldLevel::Workspace, "Active seats, 7 days", "Members active in the last 7 days; another name of seat_count_active_7d.", &[]),
    field(Group::Expansion, "seat_growth_30d", FieldType::Int, FieldLevel::Workspace, "Seat growth, 30 days", "Members now minus members 30 days ago.", &[]),
    field(Group::Expansion, "invites_sent_7d", FieldType::Int, FieldLevel::Both, "Invites sent, 7 days", "Invites sent in the last 7 days.", &[]),
    field(Group::Expansion, "invites_sent_14d", FieldType::Int, FieldLevel::Both, "Invites sent, 14 days", "Invites sent in the last 14 days.", &[]),
    field(Group::Expansion, "invites_accepted_7d", FieldType::Int, FieldLevel::Both, "Invites accepted, 7 days", "Invites accepted in the last 7 days.", &[]),
    field(Group::Expansion, "team_invites", FieldType::Int, FieldLevel::Both, "Team invites", "Invites sent, ever.", &[]),
    field(Group::Expansion, "integrations_installed", FieldType::Int, FieldLevel::Workspace, "Integrations installed", "Integrations installed and not uninstalled, distinct by feature.", &[]),
    field(Group::Expansion, "integration_installs_30d", FieldType::Int, FieldLevel::Workspace, "Integration installs, 30 days", "Integrations installed in the last 30 days.", &[]),
    field(Group::Expansion, "crm_connected", FieldType::Bool, FieldLevel::Workspace, "CRM connected", "The CRM integration is installed.", &[]),
    field(Group::Expansion, "data_warehouse_export_enabled", FieldType::Bool, FieldLevel::Workspace, "Data warehouse export", "The data warehouse export is installed.", &[]),
    field(Group::Intent, "upgrade_clicks_7d", FieldType::Int, FieldLevel::Both, "Upgrade clicks, 7 days", "Upgrade clicks in the last 7 days.", &[]),
    field(Group::Intent, "pricing_page_views_7d", FieldType::Int, FieldLevel::Both, "Pricing page views, 7 days", "Pricing page views in the last 7 days.", &[]),
    field(Group::Intent, "usage_limit_hits_30d", FieldType::Int, FieldLevel::Both, "Usage limit hits, 30 days", "Usage limits hit in the last 30 days.", &[]),
    field(Group::Intent, "api_rate_limit_hits_7d", FieldType::Int, FieldLevel::Both, "API rate limit hits, 7 days", "API rate limits hit in the last 7 days.", &[]),
    field(Group::Intent, "high_intent_events_14d", FieldType::Int, FieldLevel::Workspace, "High-intent events, 14 days", "Events of the category intent in the last 14 days.", &[]),
    field(Group::Commercial, "plan_tier", FieldType::Text, FieldLevel::Workspace, "Plan", "The tier of the plan that the product names, by the lists of Settings, Plans; unknown when no list knows it, not set when the product names none. A trial whose last day is past is none.", &["free", "trial", "pro", "enterprise", "unknown"]),
    field(Group::Commercial, "paid_status", FieldType::Text, FieldLevel::Workspace, "Paid status", "From its subscriptions: any active or past due with a price is paid; trialing is trial until its last day; only canceled is churned, those that never began aside; else free. Not set without a subscription when the plan is unknown.", &["free", "trial", "paid", "churned"]),
    field(Group::Commercial, "mrr", FieldType::Money, FieldLevel::Workspace, "MRR", "Monthly recurring revenue of the current subscriptions that are in its MRR currency, in hundredths of that currency's unit.", &[]),
    field(Group::Commercial, "arr", FieldType::Money, FieldLevel::Workspace, "ARR", "Annual recurring revenue: 12 times the MRR.", &[]),
    field(Group::Commercial, "mrr_currency", FieldType::Text, FieldLevel::Workspace, "MRR currency", "The currency, such as usd, that most of its current subscriptions are in. Ask for it beside an amount if customers pay in several.", &[]),
    field(Group::Commercial, "seats_purchased", FieldType::Int, FieldLevel::Workspace, "Seats purchased", "Seats of the current subscriptions.", &[]),
    field(Group::Commercial, "renewal_date", FieldType::Date, FieldLevel::Workspace, "Renewal date", "The earliest renewal of the current subscriptions.", &[]),
    field(Group::Commercial, "days_to_renewal", FieldType::Int, FieldLevel::Workspace, "Days to renewal", "Days until the renewal date.", &[]),
    field(Group::Commercial, "trial_end_date", FieldType::Date, FieldLevel::Workspace, "Trial end", "The trial's last day; only while trialing.", &[]),
    field(Group::Commercial, "trial_days_remaining", FieldType::Int, FieldLevel::Workspace, "Trial days remaining", "Days until the trial ends, 0 on its last day; only while trialing.", &[]),
    field(Group::Account, "icp_fit_tier", FieldType::Text, FieldLevel::Account, "ICP tier", "From the ICP definition.", &["A", "B", "C"]),
    field(Group::Account, "icp_fit_score", FieldType::Int, FieldLevel::Account, "ICP fit score", "From the ICP definition, 0 to 100.", &[]),
    field(Group::Account, "employee_count", FieldType::Int, FieldLevel::Account, "Employees", "Enriched or imported.", &[]),
    field(Group::Account, "employee_range", FieldType::Text, FieldLevel::Account, "Employee range", "Enriched or imported.", &[]),
    field(Group::Account, "industry", FieldType::Text, FieldLevel::Account, "Industry", "Enriched or imported.", &[]),
    field(Group::Account, "sub_industry", FieldType::Text, FieldLevel::Account, "Sub-industry", "Enriched or imported.", &[]),
    field(Group::Account, "hq_country", FieldType::Text, FieldLevel::Account, "Country", "Country of the headquarters.", &[]),
    field(Group::Account, "hq_region", FieldType::Text, FieldLevel::Account, "Region", "Region of the headquarters.", &[]),
    field(Group::Account, "tech_stack", FieldType::List, FieldLevel::Account, "Tech stack", "Technologies in use, enriched or imported.", &[]),
    field(Group::Account, "is_strategic", FieldType::Bool, FieldLevel::Account, "Strategic", "Marked as strategic.", &[]),
    field(Group::Account, "lifecycle_stage", FieldType::Text, FieldLevel::Account, "Lifecycle stage", "Where the account stands.", &[]),
    field(Group::Account, "segment", FieldType::Text, FieldLevel::Account, "Segment", "The market segment.", &[]),
    field(Group::Account, "territory", FieldType::Text, FieldLevel::Account, "Territory", "The sales territory.", &[]),
    field(Group::Account, "account_score", FieldType::Number, FieldLevel::Account, "Account score", "The score over the union of its production workspaces.", &[]),
    field(Group::Account, "account_workspace_count", FieldType::Int, FieldLevel::Account, "Workspaces of the account", "Production workspaces of the account.", &[]),
    field(Group::Member, "role", FieldType::Text, FieldLevel::User, "Role", "The membership's role.", &["admin", "member", "viewer"]),
    field(Group::Member, "persona", FieldType::Text, FieldLevel::User, "Persona", "The buying role on the membership.", &["builder", "champion", "evaluator", "economic_buyer"]),
    field(Group::Member, "seniority", FieldType::Text, FieldLevel::User, "Seniority", "Enriched or imported.", &["student", "ic", "manager", "director", "vp", "c_level"]),
    field(Group::Member, "department", FieldType::Text, FieldLevel::User, "Department", "Enriched or imported.", &[]),
    field(Group::Member, "job_title", FieldType::Text, FieldLevel::User, "Job title", "Enriched or imported.", &[]),
    field(Group::Member, "email_kind", FieldType::Text, FieldLevel::User, "E-mail kind", "By domain lists; role means info@, admin@ and the like.", &["corporate", "personal", "disposable", "role", "unknown"]),
    field(Group::Score, "pql_score", FieldType::Number, FieldLevel::Workspace, "Score", "The PQL score, 0 to 100.", &[]),
    field(Group::Score, "pql_stage", FieldType::Text, FieldLevel::Workspace, "Stage", "The stage of the score in the published model.", &[]),
    field(Group::Score, "score_change_1d", FieldType::Number, FieldLevel::Workspace, "Score change, 1 day", "Against the score of a day ago.", &[]),
    field(Group::Score, "score_change_7d", FieldType::Number, FieldLevel::Workspace, "Score change, 7 days", "Against the score of 7 days ago.", &[]),
    field(Group::Score, "score_activation", FieldType::Number, FieldLevel::Workspace, "Activation points", "Points of the category activation.", &[]),
    field(Group::Score, "score_depth", FieldType::Number, FieldLevel::Workspace, "Depth points", "Points of the category depth.", &[]),
    field(Group::Score, "score_expansion", FieldType::Number, FieldLevel::Workspace, "Expansion points", "Points of the category expansion.", &[]),
    field(Group::Score, "score_intent", FieldType::Number, FieldLevel::Workspace, "Intent points", "Points of the category intent.", &[]),
    field(Group::Score, "score_fit", FieldType::Number, FieldLevel::Workspace, "Fit points", "Points of the category fit.", &[]),
    field(Group::Score, "score_negative", FieldType::Number, FieldLevel::Workspace, "Negative points", "Points of the category negative.", &[]),
    field(Group::Score, "no_buyer_coverage", FieldType::Bool, FieldLevel::Workspace, "No buyer coverage", "Neither an admin nor a champion is among its members.", &[]),
    field(Group::Score, "has_open_anomaly", FieldType::Bool, FieldLevel::Workspace, "Open anomaly", "An anomaly is open.", &[]),
    field(Group::Ownership, "owner", FieldType::Text, FieldLevel::Workspace, "Owner", "Who owns the workspace.", &[]),
    field(Group::Ownership, "owner_team", FieldType::Text, FieldLevel::Workspace, "Owner's team", "The team of the owner.", &[]),
    field(Group::Ownership, "account_owner", FieldType::Text, FieldLevel::Workspace, "Account owner", "Who owns the account.", &[]),
    field(Group::Ownership, "is_unowned", FieldType::Bool, FieldLevel::Workspace, "Unowned", "Nobody owns the workspace.", &[]),
    field(Group::Ownership, "routing_destination", FieldType::Text, FieldLevel::Workspace, "Routing destination", "Where the last decision sent it.", &["sdr", "ae", "csm", "lifecycle_email", "in_app", "nurture", "none"]),
    field(Group::Ownership, "last_routed_at", FieldType::Time, FieldLevel::Workspace, "Last routed", "When the last decision was recorded.", &[]),
    field(Group::Ownership, "open_tasks", FieldType::Int, FieldLevel::Workspace, "Open tasks", "Tasks that are not done.", &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unique_and_explained() {
        for (at, field) in FIELDS.iter().enumerate() {
            assert!(FIELDS[at + 1..].iter().all(|other| other.key != field.key), "{}", field.key);
            assert!(field.definition.ends_with('.') && !field.label.is_empty(), "{}", field.key);
        }
    }

    #[test]
    fn the_documented_table_is_this_one() {
        let page = include_str!("../../docs/signals.md");
        let (_, rest) = page.split_once("<!-- table: begin -->\n").unwrap();
        let (shown, _) = rest.split_once("<!-- table: end -->").unwrap();
        assert!(shown == table(), "docs/signals.md should hold this table:\n{}", table());
    }

    #[test]
    fn stored_days_and_times_have_an_order_again() {
        let stored = serde_json::json!({"renewal_date": "2026-11-20", "last_active_at": "2026-11-20T08:00:00Z",
            "industry": "2026-11-20", "mrr": null});
        let fields = restore(stored).unwrap();
        assert_eq!(fields.get("renewal_date"), &Value::Date("2026-11-20".parse().unwrap()));
        assert!(matches!(fields.get("last_active_at"), Value::Time(_)));
        assert_eq!(fields.get("industry"), &Value::from("2026-11-20"));
        assert_eq!(fields.get("mrr"), &Value::Null);
    }

    #[test]
    fn lookups() {
        assert_eq!(find("trial_days_remaining").map(|field| field.kind), Some(FieldType::Int));
        assert_eq!(label("core_feature_used"), "Core feature used");
        assert!(!find("pql_score").unwrap().is_scorable());
    }
}
