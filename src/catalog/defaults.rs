//! The catalog that Ripen starts with: every event name of the published recipes, with the names
//! that Segment's B2B SaaS events give them.

use super::event::{Category, Definition};

/// What a definition is made of, for the table below.
type Entry = (
    &'static str,
    &'static str,
    Category,
    bool,
    &'static [&'static str],
    Option<&'static str>,
    Option<&'static str>,
    Option<&'static str>,
);

const PRIMARY: Option<&str> = Some("primary");
const SECONDARY: Option<&str> = Some("secondary");

/// Key, label, category, is it a key event, other names, value, feature, milestone.
const ENTRIES: &[Entry] = {
    use Category::{Activation, Depth, Expansion, Intent, Negative, None as Other};
    &[
        (
            "workspace_created",
            "Created the workspace",
            Activation,
            true,
            &["Account Created", "Workspace Create", "Organization Created", "Team Created"],
            None,
            None,
            None,
        ),
        (
            "key_action_completed",
            "Completed the key action",
            Activation,
            true,
            &["Key Action"],
            None,
            None,
            PRIMARY,
        ),
        (
            "first_value_delivered",
            "Got first value",
            Activation,
            true,
            &["First Value", "Value Delivered"],
            None,
            None,
            SECONDARY,
        ),
        (
            "data_imported",
            "Imported data",
            Activation,
            true,
            &["Data Import", "Import Completed", "Records Imported"],
            Some("records"),
            None,
            None,
        ),
        (
            "core_feature_used",
            "Used a core feature",
            Depth,
            true,
            &["Feature Used", "Core Feature"],
            None,
            Some("feature"),
            None,
        ),
        (
            "automation_run",
            "Ran an automation",
            Depth,
            true,
            &["Automation Ran", "Workflow Run"],
            None,
            None,
            None,
        ),
        (
            "invite_sent",
            "Invited a teammate",
            Expansion,
            true,
            &["User Invited", "Teammate Invited", "Member Invited"],
            None,
            None,
            None,
        ),
        (
            "invite_accepted",
            "Accepted an invite",
            Expansion,
            true,
            &["Invitation Accepted", "Account Added User", "Member Joined"],
            None,
            None,
            None,
        ),
        (
            "integration_installed",
            "Installed an integration",
            Expansion,
            true,
            &["Integration Added", "Integration Connected", "Integration Enabled"],
            None,
            Some("integration"),
            SECONDARY,
        ),
        (
            "pricing_page_view",
            "Looked at pricing",
            Intent,
            true,
            &["Pricing Page Viewed", "Viewed Pricing Page", "Pricing Viewed", "Pricing"],
            None,
            None,
            None,
        ),
        (
            "upgrade_click",
            "Clicked upgrade",
            Intent,
            true,
            &["Upgrade Clicked", "Clicked Upgrade"],
            None,
            None,
            None,
        ),
        (
            "usage_limit_hit",
            "Hit a usage limit",
            Intent,
            true,
            &["Usage Limit Reached", "Limit Hit", "Plan Limit Hit"],
            None,
            None,
            None,
        ),
        (
            "api_rate_limit_hit",
            "Hit the API rate limit",
            Intent,
            true,
            &["API Rate Limit Reached", "Rate Limit Hit"],
            None,
            None,
            None,
        ),
        (
            "workspace_downgraded",
            "Downgraded the workspace",
            Negative,
            true,
            &["Account Downgraded", "Plan Downgraded", "Subscription Downgraded"],
            None,
            None,
            None,
        ),
        (
            "uninstall_integration",
            "Removed an integration",
            Negative,
            true,
            &["Integration Uninstalled", "Integration Removed", "Integration Disconnected"],
            None,
            Some("integration"),
            None,
        ),
        (
            "account_removed_user",
            "Lost a member",
            Negative,
            true,
            &["Member Removed", "User Removed"],
            None,
            None,
            None,
        ),
        (
            "account_deleted",
            "Deleted the workspace",
            Negative,
            true,
            &["Workspace Deleted"],
            None,
            None,
            None,
        ),
        ("trial_started", "Started a trial", Activation, true, &["Trial Start"], None, None, None),
        (
            "trial_ended",
            "Trial ended",
            Other,
            true,
            &["Trial End", "Trial Expired"],
            None,
            None,
            None,
        ),
        (
            "user_signed_up",
            "Signed up",
            Activation,
            true,
            &["Signed Up", "Sign Up", "User Created"],
            None,
            None,
            None,
        ),
        (
            "login",
            "Logged in",
            Other,
            false,
            &["Signed In", "Sign In", "Logged In", "User Logged In"],
            None,
            None,
            None,
        ),
        (
            "session_started",
            "Started a session",
            Other,
            false,
            &["Session Start", "Application Opened"],
            None,
            None,
            None,
        ),
        (
            "user_signed_out",
            "Signed out",
            Other,
            false,
            &["Signed Out", "Logged Out", "Logout"],
            None,
            None,
            None,
        ),
    ]
};

/// The definitions, in the order of the catalog page.
#[must_use]
pub fn definitions() -> Vec<Definition> {
    ENTRIES
        .iter()
        .map(|&(key, label, category, is_key, names, value, feature, milestone)| Definition {
            key: key.to_owned(),
            label: label.to_owned(),
            category,
            is_key,
            names: names.iter().map(|&name| name.to_owned()).collect(),
            conditions: Vec::new(),
            value_property: value.map(str::to_owned),
            feature_property: feature.map(str::to_owned),
            milestone: milestone.map(str::to_owned),
            muted_at: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ten_to_twenty_five_key_events_and_no_name_twice() {
        let definitions = definitions();
        let keys = definitions.iter().filter(|definition| definition.is_key).count();
        assert!((10..=25).contains(&keys));
        let names: Vec<String> = definitions
            .iter()
            .flat_map(|definition| definition.names.iter().chain([&definition.key]))
            .map(|name| name.to_lowercase().replace([' ', '_', '-'], ""))
            .collect();
        let distinct: BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        for category in Category::ALL {
            assert!(definitions.iter().any(|definition| definition.category == category));
        }
    }
}
