//! A script with an API key.

use actix_web::http::Method;
use ripen::sources::key::Scope;
use ripen::sources::ops;
use ripen::team::audit::Actor;
use serde_json::Value;

use crate::house::{Answer, Client, House};

/// A script.
pub struct Script {
    client: Client,
    key: String,
}

impl Script {
    /// One whose key has this scope.
    pub fn new(house: &House, scope: Scope) -> Self {
        let now = house.clock.now();
        let by = Actor::system();
        let key = house.tx(|conn| ops::create_api_key(conn, &by, "a test", &[scope], now));
        Self { client: house.stranger(), key: key.reveal().to_owned() }
    }

    /// One with a key of its own making.
    pub fn with_key(house: &House, key: &str) -> Self {
        Self { client: house.stranger(), key: key.to_owned() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let mut all = headers.to_vec();
        all.push(("Authorization", &bearer));
        self.client.send(method, path, &all, body).await
    }

    /// GETs, asserts 200 and reads the JSON.
    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }
}

/// Asserts a problem of this status and code; its detail.
#[track_caller]
pub fn problem(answer: &Answer, status: u16, code: &str) -> String {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.body);
    let json: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(json["code"], code, "{json}");
    assert_eq!(json["status"], status);
    json["detail"].as_str().unwrap_or_default().to_owned()
}
