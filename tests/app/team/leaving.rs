//! An admin leaves or gets a lesser role: nothing that they made opens anything unasked.

use actix_web::http::Method;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use ripen::db::Pool;
use ripen::error::Error;
use ripen::ids::MemberId;
use ripen::schema::audit_entries;
use ripen::sources::key::Scope;
use ripen::sources::makers::{Held, Kind};
use ripen::sources::{ops, ops_webhooks, store_makers, store_webhooks};
use ripen::team::audit::Actor;
use ripen::team::member::Role;
use ripen::team::ops::{self as team, NewInvite};

use crate::house::{Client, House};

/// Somebody who invited and made one of everything.
struct Maker {
    id: MemberId,
    invite: String,
    write_key: String,
    server_key: String,
    api_key: String,
}

fn invite() -> NewInvite {
    NewInvite {
        email: "mara.again@ripen.test".to_owned(),
        name: "Mara again".to_owned(),
        role: Role::Admin,
        function: None,
    }
}

fn maker(house: &House) -> Maker {
    let id = house.member("Mara Maker", Role::Admin);
    let (by, now) = (Actor::member(id, "Mara Maker"), house.clock.now());
    house.tx(|conn| {
        let source = ops::create_source(conn, &by, "Web app", "", now)?.id;
        let scopes = [Scope::Read, Scope::Write, Scope::Admin];
        let wanted = ops_webhooks::Wanted::Events(source);
        ops_webhooks::create(conn, &by, "Our backend", &wanted, now)?;
        Ok(Maker {
            id,
            invite: format!("/invite/{}", team::invite(conn, &by, &invite(), now)?),
            write_key: ops::create_write_key(conn, &by, source, now)?.reveal().to_owned(),
            server_key: ops::create_server_key(conn, &by, source, now)?.reveal().to_owned(),
            api_key: ops::create_api_key(conn, &by, "nightly", &scopes, now)?.reveal().to_owned(),
        })
    })
}

fn held(house: &House, maker: MemberId) -> Vec<Held> {
    let now = house.clock.now();
    house.db.read(Pool::Web, |conn| store_makers::held(conn, Some(maker), now)).unwrap()
}

fn field(house: &House, maker: MemberId, kind: Kind) -> String {
    held(house, maker).iter().find(|one| one.kind == kind).unwrap().field()
}

async fn ask(house: &House, key: &str, method: Method, path: &str) -> u16 {
    let bearer = format!("Bearer {key}");
    let body = (method == Method::PUT).then(|| "{}".to_owned());
    house.stranger().send(method, path, &[("Authorization", &bearer)], body).await.status
}

fn opens(house: &House, key: &str) -> bool {
    house.app.keys.open(key).unwrap().is_some()
}

fn actions(house: &House) -> Vec<String> {
    house.tx(|conn| {
        Ok(audit_entries::table
            .order(audit_entries::id)
            .select(audit_entries::action)
            .load(conn)?)
    })
}

fn secrets(house: &House) -> usize {
    let now = house.clock.now();
    house.tx(|conn| {
        let endpoint = store_webhooks::list(conn)?[0].id;
        Ok(store_webhooks::valid(conn, endpoint, now)?.len())
    })
}

