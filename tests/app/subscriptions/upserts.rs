//! One subscription from several words: the newer one wins, each is remembered, the score follows.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use ripen::db::Pool;
use ripen::ids::WorkspaceId;
use ripen::schema::{subscription_changes, subscriptions, touched_workspaces, workspace_scores};
use ripen::scoring::worker;
use ripen::subscriptions::ops::{self, Written};
use ripen::subscriptions::store_words;
use ripen::subscriptions::terms::Row;
use serde_json::json;

use super::record;
use crate::drain::support::{Product, call};
use crate::house::House;
use crate::scored;

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn row(status: &'static str, mrr_cents: i64, said: &str) -> Row {
    let said = json!({"id": "sub_1", "workspace_id": "w1", "status": status, "mrr_cents": mrr_cents, "updated_at": said});
    record(&said, time("2026-11-20T12:00:00Z"))
}

fn say(product: &Product, row: &Row) -> Written {
    let now = product.clock.now();
    product.db.tx(Pool::Work, |conn| ops::upsert(conn, &[row], now)).unwrap()[0]
}

fn standing(product: &Product) -> (String, i64) {
    let one = subscriptions::table.select((subscriptions::status, subscriptions::mrr_cents));
    product.db.read(Pool::Work, |conn| Ok(one.first(conn)?)).unwrap()
}

fn dated(product: &Product) -> Vec<(DateTime<Utc>, String)> {
    let all = subscription_changes::table
        .select((subscription_changes::at, subscription_changes::status))
        .order(subscription_changes::at);
    product.db.read(Pool::Work, |conn| Ok(all.load(conn)?)).unwrap()
}

fn touched(product: &Product) -> Vec<String> {
    product
        .cell("select string_agg(since_on::text, ' ' order by since_on) from touched_workspaces")
        .unwrap_or_default()
        .split(' ')
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_newer_word_wins_and_the_older_one_is_history() {
    let product = Product::new();
    assert_eq!(say(&product, &row("active", 4900, "2026-11-10T00:00:00Z")), Written::New);
    assert_eq!(say(&product, &row("active", 4900, "2026-11-11T00:00:00Z")), Written::Same);
    assert_eq!(say(&product, &row("trialing", 0, "2026-11-01T00:00:00Z")), Written::Older);
    assert_eq!(say(&product, &row("canceled", 0, "2026-11-15T00:00:00Z")), Written::Changed);
    assert_eq!(standing(&product), ("canceled".to_owned(), 0));
    let dated: Vec<String> = dated(&product).into_iter().map(|(_, status)| status).collect();
    assert_eq!(dated, ["trialing", "active", "canceled"], "what repeats adds nothing");
}

#[test]
fn what_is_said_again_after_something_else_ends_the_history_in_any_order() {
    let words = [
        row("active", 4900, "2026-11-10T00:00:00Z"),
        row("paused", 0, "2026-11-11T00:00:00Z"),
        row("active", 4900, "2026-11-12T00:00:00Z"),
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let product = Product::new();
        for at in order {
            say(&product, &words[at]);
        }
        let dated: Vec<String> = dated(&product).into_iter().map(|(_, status)| status).collect();
        assert_eq!(dated, ["active", "paused", "active"], "{order:?}");
        assert_eq!(standing(&product), ("active".to_owned(), 4900));
    }
}

#[test]
fn a_word_touches_the_workspace_from_the_day_it_speaks_for() {
    let product = Product::new();
    let mut first = row("active", 0, "2026-11-10T00:00:00Z");
    first.said.0.insert("started_at".to_owned(), json!("2026-10-01T00:00:00Z"));
    say(&product, &first);
    assert_eq!(touched(&product), ["2026-10-01"], "the first word speaks for the days before it");
    say(&product, &row("past_due", 100, "2026-11-15T00:00:00Z"));
    assert_eq!(touched(&product), ["2026-10-01", "2026-11-15"]);
    say(&product, &row("past_due", 100, "2026-11-16T00:00:00Z"));
    assert_eq!(touched(&product).len(), 2, "nothing new, nothing to score");
}

#[test]
fn a_word_of_one_field_leaves_the_others_and_null_clears() {
    let product = Product::new();
    let first = json!({"id": "sub_1", "workspace_id": "w1", "status": "active", "plan": "pro", "seats": 5,
                       "mrr": 49.5, "renewal_on": "2027-01-01", "updated_at": "2026-11-01"});
    let now = product.clock.now();
    assert_eq!(say(&product, &record(&first, now)), Written::New);
    let seats = json!({"id": "sub_1", "workspace_id": "w1", "seats": 9, "plan": null, "updated_at": "2026-11-10"});
    assert_eq!(say(&product, &record(&seats, now)), Written::Changed);
    let between = json!({"id": "sub_1", "workspace_id": "w1", "billing_period": "year", "updated_at": "2026-11-05"});
    assert_eq!(say(&product, &record(&between, now)), Written::Changed, "nobody newer said it");
    let all = product.cell(
        "select concat_ws(' ', status, plan, seats_purchased, mrr_cents, renewal_on, billing_period) from subscriptions",
    );
    assert_eq!(all.as_deref(), Some("active 9 4950 2027-01-01 year"));
    let history = product.cell(
        "select string_agg(concat_ws('/', at::date, plan, seats_purchased, billing_period), ' ' order by at)
         from subscription_changes",
    );
    assert_eq!(
        history.as_deref(),
        Some("2026-11-01/pro/5 2026-11-05/pro/5/year 2026-11-10/9/year"),
        "what comes late is put in its place, and what follows from it changes"
    );
}

#[test]
fn what_was_only_said_again_is_forgotten_in_time() {
    let product = Product::new();
    for day in 1..=9 {
        let mrr = if day < 6 { 100 } else { 200 };
        say(&product, &row("active", mrr, &format!("2026-11-{day:02}T00:00:00Z")));
    }
    let forget = |before: &str| {
        let before = time(before);
        let forget = |conn: &mut _| store_words::forget_repeated(conn, before);
        product.db.tx(Pool::Work, forget).unwrap()
    };
    let dump = || {
        product.cell(
            "select string_agg(to_jsonb(c)::text, ' ' order by at) from subscription_changes c",
        )
    };
    let before = dump();
    assert_eq!((forget("2026-11-04T00:00:00Z"), forget("2026-11-30T00:00:00Z")), (1, 4));
    let days =
        "select string_agg(extract(day from at)::text, ' ' order by at) from subscription_words";
    assert_eq!(product.cell(days).as_deref(), Some("1 5 6 9"), "the ends of what held stay");
    say(&product, &row("active", 200, "2026-11-10T00:00:00Z"));
    assert_eq!(dump(), before);
}

#[test]
fn a_subscription_that_moves_touches_both_workspaces() {
    let product = Product::new();
    say(&product, &row("active", 1, "2026-11-10T00:00:00Z"));
    let moved = Row { workspace: "w2".to_owned(), ..row("active", 1, "2026-11-12T00:00:00Z") };
    assert_eq!(say(&product, &moved), Written::Changed);
    let ids: Vec<WorkspaceId> = product
        .db
        .read(Pool::Work, |conn| {
            let ids = touched_workspaces::table.select(touched_workspaces::workspace_id);
            Ok(ids.distinct().load(conn)?)
        })
        .unwrap();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&WorkspaceId::of("w1")) && ids.contains(&WorkspaceId::of("w2")));
}

