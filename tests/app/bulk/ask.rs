//! A warehouse that sends records.

use actix_web::http::Method;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use ripen::db::Pool;
use ripen::sources::ops;
use ripen::team::audit::Actor;
use serde_json::Value;

use crate::house::{Answer, Client, House};

/// Somebody with a server key.
pub struct Warehouse {
    client: Client,
    key: String,
}

impl Warehouse {
    pub fn new(house: &House) -> Self {
        let (by, now) = (Actor::system(), house.clock.now());
        let key = house.tx(|conn| {
            let source = ops::ensure_source(conn, &by, "Warehouse", now)?;
            ops::create_server_key(conn, &by, source.id, now)
        });
        Self { client: house.stranger(), key: key.reveal().to_owned() }
    }

    pub async fn post(&self, kind: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let headers = [("Authorization", bearer.as_str())];
        self.client
            .send(Method::POST, &format!("/v1/{kind}"), &headers, Some(body.to_owned()))
            .await
    }

    /// Posts, asserts 200, reads the answer.
    pub async fn send(&self, kind: &str, body: &str) -> Value {
        let answer = self.post(kind, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }
}

/// The statuses of all results.
pub fn statuses(answer: &Value) -> Vec<&str> {
    answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].as_str().unwrap())
        .collect()
}

#[derive(QueryableByName)]
struct Cell {
    #[diesel(sql_type = Nullable<Text>)]
    cell: Option<String>,
}

/// One value of the database as text.
pub fn cell(house: &House, query: &str) -> String {
    let query = format!("select ({query})::text as cell");
    house
        .db
        .read(Pool::Work, |conn| Ok(diesel::sql_query(&query).get_result::<Cell>(conn)?.cell))
        .unwrap()
        .unwrap_or_default()
}
