//! Who is who, as people see and decide it.

mod api;
mod contacts;
mod dated;
mod international;
mod judging;
mod stitching;
mod user_page;

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use ripen::db::Pool;
use ripen::ids::{SourceId, UserId, WorkspaceId};
use ripen::ingest::drain::{self, Limits};
use ripen::ingest::endpoint::Endpoint;
use ripen::ingest::{intake, store_journal};
use ripen::jobs::{self, PROJECTIONS};
use ripen::scoring::worker;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;

const SOURCE: SourceId = SourceId(Uuid::from_u128(7));

#[derive(QueryableByName)]
struct Cell {
    #[diesel(sql_type = Nullable<Text>)]
    cell: Option<String>,
}

/// A house that is furnished as at its first start, with one source.
async fn house() -> House {
    let house = House::open().await;
    let now = house.clock.now();
    house.tx(|conn| {
        jobs::furnish(conn, now)?;
        diesel::sql_query(
            "insert into sources (id, name, created_at) values ($1, 'Web app', now())",
        )
        .bind::<diesel::sql_types::Uuid, _>(SOURCE)
        .execute(conn)?;
        Ok(())
    });
    house
}

/// Journals events as one request, drains and scores them.
fn send(house: &House, events: &[Value]) {
    let body = json!({ "batch": events }).to_string();
    let now = house.clock.now();
    let prepared =
        intake::prepare(Endpoint::Batch, None, body.as_bytes(), now, Uuid::now_v7()).unwrap();
    let submission = prepared.of(SOURCE, now);
    let room = house.db.check_room().unwrap();
    house.db.tx(Pool::Work, |conn| store_journal::append(conn, room, &[&submission])).unwrap();
    drain::until_empty(&house.db, &house.clock, &PROJECTIONS, Limits::default()).unwrap();
    score(house);
}

/// Scores whatever was touched.
fn score(house: &House) {
    worker::drain(&house.db, &house.clock, |_, _: &[WorkspaceId], _| Ok(())).unwrap();
}

/// One value as text; `None` for null.
fn cell(house: &House, query: &str) -> Option<String> {
    let query = format!("select ({query})::text as cell");
    house.tx(|conn| Ok(diesel::sql_query(&query).get_result::<Cell>(conn)?.cell))
}

fn call(kind: &str, at: &str, more: Value) -> Value {
    let mut call = json!({"type": kind, "messageId": Uuid::now_v7().to_string(),
                          "timestamp": format!("2026-11-{at}:00:00Z")});
    call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    call
}

/// Everything that follows from who is who: scores, history, members, placed usage.
fn standing(house: &House) -> Vec<String> {
    [
        "select string_agg(concat_ws(' ', w.external_id, s.score, s.wau, s.member_count, s.stage), ', ' order by w.external_id)
         from workspace_scores s join workspaces w on w.id = s.workspace_id",
        "select string_agg(concat_ws(' ', w.external_id, h.day, h.score), ', ' order by w.external_id, h.day)
         from score_history h join workspaces w on w.id = h.workspace_id",
        "select string_agg(concat_ws(' ', w.external_id, d.day, u.external_id, d.event_key, d.events), ', ' order by w.external_id, d.day, u.external_id, d.event_key)
         from usage_days d join workspaces w on w.id = d.workspace_id join product_users u on u.id = d.user_id",
        "select string_agg(concat_ws(' ', external_id, canonical_id, linked_by), ', ' order by external_id, kind) from product_users",
    ]
    .iter()
    .map(|query| cell(house, query).unwrap_or_default())
    .collect()
}

/// Two users who share an address, in one workspace, each with usage of their own.
fn two_danas() -> Vec<Value> {
    let mut events = vec![
        call(
            "identify",
            "02T08",
            json!({"userId": "dana", "traits": {"name": "Dana", "email": "dana@acme.com", "email_verified": true}}),
        ),
        call(
            "identify",
            "03T08",
            json!({"userId": "dana-2", "traits": {"name": "Dana Ops", "email": "Dana@Acme.com", "email_verified": true}}),
        ),
        call(
            "group",
            "02T09",
            json!({"userId": "dana", "groupId": "w1", "traits": {"name": "Acme", "role": "admin"}}),
        ),
        call("group", "03T09", json!({"userId": "dana-2", "groupId": "w1"})),
        call("group", "03T09", json!({"userId": "eve", "groupId": "w1"})),
        call("alias", "04T09", json!({"userId": "dana-2", "previousId": "dana"})),
    ];
    for day in 10..20 {
        for (user, hour) in [("dana", 8), ("dana-2", 9), ("eve", 10)] {
            for event in ["core_feature_used", "invite_sent", "usage_limit_hit"] {
                events.push(call(
                    "track",
                    &format!("{day}T{hour:02}"),
                    json!({"userId": user, "event": event, "context": {"groupId": "w1"}}),
                ));
            }
        }
    }
    events
}

fn pair(one: &str, other: &str) -> (UserId, UserId) {
    let (one, other) = (UserId::known(one), UserId::known(other));
    (one.min(other), one.max(other))
}
