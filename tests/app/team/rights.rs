//! Which role gets what from which route: every route, every role, and nobody signed in.

use actix_web::http::Method;
use ripen::sources::key::Scope;
use ripen::team::member::Role;
use ripen::web::role::Verdict;

use super::every_route::{self, Needs, Route, Stocked};
use crate::api_client::Script;
use crate::house::{Answer, Client, House};

async fn ask(client: &Client, method: &Method, path: &str) -> Answer {
    if method == Method::GET { client.get(path).await } else { client.post(path, &[]).await }
}

#[actix_web::test]
async fn every_route_lets_in_whom_the_table_says_and_nobody_else() {
    let stocked = every_route::stocked().await;
    let everybody = stocked.house.one_of_each();
    for route in every_route::all() {
        match route.needs {
            Needs::Right(right) | Needs::Own(right) => {
                let (method, path) = (&route.method, stocked.address(&route.pattern));
                let stranger = ask(&stocked.house.stranger(), method, &path).await;
                assert_eq!(stranger.status, 303, "{method} {path} signed out");
                assert!(stranger.header("location").starts_with("/login"), "{path}");
                let mut found = false;
                for (role, client) in &everybody {
                    let answer = ask(client, method, &path).await;
                    let said = format!("{method} {path} as {role}: {}", answer.status);
                    match role.verdict(right) {
                        Verdict::Refused => assert_eq!(answer.status, 403, "{said}"),
                        Verdict::Hidden => assert_eq!(answer.status, 404, "{said}"),
                        Verdict::Granted => {
                            assert!([200, 303, 404, 409, 422].contains(&answer.status), "{said}");
                            assert!(!answer.header("location").starts_with("/login"), "{said}");
                            found |= answer.status != 404;
                        }
                    }
                }
                // Else a 404 above may have been that of nothing there.
                let somebodys = matches!(route.needs, Needs::Own(_));
                assert!(found || somebodys, "nobody got in: {method} {path}");
            }
            Needs::Key(scope) => by_key(&stocked, &route, scope).await,
            Needs::Signature => {
                let path = stocked.address(&route.pattern);
                let unsigned = stocked.house.stranger().send(Method::POST, &path, &[], None).await;
                let refused = if path.contains("/stripe/") { 404 } else { 400 };
                assert_eq!(unsigned.status, refused, "{path}: {}", unsigned.body);
            }
            Needs::ServerKey => by_server_key(&stocked, &route).await,
            Needs::Nothing | Needs::Door => {}
        }
    }
}

/// No key and a mere session: 401. A lesser key: 403. The right one gets in.
async fn by_key(stocked: &Stocked, route: &Route, scope: Scope) {
    let (method, path) = (&route.method, stocked.address(&route.pattern));
    let body = || (*method != Method::GET).then(|| "{}".to_owned());
    let admin = stocked.house.as_admin();
    for client in [&stocked.house.stranger(), &admin] {
        let answer = client.send(method.clone(), &path, &[], body()).await;
        assert_eq!(answer.status, 401, "{method} {path} without a key");
    }
    for held in [Scope::Read, Scope::Write, Scope::Admin] {
        let script = Script::new(&stocked.house, held);
        let status = script.send(method.clone(), &path, &[], body()).await.status;
        let said = format!("{method} {path} by a key for {}: {status}", held.name());
        if held < scope {
            assert_eq!(status, 403, "{said}");
        } else {
            assert!(status < 500 && ![401, 403].contains(&status), "{said}");
        }
    }
}

/// No key, a session, an API key: 401. The public key of an SDK: 403. A server key gets in, but not
/// from a web page.
async fn by_server_key(stocked: &Stocked, route: &Route) {
    let (house, path) = (&stocked.house, stocked.address(&route.pattern));
    let send = async |client: &Client, key: Option<&str>, origin: Option<&str>| {
        let bearer = key.map(|key| format!("Bearer {key}"));
        let mut headers: Vec<(&str, &str)> = Vec::new();
        headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        headers.extend(origin.map(|origin| ("Origin", origin)));
        client.send(route.method.clone(), &path, &headers, Some("[]".to_owned())).await
    };
    let (stranger, admin, now) = (house.stranger(), house.as_admin(), house.clock.now());
    let by = ripen::team::audit::Actor::system();
    let (public, server, script) = house.tx(|conn| {
        use ripen::sources::{ops, store};
        let source = store::list(conn)?[0].id;
        Ok((
            ops::create_write_key(conn, &by, source, now)?,
            ops::create_server_key(conn, &by, source, now)?,
            ops::create_api_key(conn, &by, "a script", &[Scope::Admin], now)?,
        ))
    });
    for (client, key) in [(&stranger, None), (&admin, None), (&stranger, Some(script.reveal()))] {
        let answer = send(client, key, None).await;
        assert_eq!(answer.status, 401, "{path} {}", answer.body);
        assert!(answer.body.contains("\"code\"") && answer.body.contains("\"message\""));
    }
    send(&stranger, Some(public.reveal()), None).await.says(403, "public_key");
    send(&stranger, Some(server.reveal()), Some("https://shop.example")).await.says(403, "browser");
    let answer = send(&stranger, Some(server.reveal()), None).await;
    answer.says(200, "\"success\":true");
    assert_eq!(answer.header("access-control-allow-origin"), "", "no page may read it");
}

#[actix_web::test]
async fn every_form_needs_its_token() {
    let stocked = every_route::stocked().await;
    let everybody = stocked.house.one_of_each();
    for route in every_route::all() {
        let is_form = !matches!(route.needs, Needs::Key(_) | Needs::Signature | Needs::ServerKey)
            && route.method != Method::GET;
        if is_form {
            let path = stocked.address(&route.pattern);
            for (role, client) in &everybody {
                let answer = client.post_without_token(&path, &[]).await;
                assert_eq!(answer.status, 403, "{path} as {role} without a token");
            }
        }
    }
}

#[actix_web::test]
async fn a_manager_sees_the_team_without_the_forms() {
    let house = House::open().await;
    house.member("Target", Role::Rep);
    let team = house.as_manager().get("/settings/team").await;
    team.says(200, "Target");
    assert!(!team.body.contains("Make an invite link"), "no form without the right");
}
