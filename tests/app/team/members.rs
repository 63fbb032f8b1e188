//! Inviting, changing and deactivating people; oneself.

use chrono::TimeDelta;
use diesel::prelude::*;
use ripen::schema::audit_entries;
use ripen::team::member::Role;
use ripen::team::store;

use crate::house::{Answer, House, opening};

const PASSWORD: &str = "orchard kettle violin";

fn actions(house: &House) -> Vec<String> {
    house.tx(|conn| {
        Ok(audit_entries::table
            .order(audit_entries::id)
            .select(audit_entries::action)
            .load(conn)?)
    })
}

fn link_in(answer: &Answer) -> String {
    let (_, rest) = answer.body.split_once("http://ripen.test/invite/").expect("a link");
    let token: String =
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    format!("/invite/{token}")
}

const MARA: [(&str, &str); 4] =
    [("email", "Mara@Northwind.test"), ("name", "Mara"), ("role", "rep"), ("function", "sdr")];

#[actix_web::test]
async fn an_invite_makes_a_member_once() {
    let house = House::open().await;
    let admin = house.as_admin();
    let answer = admin.post("/settings/team/invites", &MARA).await;
    answer.says(200, "Ripen sends no mail yet");
    let path = link_in(&answer);
    let again = admin.get("/settings/team").await;
    again.says(200, "mara@northwind.test");
    assert!(!again.body.contains(path.as_str()), "the link is shown once");

    let mara = house.stranger();
    mara.get(&path).await.says(200, "mara@northwind.test");
    mara.post(&path, &[("name", "Mara L"), ("password", "mara.northwind")])
        .await
        .says(422, "Mara L");
    let form = [("name", "Mara L"), ("password", PASSWORD), ("email", "evil@x.test")];
    mara.post(&path, &form).await.leads_to("/inbox");
    mara.get("/me").await.says(200, "mara@northwind.test");
    let found = house.tx(|conn| store::by_email(conn, "mara@northwind.test")).unwrap().0;
    assert_eq!((found.role, found.function.unwrap().key()), (Role::Rep, "sdr"));
    let sellers = house.tx(|conn| ripen::ownership::store::candidates(conn, opening()));
    assert_eq!(sellers[0].pools, ["sdr"], "whoever joins takes their turn");

    assert_eq!(house.stranger().get(&path).await.status, 404);
    assert_eq!(actions(&house), ["invite.sent", "member.joined", "member.signed_in"]);
    admin.post("/settings/team/invites", &MARA).await.says(422, "in the team already");
}

#[actix_web::test]
async fn an_invite_ends_when_revoked_replaced_or_old() {
    let house = House::open().await;
    let admin = house.as_admin();
    let first = link_in(&admin.post("/settings/team/invites", &MARA).await);
    let second = link_in(&admin.post("/settings/team/invites", &MARA).await);
    let stranger = house.stranger();
    assert_eq!(stranger.get(&first).await.status, 404);
    assert_eq!(stranger.get(&second).await.status, 200);

    let hash = hex::encode(ripen::web::token::hash(second.trim_start_matches("/invite/")));
    let revocation = format!("/settings/team/invites/{hash}/revocation");
    admin.post(&revocation, &[]).await.leads_to("/settings/team");
    assert_eq!(stranger.get(&second).await.status, 404);
    assert_eq!(admin.post(&revocation, &[]).await.status, 404);

    let third = link_in(&admin.post("/settings/team/invites", &MARA).await);
    house.clock.advance(TimeDelta::days(8));
    assert_eq!(stranger.get(&third).await.status, 404);
    stranger.get("/login").await;
    assert_eq!(stranger.post(&third, &[("name", "M"), ("password", PASSWORD)]).await.status, 404);
}

#[actix_web::test]
async fn a_bad_invite_keeps_what_was_typed() {
    let house = House::open().await;
    let admin = house.as_admin();
    let form = [("email", "mara at home"), ("name", "Mara"), ("role", "king")];
    let answer = admin.post("/settings/team/invites", &form).await;
    answer.says(422, "There is a problem");
    for text in ["mara at home", "value=\"Mara\"", "<title>Error: Team"] {
        assert!(answer.body.contains(text), "{text}");
    }
}

