//! Setting up, signing in and out, sessions, CSRF, headers.

use actix_web::http::Method;
use chrono::TimeDelta;
use ripen::team::member::Role;
use ripen::team::{ops, password};
use ripen::web::store as sessions;

use crate::house::{Client, House};

const PASSWORD: &str = "orchard kettle violin";

async fn sign_in(client: &Client, email: &str, typed: &str) -> crate::house::Answer {
    client.get("/login").await;
    client.post("/login", &[("email", email), ("password", typed)]).await
}

fn with_password(house: &House, name: &str, role: Role) -> String {
    house.member_with_password(name, role, &password::hash(PASSWORD).unwrap());
    format!("{}@ripen.test", name.to_lowercase())
}

#[actix_web::test]
async fn the_set_up_link_makes_the_first_admin_once() {
    let house = House::open().await;
    let now = house.clock.now();
    let link = house.tx(|conn| ops::ensure_setup_link(conn, now)).unwrap();
    let other = house.tx(|conn| ops::ensure_setup_link(conn, now)).unwrap();
    let path = format!("/setup/{link}");
    let browser = house.stranger();
    browser.get(&path).await.says(200, "first admin");

    let form = |typed| [("name", "Ada <b>"), ("email", "Ada@Ripen.test"), ("password", typed)];
    let refused = browser.post(&path, &form("ripenripenripen")).await;
    refused.says(422, "There is a problem");
    assert!(refused.body.contains("Ada &#60;b&#62;") || refused.body.contains("Ada &lt;b&gt;"));
    assert!(!refused.body.contains("ripenripenripen"), "a password comes back");

    let before = browser.session_token();
    browser.post(&path, &form(PASSWORD)).await.leads_to("/ingest");
    assert_ne!(browser.session_token(), before, "the token is new");
    browser.get("/settings/team").await.says(200, "ada@ripen.test");

    assert_eq!(browser.get(&path).await.status, 404);
    assert_eq!(browser.get(&format!("/setup/{other}")).await.status, 404);
    assert_eq!(house.tx(|conn| ops::ensure_setup_link(conn, now)), None);
}

#[actix_web::test]
async fn a_set_up_link_ends_after_a_day() {
    let house = House::open().await;
    let now = house.clock.now();
    let link = house.tx(|conn| ops::ensure_setup_link(conn, now)).unwrap();
    house.clock.advance(TimeDelta::hours(25));
    assert_eq!(house.stranger().get(&format!("/setup/{link}")).await.status, 404);
}

#[actix_web::test]
async fn everybody_lands_where_they_work_and_next_stays_in_the_house() {
    let house = House::open().await;
    let email = with_password(&house, "mona", Role::Manager);
    let browser = house.stranger();
    sign_in(&browser, &format!(" {} ", email.to_uppercase()), PASSWORD).await.leads_to("/assign");
    browser.get("/").await.leads_to("/assign");
    browser.get("/login?next=/workspaces").await.leads_to("/workspaces");

    for (next, place) in
        [("/workspaces?stage=pql", "/workspaces?stage=pql"), ("//evil.test", "/assign")]
    {
        let browser = house.stranger();
        browser.get("/login").await;
        let form = [("email", email.as_str()), ("password", PASSWORD), ("next", next)];
        browser.post("/login", &form).await.leads_to(place);
    }
}

#[actix_web::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let house = House::open().await;
    let email = with_password(&house, "rita", Role::Rep);
    let (known, unknown) = (house.stranger(), house.stranger());
    let wrong = sign_in(&known, &email, "not the password").await;
    let nobody = sign_in(&unknown, "nora@ripen.test", "not the password").await;
    wrong.says(422, "do not belong together");
    let neutral = |answer: &crate::house::Answer, who: &str, client: &Client| {
        answer.body.replace(who, "WHO").replace(&client.csrf(), "CSRF")
    };
    assert_eq!(neutral(&wrong, &email, &known), neutral(&nobody, "nora@ripen.test", &unknown));
    assert!(wrong.body.contains(&email), "what was typed stays");
    assert!(!wrong.body.contains("not the password"));
}

