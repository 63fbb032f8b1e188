//! Guessing gets slow; nobody is locked out by strangers.

use chrono::TimeDelta;
use ripen::team::member::Role;
use ripen::team::password;

use crate::house::{Answer, Client, House};

const PASSWORD: &str = "orchard kettle violin";

async fn try_password(client: &Client, email: &str, typed: &str) -> Answer {
    client.get("/login").await;
    client.post("/login", &[("email", email), ("password", typed)]).await
}

#[actix_web::test]
async fn after_five_failures_guesses_wait_and_the_wait_is_told() {
    let house = House::open().await;
    house.member_with_password("Rita", Role::Rep, &password::hash(PASSWORD).unwrap());
    let stranger = house.stranger().at("203.0.113.9");
    for _ in 0..5 {
        assert_eq!(try_password(&stranger, "rita@ripen.test", "guess").await.status, 422);
    }
    let told = try_password(&stranger, "rita@ripen.test", PASSWORD).await;
    told.says(429, "Too many attempts");
    assert!(told.body.contains("rita@ripen.test"), "what was typed stays");
    let seconds: i64 = told.header("retry-after").parse().unwrap();
    assert!((1..=3).contains(&seconds), "{seconds}");

    // From elsewhere the account is slow as well: many addresses don't help.
    let elsewhere = house.stranger().at("198.51.100.7");
    assert_eq!(try_password(&elsewhere, "rita@ripen.test", "guess").await.status, 429);
    // An unknown address in the form is counted alike.
    for _ in 0..5 {
        try_password(&stranger, "nora@ripen.test", "guess").await;
    }
    assert_eq!(try_password(&stranger, "nora@ripen.test", "guess").await.status, 429);

    house.clock.advance(TimeDelta::seconds(seconds));
    try_password(&stranger, "rita@ripen.test", PASSWORD).await.leads_to("/inbox");
    // A success starts afresh.
    assert_eq!(
        try_password(&house.stranger().at("203.0.113.9"), "rita@ripen.test", "x").await.status,
        422
    );
}

#[actix_web::test]
async fn from_a_known_address_the_owner_comes_in_while_strangers_guess() {
    let house = House::open().await;
    house.member_with_password("Rita", Role::Rep, &password::hash(PASSWORD).unwrap());
    let home = || house.stranger().at("192.0.2.44");
    try_password(&home(), "rita@ripen.test", PASSWORD).await.leads_to("/inbox");
    let stranger = house.stranger().at("203.0.113.9");
    for _ in 0..6 {
        try_password(&stranger, "rita@ripen.test", "guess").await;
    }
    assert_eq!(try_password(&stranger, "rita@ripen.test", PASSWORD).await.status, 429);
    try_password(&home(), "rita@ripen.test", PASSWORD).await.leads_to("/inbox");
}
