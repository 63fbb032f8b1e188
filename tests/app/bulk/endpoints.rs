//! What senders of records hear, and what became of their records.

use actix_web::http::Method;
use ripen::db::Pool;
use ripen::ingest::store_drain;
use ripen::sources::key::Scope;
use serde_json::{Value, json};

use super::ask::{Warehouse, cell, statuses};
use crate::api_client::{Script, problem};
use crate::house::House;

#[actix_web::test]
async fn records_are_created_updated_left_and_refused_each_for_itself() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    let body = concat!(
        "{\"workspace_id\":\"w1\",\"name\":\"Acme\",\"plan\":\"pro\",\"seats\":\"25\",\"sso_domain\":\"acme.com\"}\n",
        "\n",
        "{\"workspace_id\":\"w2\",\"seats\":\"many\"}\n",
        "{broken\n",
        "{\"workspace_id\":\"w3\",\"plam\":\"pro\"}\n",
        "{\"name\":\"nobody\"}\n",
        "{\"workspace_id\":\"w1\",\"seats\":30}\n",
    );
    let answer = warehouse.send("workspaces", body).await;
    assert_eq!(
        statuses(&answer),
        ["created", "rejected", "rejected", "rejected", "rejected", "updated"]
    );
    assert_eq!(
        (&answer["records"], &answer["created"], &answer["rejected"]),
        (&json!(6), &json!(1), &json!(4))
    );
    let refused = &answer["results"][1];
    assert_eq!((&refused["line"], &refused["workspace_id"]), (&json!(3), &json!("w2")));
    assert_eq!((&refused["code"], &refused["field"]), (&json!("invalid_value"), &json!("seats")));
    assert_eq!(refused["message"], "seats: 'many' is not a whole number.");
    let codes: Vec<_> = (1..5).map(|at| answer["results"][at]["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["invalid_value", "invalid_json", "unknown_field", "missing_field"]);
    assert_eq!(cell(&house, "select count(*) from workspaces"), "1");
    assert_eq!(
        cell(&house, "select name || plan_tier || seats_purchased from workspaces"),
        "Acmepro30"
    );
    assert_eq!(
        cell(&house, "select primary_domain from accounts"),
        "acme.com",
        "its account is known"
    );
    assert_eq!(
        cell(&house, "select count(*) from account_links where account_id is not null"),
        "1"
    );
    assert_eq!(
        cell(&house, "select count(*) > 0 from touched_workspaces"),
        "true",
        "scores follow"
    );

    let again = warehouse.send("workspaces", "[{\"workspace_id\": \"w1\", \"seats\": 30}]").await;
    assert_eq!(statuses(&again), ["unchanged"]);
    house.clock.advance(chrono::TimeDelta::minutes(1));
    let old = r#"{"workspace_id": "w1", "plan": "free", "updated_at": "2026-01-01"}"#;
    assert_eq!(
        statuses(&warehouse.send("workspaces", old).await),
        ["unchanged"],
        "the newer word stands"
    );
    let cleared = warehouse.send("workspaces", r#"{"workspace_id": "w1", "plan": null}"#).await;
    assert_eq!(statuses(&cleared), ["updated"]);
    assert_eq!(cell(&house, "select plan_tier is null from workspaces"), "true");
}

#[actix_web::test]
async fn accounts_go_by_domain_and_then_by_the_id_of_the_crm() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    let body = json!([
        {"account_id": "A-1", "name": "too early"},
        {"account_id": "A-1", "domain": "https://www.acme.com", "employee_count": 300, "territory": "emea", "is_strategic": "yes"},
        {"account_id": "A-1", "industry": "Software"},
        {"domain": "gmail.com"},
    ]);
    let answer = warehouse.send("accounts", &body.to_string()).await;
    assert_eq!(statuses(&answer), ["rejected", "created", "updated", "rejected"]);
    assert_eq!(answer["results"][0]["code"], "unknown_account");
    let known = "select concat_ws(' ', name, employee_count, industry, territory, is_strategic::text, segment) from accounts";
    assert_eq!(cell(&house, known), "Acme 300 Software emea true mid_market");
    house.clock.advance(chrono::TimeDelta::minutes(1));
    let answer = warehouse
        .send("accounts", r#"{"account_id": "A-1", "territory": null, "is_strategic": null}"#)
        .await;
    assert_eq!(statuses(&answer), ["updated"]);
    assert_eq!(cell(&house, known), "Acme 300 Software false mid_market");
    warehouse.send("accounts", r#"{"account_id": "A-1", "domain": "other.org"}"#).await;
    let answer = warehouse.send("accounts", r#"{"account_id": "A-1", "name": "which?"}"#).await;
    assert_eq!(answer["results"][0]["code"], "ambiguous_account");
}

#[actix_web::test]
async fn what_sellers_say_of_an_account_comes_by_records_alone() {
    use crate::drain::support::{Product, call};
    // A visitor with the key out of the page's source.
    let product = Product::new();
    product.send(&[call(
        "identify",
        "m1",
        "2026-11-20T09:00:00Z",
        json!({"anonymousId": "stranger", "traits": {"email_domain": "acme.com", "company": {
            "name": "Acme Inc", "industry": "Software", "is_strategic": true, "isStrategic": true,
            "territory": "emea", "account_id": "A-1", "accountId": "A-1", "lifecycleStage": "customer"}}}),
    )]);
    let known =
        "select concat_ws(' ', name, industry, territory, is_strategic::text, lifecycle_stage,
                                  traits ->> 'account_id') from accounts";
    assert_eq!(product.cell(known).as_deref(), Some("Acme Inc Software false prospect"));
}

#[actix_web::test]
async fn people_and_their_memberships() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    let users = r#"{"user_id":"u1","email":"Dana@Acme.com","job_title":"VP Engineering"}"#;
    assert_eq!(statuses(&warehouse.send("users", users).await), ["created"]);
    assert_eq!(cell(&house, "select email || seniority from product_users"), "dana@acme.comvp");
    let member = r#"{"user_id":"u1","workspace_id":"w1","role":"Owner","joined_at":"2026-01-02","left_at":null}"#;
    assert_eq!(statuses(&warehouse.send("memberships", member).await), ["created"]);
    assert_eq!(statuses(&warehouse.send("memberships", member).await), ["unchanged"]);
    assert_eq!(cell(&house, "select role || joined_at::date from memberships"), "admin2026-01-02");
    assert_eq!(cell(&house, "select count(*) from group_calls"), "0", "no event follows a record");
    house.clock.advance(chrono::TimeDelta::minutes(1));
    let left =
        r#"{"user_id":"u1","workspace_id":"w1","role":"member","left_at":"2026-11-20T10:00:30Z"}"#;
    assert_eq!(statuses(&warehouse.send("memberships", left).await), ["updated"]);
    assert_eq!(cell(&house, "select role || (left_at is not null) from memberships"), "membertrue");
    house.clock.advance(chrono::TimeDelta::minutes(1));
    let back = r#"{"user_id":"u1","workspace_id":"w1","left_at":null}"#;
    assert_eq!(statuses(&warehouse.send("memberships", back).await), ["updated"]);
    assert_eq!(cell(&house, "select left_at is null from memberships"), "true");
}

#[actix_web::test]
async fn subscriptions_keep_what_is_not_spoken_of() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    let body = json!([
        {"subscription_id": "s1", "workspace_id": "w1", "status": "paid", "plan": "pro", "mrr": "49.90", "billing_period": "monthly"},
        {"subscription_id": "s2", "workspace_id": "w1", "status": "fine"},
        {"subscription_id": "s3", "workspace_id": "w1", "plan": "pro"},
        {"subscription_id": "s1", "workspace_id": "w1", "status": "canceled", "updated_at": "2026-01-01"},
        {"subscription_id": "s4", "status": "active"},
        {"subscription_id": "s1", "workspace_id": "w1", "status": null},
    ]);
    let answer = warehouse.send("subscriptions", &body.to_string()).await;
    assert_eq!(
        statuses(&answer),
        ["created", "rejected", "created", "unchanged", "rejected", "rejected"]
    );
    assert_eq!(answer["results"][1]["field"], "status");
    for (line, field) in [(4, "workspace_id"), (5, "status")] {
        assert_eq!(answer["results"][line]["code"], "missing_field");
        assert_eq!(answer["results"][line]["field"], field);
    }
    let known = "select string_agg(concat_ws(' ', id, status, mrr_cents, plan, origin), ',' order by id) from subscriptions";
    assert_eq!(cell(&house, known), "s1 active 4990 pro api", "s3 waits for its status");
    let script = Script::new(&house, Scope::Write);
    let put = async |id: &str, body: Value| {
        let path = format!("/api/v1/subscriptions/{id}");
        script.send(Method::PUT, &path, &[], Some(body.to_string())).await
    };
    house.clock.advance(chrono::TimeDelta::minutes(1));
    put("s1", json!({"workspace_id": "w1", "status": "past_due"})).await.says(200, "updated");
    put("s1", json!({"workspace_id": "w1", "plan": null})).await.says(200, "updated");
    put("s1", json!({"workspace_id": "w1"})).await.says(200, "unchanged");
    put("s3", json!({"workspace_id": "w1", "status": "active"})).await.says(200, "updated");
    problem(&put("s1", json!({"workspace_id": "w1", "status": ""})).await, 422, "invalid");
    assert_eq!(cell(&house, known), "s1 past_due 4990 api,s3 active 0 pro api");
}

#[actix_web::test]
async fn a_body_that_cannot_be_read_is_refused_whole() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    for body in ["", "nonsense", "[{}", "7"] {
        warehouse.post("users", body).await.says(400, "invalid_json");
    }
    warehouse.post("users", &"x".repeat(5 * 1024 * 1024 + 1)).await.says(413, "body_too_large");
    let many = "{}\n".repeat(50_001);
    warehouse.post("users", &many).await.says(400, "50000");
    assert_eq!(warehouse.send("users", "[]").await["records"], 0);
    assert_eq!(cell(&house, "select count(*) from product_users"), "0");
}

