//! What a decision's record says, and when a new one is written.

use chrono::TimeDelta;
use diesel::PgConnection;
use ripen::db::Pool;
use ripen::error::Result;
use ripen::ids::WorkspaceId;
use ripen::ownership::store::owner;
use ripen::routing::ops::route_workspaces;
use ripen::routing::store_log::decisions_of;
use ripen::tasks::store::open_task;
use ripen::team::member::Function;
use serde_json::{Value, json};

use crate::house::House;
use crate::leads::{admin_of, friday, hot, score, seed, seller};
use crate::test_db::TestDb;

fn tx<T>(db: &TestDb, work: impl FnMut(&mut PgConnection) -> Result<T>) -> T {
    db.tx(Pool::Work, work).unwrap()
}

/// Rule names and overlays of all decisions, the newest first.
fn decided(db: &TestDb, id: WorkspaceId) -> Vec<(String, Value)> {
    tx(db, |conn| decisions_of(conn, id, 50))
        .into_iter()
        .map(|one| (one.rule_name, one.trace["overlays"].clone()))
        .collect()
}

#[test]
fn a_decision_is_recorded_anew_when_only_rule_or_overlay_changed() {
    let db = TestDb::new();
    let (id, mia) = tx(&db, |conn| {
        seed(conn)?;
        let mia = seller(conn, "Mia", Function::Sdr)?;
        let id = hot(conn, "Acme")?;
        route_workspaces(conn, &[id], friday())?;
        Ok((id, mia))
    });
    let becomes = |points, changes: Value, hours| {
        let now = friday() + TimeDelta::hours(hours);
        tx(&db, |conn| {
            score(conn, id, points, changes.clone())?;
            route_workspaces(conn, &[id], now)
        })
    };
    let first = tx(&db, |conn| open_task(conn, id)).unwrap().id;
    let said = |rule: &str, overlays: Value| (rule.to_owned(), overlays);
    assert_eq!(decided(&db, id), [said("Hot PQL", json!([]))]);

    // The same destination and owner by another rule.
    let done = becomes(70, json!({}), 1);
    assert_eq!((done.decisions, done.given), (1, 0));
    assert_eq!(decided(&db, id)[0], said("Light touch", json!(["lifecycle_email"])));
    // An overlay comes and goes.
    becomes(84, json!({}), 2);
    assert_eq!(becomes(84, json!({ "segment": "enterprise" }), 3).decisions, 1);
    assert_eq!(decided(&db, id)[0], said("Hot PQL", json!(["ae_assist"])));
    assert_eq!(becomes(84, json!({}), 4).decisions, 1);
    assert_eq!(decided(&db, id)[0], said("Hot PQL", json!([])));
    // Nothing changed: nothing is written.
    assert_eq!(becomes(85, json!({}), 5).decisions, 0);
    assert_eq!(decided(&db, id).len(), 5);
    // All the while nobody lost or got anything.
    tx(&db, |conn| {
        assert_eq!(open_task(conn, id)?.unwrap().id, first);
        assert_eq!(owner(conn, id)?.unwrap().0, mia);
        Ok(())
    });
}

#[test]
fn a_machines_decision_is_recorded_anew_too() {
    let db = TestDb::new();
    let id = tx(&db, |conn| {
        seed(conn)?;
        hot(conn, "Acme")
    });
    let becomes = |points, changes: Value, hours| {
        let now = friday() + TimeDelta::hours(hours);
        tx(&db, |conn| {
            score(conn, id, points, changes.clone())?;
            route_workspaces(conn, &[id], now)
        });
    };
    becomes(62, json!({ "icp_fit_tier": "C" }), 0);
    becomes(55, json!({ "icp_fit_tier": null }), 1);
    let rules: Vec<String> = decided(&db, id).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(rules, ["E-mail for coverage", "E-mail and prompt"]);
}

#[actix_web::test]
async fn the_record_tells_turns_and_last_assignments_in_order() {
    let house = House::open().await;
    let (ann, ben, cy, second) = house.tx(|conn| {
        seed(conn)?;
        let reps: Vec<_> = ["Ann", "Ben", "Cy"]
            .into_iter()
            .map(|name| seller(conn, name, Function::Sdr))
            .collect::<Result<_>>()?;
        let ids = [hot(conn, "first")?, hot(conn, "second")?];
        for (id, hours) in ids.iter().zip(0..) {
            route_workspaces(conn, &[*id], friday() + TimeDelta::hours(hours))?;
        }
        Ok((reps[0], reps[1], reps[2], ids[1]))
    });
    let record = house.tx(|conn| decisions_of(conn, second, 1)).remove(0).trace;
    let steps = record["steps"].as_array().unwrap();
    let people: Vec<Value> = steps.last().unwrap()["candidates"].as_array().unwrap().clone();
    let turns: Vec<_> = people.iter().map(|one| (&one["name"], &one["turn"])).collect();
    assert_eq!(
        turns,
        [(&json!("Ben"), &json!(1)), (&json!("Cy"), &json!(2)), (&json!("Ann"), &json!(3))]
    );
    assert_eq!(people[2]["last_assigned_at"], "2026-11-20T10:00:00Z");
    assert_eq!(people[0]["last_assigned_at"], Value::Null);

    let log = house.signed_in(ann).get("/routing/log").await;
    log.says(
        200,
        "Not you: you were eligible, but Ben came before you in the round robin, never assigned \
         before; you were number 3, last assigned 20 Nov 2026, 10:00 UTC.",
    );
    log.says(200, "chosen, number 1 in the round robin, never assigned before");
    log.says(200, "eligible, number 3 in the round robin, last assigned 20 Nov 2026, 10:00 UTC");
    house.signed_in(ben).get("/routing/log").await.says(200, "It went to you.");
    let page = house.signed_in(cy).get(&format!("/workspaces/{second}/history")).await;
    page.says(200, "you were number 2, never assigned before");
}

#[actix_web::test]
async fn an_address_adds_nothing_to_the_link_of_a_task() {
    let house = House::open().await;
    let (mia, id, task) = house.tx(|conn| {
        seed(conn)?;
        let mia = seller(conn, "Mia", Function::Sdr)?;
        let id = hot(conn, "Acme")?;
        admin_of(conn, id, "sam?bcc=thief@evil.example&body=hi\" onclick=\"x")?;
        route_workspaces(conn, &[id], friday())?;
        Ok((mia, id, open_task(conn, id)?.unwrap().id))
    });
    let rep = house.signed_in(mia);
    for path in [format!("/tasks/{task}"), format!("/workspaces/{id}/tasks")] {
        let page = rep.get(&path).await;
        page.says(200, "mailto:sam%3Fbcc%3Dthief%40evil.example%26body%3Dhi");
        assert!(!page.body.contains("mailto:sam?"), "{path}");
    }
    let pane = rep.htmx_get(&format!("/tasks/{task}"), "pane").await;
    pane.says(200, "mailto:sam%3Fbcc%3D");
}