#[test]
fn traits_become_a_subscription_and_what_was_noticed_is_dated() {
    let product = Product::new();
    let group = |id: &str, at: &str, traits: serde_json::Value| {
        call("group", id, at, serde_json::json!({"userId": "u", "groupId": "w1", "traits": traits}))
    };
    product.send(&[group(
        "m1",
        "2026-11-01T00:00:00Z",
        serde_json::json!({"plan": "trial", "trial_ends_at": "2026-11-14"}),
    )]);
    product.send(&[group(
        "m2",
        "2026-11-10T00:00:00Z",
        serde_json::json!({"plan": "pro", "mrr": 49, "subscription_status": "active"}),
    )]);
    assert_eq!(standing(&product), ("active".to_owned(), 4900));
    let dated: Vec<String> = dated(&product).into_iter().map(|(_, status)| status).collect();
    assert_eq!(dated, ["trialing", "active"]);
    product.send(&[group("m3", "2026-11-12T00:00:00Z", serde_json::json!({"plan": null, "mrr": null, "subscription_status": null, "trial_ends_at": null}))]);
    assert_eq!(product.count("subscriptions"), 0, "nothing is said about paying any more");
}

fn signals(house: &House, workspace: &str) -> serde_json::Value {
    house.tx(|conn| {
        use ripen::schema::workspaces as w;
        Ok(workspace_scores::table
            .inner_join(w::table.on(w::id.eq(workspace_scores::workspace_id)))
            .filter(w::external_id.eq(workspace))
            .select(workspace_scores::signals)
            .first(conn)?)
    })
}

fn nothing(_: &mut PgConnection, _: &[WorkspaceId], _: DateTime<Utc>) -> ripen::error::Result<()> {
    Ok(())
}

#[actix_web::test]
async fn a_billing_system_speaks_louder_than_traits() {
    let house = scored::house().await;
    let now = house.clock.now();
    house.tx(|conn| {
        let id: WorkspaceId = {
            use ripen::schema::workspaces as w;
            w::table.filter(w::external_id.eq("ws3")).select(w::id).first(conn)?
        };
        diesel::sql_query(
            "insert into subscriptions (id, workspace_id, status, mrr_cents, origin, updated_at)
             values ('traits:ws3', $1, 'active', 1000, 'traits', '2026-11-02Z'),
                    ('sub_9', $1, 'active', 4900, 'stripe', '2026-11-12Z')",
        )
        .bind::<diesel::sql_types::Uuid, _>(id)
        .execute(conn)?;
        ripen::scoring::store_scores::touch(conn, &[id], "2026-11-01".parse().unwrap(), now)
    });
    worker::drain(&house.db, &house.clock, nothing).unwrap();
    let signals = signals(&house, "ws3");
    assert_eq!(signals["mrr"], 4900, "the same money counts once: {signals}");
    assert_eq!(signals["paid_status"], "paid");
}