#[actix_web::test]
async fn a_role_change_signs_out_and_counts_from_the_next_session() {
    let house = House::open().await;
    let (admin, rep) = (house.as_admin(), house.as_rep());
    let path = format!("/settings/team/{}/role", rep.id());
    admin.post(&path, &[("role", "manager")]).await.leads_to("/settings/team");
    admin.get("/settings/team").await.says(200, "is Manager now");
    assert_eq!(rep.get("/me").await.status, 303);
    assert_eq!(house.signed_in(rep.id()).get("/settings/team").await.status, 200);
    assert_eq!(actions(&house), ["member.role_changed"]);

    admin.post(&path, &[("role", "king")]).await.says(422, "Choose a role");
    let nobody = ripen::ids::MemberId::new();
    let path = format!("/settings/team/{nobody}/role");
    assert_eq!(admin.post(&path, &[("role", "rep")]).await.status, 404);
    let path = format!("/settings/team/{}/role", rep.id());
    let htmx = admin.htmx_post(&path, "team", &[("role", "rep")]).await;
    assert_eq!((htmx.status, htmx.header("hx-location")), (204, "/settings/team"));
}

#[actix_web::test]
async fn work_is_changed_with_an_audit_entry() {
    let house = House::open().await;
    let (admin, rep) = (house.as_admin(), house.as_rep());
    let path = format!("/settings/team/{}/work", rep.id());
    let form = [("function", "csm"), ("capacity", "7"), ("territories", "emea, na")];
    admin.post(&path, &form).await.leads_to("/settings/team");
    let member = house.tx(|conn| store::member(conn, rep.id()));
    assert_eq!((member.capacity, member.territories.len()), (7, 2));
    let form = [("function", "csm"), ("capacity", "many"), ("territories", "")];
    admin.post(&path, &form).await.says(422, "whole number");
    assert_eq!(actions(&house), ["member.work_changed"]);
}

#[actix_web::test]
async fn who_is_deactivated_is_out_until_reactivated() {
    let house = House::open().await;
    let (admin, rep) = (house.as_admin(), house.as_rep());
    let path = |what: &str| format!("/settings/team/{}/{what}", rep.id());
    admin.post(&path("deactivation"), &[]).await.leads_to("/settings/team");
    assert_eq!(rep.get("/me").await.status, 303);
    admin.get("/settings/team").await.says(200, "Reactivate");
    admin.post(&path("deactivation"), &[]).await.leads_to("/settings/team");
    admin.post(&path("reactivation"), &[]).await.leads_to("/settings/team");
    assert_eq!(house.signed_in(rep.id()).get("/me").await.status, 200);
    assert_eq!(actions(&house), ["member.deactivated", "member.reactivated"]);
}

#[actix_web::test]
async fn the_last_admin_stays() {
    let house = House::open().await;
    let admin = house.as_admin();
    let path = |what: &str| format!("/settings/team/{}/{what}", admin.id());
    admin.post(&path("role"), &[("role", "rep")]).await.says(409, "last admin");
    admin.post(&path("deactivation"), &[]).await.says(409, "last admin");
    let second = house.as_admin();
    second.post(&path("deactivation"), &[]).await.leads_to("/settings/team");
    assert_eq!(admin.get("/me").await.status, 303);
    let own = format!("/settings/team/{}/deactivation", second.id());
    second.post(&own, &[]).await.says(409, "last admin");
}

#[actix_web::test]
async fn people_set_their_name_zone_theme_and_shortcuts() {
    let house = House::open().await;
    let rep = house.as_rep();
    let form = [("name", "Rita R"), ("time_zone", "Europe/Stockholm")];
    rep.post("/me", &form).await.leads_to("/me");
    let page = rep.get("/me").await;
    page.says(200, "Rita R");
    page.says(200, "data-shortcuts=\"off\"");
    page.says(200, "Saved.");
    assert!(!rep.get("/me").await.body.contains("Saved."), "a message is shown once");
    let bad = [("name", " "), ("time_zone", "Mars/Olympus")];
    rep.post("/me", &bad).await.says(422, "Choose one of the list");

    rep.post("/me/theme", &[("theme", "dark")]).await.leads_to("/me");
    rep.get("/me").await.says(200, "data-theme=\"dark\"");
    assert_eq!(rep.post("/me/theme", &[("theme", "pink")]).await.status, 422);
}

#[actix_web::test]
async fn of_two_invites_of_one_address_at_once_one_holds() {
    let house = House::open().await;
    let (one, two) = (house.as_admin(), house.as_admin());
    let answers = futures_util::future::join_all(
        [&one, &two, &one, &two, &one, &two]
            .map(|admin| admin.post("/settings/team/invites", &MARA)),
    )
    .await;
    let links: Vec<String> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer.status, 200, "{}", answer.body);
            link_in(answer)
        })
        .collect();
    let stranger = house.stranger();
    let mut open = 0;
    for link in &links {
        open += usize::from(stranger.get(link).await.status == 200);
    }
    assert_eq!(open, 1);
}