#[actix_web::test]
async fn one_record_by_put_and_many_by_post_through_the_api() {
    let house = House::open().await;
    let script = Script::new(&house, Scope::Write);
    let put = async |path: &str, body: Value| {
        script.send(Method::PUT, path, &[], Some(body.to_string())).await
    };
    put("/api/v1/workspaces/a%2Fb", json!({"name": "Slash"})).await.says(201, "\"created\"");
    put("/api/v1/workspaces/a%2Fb", json!({"name": "Slash"})).await.says(200, "\"unchanged\"");
    assert_eq!(cell(&house, "select external_id from workspaces"), "a/b");
    let refused = put("/api/v1/users/u1", json!({"email": "nobody", "seniority": "boss"})).await;
    problem(&refused, 422, "invalid");
    let said: Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!(said["errors"]["email"][0], "'nobody' is no e-mail address.");
    assert!(said["errors"]["seniority"].is_array());
    problem(&put("/api/v1/users/u1", json!({"user_id": "u2"})).await, 422, "invalid");
    put("/api/v1/accounts/acme.com", json!({"account_id": "A-1", "territory": "emea"}))
        .await
        .says(201, "created");
    put("/api/v1/accounts/A-1", json!({"name": "Acme Inc"})).await.says(200, "updated");
    problem(&put("/api/v1/accounts/A-2", json!({"name": "who?"})).await, 422, "invalid");
    put("/api/v1/memberships", json!({"user_id": "u1", "workspace_id": "a/b", "role": "admin"}))
        .await
        .says(201, "created");
    problem(&put("/api/v1/memberships", json!({"user_id": "u1"})).await, 422, "invalid");
    let nonsense = script.send(Method::PUT, "/api/v1/users/u1", &[], Some("nonsense".into())).await;
    problem(&nonsense, 400, "bad_json");

    let lines = "{\"user_id\":\"u8\",\"email\":\"a@acme.com\"}\n{\"user_id\":\"u9\",\"email\":7}\n";
    let answer = script.send(Method::POST, "/api/v1/bulk/users", &[], Some(lines.into())).await;
    assert_eq!(answer.status, 200);
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(statuses(&answer), ["created", "rejected"]);
    let unknown = script.send(Method::POST, "/api/v1/bulk/deals", &[], Some("[]".into())).await;
    assert!(problem(&unknown, 404, "not_found").contains("workspaces"));
    let broken = script.send(Method::POST, "/api/v1/bulk/users", &[], Some("x".into())).await;
    problem(&broken, 400, "invalid_json");
}

