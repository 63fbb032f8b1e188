//! What the score and the API make of subscriptions.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use ripen::ids::WorkspaceId;
use ripen::jobs::after_scoring;
use ripen::schema::{score_history, workspace_scores};
use ripen::scoring::worker;
use ripen::sources::key::Scope;
use ripen::subscriptions::ops;
use ripen::subscriptions::terms::Terms;
use serde_json::{Value, json};

use super::record;
use crate::api_client::Script;
use crate::house::House;
use crate::scored;

const OWN: &str = "own workspace";

/// A house with one more workspace, which began in October.
async fn house() -> House {
    let house = scored::house().await;
    house.tx(|conn| {
        diesel::sql_query(
            "insert into workspaces (id, external_id, name, created_at, first_seen_at)
             values ($1, $2, 'Own', '2026-10-01Z', '2026-10-01Z')",
        )
        .bind::<diesel::sql_types::Uuid, _>(WorkspaceId::of(OWN))
        .bind::<diesel::sql_types::Text, _>(OWN)
        .execute(conn)?;
        diesel::sql_query(
            "with member as (insert into memberships (workspace_id, user_id, role, joined_at, last_active_at)
                 select $1, id, 'admin', '2026-11-01Z', '2026-11-20T09:00Z' from product_users
                 where external_id = 'u1' returning user_id)
             insert into usage_days (workspace_id, user_id, event_key, day, events)
             select $1, user_id, 'key_action_completed', '2026-11-10'::date, 1 from member
             union all select $1, user_id, 'core_feature_used', '2026-11-10'::date + d, 4
             from member, generate_series(0, 10) d",
        )
        .bind::<diesel::sql_types::Uuid, _>(WorkspaceId::of(OWN))
        .execute(conn)?;
        ripen::routing::ops::ensure_defaults(conn, "2026-11-20T10:00:00Z".parse().unwrap())
    });
    house
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> Option<NaiveDate> {
    Some(text.parse().unwrap())
}

fn say(house: &House, terms: Terms, said: &str) -> Value {
    let said = json!({
        "subscription_id": "sub/1 ü", "workspace_id": OWN, "updated_at": said, "status": terms.status,
        "plan": terms.plan, "mrr_cents": terms.mrr_cents, "seats": terms.seats_purchased,
        "trial_start_on": terms.trial_start_on, "trial_end_on": terms.trial_end_on,
        "started_at": terms.started_at, "canceled_at": terms.canceled_at, "renewal_on": terms.renewal_on,
        "ends_on": terms.ends_on, "billing_period": terms.billing_period, "currency": terms.currency,
    });
    let now = house.clock.now();
    let row = record(&said, now);
    house.tx(|conn| ops::upsert(conn, &[&row], now));
    worker::drain(&house.db, &house.clock, after_scoring).unwrap();
    house.tx(|conn| {
        let one = workspace_scores::table.find(WorkspaceId::of(OWN));
        Ok(one.select(workspace_scores::signals).first(conn)?)
    })
}

fn score(house: &House) -> i32 {
    house.tx(|conn| {
        let one = workspace_scores::table.find(WorkspaceId::of(OWN));
        Ok(one.select(workspace_scores::score).first(conn)?)
    })
}

/// The scores of the days before the 19th.
fn past(house: &House) -> Vec<(NaiveDate, i32)> {
    house.tx(|conn| {
        let past = score_history::table
            .filter(score_history::workspace_id.eq(WorkspaceId::of(OWN)))
            .filter(score_history::day.lt("2026-11-19".parse::<NaiveDate>().unwrap()))
            .order(score_history::day)
            .select((score_history::day, score_history::score));
        Ok(past.load(conn)?)
    })
}

#[actix_web::test]
async fn every_commercial_signal_follows_and_so_does_the_score() {
    let house = house().await;
    let trial = Terms {
        seats_purchased: Some(5),
        trial_start_on: day("2026-11-08"),
        trial_end_on: day("2026-11-22"),
        ..Terms::new("trialing")
    };
    let signals = say(&house, trial.clone(), "2026-11-08T10:00:00Z");
    assert_eq!(signals["paid_status"], "trial");
    assert_eq!(
        (&signals["trial_end_date"], &signals["trial_days_remaining"]),
        (&json!("2026-11-22"), &json!(2))
    );
    assert_eq!((&signals["seats_purchased"], &signals["mrr"]), (&json!(5), &Value::Null));
    let (ending, before) = (score(&house), past(&house));

    let paid = Terms {
        mrr_cents: 9900,
        seats_purchased: Some(12),
        started_at: Some(time("2026-11-08T00:00:00Z")),
        renewal_on: day("2026-12-08"),
        ..trial
    };
    let signals = say(&house, Terms { status: "active", ..paid.clone() }, "2026-11-19T10:00:00Z");
    assert_eq!(signals["paid_status"], "paid");
    assert_eq!(
        (&signals["mrr"], &signals["arr"], &signals["seats_purchased"]),
        (&json!(9900), &json!(118_800), &json!(12))
    );
    assert_eq!(
        (&signals["renewal_date"], &signals["days_to_renewal"]),
        (&json!("2026-12-08"), &json!(18))
    );
    assert_eq!(signals["trial_days_remaining"], Value::Null);
    assert_eq!(
        score(&house),
        ending - 500,
        "a trial about to end is worth 5 points, and it is over"
    );
    assert_eq!(past(&house), before, "the days before stay as they were said then");

    let churned = Terms { canceled_at: Some(time("2026-11-20T08:00:00Z")), mrr_cents: 0, ..paid };
    let signals = say(&house, Terms { status: "canceled", ..churned }, "2026-11-20T08:00:00Z");
    assert_eq!(signals["paid_status"], "churned");
    for gone in ["mrr", "arr", "renewal_date", "trial_end_date"] {
        assert_eq!(signals[gone], Value::Null, "{gone}");
    }

    let page = house.as_rep().get(&format!("/workspaces/{}/billing", WorkspaceId::of(OWN))).await;
    for said in [
        "Monthly recurring revenue",
        "Status: Trialing → Active",
        "MRR: $0 → $99",
        "Seats: 5 → 12",
        "Status: Active → Canceled",
        "the API",
    ] {
        page.says(200, said);
    }
    assert!(page.body.contains("<svg"), "revenue over time");
}