#[actix_web::test]
async fn who_was_deactivated_or_never_set_a_password_stays_out() {
    let house = House::open().await;
    let email = with_password(&house, "rita", Role::Rep);
    let admin = house.as_admin();
    let rita = house.tx(|conn| Ok(ripen::team::store::by_email(conn, &email)?.unwrap().0.id));
    admin
        .post(&format!("/settings/team/{rita}/deactivation"), &[])
        .await
        .leads_to("/settings/team");
    assert_eq!(sign_in(&house.stranger(), &email, PASSWORD).await.status, 422);
}

#[actix_web::test]
async fn signed_out_pages_lead_to_the_login_and_back() {
    let house = House::open().await;
    let stranger = house.stranger();
    stranger
        .get("/me/sessions?a=1&b=2")
        .await
        .leads_to("/login?next=%2Fme%2Fsessions%3Fa%3D1%26b%3D2");
    stranger.post("/me", &[("name", "x")]).await.leads_to("/login");
    let headers =
        [("HX-Request", "true"), ("HX-Current-URL", "http://ripen.test/settings/team?x=1")];
    let answer = stranger.send(Method::GET, "/me", &headers, None).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("hx-redirect"), "/login?next=%2Fsettings%2Fteam%3Fx%3D1");
}

#[actix_web::test]
async fn a_form_without_its_token_or_from_elsewhere_is_refused() {
    let house = House::open().await;
    let admin = house.as_admin();
    let form = [("name", "Changed"), ("time_zone", "UTC")];
    admin.post_without_token("/me", &form).await.says(403, "earlier session");
    let other = house.as_rep();
    let mut stolen = form.to_vec();
    let token = other.csrf();
    stolen.push(("csrf_token", &token));
    assert_eq!(admin.post_without_token("/me", &stolen).await.status, 403);

    let own = admin.csrf();
    let body = || Some(format!("name=Changed&time_zone=UTC&csrf_token={own}"));
    for header in [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.test")] {
        let answer = admin.send(Method::POST, "/me", &[header], body()).await;
        answer.says(403, "another site");
    }
    assert!(!admin.get("/settings/team").await.body.contains("Changed"));

    let header = [("X-CSRF-Token", own.as_str())];
    let plain = Some("name=Changed&time_zone=UTC".to_owned());
    assert_eq!(admin.send(Method::POST, "/me", &header, plain).await.status, 303);
}

#[actix_web::test]
async fn the_login_needs_a_token_too() {
    let house = House::open().await;
    let email = with_password(&house, "rita", Role::Rep);
    let form = [("email", email.as_str()), ("password", PASSWORD)];
    house.stranger().post("/login", &form).await.says(403, "no cookie");
    let browser = house.stranger();
    browser.get("/login").await;
    assert_eq!(browser.post_without_token("/login", &form).await.status, 403);
}

#[actix_web::test]
async fn signing_in_changes_the_token_and_out_ends_the_session() {
    let house = House::open().await;
    let email = with_password(&house, "rita", Role::Rep);
    let browser = house.stranger();
    browser.get("/login").await;
    let planted = browser.session_token().unwrap();
    sign_in(&browser, &email, PASSWORD).await;
    let session = browser.session_token().unwrap();
    assert_ne!(planted, session);
    browser.post("/logout", &[]).await.leads_to("/login");
    browser.get("/login").await.says(200, "You are signed out.");

    let thief = house.stranger();
    thief.keep(&ripen::web::session::cookie(&house.app, session));
    assert_eq!(thief.get("/me").await.status, 303);
}

#[actix_web::test]
async fn sessions_end_idle_after_half_a_day_and_used_after_a_week() {
    let house = House::open().await;
    let idle = house.as_rep();
    house.clock.advance(TimeDelta::minutes(12 * 60 - 1));
    assert_eq!(idle.get("/me").await.status, 200);
    house.clock.advance(TimeDelta::hours(12));
    assert_eq!(idle.get("/me").await.status, 303);

    let busy = house.as_rep();
    for _ in 0..15 {
        assert_eq!(busy.get("/me").await.status, 200);
        house.clock.advance(TimeDelta::hours(11));
    }
    assert_eq!(busy.get("/me").await.status, 200);
    house.clock.advance(TimeDelta::hours(4));
    assert_eq!(busy.get("/me").await.status, 303);
    let now = house.clock.now();
    assert_eq!(house.tx(|conn| sessions::sweep_sessions(conn, now)), 2);
}