#[actix_web::test]
async fn the_address_names_the_record_whatever_the_body_calls_its_id() {
    let house = House::open().await;
    let script = Script::new(&house, Scope::Write);
    let put = async |path: &str, body: Value| {
        script.send(Method::PUT, path, &[], Some(body.to_string())).await
    };
    put("/api/v1/users/5", json!({"user_id": 5, "name": "Five"})).await.says(201, "\"5\"");
    put("/api/v1/users/5", json!({"userId": " 5 "})).await.says(200, "unchanged");
    put("/api/v1/users/5", json!({"id": null})).await.says(200, "unchanged");
    put("/api/v1/accounts/acme.com", json!({"domain": "https://www.acme.com"}))
        .await
        .says(201, "acme.com");
    for other in [json!({"id": "u2"}), json!({"userId": 6}), json!({"user_id": ["5"]})] {
        let refused = put("/api/v1/users/5", other).await;
        problem(&refused, 422, "invalid");
        refused.says(422, "names another one");
    }
    assert_eq!(cell(&house, "select string_agg(external_id, ',') from product_users"), "5");
}

#[actix_web::test]
async fn a_broken_first_line_is_refused_alone() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    let answer = warehouse.send("users", "\nnull\n{\"user_id\":\"u1\"}\noops\n").await;
    assert_eq!(statuses(&answer), ["rejected", "created", "rejected"]);
    let lines: Vec<_> = (0..3).map(|at| answer["results"][at]["line"].clone()).collect();
    assert_eq!(lines, [2, 3, 4]);
}