#[actix_web::test]
async fn revenue_in_several_currencies_is_told_in_one_and_never_added_up() {
    let house = house().await;
    let pay = |id: &str, currency: &str, mrr: i64, at: &str| {
        let said = json!({"id": id, "workspace_id": OWN, "status": "active", "currency": currency,
                          "mrr": mrr, "updated_at": at});
        let now = house.clock.now();
        let row = super::record(&said, now);
        house.tx(|conn| ops::upsert(conn, &[&row], now));
        worker::drain(&house.db, &house.clock, after_scoring).unwrap();
        let signals: Value = house.tx(|conn| {
            let one = workspace_scores::table.find(WorkspaceId::of(OWN));
            Ok(one.select(workspace_scores::signals).first(conn)?)
        });
        (signals["mrr"].as_i64().unwrap(), signals["mrr_currency"].as_str().unwrap().to_owned())
    };
    let told = |mrr: i64, currency: &str| (mrr, currency.to_owned());
    let yen = pay("a", "jpy", 3000, "2026-11-10");
    assert_eq!(yen, told(300_000, "jpy"), "3,000 yen are no 30 dollars");
    assert_eq!(pay("b", "usd", 20, "2026-11-11"), told(300_000, "jpy"));
    assert_eq!(pay("c", "usd", 30, "2026-11-12"), told(5000, "usd"));
    let page = house.as_rep().get(&format!("/workspaces/{}/billing", WorkspaceId::of(OWN))).await;
    page.says(200, "¥3,000 + $50");
    page.says(200, "in USD alone");
}

#[actix_web::test]
async fn the_api_lists_subscriptions_and_tells_their_history() {
    let house = house().await;
    say(&house, Terms { mrr_cents: 100, ..Terms::new("active") }, "2026-11-10T10:00:00Z");
    say(&house, Terms { mrr_cents: 300, ..Terms::new("past_due") }, "2026-11-12T10:00:00Z");
    let now = house.clock.now();
    for number in 2..5 {
        let said = json!({"id": format!("sub_{number}"), "workspace_id": "elsewhere", "status": "canceled"});
        let row = record(&said, now);
        house.tx(|conn| ops::upsert(conn, &[&row], now));
    }
    let script = Script::new(&house, Scope::Read);
    let read = |body: &str| serde_json::from_str::<Value>(body).unwrap();
    let page = script.get("/api/v1/subscriptions?limit=3").await;
    let (first, next) = {
        let all = read(&page.body);
        (all["data"].clone(), all["next"].as_str().unwrap().to_owned())
    };
    assert_eq!(first.as_array().unwrap().len(), 3);
    let rest = read(&script.get(&format!("/api/v1/subscriptions?limit=3&after={next}")).await.body);
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
    let own = read(
        &script.get("/api/v1/subscriptions?status=past_due&workspace_id=own+workspace").await.body,
    );
    assert_eq!(own["data"][0]["subscription_id"], "sub/1 ü");
    assert_eq!(
        (&own["data"][0]["workspace_id"], &own["data"][0]["counts"]),
        (&json!(OWN), &json!(true))
    );
    script.get("/api/v1/subscriptions?status=fine").await.says(400, "There are trialing");
    script.get("/api/v1/subscriptions?page=2").await.says(400, "not a parameter");
    script.get("/api/v1/subscriptions?after=x").await.says(400, "not a cursor");
    assert_eq!(script.get("/api/v1/subscriptions/sub_9").await.status, 404);
    let one = read(&script.get("/api/v1/subscriptions/sub%2F1%20%C3%BC").await.body);
    let history: Vec<&Value> =
        one["history"].as_array().unwrap().iter().map(|change| &change["mrr_cents"]).collect();
    assert_eq!(history, [&json!(100), &json!(300)]);
}