async fn post(client: &Client, maker: &Maker, what: &str, fields: &[(&str, &str)]) -> String {
    let answer = client.post(&format!("/settings/team/{}/{what}", maker.id), fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("location").to_owned()
}

#[actix_web::test]
async fn deactivating_ends_invites_and_asks_about_every_key() {
    let house = House::open().await;
    let (ada, mara) = (house.as_admin(), maker(&house));
    ada.get("/settings/keys").await.says(200, "by <bdi>Mara Maker</bdi>");
    let page = ada.get("/settings/team").await;
    page.says(200, "They made keys that still work");
    for held in held(&house, mara.id) {
        assert!(page.body.contains(&format!("name=\"{}\"", held.field())), "{held:?}");
    }
    assert!(page.body.contains("data-label=\"Invited by\"><bdi>Mara Maker</bdi>"));
    assert_eq!(house.stranger().get(&mara.invite).await.status, 200);
    assert_eq!(ask(&house, &mara.api_key, Method::GET, "/api/v1/workspaces").await, 200);
    assert!(opens(&house, &mara.write_key));

    let keys = format!("/settings/team/{}/keys", mara.id);
    assert_eq!(post(&ada, &mara, "deactivation", &[]).await, keys, "on to what is undecided");
    assert_eq!(house.stranger().get(&mara.invite).await.status, 404, "their invite ended");
    let asked = ask(&house, &mara.api_key, Method::GET, "/api/v1/workspaces").await;
    assert_eq!(asked, 401, "nobody has the rights of an API key without a choice");
    assert!(opens(&house, &mara.write_key) && opens(&house, &mara.server_key), "products go on");
    ada.get("/settings/team").await.says(200, "Keys that they made still work: 3");
    ada.get("/settings/keys").await.says(200, &keys);
    let page = ada.get(&keys).await;
    page.says(200, "Mara Maker is deactivated.");
    assert_eq!(page.body.matches("Waits for a decision").count(), 3);
    assert!(!page.body.contains("nightly"), "what was revoked is no question");

    let (write, server) =
        (field(&house, mara.id, Kind::WriteKey), field(&house, mara.id, Kind::ServerKey));
    let secret = field(&house, mara.id, Kind::WebhookSecret);
    assert_eq!(post(&ada, &mara, "keys", &[(&write, "revoke"), (&server, "what")]).await, keys);
    assert!(!opens(&house, &mara.write_key), "refused at once");
    assert!(opens(&house, &mara.server_key), "no choice is no choice");
    assert_eq!(secrets(&house), 1);
    let choices = [(server.as_str(), "keep"), (&secret, "revoke")];
    assert_eq!(post(&ada, &mara, "keys", &choices).await, "/settings/team");
    assert!(opens(&house, &mara.server_key));
    assert_eq!(secrets(&house), 0);
    let team = ada.get("/settings/team").await;
    assert!(!team.body.contains("may make no keys any more"), "nothing waits");
    let said = actions(&house);
    for action in [
        "member.deactivated",
        "invite.revoked",
        "api_key.revoked",
        "member.keys_to_review",
        "write_key.revoked",
        "write_key.kept",
        "webhook_secret.revoked",
    ] {
        assert!(said.iter().any(|one| one == action), "{action} in {said:?}");
    }
}

#[actix_web::test]
async fn a_choice_for_every_key_leaves_nothing_to_decide() {
    let house = House::open().await;
    let (ada, mara) = (house.as_admin(), maker(&house));
    let fields: Vec<String> = held(&house, mara.id).iter().map(Held::field).collect();
    let choices: Vec<(&str, &str)> = fields.iter().map(|field| (field.as_str(), "keep")).collect();
    assert_eq!(post(&ada, &mara, "deactivation", &choices).await, "/settings/team");
    assert_eq!(ask(&house, &mara.api_key, Method::GET, "/api/v1/workspaces").await, 200);
    assert_eq!(post(&ada, &mara, "deactivation", &[]).await, "/settings/team");
    let asked = ask(&house, &mara.api_key, Method::GET, "/api/v1/workspaces").await;
    assert_eq!(asked, 200, "whoever is deactivated already is not asked about again");
    assert_eq!(post(&ada, &mara, "reactivation", &[]).await, "/settings/team");
    assert_eq!(house.stranger().get(&mara.invite).await.status, 404, "invites do not come back");
}

#[actix_web::test]
async fn a_lesser_role_caps_api_keys_and_asks_about_all() {
    for (role, writes, words) in
        [("revops", 400, "read, write, admin"), ("manager", 403, "read"), ("rep", 403, "read")]
    {
        let house = House::open().await;
        let (ada, mara) = (house.as_admin(), maker(&house));
        let keys = format!("/settings/team/{}/keys", mara.id);
        assert_eq!(post(&ada, &mara, "role", &[("role", role)]).await, keys, "{role}");
        assert_eq!(house.stranger().get(&mara.invite).await.status, 404, "{role}");
        assert_eq!(ask(&house, &mara.api_key, Method::GET, "/api/v1/workspaces").await, 200);
        let wrote = ask(&house, &mara.api_key, Method::PUT, "/api/v1/scoring/model").await;
        assert_eq!(wrote == 403, writes == 403, "{role}: {wrote}");
        let page = ada.get(&keys).await;
        page.says(200, &format!("May {words}."));
        assert_eq!(page.body.matches("Waits for a decision").count(), 4, "{role}");
        let capped = actions(&house).iter().any(|action| action == "api_key.capped");
        assert_eq!(capped, writes == 403, "{role}");
    }
}

#[actix_web::test]
async fn a_greater_role_and_one_without_keys_ask_nothing() {
    let house = House::open().await;
    let (ada, rep) = (house.as_admin(), house.as_rep());
    let path = format!("/settings/team/{}/role", rep.id());
    ada.post(&path, &[("role", "admin")]).await.leads_to("/settings/team");
    ada.post(&path, &[("role", "rep")]).await.leads_to("/settings/team");
    let keys = format!("/settings/team/{}/keys", rep.id());
    ada.get(&keys).await.says(200, "No valid keys");
    let nobody = format!("/settings/team/{}/keys", MemberId::new());
    assert_eq!(ada.get(&nobody).await.status, 404);
    assert_eq!(ada.post(&nobody, &[]).await.status, 404);
}

#[actix_web::test]
async fn whoever_lost_the_right_a_moment_ago_makes_nothing() {
    let house = House::open().await;
    let (ada, mara) = (house.as_admin(), maker(&house));
    post(&ada, &mara, "deactivation", &[]).await;
    let (by, now) = (Actor::member(mara.id, "Mara Maker"), house.clock.now());
    let source = house.tx(ripen::sources::store::list)[0].id;
    let late = |made: Result<(), Error>| assert!(matches!(made, Err(Error::SignedOut)));
    late(house.db.tx(Pool::Web, |conn| team::invite(conn, &by, &invite(), now).map(drop)));
    late(house.db.tx(Pool::Web, |conn| ops::create_write_key(conn, &by, source, now).map(drop)));
    late(house.db.tx(Pool::Web, |conn| {
        ops::create_api_key(conn, &by, "late", &[Scope::Read], now).map(drop)
    }));
    late(house.db.tx(Pool::Web, |conn| {
        let wanted = ops_webhooks::Wanted::Events(source);
        ops_webhooks::create(conn, &by, "late", &wanted, now).map(drop)
    }));
}

/// An installation of before makers were recorded.
#[actix_web::test]
async fn makers_of_earlier_keys_are_taken_from_the_audit_log() {
    let house = House::open().await;
    let (_ada, mara) = (house.as_admin(), maker(&house));
    let folder =
        concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/2026-11-29-000700_record_key_makers");
    let migrate = |file: &str| {
        let text = std::fs::read_to_string(format!("{folder}/{file}.sql")).unwrap();
        house.tx(|conn| Ok(conn.batch_execute(&text)?));
    };
    migrate("down");
    migrate("up");
    let again = held(&house, mara.id);
    assert_eq!(again.len(), 4, "each is known by who made it");
    assert!(again.iter().all(|one| one.waits_since.is_none()));
    assert_eq!(house.stranger().get(&mara.invite).await.status, 200);

    migrate("down");
    let left = format!("update team_members set deactivated_at = now() where id = '{}'", mara.id);
    house.tx(|conn| Ok(conn.batch_execute(&left)?));
    migrate("up");
    assert!(held(&house, mara.id).iter().all(|one| one.waits_since.is_some()), "they wait");
    assert_eq!(house.stranger().get(&mara.invite).await.status, 404);
    assert_eq!(actions(&house).last().unwrap(), "invite.revoked");
}
