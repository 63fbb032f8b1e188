//! The names that published recipes and Segment's B2B SaaS spec give to events mean something from
//! the start.

use ripen::catalog::defaults;
use ripen::catalog::matching::Catalog;

#[test]
fn the_seeds_and_segments_b2b_names_are_defined_from_the_start() {
    let catalog = Catalog::new(1, defaults::definitions());
    for (name, key) in [
        // Segment's B2B SaaS spec.
        ("Account Created", "workspace_created"),
        ("Account Deleted", "account_deleted"),
        ("Account Added User", "invite_accepted"),
        ("Account Removed User", "account_removed_user"),
        ("Signed Up", "user_signed_up"),
        ("Signed In", "login"),
        ("Signed Out", "user_signed_out"),
        ("Invite Sent", "invite_sent"),
        ("Trial Started", "trial_started"),
        ("Trial Ended", "trial_ended"),
        // The seeds' keys.
        ("key_action_completed", "key_action_completed"),
        ("first_value_delivered", "first_value_delivered"),
        ("data_imported", "data_imported"),
        ("core_feature_used", "core_feature_used"),
        ("automation_run", "automation_run"),
        ("integration_installed", "integration_installed"),
        ("pricing_page_view", "pricing_page_view"),
        ("upgrade_click", "upgrade_click"),
        ("usage_limit_hit", "usage_limit_hit"),
        ("api_rate_limit_hit", "api_rate_limit_hit"),
        ("workspace_downgraded", "workspace_downgraded"),
        ("uninstall_integration", "uninstall_integration"),
    ] {
        let found = catalog.find(name, || serde_json::json!({}));
        assert_eq!(found.map(|one| one.key.as_str()), Some(key), "{name}");
    }
}