#[actix_web::test]
async fn a_warehouse_that_writes_null_as_an_empty_text_ends_no_membership() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    let known = "select concat_ws(' ', role, (left_at is null)::text) from memberships";
    for (record, after) in [
        (json!({"role": "admin"}), "admin true"),
        (json!({"role": "", "left_at": ""}), "admin true"),
        (json!({"role": null}), "false"),
        (json!({"left_at": "  "}), "false"),
    ] {
        let mut record = record;
        record["user_id"] = json!("u1");
        record["workspace_id"] = json!("w1");
        house.clock.advance(chrono::TimeDelta::minutes(1));
        warehouse.send("memberships", &record.to_string()).await;
        let stands = cell(&house, known);
        assert!(stands.ends_with(after), "{record}: {stands}");
    }
}

#[actix_web::test]
async fn a_body_is_parsed_when_its_turn_comes() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    let turn = ripen::bulk::gate::turn().await.unwrap();
    let mut waiting = std::pin::pin!(warehouse.post("users", "nonsense"));
    let soon = std::time::Duration::from_millis(300);
    let early = tokio::time::timeout(soon, waiting.as_mut()).await;
    assert!(early.is_err(), "nothing was parsed yet, so nothing can be said of it");
    drop(turn);
    waiting.await.says(400, "invalid_json");
}

#[actix_web::test]
async fn a_record_that_the_database_refuses_harms_no_neighbour() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    house.tx(|conn| {
        diesel::connection::SimpleConnection::batch_execute(
            conn,
            "alter table product_users add constraint poison check (external_id <> 'u3')",
        )?;
        Ok(())
    });
    let body: Vec<Value> = (1..=5).map(|n| json!({"user_id": format!("u{n}")})).collect();
    let answer = warehouse.send("users", &Value::from(body).to_string()).await;
    assert_eq!(statuses(&answer), ["created", "created", "rejected", "created", "created"]);
    assert_eq!(answer["results"][2]["code"], "internal");
    assert_eq!(cell(&house, "select count(*) from product_users"), "4");
}

#[actix_web::test]
async fn what_was_stored_before_the_database_went_away_is_said() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    // The connection ends in the second of three chunks, at a record of its own choosing.
    house.tx(|conn| {
        diesel::connection::SimpleConnection::batch_execute(
            conn,
            "create function die() returns trigger language plpgsql as $$
             begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
             create trigger die before insert on product_users for each row
             when (new.external_id = 'u3000') execute function die();",
        )?;
        Ok(())
    });
    let body: String = (1..=5000).map(|n| format!("{{\"user_id\":\"u{n}\"}}\n")).collect();
    let answer = warehouse.post("users", &body).await;
    assert_eq!(answer.status, 503, "{:.300}", answer.body);
    assert_ne!(answer.header("retry-after"), "");
    let said: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&said["code"], &said["records"]), (&json!("overloaded"), &json!(2000)));
    assert!(said["message"].as_str().unwrap().contains("line 2000"), "{}", said["message"]);
    assert_eq!(cell(&house, "select count(*) from product_users"), "2000");
    house.tx(|conn| {
        diesel::connection::SimpleConnection::batch_execute(
            conn,
            "drop trigger die on product_users",
        )?;
        Ok(())
    });
    let again = warehouse.send("users", &body).await;
    assert_eq!((&again["created"], &again["unchanged"]), (&json!(3000), &json!(2000)));
}

#[actix_web::test]
async fn nobody_drains_while_records_are_written() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    let mut conn = house.db.checkout(Pool::Work).unwrap();
    let held = diesel::connection::Connection::transaction::<_, ripen::error::Error, _>(
        &mut conn,
        |conn| {
            store_drain::lock(conn)?;
            let db = house.db.clone();
            let drainer = std::thread::spawn(move || {
                db.tx(Pool::Work, |conn| {
                    diesel::connection::SimpleConnection::batch_execute(
                        conn,
                        "set local lock_timeout = '50ms'",
                    )?;
                    store_drain::wait_for_turn(conn)
                })
            });
            Ok(drainer.join().unwrap().is_err())
        },
    );
    assert!(held.unwrap(), "one at a time");
    drop(conn);
    assert_eq!(statuses(&warehouse.send("users", r#"{"user_id":"u"}"#).await), ["created"]);
}
