//! Which role gets what from which route.

use ripen::team::member::Role;

use crate::house::House;

/// Signed out 303; then the status for rep, manager, revops, admin. A later feature adds its lines.
const PAGES: [(&str, [u16; 4]); 8] = [
    ("/inbox", [200, 200, 200, 200]),
    ("/assign", [200, 200, 200, 200]),
    ("/routing", [200, 200, 200, 200]),
    ("/routing/log", [200, 200, 200, 200]),
    ("/me", [200, 200, 200, 200]),
    ("/me/sessions", [200, 200, 200, 200]),
    ("/settings/team", [404, 200, 404, 200]),
    ("/", [303, 303, 303, 303]),
];

#[actix_web::test]
async fn every_page_answers_each_role_as_the_table_says() {
    let house = House::open().await;
    let stranger = house.stranger();
    let everybody = house.one_of_each();
    for (path, wanted) in PAGES {
        assert_eq!(stranger.get(path).await.status, 303, "{path} signed out");
        for ((role, client), wanted) in everybody.iter().zip(wanted) {
            assert_eq!(client.get(path).await.status, wanted, "{path} as {role}");
        }
    }
}

#[actix_web::test]
async fn only_an_admin_changes_the_team() {
    let house = House::open().await;
    let target = house.member("Target", Role::Rep);
    let actions = [
        "/settings/team/invites".to_owned(),
        format!("/settings/team/invites/{}/revocation", "00".repeat(32)),
        format!("/settings/team/{target}/role"),
        format!("/settings/team/{target}/work"),
        format!("/settings/team/{target}/deactivation"),
        format!("/settings/team/{target}/reactivation"),
    ];
    for (role, client) in house.one_of_each().iter().filter(|(role, _)| *role != Role::Admin) {
        for path in &actions {
            let wanted = if *role == Role::Manager { 403 } else { 404 };
            assert_eq!(client.post(path, &[]).await.status, wanted, "{path} as {role}");
        }
    }
    for path in &actions {
        house.stranger().post(path, &[]).await.leads_to("/login");
    }
    let team = house.as_manager().get("/settings/team").await;
    assert!(!team.body.contains("Make an invite link"), "no form without the right");
}