#[actix_web::test]
async fn sessions_are_listed_and_ended_from_afar_but_not_somebody_elses() {
    let house = House::open().await;
    let here = house.as_rep();
    let there = house.signed_in(here.id());
    let other = house.as_rep();
    let id =
        |client: &Client| hex::encode(ripen::web::token::hash(&client.session_token().unwrap()));
    let page = here.get("/me/sessions").await;
    page.says(200, "This browser");
    assert!(page.body.contains(&id(&there)) && !page.body.contains(&id(&other)));

    let path = |client: &Client| format!("/me/sessions/{}/revocation", id(client));
    assert_eq!(here.post(&path(&other), &[]).await.status, 404);
    assert_eq!(here.post("/me/sessions/zz/revocation", &[]).await.status, 404);
    here.post(&path(&there), &[]).await.leads_to("/me/sessions");
    assert_eq!(there.get("/me").await.status, 303);
    assert_eq!(other.get("/me").await.status, 200);
}

#[actix_web::test]
async fn a_new_password_ends_all_other_sessions() {
    let house = House::open().await;
    let email = with_password(&house, "rita", Role::Rep);
    let (here, there) = (house.stranger(), house.stranger());
    sign_in(&here, &email, PASSWORD).await;
    sign_in(&there, &email, PASSWORD).await;
    let before = here.session_token();

    let change = |current, new| [("current", current), ("new", new)];
    let next = "lantern gravel tuesday";
    here.post("/me/password", &change("wrong", next)).await.says(422, "not your present password");
    here.post("/me/password", &change(PASSWORD, "password1234")).await.says(422, "easy to guess");
    here.post("/me/password", &change(PASSWORD, next)).await.leads_to("/me");
    assert_ne!(here.session_token(), before);
    here.get("/me").await.says(200, "Your password is changed");
    assert_eq!(there.get("/me").await.status, 303);
    assert_eq!(sign_in(&house.stranger(), &email, PASSWORD).await.status, 422);
    sign_in(&house.stranger(), &email, next).await.leads_to("/inbox");
}

#[actix_web::test]
async fn the_cookie_is_strict_over_https_and_plain_over_http() {
    let https = House::open_at("https://ripen.test").await;
    let answer = https.stranger().get("/login").await;
    let cookie = answer.header("set-cookie");
    for word in ["__Host-ripen=", "HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(cookie.contains(word), "no {word} in {cookie}");
    }
    assert!(!cookie.contains("Domain"));
    assert!(!answer.header("strict-transport-security").is_empty());
    assert_eq!(https.as_rep().get("/me").await.status, 200);

    let http = House::open().await;
    let cookie = http.stranger().get("/login").await.header("set-cookie").to_owned();
    assert!(cookie.starts_with("ripen=") && !cookie.contains("Secure"), "{cookie}");
}

#[actix_web::test]
async fn every_answer_carries_the_headers() {
    let house = House::open().await;
    let (stranger, admin) = (house.stranger(), house.as_admin());
    let answers = [
        stranger.get("/login").await,
        stranger.get("/nothing/here").await,
        stranger.get("/me").await,
        stranger.get("/healthz").await,
        stranger.get("/readyz").await,
        stranger.get("/v1/unknown").await,
        stranger.get("/api/v1/unknown").await,
        stranger.send(Method::DELETE, "/login", &[], None).await,
        admin.get("/settings/team").await,
        admin.post_without_token("/me", &[]).await,
        admin.post("/settings/team/invites", &[]).await,
    ];
    for answer in &answers {
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.header("x-request-id").is_empty());
        if answer.header("content-type").starts_with("text/html") {
            assert!(answer.header("vary").contains("HX-Request"));
        }
    }
    answers[1].says(404, "There is nothing here");
    answers[5].says(404, "\"code\":\"not_found\"");
    answers[6].says(404, "\"code\":\"not_found\"");
    assert_eq!(answers[6].header("content-type"), "application/problem+json");
}

