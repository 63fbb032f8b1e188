//! A run acts once, whoever else is at work.

use std::collections::BTreeMap;
use std::sync::Barrier;

use diesel::PgConnection;
use ripen::db::Pool;
use ripen::error::{Error, Result};
use ripen::ids::{MemberId, WorkspaceId};
use ripen::ownership::store::owner;
use ripen::routing::ops::route_workspaces;
use ripen::team::member::Function;
use serde_json::json;

use crate::leads::{admin_of, friday, hot, limit_hit, number, score, seed, seller, word, written};
use crate::test_db::TestDb;

fn tx<T>(db: &TestDb, work: impl FnMut(&mut PgConnection) -> Result<T>) -> T {
    db.tx(Pool::Work, work).unwrap()
}

fn several(conn: &mut PgConnection, count: usize) -> Result<Vec<WorkspaceId>> {
    (0..count).map(|at| hot(conn, &format!("w{at}"))).collect()
}

fn owners(conn: &mut PgConnection, ids: &[WorkspaceId]) -> Result<BTreeMap<MemberId, usize>> {
    let mut counts = BTreeMap::new();
    for id in ids {
        if let Some((member, _)) = owner(conn, *id)? {
            *counts.entry(member).or_default() += 1;
        }
    }
    Ok(counts)
}

#[test]
fn a_hot_pql_gets_an_owner_a_task_and_a_notification() {
    let db = TestDb::new();
    let (mia, id) = tx(&db, |conn| {
        seed(conn)?;
        let mia = seller(conn, "Mia", Function::Sdr)?;
        let id = hot(conn, "Acme Engineering")?;
        let sam = admin_of(conn, id, "Sam")?;
        limit_hit(conn, id, sam, friday())?;
        Ok((mia, id))
    });
    let done = tx(&db, |conn| route_workspaces(conn, &[id], friday()));
    assert_eq!((done.decisions, done.given, done.withdrawn), (1, 1, 0));
    tx(&db, |conn| {
        assert_eq!(owner(conn, id)?, Some((mia, "Mia".to_owned())));
        let task = ripen::tasks::store::open_task(conn, id)?.unwrap();
        assert_eq!((task.assignee, task.title.as_str()), (mia, "Call Acme Engineering"));
        assert_eq!(task.due_at.unwrap().to_rfc3339(), "2026-11-20T14:00:00+00:00");
        assert_eq!(task.payload.people[0].email.as_deref(), Some("sam@acme.example"));
        assert_eq!(task.payload.events[0].label, "Hit a usage limit");
        assert_eq!(task.payload.events[0].who, "Sam");
        assert!(task.payload.opener.starts_with("Hi Sam,"));
        assert_eq!(task.payload.activation_percent, Some(75));
        assert_eq!(written(conn)?, [1, 1, 1, 1, 1]);
        let trace = word(conn, "select trace->'lines'->0->>'name' as word from routing_decisions")?;
        assert_eq!(trace.as_deref(), Some("Not a lead"));
        Ok(())
    });
}

#[test]
fn running_again_changes_nothing() {
    let db = TestDb::new();
    let ids = tx(&db, |conn| {
        seed(conn)?;
        seller(conn, "Mia", Function::Sdr)?;
        let mut ids = several(conn, 3)?;
        let cold = hot(conn, "cold")?;
        score(conn, cold, 12, json!({}))?;
        ids.push(cold);
        Ok(ids)
    });
    tx(&db, |conn| route_workspaces(conn, &ids, friday()));
    let first = tx(&db, written);
    assert_eq!(first, [4, 3, 3, 3, 3]);
    for hours in [0, 1, 30] {
        let later = friday() + chrono::TimeDelta::hours(hours);
        let again = tx(&db, |conn| route_workspaces(conn, &ids, later));
        assert_eq!(again.decisions, 0);
        assert_eq!(tx(&db, written), first);
    }
}

#[test]
fn what_fails_leaves_nothing_behind() {
    let db = TestDb::new();
    let ids = tx(&db, |conn| {
        seed(conn)?;
        seller(conn, "Mia", Function::Sdr)?;
        several(conn, 2)
    });
    let failed: Result<()> = db.tx(Pool::Work, |conn| {
        route_workspaces(conn, &ids, friday())?;
        Err(Error::internal("the scorer died"))
    });
    assert!(failed.is_err());
    assert_eq!(tx(&db, written), [0; 5]);
    assert_eq!(
        tx(&db, |conn| number(conn, "select count(last_assigned_at) as n from pool_members")),
        0
    );
}

#[test]
fn one_batch_is_shared_fairly() {
    let db = TestDb::new();
    let ids = tx(&db, |conn| {
        seed(conn)?;
        for name in ["Ann", "Ben", "Cy"] {
            seller(conn, name, Function::Sdr)?;
        }
        several(conn, 20)
    });
    tx(&db, |conn| route_workspaces(conn, &ids, friday()));
    let counts = tx(&db, |conn| owners(conn, &ids));
    let mut counts: Vec<usize> = counts.into_values().collect();
    counts.sort_unstable();
    assert_eq!(counts, [6, 7, 7]);
}

#[test]
fn two_servers_never_pick_twice() {
    let db = TestDb::new();
    let ids = tx(&db, |conn| {
        seed(conn)?;
        for name in ["Ann", "Ben", "Cy", "Dee"] {
            seller(conn, name, Function::Sdr)?;
        }
        several(conn, 24)
    });
    // Each server has its own half and both have the middle.
    let (left, right) = (&ids[..16], &ids[8..]);
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        for half in [left, right] {
            let (db, start) = (&db, &start);
            scope.spawn(move || {
                start.wait();
                for chunk in half.chunks(4) {
                    tx(db, |conn| route_workspaces(conn, chunk, friday()));
                }
            });
        }
    });
    let counts = tx(&db, |conn| owners(conn, &ids));
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [6, 6, 6, 6]);
    assert_eq!(tx(&db, written), [24, 24, 24, 24, 24]);
}

#[test]
fn beyond_capacity_it_waits_and_says_why() {
    let db = TestDb::new();
    let ids = tx(&db, |conn| {
        seed(conn)?;
        let mia = seller(conn, "Mia", Function::Sdr)?;
        ripen::team::store::set_work(conn, mia, Some(Function::Sdr), 2, &[])?;
        several(conn, 3)
    });
    let done = tx(&db, |conn| route_workspaces(conn, &ids, friday()));
    assert_eq!((done.decisions, done.given), (3, 2));
    let reason = tx(&db, |conn| {
        word(conn, "select unowned_reason as word from routing_decisions where owner_id is null")
    });
    assert_eq!(
        reason.as_deref(),
        Some("Nobody is eligible (SDR pool in turn): Mia at capacity: 2 of 2 open PQLs.")
    );
    assert_eq!(tx(&db, |conn| route_workspaces(conn, &ids, friday())).decisions, 0);
}
