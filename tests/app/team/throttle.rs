//! Guessing gets slow; nobody is locked out by strangers.

use actix_web::http::Method;
use chrono::TimeDelta;
use ripen::config::Config;
use ripen::team::member::Role;
use ripen::team::password;

use crate::house::{Answer, Client, House};

const PASSWORD: &str = "orchard kettle violin";
const RITA: &str = "rita@ripen.test";

async fn house_of_rita() -> House {
    house_behind("none").await
}

async fn house_behind(proxies: &str) -> House {
    let decide = |config: &mut Config| config.trusted_proxies = proxies.parse().unwrap();
    let house = House::open_with("http://ripen.test", decide).await;
    house.member_with_password("Rita", Role::Rep, &password::hash(PASSWORD).unwrap());
    house
}

async fn try_password(client: &Client, email: &str, typed: &str) -> Answer {
    client.get("/login").await;
    client.post("/login", &[("email", email), ("password", typed)]).await
}

/// Somebody guesses until they have to wait.
async fn guess(client: &Client, email: &str, times: usize) {
    for _ in 0..times {
        try_password(client, email, "guess").await;
    }
}

#[actix_web::test]
async fn after_five_failures_guesses_wait_and_the_wait_is_told() {
    let house = house_of_rita().await;
    let stranger = house.stranger().at("203.0.113.9");
    for _ in 0..5 {
        assert_eq!(try_password(&stranger, RITA, "guess").await.status, 422);
    }
    let told = try_password(&stranger, RITA, PASSWORD).await;
    told.says(429, "Too many attempts");
    assert!(told.body.contains(RITA), "what was typed stays");
    let seconds: i64 = told.header("retry-after").parse().unwrap();
    assert!((1..=3).contains(&seconds), "{seconds}");

    house.clock.advance(TimeDelta::seconds(seconds));
    try_password(&stranger, RITA, PASSWORD).await.leads_to("/inbox");
    // A success starts afresh.
    assert_eq!(try_password(&house.stranger().at("203.0.113.9"), RITA, "x").await.status, 422);
}

#[actix_web::test]
async fn many_addresses_guess_no_faster_and_no_wait_is_longer_than_half_a_minute() {
    let house = house_of_rita().await;
    for network in 0..10 {
        let stranger = house.stranger().at(&format!("203.0.113.{network}"));
        assert_eq!(try_password(&stranger, RITA, "guess").await.status, 422);
    }
    let stranger = house.stranger().at("203.0.113.77");
    assert_eq!(try_password(&stranger, RITA, "guess").await.status, 422, "one at once");
    let told = try_password(&stranger, RITA, "guess").await;
    told.says(429, "Too many attempts");
    let seconds: i64 = told.header("retry-after").parse().unwrap();
    assert!((20..=31).contains(&seconds), "{seconds}");
    house.clock.advance(TimeDelta::seconds(seconds));
    assert_eq!(try_password(&stranger, RITA, "guess").await.status, 422);
}

#[actix_web::test]
async fn the_owner_comes_in_from_a_new_address_while_strangers_guess() {
    let house = house_of_rita().await;
    for network in 0..3 {
        guess(&house.stranger().at(&format!("203.0.113.{network}")), RITA, 8).await;
    }
    let hotel = house.stranger().at("192.0.2.44");
    try_password(&hotel, RITA, PASSWORD).await.leads_to("/inbox");
}

#[actix_web::test]
async fn from_a_known_browser_the_owner_comes_in_also_from_the_address_of_who_guesses() {
    let house = house_of_rita().await;
    let proxy = "198.51.100.1";
    let home = house.stranger().at(proxy);
    let signed_in = try_password(&home, RITA, PASSWORD).await;
    signed_in.leads_to("/inbox");
    let cookies: Vec<&str> =
        signed_in.headers.get_all("set-cookie").map(|value| value.to_str().unwrap()).collect();
    let device = cookies.iter().find(|cookie| cookie.starts_with("ripen-device=")).unwrap();
    assert!(device.contains("HttpOnly") && device.contains("SameSite=Lax"), "{device}");
    home.post("/logout", &[]).await;

    // Everybody behind one proxy that nobody named has its address.
    let stranger = house.stranger().at(proxy);
    for person in 0..30 {
        guess(&stranger, &format!("person{person}@ripen.test"), 1).await;
    }
    guess(&stranger, RITA, 12).await;
    assert_eq!(try_password(&stranger, RITA, PASSWORD).await.status, 429);
    try_password(&home, RITA, PASSWORD).await.leads_to("/inbox");

    // It is a bucket, not a free pass.
    for _ in 0..5 {
        assert_eq!(try_password(&home, RITA, "guess").await.status, 422);
    }
    assert_eq!(try_password(&home, RITA, PASSWORD).await.status, 429);
    // And one of Rita's alone.
    guess(&home, "nora@ripen.test", 1).await;
    let nora = try_password(&home, "nora@ripen.test", "guess").await;
    assert_eq!(nora.status, 429, "the address of this proxy waits for unknown accounts");
}

#[actix_web::test]
async fn a_lost_password_makes_every_browser_unknown() {
    let house = house_of_rita().await;
    let home = house.stranger().at("192.0.2.44");
    try_password(&home, RITA, PASSWORD).await.leads_to("/inbox");
    let (hash, now) = (password::hash(PASSWORD).unwrap(), house.clock.now());
    house.tx(|conn| {
        let actor = ripen::team::audit::Actor::system();
        ripen::team::ops_passwords::reset_password(conn, &actor, RITA, &hash, now)
    });
    guess(&house.stranger().at("192.0.2.44"), RITA, 6).await;
    assert_eq!(try_password(&home, RITA, PASSWORD).await.status, 429);
}

#[actix_web::test]
async fn known_and_unknown_accounts_answer_alike_after_any_number_of_failures() {
    let house = house_of_rita().await;
    let told = async |email: &str, from: &str| {
        let mut answers = Vec::new();
        for attempt in 0..14 {
            let browser = house.stranger().at(&format!("{from}{}", attempt % 3));
            let answer = try_password(&browser, email, "guess").await;
            let body = answer.body.replace(email, "WHO").replace(&browser.csrf(), "CSRF");
            answers.push((answer.status, answer.header("retry-after").to_owned(), body));
        }
        answers
    };
    let known = told(RITA, "203.0.113.1").await;
    let unknown = told("nora@ripen.test", "203.0.113.2").await;
    assert_eq!(known, unknown);
    assert!(known.iter().any(|(status, ..)| *status == 429));
}

#[actix_web::test]
async fn a_proxy_is_believed_only_where_it_is_named() {
    let house = house_of_rita().await;
    let through = async |house: &House, proxy: &str, client: &str| {
        let browser = house.stranger().at(proxy);
        browser.get("/login").await;
        let form = serde_urlencoded::to_string([
            ("email", RITA),
            ("password", PASSWORD),
            ("csrf_token", &browser.csrf()),
        ]);
        let headers = [("X-Forwarded-For", client)];
        let answer = browser.send(Method::POST, "/login", &headers, form.ok()).await;
        answer.leads_to("/inbox");
        browser.get("/me/sessions").await.body
    };
    let page = through(&house, "10.0.0.5", "203.0.113.9").await;
    assert!(page.contains("10.0.0.5") && !page.contains("203.0.113.9"), "anybody can write it");
    let house = house_behind("10.0.0.0/8").await;
    let page = through(&house, "10.0.0.5", "198.51.100.99, 203.0.113.9, 10.0.0.6").await;
    assert!(page.contains("203.0.113.9") && !page.contains("198.51.100.99"));
}