#[actix_web::test]
async fn signing_in_again_ends_the_session_that_this_browser_had() {
    let house = House::open().await;
    let rita = with_password(&house, "rita", Role::Rep);
    let mona = with_password(&house, "mona", Role::Manager);
    let (browser, elsewhere) = (house.stranger(), house.stranger());
    sign_in(&elsewhere, &rita, PASSWORD).await.leads_to("/inbox");
    sign_in(&browser, &rita, PASSWORD).await.leads_to("/inbox");
    let first = browser.session_token().unwrap();
    let sign_in_signed_in = [("email", rita.as_str()), ("password", PASSWORD)];
    browser.post("/login", &sign_in_signed_in).await.leads_to("/inbox");
    let second = browser.session_token().unwrap();
    let as_mona = [("email", mona.as_str()), ("password", PASSWORD)];
    browser.post("/login", &as_mona).await.leads_to("/assign");
    for old in [first, second] {
        let thief = house.stranger();
        thief.keep(&ripen::web::session::cookie(&house.app, old));
        assert_eq!(thief.get("/me").await.status, 303, "it ended, whoever signed in after it");
    }
    assert_eq!(browser.get("/me").await.status, 200);
    assert_eq!(elsewhere.get("/me").await.status, 200, "another browser's session goes on");
    let wrong = [("email", rita.as_str()), ("password", "not the password")];
    assert_eq!(browser.post("/login", &wrong).await.status, 422);
    assert_eq!(browser.get("/me").await.status, 200, "a failed sign-in ends nothing");
}

#[actix_web::test]
async fn every_cookie_over_https_is_secure() {
    for (public, secure) in [("https://ripen.test", true), ("http://ripen.test", false)] {
        let house = House::open_at(public).await;
        let rep = house.as_rep();
        let saved = rep.post("/me", &[("name", "Rita"), ("time_zone", "UTC")]).await;
        saved.leads_to("/me");
        let answers = [house.stranger().get("/login").await, saved, rep.get("/me").await];
        let cookies: Vec<&str> = answers
            .iter()
            .flat_map(|answer| answer.headers.get_all("set-cookie"))
            .map(|cookie| cookie.to_str().unwrap())
            .collect();
        let flashes = cookies.iter().filter(|cookie| cookie.starts_with("ripen-flash=")).count();
        assert_eq!(flashes, 2, "carried and taken back: {cookies:?}");
        for cookie in cookies {
            assert_eq!(cookie.matches("Secure").count(), usize::from(secure), "{cookie}");
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        }
    }
}

#[actix_web::test]
async fn asking_whether_it_is_ready_opens_no_connection() {
    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;
    #[derive(QueryableByName)]
    struct Sessions {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        sessions: i64,
    }
    let house = House::open().await;
    let sessions = || -> i64 {
        // A session is counted when it ends, a moment after.
        std::thread::sleep(std::time::Duration::from_millis(300));
        let count = "select sessions from pg_stat_database where datname = current_database()";
        house.tx(|conn| Ok(diesel::sql_query(count).get_result::<Sessions>(conn)?.sessions))
    };
    let stranger = house.stranger();
    stranger.get("/readyz").await.says(200, "ready");
    let before = sessions();
    for _ in 0..20 {
        stranger.get("/readyz").await.says(200, "ready");
    }
    let opened = sessions() - before;
    assert!(opened < 5, "{opened} connections for 20 answers");
    let undo = "delete from __diesel_schema_migrations where version =
                (select max(version) from __diesel_schema_migrations)";
    house.tx(|conn| Ok(conn.batch_execute(undo)?));
    let lacking = stranger.get("/readyz").await;
    assert_eq!((lacking.status, lacking.header("retry-after")), (503, "5"));
}
